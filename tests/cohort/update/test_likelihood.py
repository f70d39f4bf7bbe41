"""The likelihood of a centre's patients, against a plain calculation patient by patient and draw by draw."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.assessment import Outcome
from knowledge.cohort.record import CohortRow
from knowledge.cohort.update.likelihood import crs_probabilities, icans_probabilities, log_likelihood
from knowledge.cohort.update.patients import CrsGroup, IcansGroup, site_patients
from knowledge.factors import LdhCategory, LdhMeasured, LdhMultiple, LdhUnit, Presence, UpperLimit
from knowledge.model import load
from knowledge.predict import crs_risks, icans_risk
from tests.support.centre import simulated_centre
from tests.support.own_centres import small

YES, NO, UNKNOWN = Presence.YES, Presence.NO, Presence.UNKNOWN
MODEL = small(load(), 1_000)  # fourteen draws a pool
HOLD = MODEL.spec.ldh_hold


def plain_crs(row: CohortRow, value: dict[str, float], coding: int, level: float) -> float:
    """P(this patient's grade) in one draw, all findings known."""
    assert row.ldh is not None
    assert not isinstance(row.ldh, LdhCategory)
    mean, sd = value["ldh_mean"], value["ldh_sd"]
    z = max(-HOLD, min(HOLD, (math.log2(row.ldh.ratio) - mean) / sd))
    ldh = sd * z if coding == 1 else float(row.ldh.ratio > 1.0) - NormalDist().cdf(mean / sd)
    liver = float(row.liver_metastases is YES) - value["liver_prevalence"]
    p = 1.0 / (1.0 + math.exp(-(level + value["b_ldh"] * ldh + value["b_liver"] * liver)))
    q = 1.0 / (1.0 + math.exp(-(value["c_grade2"] + value["d_ldh"] * ldh)))
    assert row.crs_grade_dose1 is not None
    return (1.0 - p, p * (1.0 - q), p * q)[min(2, row.crs_grade_dose1)]


def plain_icans(row: CohortRow, value: dict[str, float], level: float) -> float:
    """P(this patient's ICANS) in one draw, all findings known."""
    log_odds = level + value["b_diabetes"] * ((row.diabetes is YES) - value["diabetes_prevalence"])
    log_odds += value["b_cvd"] * ((row.cardiovascular_disease is YES) - value["cvd_prevalence"])
    p = 1.0 / (1.0 + math.exp(-log_odds))
    return p if row.icans_grade else 1.0 - p


def test_the_likelihood_is_the_product_over_patients() -> None:
    rows = simulated_centre(40, 3)
    patients = site_patients(rows)
    rng = np.random.default_rng(1)
    for pool in ("crs", "icans"):
        draws = MODEL.draws(pool)
        assert len(set(draws.coding)) == (2 if pool == "crs" else 1)
        level = draws["a_new"] + rng.normal(size=(3, len(draws.weight)))
        found = log_likelihood(pool, patients, draws, level, HOLD)
        for copy, at in np.ndindex(*level.shape):
            value = dict(zip(draws.names, draws.matrix[:, at], strict=True))
            each = (
                [plain_crs(row, value, int(draws.coding[at]), level[copy, at]) for row in rows]
                if pool == "crs"
                else [plain_icans(row, value, level[copy, at]) for row in rows]
            )
            assert found[copy, at] == pytest.approx(math.fsum(map(math.log, each)), rel=1e-10)


@pytest.mark.parametrize("ldh", [None, LdhCategory(category="high"), LdhMultiple(multiple=1.9)])
@pytest.mark.parametrize("liver", list(Presence))
def test_the_chances_are_those_an_answer_shows(ldh: LdhCategory | LdhMultiple | None, liver: Presence) -> None:
    draws = MODEL.draws("crs")
    none, mild, severe = (
        float((each[0] * draws.weight).sum())
        for each in crs_probabilities(CrsGroup(ldh, liver, (1, 0, 0)), draws, draws["a_new"][None, :], HOLD)
    )
    shown = crs_risks(MODEL, ldh, liver)
    assert none + mild + severe == pytest.approx(1.0)
    assert mild + severe == pytest.approx(shown.any_grade.risk)
    assert severe == pytest.approx(shown.grade2plus.risk)
    draws = MODEL.draws("icans")
    for diabetes in Presence:
        _, some = icans_probabilities(IcansGroup(diabetes, liver, (0, 1)), draws, draws["a_new"][None, :])
        assert float((some[0] * draws.weight).sum()) == pytest.approx(icans_risk(MODEL, diabetes, liver).risk)


@pytest.mark.parametrize("category", range(3))
@pytest.mark.parametrize("ldh", [LdhMultiple(multiple=0.7), LdhMultiple(multiple=6.0)])
def test_an_unknown_finding_lies_between_its_values(ldh: LdhMultiple, category: int) -> None:
    draws = MODEL.draws("crs")
    level = draws["a_new"][None, :]
    with_liver, without, unknown = (
        crs_probabilities(CrsGroup(ldh, liver, (0, 0, 0)), draws, level, HOLD)[category] for liver in (YES, NO, UNKNOWN)
    )
    assert (unknown <= np.maximum(with_liver, without) + 1e-12).all()
    assert (unknown >= np.minimum(with_liver, without) - 1e-12).all()
    assert not np.allclose(with_liver, without)


@settings(max_examples=10)
@given(st.integers(1, 60), st.integers(0, 60), st.randoms(use_true_random=False))
def test_order_is_irrelevant_and_two_batches_are_one(first: int, other: int, random: object) -> None:
    rows = simulated_centre(first + other, first, missing=0.3, prophylaxis=0.2)
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert site_patients(shuffled) == site_patients(rows)
    for pool in ("crs", "icans"):
        draws = MODEL.draws(pool)
        level = draws["a_new"][None, :]
        whole, one, two = (
            log_likelihood(pool, site_patients(part), draws, level, HOLD) for part in (rows, rows[:first], rows[first:])
        )
        np.testing.assert_allclose(one + two, whole, rtol=1e-12, atol=1e-12)


def test_only_patients_without_prophylaxis_and_with_a_known_outcome_enter() -> None:
    row = CohortRow(tocilizumab_prophylaxis=NO, crs_grade_dose1=1, icans_grade=0)
    rows = [
        row,
        row.model_copy(update={"crs_grade_dose1": 4}),
        row.model_copy(update={"crs_grade_dose1": None, "icans_grade": 2}),
        row.model_copy(update={"icans_grade": None, "crs_onset_hours": 20.0}),
        row.model_copy(update={"tocilizumab_prophylaxis": YES}),
        row.model_copy(update={"tocilizumab_prophylaxis": UNKNOWN}),
    ]
    patients = site_patients(rows)
    assert (patients.patients, patients.with_prophylaxis, patients.prophylaxis_unknown) == (6, 1, 1)
    assert patients.without_prophylaxis == 4
    assert patients.crs_counts == (0, 2, 1)
    assert patients.icans_counts == (2, 1)
    assert rows[1].had(Outcome.CRS_GRADE2PLUS)


def test_the_same_ldh_in_other_units_is_the_same_finding() -> None:
    row = CohortRow(tocilizumab_prophylaxis=NO, crs_grade_dose1=0)
    measured = LdhMeasured(value=480.0, uln=UpperLimit(value=250.0))
    katal = LdhMeasured(value=8.0, unit=LdhUnit.MICROKATAL_PER_L, uln=UpperLimit(value=250.0))
    rows = [row.model_copy(update={"ldh": each}) for each in (measured, katal, LdhMultiple(multiple=1.92))]
    assert [group.counts for group in site_patients(rows).crs] == [(3, 0, 0)]
