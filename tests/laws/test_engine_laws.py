"""Laws of the risk engine: what must hold of every patient, whatever the figures of the model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge import LdhMeasured, LdhMultiple, LdhUnit, Outcome, PatientFactors, Presence, UpperLimit, assess
from knowledge.model import load
from knowledge.predict import crs_risks, icans_risk
from tests.support import engine_factors as patients
from tests.support.engine_factors import HIGH, LAW, NO, NORMAL, UNKNOWN, YES, figures, outside

ESTIMATED = (Outcome.CRS_ANY, Outcome.CRS_GRADE2PLUS, Outcome.ICANS_ANY)


@given(patients.factors)
@LAW
def test_an_interval_contains_its_estimate(factors: PatientFactors) -> None:
    for outcome in assess(factors).outcomes:
        for risk, (low, high) in (
            (outcome.risk, outcome.interval),
            (outcome.risk_study_centre, outcome.interval_study_centre),
        ):
            assert 0.0 < low < risk < high < 1.0


@given(patients.factors)
@LAW
def test_grade_two_or_higher_is_never_likelier_than_any_grade(factors: PatientFactors) -> None:
    answer = assess(factors)
    some, worse = (figures(answer.risk_of(outcome)) for outcome in ESTIMATED[:2])
    assert all(worse[name] <= some[name] for name in some)


@given(patients.factors)
@LAW
def test_higher_grades_never_get_an_estimate(factors: PatientFactors) -> None:
    answer = assess(factors)
    assert tuple(outcome.outcome for outcome in answer.outcomes) == ESTIMATED
    for outcome in (Outcome.CRS_GRADE3PLUS, Outcome.ICANS_GRADE3PLUS):
        with pytest.raises(KeyError):
            answer.risk_of(outcome)


# An unknown factor


@given(patients.factors, st.sampled_from(["liver_metastases", "diabetes", "cardiovascular_disease"]))
@LAW
def test_an_unknown_finding_lies_between_present_and_absent(factors: PatientFactors, name: str) -> None:
    mixed, present, absent = (assess(factors.model_copy(update={name: value})) for value in (UNKNOWN, YES, NO))
    assert outside(mixed, present, absent) == []


@given(patients.multiples)
@LAW
def test_unknown_liver_metastases_lie_between_at_every_ldh(multiple: float) -> None:
    ldh = LdhMultiple(multiple=multiple)
    mixed, present, absent = (assess(PatientFactors(ldh=ldh, liver_metastases=p)) for p in (UNKNOWN, YES, NO))
    assert outside(mixed, present, absent) == []


@pytest.mark.parametrize("liver", list(Presence))
def test_an_unknown_ldh_lies_between_high_and_normal(liver: Presence) -> None:
    mixed, high, normal = (assess(PatientFactors(ldh=ldh, liver_metastases=liver)) for ldh in (None, HIGH, NORMAL))
    assert outside(mixed, high, normal) == []


@pytest.mark.parametrize("liver", list(Presence))
def test_high_and_normal_lie_within_the_range_of_figures(liver: Presence) -> None:
    for category, low, high in ((HIGH, 1.0 + 1e-9, 40.0), (NORMAL, 0.1, 1.0)):
        ends = (assess(PatientFactors(ldh=LdhMultiple(multiple=m), liver_metastases=liver)) for m in (low, high))
        assert outside(assess(PatientFactors(ldh=category, liver_metastases=liver)), *ends) == []


@pytest.mark.parametrize("outcome", ESTIMATED)
def test_nothing_known_is_wider_than_everything_known_on_average(outcome: Outcome) -> None:
    total, mean_width = 0.0, 0.0
    for patient, share in patients.population():
        low, high = assess(patient).risk_of(outcome).interval
        mean_width += share * (high - low)
        total += share
    assert total == pytest.approx(1.0)
    low, high = assess(PatientFactors()).risk_of(outcome).interval
    assert high - low > mean_width


@pytest.mark.parametrize("outcome", ESTIMATED)
def test_averaging_the_known_gives_nearly_the_unknown(outcome: Outcome) -> None:
    """The population is at the middle of every prior, the mixture over all of it; they may differ by a point or two."""
    average = sum(share * assess(patient).risk_of(outcome).risk for patient, share in patients.population())
    assert assess(PatientFactors()).risk_of(outcome).risk == pytest.approx(average, abs=0.02)


# More of a predictor


@given(patients.multiples, patients.multiples, patients.presences)
@LAW
def test_higher_ldh_never_lowers_the_risk_of_crs(one: float, other: float, liver: Presence) -> None:
    low, high = (
        assess(PatientFactors(ldh=LdhMultiple(multiple=m), liver_metastases=liver)) for m in sorted((one, other))
    )
    for outcome in ESTIMATED[:2]:
        assert low.risk_of(outcome).risk <= high.risk_of(outcome).risk + 1e-12
        assert low.risk_of(outcome).risk_study_centre <= high.risk_of(outcome).risk_study_centre + 1e-12


@pytest.mark.parametrize("liver", list(Presence))
def test_higher_ldh_never_lowers_the_risk_over_the_whole_range(liver: Presence) -> None:
    model = load()
    grid = [LdhMultiple(multiple=float(m)) for m in np.clip(np.geomspace(0.1, 40, 250), 0.1, 40)]
    risks = [crs_risks(model, ldh, liver) for ldh in grid]
    assert (np.diff([risk.any_grade.risk for risk in risks]) >= -1e-12).all()
    assert (np.diff([risk.grade2plus.risk for risk in risks]) >= -1e-12).all()


@given(patients.factors)
@LAW
def test_a_predictor_present_never_lowers_the_risk(factors: PatientFactors) -> None:
    for name, outcome in (
        ("liver_metastases", Outcome.CRS_ANY),
        ("liver_metastases", Outcome.CRS_GRADE2PLUS),
        ("diabetes", Outcome.ICANS_ANY),
        ("cardiovascular_disease", Outcome.ICANS_ANY),
    ):
        with_it, without = (assess(factors.model_copy(update={name: value})).risk_of(outcome) for value in (YES, NO))
        assert with_it.risk > without.risk


@given(patients.factors, patients.ldhs, patients.presences)
@LAW
def test_each_outcome_depends_only_on_its_own_predictors(
    factors: PatientFactors, ldh: object, presence: Presence
) -> None:
    answer = assess(factors)
    for_icans = assess(factors.model_copy(update={"ldh": ldh, "liver_metastases": presence}))
    for_crs = assess(factors.model_copy(update={"diabetes": presence, "cardiovascular_disease": presence}))
    assert answer.risk_of(Outcome.ICANS_ANY) == for_icans.risk_of(Outcome.ICANS_ANY)
    assert answer.outcomes[:2] == for_crs.outcomes[:2]


# Units, repetition, priors


@given(patients.measured, patients.presences)
@LAW
def test_units_do_not_matter(pair: tuple[int, int], liver: Presence) -> None:
    value, limit = pair
    in_u = LdhMeasured(value=value, uln=UpperLimit(value=limit))
    microkatal = LdhUnit.MICROKATAL_PER_L
    in_microkatal = LdhMeasured(
        value=value / 60, unit=microkatal, uln=UpperLimit(value=min(max(limit / 60, 5 / 3), 10.0), unit=microkatal)
    )
    one, other = (assess(PatientFactors(ldh=ldh, liver_metastases=liver)) for ldh in (in_u, in_microkatal))
    for first, second in zip(one.outcomes, other.outcomes, strict=True):
        assert list(figures(first).values()) == pytest.approx(list(figures(second).values()), abs=1e-12)


@given(patients.factors)
@LAW
def test_the_same_factors_get_the_same_answer(factors: PatientFactors) -> None:
    first = assess(factors)
    crs_risks.cache_clear()
    icans_risk.cache_clear()
    assert assess(PatientFactors.model_validate_json(factors.model_dump_json())) == first


@given(patients.factors)
@LAW
def test_the_risk_lies_in_the_range_over_the_priors(factors: PatientFactors) -> None:
    """The pooled risk is the mean of three priors'; the middle one may lie a little beyond the two that are told."""
    for outcome in assess(factors).outcomes:
        low, high = sorted(outcome.risk_by_prior)
        assert 0.0 < low <= high < 1.0
        assert low - 0.01 < outcome.risk < high + 0.01


def test_a_wider_prior_lets_predictors_say_more() -> None:
    all_present = PatientFactors(ldh=LdhMultiple(multiple=3.0), liver_metastases=YES, diabetes=YES)
    all_absent = PatientFactors(ldh=LdhMultiple(multiple=0.6), liver_metastases=NO, diabetes=NO)
    all_present = all_present.model_copy(update={"cardiovascular_disease": YES})
    all_absent = all_absent.model_copy(update={"cardiovascular_disease": NO})
    for outcome in ESTIMATED:
        narrow, wide = assess(all_present).risk_of(outcome).risk_by_prior
        assert narrow < wide
        narrow, wide = assess(all_absent).risk_of(outcome).risk_by_prior
        assert narrow > wide
