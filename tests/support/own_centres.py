"""Centres for which one draw of the model is the truth: for tests of what an update makes of their patients."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from knowledge.cohort.record import CohortRow
from knowledge.factors import LdhMultiple, Presence
from knowledge.logistic import expit
from knowledge.model import Draws, Model
from knowledge.normal import cdf
from knowledge.synthesis.spec import CODINGS


@dataclass(frozen=True)
class OwnCentre:
    """Patients of a centre whose truth was a draw of CRS and one of ICANS, and the model without these two draws."""

    rows: list[CohortRow]
    truth: dict[str, dict[str, float]]
    model: Model


def own_centre(model: Model, patients: int, rng: np.random.Generator) -> OwnCentre:
    """A truth by lot, in proportion to the draws' weights, and ``patients`` of it."""
    chosen = {pool: int(rng.choice(len(model.draws(pool).weight), p=model.draws(pool).weight)) for pool in POOLS}
    truth = {}
    for pool, at in chosen.items():
        draws = model.draws(pool)
        truth[pool] = dict(zip(draws.names, draws.matrix[:, at].tolist(), strict=True))
        truth[pool]["coding"] = float(draws.coding[at])
    rest = {pool: without(model.draws(pool), at) for pool, at in chosen.items()}
    content = replace(model.content, crs=rest["crs"], icans=rest["icans"])
    return OwnCentre(patients_of(truth, patients, rng), truth, replace(model, content=content))


POOLS = ("crs", "icans")


def without(draws: Draws, at: int) -> Draws:
    """All draws but one."""
    kept = np.arange(len(draws.weight)) != at
    return subset(draws, kept)


def subset(draws: Draws, kept: NDArray[np.bool_]) -> Draws:
    """Some of the draws, their weights summing to one again."""
    weight = draws.weight[kept]
    return Draws(draws.names, draws.matrix[:, kept], weight / weight.sum(), draws.tau[kept], draws.coding[kept])


def small(model: Model, every: int) -> Model:
    """The model with one draw in ``every``."""
    by_pool = {pool: model.draws(pool) for pool in POOLS}
    parts = {pool: subset(draws, np.arange(len(draws.weight)) % every == 0) for pool, draws in by_pool.items()}
    return replace(model, content=replace(model.content, crs=parts["crs"], icans=parts["icans"]))


def patients_of(truth: dict[str, dict[str, float]], patients: int, rng: np.random.Generator) -> list[CohortRow]:
    """Patients whose findings and outcomes follow the truth."""
    crs, icans = truth["crs"], truth["icans"]
    ldh, liver = _latent(patients, crs["ldh_liver_correlation"], rng)
    log2_ratio = np.clip(crs["ldh_mean"] + crs["ldh_sd"] * np.clip(ldh, -2.33, 2.33), -3.3, 5.3)
    has_liver = cdf(liver) > 1.0 - crs["liver_prevalence"]
    diabetes, cvd = _latent(patients, icans["diabetes_cvd_correlation"], rng)
    has_diabetes, has_cvd = cdf(diabetes) > 1.0 - icans["diabetes_prevalence"], cdf(cvd) > 1.0 - icans["cvd_prevalence"]
    by_ratio = CODINGS[int(crs["coding"])] == "log2_ratio"
    value = log2_ratio - crs["ldh_mean"] if by_ratio else (log2_ratio > 0) - float(cdf(crs["ldh_mean"] / crs["ldh_sd"]))
    p = expit(crs["a_new"] + crs["b_ldh"] * value + crs["b_liver"] * (has_liver - crs["liver_prevalence"]))
    q = expit(crs["c_grade2"] + crs["d_ldh"] * value)
    p_icans = expit(
        icans["a_new"]
        + icans["b_diabetes"] * (has_diabetes - icans["diabetes_prevalence"])
        + icans["b_cvd"] * (has_cvd - icans["cvd_prevalence"])
    )
    any_crs, severe, any_icans = (rng.random(patients) < each for each in (p, q, p_icans))
    return [
        CohortRow(
            dose_day=at,
            ldh=LdhMultiple(multiple=float(2.0 ** log2_ratio[at])),
            liver_metastases=_presence(has_liver[at]),
            diabetes=_presence(has_diabetes[at]),
            cardiovascular_disease=_presence(has_cvd[at]),
            tocilizumab_prophylaxis=Presence.NO,
            crs_grade_dose1=int(any_crs[at]) * (1 + int(severe[at])),
            icans_grade=int(any_icans[at]),
            simulated=True,
        )
        for at in range(patients)
    ]


def _latent(size: int, correlation: float, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first, other = rng.standard_normal((2, size))
    return first, correlation * first + np.sqrt(1.0 - correlation**2) * other


def _presence(present: np.bool_) -> Presence:
    return Presence.YES if present else Presence.NO
