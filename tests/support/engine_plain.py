"""Risk of one patient the plain way: scipy, a loop over draws and branches, a full sort.

Written from the description of the model alone, to hold the engine's fast
arrays against. ``LDH`` is a multiple of its upper limit, "high", "normal" or None.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import integrate, special

from knowledge.model import Draws, Model

Floats = NDArray[np.float64]

HELD = 2.33  # sds of log2(LDH/ULN) from a draw's mean beyond which the figure is held
LDH_POINTS = 16


def sorted_quantile(value: Floats, weight: Floats, probability: float) -> float:
    """Smallest value at which the cumulative weight reaches the probability, by sorting everything."""
    order = np.argsort(value, kind="stable")
    cumulative = np.cumsum(weight[order])
    reached = int(np.argmax(cumulative >= probability * cumulative[-1]))
    return float(value[order][reached])


@dataclass(frozen=True)
class PlainRisk:
    """Estimate and 95 % limits."""

    risk: float
    low: float
    high: float


def crs_risks(
    model: Model, ldh: float | str | None, liver: bool | None, points: int = LDH_POINTS
) -> dict[str, PlainRisk]:
    """CRS of any grade and of grade 2 or higher, at a new centre and (``study_``) the study's own."""
    draws = model.draws("crs")
    rows = [row for draw in _each(draws) for row in _crs_rows(draw, ldh, liver, points)]
    table = np.array(rows)
    names = ("any", "grade2", "study_any", "study_grade2")
    return {name: _summary(table[:, 0], table[:, column]) for column, name in enumerate(names, 1)}


def icans_risk(model: Model, diabetes: bool | None, cvd: bool | None) -> PlainRisk:
    """ICANS of any grade at a new centre."""
    rows = [row for draw in _each(model.draws("icans")) for row in _icans_rows(draw, diabetes, cvd)]
    table = np.array(rows)
    return _summary(table[:, 0], table[:, 1])


def thinned(model: Model, step: int) -> Model:
    """The model on every ``step``-th of its draws: small enough to be walked through one by one."""

    def every(draws: Draws) -> Draws:
        weight = draws.weight[::step]
        matrix = np.ascontiguousarray(draws.matrix[:, ::step])
        return Draws(draws.names, matrix, weight / weight.sum(), draws.tau[::step], draws.coding[::step])

    content = replace(model.content, crs=every(model.content.crs), icans=every(model.content.icans))
    return Model(model.version, content, model.facts_sha256, model.description)


def _each(draws: Draws) -> Iterator[dict[str, float]]:
    for i, weight in enumerate(draws.weight.tolist()):
        values = dict(zip(draws.names, draws.matrix[:, i].tolist(), strict=True))
        yield {**values, "weight": weight, "coding": int(draws.coding[i])}


def _crs_rows(
    draw: dict[str, float], ldh: float | str | None, liver: bool | None, points: int
) -> Iterator[list[float]]:
    m, s = draw["ldh_mean"], draw["ldh_sd"]
    prevalence, rho = draw["liver_prevalence"], draw["ldh_liver_correlation"]
    elevated_share = float(special.ndtr(m / s))  # P(m + s z > 0)
    if isinstance(ldh, float):
        z = min(max((math.log2(ldh) - m) / s, -HELD), HELD)
        candidates = [(z, 1.0 if ldh > 1.0 else 0.0)]
    else:
        start, width = 0.0, 1.0
        if ldh == "normal":
            width = 1.0 - elevated_share
        elif ldh == "high":
            start, width = 1.0 - elevated_share, elevated_share
        middles = [start + width * (k + 0.5) / points for k in range(points)]
        zs = [float(special.ndtri(middle)) for middle in middles]
        candidates = [(z, 1.0 if m + s * z > 0 else 0.0) for z in zs]
    threshold = float(special.ndtri(1.0 - prevalence))
    branches: list[tuple[float, float, float, float]] = []  # weight, z, elevated, liver
    for z, elevated in candidates:
        chance = 1.0 - float(special.ndtr((threshold - rho * z) / math.sqrt(1.0 - rho * rho)))
        if liver is not False:
            branches.append((chance, z, elevated, 1.0))
        if liver is not True:
            branches.append((1.0 - chance, z, elevated, 0.0))
    total = sum(weight for weight, *_ in branches)
    for weight, z, elevated, present in branches:
        x = elevated - elevated_share if draw["coding"] == 0 else (m + s * z) - m
        effect = draw["b_ldh"] * x + draw["b_liver"] * (present - prevalence)
        grade2_given_any = _expit(draw["c_grade2"] + draw["d_ldh"] * x)
        new, study = _expit(draw["a_new"] + effect), _expit(draw["a_study"] + effect)
        share = draw["weight"] * weight / total
        yield [share, new, new * grade2_given_any, study, study * grade2_given_any]


def _icans_rows(draw: dict[str, float], diabetes: bool | None, cvd: bool | None) -> Iterator[list[float]]:
    p, q = draw["diabetes_prevalence"], draw["cvd_prevalence"]
    both = _both(p, q, draw["diabetes_cvd_correlation"])
    joint = {(True, True): both, (True, False): p - both, (False, True): q - both, (False, False): 1 - p - q + both}
    allowed = {pair: chance for pair, chance in joint.items() if diabetes in (None, pair[0]) and cvd in (None, pair[1])}
    for (has_diabetes, has_cvd), chance in allowed.items():
        effect = draw["b_diabetes"] * (has_diabetes - p) + draw["b_cvd"] * (has_cvd - q)
        yield [draw["weight"] * chance / sum(allowed.values()), _expit(draw["a_new"] + effect)]


def _both(p: float, q: float, rho: float) -> float:
    """P(both) for two latent normals: integrate the second given the first."""
    a, b = float(special.ndtri(1 - p)), float(special.ndtri(1 - q))
    spread = math.sqrt(1 - rho * rho)
    area, _ = integrate.quad(
        lambda z: math.exp(-z * z / 2) * special.ndtr((rho * z - b) / spread), a, 10.0, epsabs=1e-13, epsrel=1e-11
    )
    return float(area / math.sqrt(2 * math.pi))


def _summary(weight: Floats, risk: Floats) -> PlainRisk:
    low, high = (sorted_quantile(risk, weight, probability) for probability in (0.025, 0.975))
    return PlainRisk(float((weight * risk).sum() / weight.sum()), low, high)


def _expit(eta: float) -> float:
    return 1.0 / (1.0 + math.exp(-eta))
