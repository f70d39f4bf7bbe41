"""Truths of another structure: true risks patient by patient, and cohorts that the study analyses otherwise."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

from knowledge import Outcome
from knowledge import firth as single
from knowledge.evidence import load as load_evidence
from knowledge.model import load as load_model
from knowledge.simulation.cohorts import (
    Cohorts,
    Setting,
    ldh_table,
    new_crs_patients,
    new_icans_patients,
    prepare,
    simulate,
)
from knowledge.simulation.performance import Tables, judge_crs, judge_icans, tables_of
from knowledge.simulation.results import CENTRES
from knowledge.simulation.scenarios import Scenario, scenarios
from knowledge.synthesis.centre import centre_posterior
from knowledge.synthesis.cohorts import Batch, CrsPatients, IcansPatients, crs_batch, icans_batch
from knowledge.synthesis.facts import published_spec
from knowledge.synthesis.spec import CODINGS, Coding, Pool
from knowledge.synthesis.structure import Structure

Floats = NDArray[np.float64]
SPEC = published_spec(load_evidence())
COUNTS = SPEC.model_copy(update={"significances": False})
TRUTHS = {scenario.id: scenario for scenario in scenarios() if scenario.structure != Structure()}
CRS = [identity for identity, scenario in TRUTHS.items() if "crs" in scenario.pools]


@lru_cache(maxsize=8)
def cohorts(identity: str, pool: Pool) -> Cohorts:
    """A few cohorts of one truth, at a tau under which the facts are common."""
    truth = TRUTHS[identity]
    wide = {**truth.changes, "tau_crs": (1.5,), "tau_icans": (1.5,)}
    setting = Setting(12, (Scenario("x", "x", "x", (pool,), wide, structure=truth.structure),), load_model().spec)
    prepare(setting)
    return simulate(setting, 0, pool, effective=4, patients=25, batches_per_round=1, mapper=map)


@lru_cache(maxsize=1)
def tables() -> Tables:
    return tables_of(load_model(), load_model())


def some(found: Cohorts) -> list[tuple[int, int]]:
    rng = np.random.default_rng(2)
    return [(int(rng.integers(len(found))), int(rng.integers(25))) for _ in range(40)]


def acts(identity: str, log2_ratio: float, mean: float, sd: float, coding: int) -> float:
    """Centred LDH as the truth's name says it acts."""
    if identity == "ldh_2uln":
        return float(2.0**log2_ratio > 2.0) - special.ndtr((mean - 1.0) / sd)
    if identity == "ldh_high_as_log2" or (identity == "interaction_crs" and CODINGS[coding] == "elevated"):
        return float(2.0**log2_ratio > 1.0) - special.ndtr(mean / sd)
    return log2_ratio - mean


@pytest.mark.parametrize("identity", CRS)
def test_true_crs_risks_are_the_formula_of_the_truths_name(identity: str) -> None:
    found = cohorts(identity, "crs")
    new = new_crs_patients(found)
    true = {each.outcome: each.true for each in judge_crs(found, tables())}
    between = 0
    for a, j in some(found):
        p = {name: float(value[a]) for name, value in found.columns.items()}
        log2_ratio = float(ldh_table()[new.cell[a, j]])
        between += 0 < log2_ratio < 1
        x = acts(identity, log2_ratio, p["ldh_mean"], p["ldh_sd"], int(found.coding[a]))
        liver = float(new.liver[a, j]) - p["liver_prevalence"]
        effect = p["b_ldh"] * x + p["b_liver"] * liver + p.get("b_interaction", 0.0) * x * liver
        severe = special.expit(p["c_grade2"] + p["d_ldh"] * x)
        for centre in CENTRES:
            any_grade = special.expit(p[f"a_{centre}"] + effect)
            assert true[Outcome.CRS_ANY][centre][a, j] == pytest.approx(any_grade, rel=1e-12)
            assert true[Outcome.CRS_GRADE2PLUS][centre][a, j] == pytest.approx(any_grade * severe, rel=1e-12)
    assert between > 3  # where the limits of 1 and 2 x ULN differ
    assert ("b_interaction" in found.columns) == (identity == "interaction_crs")


def test_true_icans_risks_have_the_interaction() -> None:
    found = cohorts("interaction_icans", "icans")
    diabetes, cvd = new_icans_patients(found)
    (judged,) = judge_icans(found, tables())
    assert np.abs(found.columns["b_interaction"]).max() > 0.5
    for a, j in some(found):
        p = {name: float(value[a]) for name, value in found.columns.items()}
        one, other = diabetes[a, j] - p["diabetes_prevalence"], cvd[a, j] - p["cvd_prevalence"]
        effect = p["b_diabetes"] * one + p["b_cvd"] * other + p["b_interaction"] * one * other
        wanted = [special.expit(p[f"a_{centre}"] + effect) for centre in CENTRES]
        assert [judged.true[centre][a, j] for centre in CENTRES] == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("identity", ["ldh_2uln", "ldh_log2_as_high", "ldh_high_as_log2"])
def test_calculator_and_facts_are_of_the_studys_own_coding(identity: str) -> None:
    """The rivals regress on LDH as analysed, and the published predictors are significant in that regression."""
    found = cohorts(identity, "crs")
    data, new = found.patients, new_crs_patients(found)
    assert isinstance(data, CrsPatients)
    judged = judge_crs(found, tables())
    by_multiple = identity == "ldh_high_as_log2"
    assert set(np.unique(data.ldh)) != {0.0, 1.0} if by_multiple else set(np.unique(data.ldh)) == {0.0, 1.0}
    for a, j in some(found)[:12]:
        log2_ratio, liver = float(ldh_table()[new.cell[a, j]]), new.liver[a, j]
        x = log2_ratio if by_multiple else float(log2_ratio > 0)
        both = single.fit(np.column_stack([np.ones(30), data.ldh[a], data.liver[a]]), data.any_grade[a])
        assert both.coef[1] > 0
        assert (both.pvalues[1:] < 0.0501).all()
        alone = single.fit(np.column_stack([np.ones(30), data.ldh[a]]), data.grade2[a])
        assert alone.coef[1] > 0
        assert alone.pvalues[1] < 0.0501
        predicted = judged[0].predicted["firth", "new"].risk[a, j]
        assert predicted == pytest.approx(both.predict([[1.0, x, liver]])[0], abs=1e-6)
    # The engine is asked about the same multiple whatever the truth makes of it.
    assert (judged[0].predicted["engine", "new"].risk == tables().engine[Outcome.CRS_ANY, "new"][0][
        new.cell, new.liver.astype(np.int64)]).all()  # fmt: skip


def batch_of(structure: Structure, coding: Coding, tau: float) -> tuple[Batch, CrsPatients]:
    """Cohorts of which only the counts are known, so that none is lost."""
    centre = centre_posterior(SPEC.crs_centres, SPEC.centre_mean_sd, SPEC.centre_sd_scale)
    batch = crs_batch(
        COUNTS, centre, tau, coding, 6_000, np.random.default_rng(61), keep_data=True, structure=structure
    )
    assert isinstance(batch.patients, CrsPatients)
    return batch, batch.patients


def rate(events: Floats, group: NDArray[np.bool_]) -> Floats:
    """Share of events in a group of each cohort (A,); nan where the group is empty."""
    number = group.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        share: Floats = np.where(number > 0, (events * group).sum(axis=1) / number, np.nan)
    return share


def difference(one: Floats, other: Floats, weight: Floats, rows: NDArray[np.bool_]) -> tuple[float, float]:
    """Weighted mean difference over the cohorts that have both groups, and its standard error."""
    kept = rows & np.isfinite(one) & np.isfinite(other)
    share = weight[kept] / weight[kept].sum()
    value = (one - other)[kept]
    mean = float((share * value).sum())
    return mean, float(np.sqrt((share**2 * (value - mean) ** 2).sum()))


def test_between_one_and_two_times_the_limit_ldh_does_nothing() -> None:
    """Analysed as log2 multiple, the cohorts show where the truth's limit lies: for any grade and for severity."""
    batch, data = batch_of(Structure(ldh_limit=1.0, analysed="log2_ratio"), "elevated", 2.0)
    below, between, above = data.ldh <= 0, (data.ldh > 0) & (data.ldh <= 1), data.ldh > 1
    harmful = batch.columns["b_ldh"] > 1
    low, middle, high = (rate(data.any_grade, group) for group in (below, between, above))
    none, se = difference(middle, low, batch.weight, harmful)
    assert abs(none) < 3.5 * se < 0.1
    assert difference(high, middle, batch.weight, harmful)[0] > 0.25
    # Severity among those with CRS.
    severe = batch.columns["d_ldh"] > 1
    ill = data.any_grade > 0
    low, middle, high = (rate(data.grade2, group & ill) for group in (below, between, above))
    none, se = difference(middle, low, batch.weight, severe)
    assert abs(none) < 3.5 * se < 0.1
    assert difference(high, middle, batch.weight, severe)[0] > 0.2


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_an_interaction_makes_effects_differ(sign: float) -> None:
    """What LDH does in patients with liver metastases beyond what it does in the rest has the interaction's sign."""
    batch, data = batch_of(Structure(interaction=2.0), "elevated", 1.0)
    high, liver = data.ldh > 0, data.liver > 0
    with_liver, without = (
        rate(data.any_grade, high & group) - rate(data.any_grade, ~high & group) for group in (liver, ~liver)
    )
    rows = sign * batch.columns["b_interaction"] > 1
    found, se = difference(with_liver, without, batch.weight, rows)
    assert sign * found > 4 * se
    assert abs(np.std(batch.columns["b_interaction"]) - 2.0) < 0.1


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_an_interaction_of_diabetes_and_cvd(sign: float) -> None:
    centre = centre_posterior(SPEC.icans_centres, SPEC.centre_mean_sd, SPEC.centre_sd_scale)
    batch = icans_batch(COUNTS, centre, 1.0, 8_000, np.random.default_rng(62), keep_data=True,
                        structure=Structure(interaction=2.0))  # fmt: skip
    data = batch.patients
    assert isinstance(data, IcansPatients)
    diabetes, cvd = data.diabetes > 0, data.cvd > 0
    with_cvd, without = (
        rate(data.icans, diabetes & group) - rate(data.icans, ~diabetes & group) for group in (cvd, ~cvd)
    )
    found, se = difference(with_cvd, without, batch.weight, sign * batch.columns["b_interaction"] > 1)
    assert sign * found > 4 * se


def test_the_models_own_structure_costs_no_random_number() -> None:
    """An unused option leaves every draw as it is; the study's coding spelt out changes nothing either."""
    centre = centre_posterior(SPEC.crs_centres, SPEC.centre_mean_sd, SPEC.centre_sd_scale)
    first, second = (
        crs_batch(COUNTS, centre, 1.0, "elevated", 50, np.random.default_rng(63), structure=structure)
        for structure in (Structure(), Structure(analysed="elevated"))
    )
    assert all((first.columns[name] == second.columns[name]).all() for name in first.columns)
    assert (first.weight == second.weight).all()
