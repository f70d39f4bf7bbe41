"""A built model against the plain simulation: every probability of the facts, parameter and some patients' risks.

``python -m tests.support.engine_agreement`` (``make synthesis-check``) does so for the model that ships,
with its real priors and conditions. Plain rejection keeps a handful in a million cohorts
there, so it takes minutes and its standard errors are wide; the test suite does the
same under looser conditions, where they are narrow.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from knowledge import LdhMultiple, Outcome, PatientFactors, Presence, assess
from knowledge.model import Model, load
from knowledge.synthesis.centre import centre_posterior
from knowledge.synthesis.pooling import effective_size
from knowledge.synthesis.spec import CODINGS, POOLS, Coding, Pool, Spec
from tests.support.engine_rejection import Kept, simulate

Floats = NDArray[np.float64]
YES, NO = Presence.YES, Presence.NO
BATCH = 20_000


@dataclass(frozen=True)
class Comparison:
    """One figure from both sides and the standard error of their difference."""

    name: str
    built: float
    plain: float
    error: float

    @property
    def z(self) -> float:
        """The difference in standard errors."""
        return (self.built - self.plain) / self.error


def compare(model: Model, pool: Pool, plain: list[list[Kept]]) -> list[Comparison]:
    """``plain`` holds for each tau one result a coding, in the model's order, with equal numbers simulated."""
    found = []
    strata = model.content.diagnostics[pool]["strata"]  # type: ignore[index]  # JSON
    for entry, kept in zip(strata, [kept for by_coding in plain for kept in by_coding], strict=True):
        p = kept.accepted / kept.simulated
        # The plain side's error under the built side's figure, which stands even where nothing was kept.
        error = np.hypot(entry["standard_error"], np.sqrt(entry["probability_of_facts"] / kept.simulated))
        name = f"{pool} P(facts), tau {entry['tau']:g}, {entry['coding']}"
        found.append(Comparison(name, entry["probability_of_facts"], p, float(error)))

    draws = model.draws(pool)
    codings: tuple[int, ...] = tuple(CODINGS.index(c) for c in model.spec.codings) if pool == "crs" else (0,)
    columns = {
        name: np.concatenate([kept.columns[name] for by_coding in plain for kept in by_coding]) for name in draws.names
    }
    weight = np.concatenate(
        [np.full(kept.accepted, 1 / sum(k.accepted for k in by)) for by in plain for kept in by]
    ) / len(plain)
    coding = np.concatenate(
        [np.full(kept.accepted, index) for by in plain for index, kept in zip(codings, by, strict=True)]
    )
    ours = {name: draws[name] for name in draws.names}
    for name in draws.names:
        for index in codings if name in ("b_ldh", "d_ldh") else (None,):
            a, b = (np.ones(len(c), bool) if index is None else c == index for c in (draws.coding, coding))
            label = name if index is None else f"{name} ({CODINGS[index]})"
            found.append(_means(f"{pool} {label}", ours[name][a], draws.weight[a], columns[name][b], weight[b]))
    for label, patient in _patients(pool).items():
        answers = assess(patient, model)
        for outcome in (Outcome.CRS_ANY, Outcome.CRS_GRADE2PLUS) if pool == "crs" else (Outcome.ICANS_ANY,):
            mine = risk(ours, draws.coding, patient, outcome)
            theirs = risk(columns, coding, patient, outcome)
            name = f"{label}: {outcome}"
            mean = _means(name, mine, draws.weight, theirs, weight)
            shown = answers.risk_of(outcome)
            found.append(Comparison(name, shown.risk, mean.plain, mean.error))
            for limit, tail in zip(shown.interval, (0.025, 0.975), strict=True):
                below = float((weight * (theirs <= limit)).sum() / weight.sum())
                # Of both sides' draws a share of ``tail`` should lie below the limit.
                sizes = (effective_size(draws.weight), effective_size(weight))
                error = float(np.sqrt(tail * (1 - tail) * sum(1 / size for size in sizes)))
                found.append(Comparison(f"{name}, share below {limit:.3f}", tail, below, error))
    return found


def risk(columns: dict[str, Floats], coding: NDArray[np.int64], patient: PatientFactors, outcome: Outcome) -> Floats:
    """Risk at a new centre under each draw, for a patient of whom everything is known."""
    if outcome is Outcome.ICANS_ANY:
        diabetes = float(patient.diabetes is YES) - columns["diabetes_prevalence"]
        cvd = float(patient.cardiovascular_disease is YES) - columns["cvd_prevalence"]
        return np.asarray(
            special.expit(columns["a_new"] + columns["b_diabetes"] * diabetes + columns["b_cvd"] * cvd), dtype=float
        )
    assert isinstance(patient.ldh, LdhMultiple)
    m, s = columns["ldh_mean"], columns["ldh_sd"]
    ratio = np.clip(np.log2(patient.ldh.multiple), m - 2.33 * s, m + 2.33 * s) - m
    x = np.where(coding == 0, float(patient.ldh.multiple > 1) - special.ndtr(m / s), ratio)
    liver = float(patient.liver_metastases is YES) - columns["liver_prevalence"]
    any_grade = special.expit(columns["a_new"] + columns["b_ldh"] * x + columns["b_liver"] * liver)
    severe = special.expit(columns["c_grade2"] + columns["d_ldh"] * x) if outcome is Outcome.CRS_GRADE2PLUS else 1.0
    return np.asarray(any_grade * severe, dtype=float)


def _patients(pool: Pool) -> dict[str, PatientFactors]:
    if pool == "icans":
        return {
            f"diabetes {dm}, CVD {cvd}": PatientFactors(diabetes=dm, cardiovascular_disease=cvd)
            for dm in (YES, NO)
            for cvd in (YES, NO)
        }
    return {
        f"LDH {ldh} x limit, liver {liver}": PatientFactors(ldh=LdhMultiple(multiple=ldh), liver_metastases=liver)
        for ldh, liver in ((0.7, NO), (1.5, NO), (1.0, YES), (2.5, YES))
    }


def _means(name: str, a: NDArray[np.generic], wa: Floats, b: NDArray[np.generic], wb: Floats) -> Comparison:
    means, errors = [], []
    for value, weight in ((np.asarray(a, float), wa / wa.sum()), (np.asarray(b, float), wb / wb.sum())):
        mean = float((weight * value).sum())
        means.append(mean)
        errors.append(float(np.sqrt((weight**2 * (value - mean) ** 2).sum())))
    return Comparison(name, means[0], means[1], float(np.hypot(*errors)))


def merge(parts: list[Kept]) -> Kept:
    """Several simulations of the same stratum as one."""
    columns = {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns}
    return Kept(sum(part.simulated for part in parts), columns)


def plain_stratum(spec: Spec, pool: Pool, tau: float, coding: Coding | None, size: int, seed: int) -> Kept:
    """``size`` cohorts of one stratum, in batches."""
    centre = centre_posterior(spec.centres(pool), spec.centre_mean_sd, spec.centre_sd_scale)
    rng = np.random.default_rng(seed)
    return merge([simulate(spec, centre, tau, coding, BATCH, rng) for _ in range(max(1, size // BATCH))])


def _check_shipped(million: float) -> int:
    """Compare the shipped model, with ``million`` CRS cohorts of each coding at the widest prior; 1 if it disagrees."""
    started, model, worst = time.perf_counter(), load(), 0.0
    spec = model.spec
    with ProcessPoolExecutor() as executor:
        for pool in POOLS:
            codings: tuple[Coding | None, ...] = spec.codings if pool == "crs" else (None,)
            waiting = []
            for tau in spec.taus(pool):
                # Narrow priors meet the facts more seldom, so they get more cohorts.
                size = int(1e6 * million * (max(spec.taus(pool)) / tau) * (0.3 if pool == "icans" else 1.0))
                parts = max(1, size // (10 * BATCH))
                waiting.append(
                    [
                        [
                            executor.submit(plain_stratum, spec, pool, tau, coding, size // parts, 1000 * k + index)
                            for k in range(parts)
                        ]
                        for index, coding in enumerate(codings)
                    ]
                )
            plain = [[merge([f.result() for f in futures]) for futures in by_coding] for by_coding in waiting]
            comparisons = compare(model, pool, plain)
            sys.stdout.write(f"{pool}: {sum(k.accepted for by in plain for k in by)} cohorts kept\n")
            for each in comparisons:
                sys.stdout.write(f"  {each.name:<62} {each.built:11.4g} {each.plain:11.4g}  z {each.z:+.1f}\n")
            worst = max(worst, *(abs(each.z) for each in comparisons))
    sys.stdout.write(f"largest |z| {worst:.1f}, {time.perf_counter() - started:.0f} s\n")
    return int(worst > 4.0)


if __name__ == "__main__":
    sys.exit(_check_shipped(float(sys.argv[1]) if len(sys.argv) > 1 else 2.0))
