"""Unknown and coarse findings against sampled patients: the mixture by brute force, with no points and no formula.

Of every draw's own population patients are drawn from the latent normals and thrown
away unless they show what is known; the risks of those left are averaged and sorted.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import special, stats

from knowledge import LdhCategory, Outcome, PatientFactors, Presence, assess
from knowledge.factors import Ldh
from knowledge.model import Draws, Model, load
from tests.support.engine_plain import Floats, sorted_quantile, thinned

PATIENTS = 4000
# Monte Carlo error of means and limits with so many patients a draw, and the 16 points of the engine.
MEAN, LIMIT = 0.004, 0.012
STATES = (Presence.YES, Presence.NO, Presence.UNKNOWN)


@pytest.fixture(scope="module")
def model() -> Model:
    return thinned(load(), 60)


def held(z: Floats) -> Floats:
    return np.clip(z, -2.33, 2.33)


def check(found: tuple[float, tuple[float, float]], risk: Floats, weight: Floats) -> None:
    assert found[0] == pytest.approx(float((weight * risk).sum() / weight.sum()), abs=MEAN)
    assert found[1][0] == pytest.approx(sorted_quantile(risk, weight, 0.025), abs=LIMIT)
    assert found[1][1] == pytest.approx(sorted_quantile(risk, weight, 0.975), abs=LIMIT)


def both_latent(rho: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    z1, z2 = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], PATIENTS).T
    return z1, z2


def shows(status: Presence, present: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Floats:
    if status is Presence.UNKNOWN:
        return np.ones(PATIENTS, dtype=bool)
    return present if status is Presence.YES else ~present


def sampled_crs(draws: Draws, ldh: str | None, liver: Presence) -> tuple[Floats, Floats, Floats]:
    rng = np.random.default_rng(11)
    any_grade, grade2, weights = [], [], []
    for i, weight in enumerate(draws.weight):
        d = {name: float(draws[name][i]) for name in draws.names}
        z1, z2 = both_latent(d["ldh_liver_correlation"], rng)
        log2_ratio, present = d["ldh_mean"] + d["ldh_sd"] * z1, z2 > stats.norm.isf(d["liver_prevalence"])
        keep = shows(liver, present)
        if ldh is not None:
            keep &= (log2_ratio > 0) if ldh == "high" else (log2_ratio <= 0)
        if draws.coding[i] == 1:
            value = d["ldh_sd"] * held(z1)
        else:
            value = (log2_ratio > 0) - stats.norm.cdf(d["ldh_mean"] / d["ldh_sd"])
        eta = d["a_new"] + d["b_ldh"] * value + d["b_liver"] * (present - d["liver_prevalence"])
        p = special.expit(eta)[keep]
        any_grade.append(p)
        grade2.append(p * special.expit(d["c_grade2"] + d["d_ldh"] * value)[keep])
        weights.append(np.full(len(p), weight / max(len(p), 1)))
    return np.concatenate(any_grade), np.concatenate(grade2), np.concatenate(weights)


@pytest.mark.parametrize(("ldh", "liver"), list(itertools.product((None, "high", "normal"), STATES)))
def test_crs(model: Model, ldh: str | None, liver: Presence) -> None:
    known: Ldh | None = None if ldh is None else LdhCategory(category=ldh)  # type: ignore[arg-type]  # one of two words
    answer = assess(PatientFactors(ldh=known, liver_metastases=liver), model)
    any_grade, grade2, weight = sampled_crs(model.draws("crs"), ldh, liver)
    for outcome, risk in ((Outcome.CRS_ANY, any_grade), (Outcome.CRS_GRADE2PLUS, grade2)):
        found = answer.risk_of(outcome)
        check((found.risk, found.interval), risk, weight)


@pytest.mark.parametrize(("diabetes", "cvd"), list(itertools.product(STATES, STATES)))
def test_icans(model: Model, diabetes: Presence, cvd: Presence) -> None:
    draws, rng = model.draws("icans"), np.random.default_rng(12)
    risks, weights = [], []
    for i, weight in enumerate(draws.weight):
        d = {name: float(draws[name][i]) for name in draws.names}
        z1, z2 = both_latent(d["diabetes_cvd_correlation"], rng)
        has_dm, has_cvd = z1 > stats.norm.isf(d["diabetes_prevalence"]), z2 > stats.norm.isf(d["cvd_prevalence"])
        keep = shows(diabetes, has_dm) & shows(cvd, has_cvd)
        eta = d["a_new"] + d["b_diabetes"] * (has_dm - d["diabetes_prevalence"])
        eta = eta + d["b_cvd"] * (has_cvd - d["cvd_prevalence"])
        risks.append(special.expit(eta)[keep])
        weights.append(np.full(int(keep.sum()), weight / max(int(keep.sum()), 1)))
    found = assess(PatientFactors(diabetes=diabetes, cardiovascular_disease=cvd), model).risk_of(Outcome.ICANS_ANY)
    check((found.risk, found.interval), np.concatenate(risks), np.concatenate(weights))
