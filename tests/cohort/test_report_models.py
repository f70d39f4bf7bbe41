"""The cohort report's regressions against R (brglm2, pROC, a plain profile search) and firthmodels; their limits."""

from __future__ import annotations

import json
from importlib.resources import files
from itertools import pairwise
from math import exp

import numpy as np
import pytest
from firthmodels import FirthLogisticRegression
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.assessment import Outcome
from knowledge.cohort.file import read_cohort
from knowledge.cohort.record import CohortRow, Sex
from knowledge.cohort.report import optimism
from knowledge.cohort.report.model_parts import MOST_DOTS, ModelParts, model_parts
from knowledge.cohort.report.models import complete_cases, odds_or_none, regression
from knowledge.cohort.report.optimism import (
    c_statistic,
    groups,
    performance,
    resampled_losses,
)
from knowledge.cohort.report.predictors import MEANINGS, Predictor, value_of
from knowledge.cohort.report.size import LOOKED_AT, size
from knowledge.cohort.report.specification import OUTCOMES, STUDY_MODELS, Specification, univariable
from knowledge.exact import clopper_pearson
from knowledge.factors import LdhCategory, LdhMultiple, Presence
from knowledge.sample_size import DEFAULT_NAGELKERKE, expected_shrinkage, maximum_cox_snell, minimum_sample_size
from tests.support.centre import Truth, simulated_centre
from tests.support.models_oracle import oracle, rows_of, specification_of

MODELS = oracle()["models"]
each_model = pytest.mark.parametrize("known", MODELS, ids=lambda m: f"{m['outcome']}~{'+'.join(m['predictors'])}")
LDH_LIVER = Specification(
    outcome=Outcome.CRS_ANY, predictors=(Predictor.LDH_ELEVATED, Predictor.LIVER), standing="published"
)


def patient(*, crs: int | None, ratio: float | None = 1.5, liver: bool | None = False, **others: object) -> CohortRow:
    """A patient without prophylaxis."""
    return CohortRow.model_validate(
        {
            "crs_grade_dose1": crs,
            "icans_grade": 0,
            "ldh": None if ratio is None else LdhMultiple(multiple=ratio),
            "liver_metastases": Presence.UNKNOWN if liver is None else Presence.YES if liver else Presence.NO,
            "tocilizumab_prophylaxis": Presence.NO,
            **others,
        }
    )


@each_model
def test_estimates_limits_and_p_values_are_those_of_r(known: dict) -> None:
    found = regression(rows_of("cohort"), specification_of(known["outcome"], known["predictors"]))
    assert (found.sample.n, found.sample.events) == (known["n"], known["events"])
    assert found.sample.outcome_unknown == known["outcome_unknown"]
    assert found.sample.n + found.sample.outcome_unknown + found.sample.predictor_unknown == len(rows_of("cohort"))
    effects = found.effects
    assert [each.log_odds_ratio for each in effects] == pytest.approx(known["coef"], abs=1e-7)
    assert [each.standard_error for each in effects] == pytest.approx(known["se"], rel=1e-6)
    assert [each.odds_ratio_limits[0] for each in effects] == pytest.approx(np.exp(known["lower"]), rel=2e-5)
    assert [each.odds_ratio_limits[1] for each in effects] == pytest.approx(np.exp(known["upper"]), rel=2e-5)
    assert [each.p_value for each in effects] == pytest.approx(known["p"], abs=1e-6)


@each_model
def test_a_second_program_agrees(known: dict) -> None:
    specification = specification_of(known["outcome"], known["predictors"])
    data = complete_cases(rows_of("cohort"), specification)
    other = FirthLogisticRegression(gtol=1e-6, xtol=1e-6).fit(data.design[:, 1:], data.outcome)
    found = regression(rows_of("cohort"), specification)
    assert [each.log_odds_ratio for each in found.effects] == pytest.approx(other.coef_, abs=1e-5)
    limits = [odds_or_none(float(value)) for value in other.conf_int(method="pl")[: len(found.effects)].ravel()]
    assert [value for each in found.effects for value in each.odds_ratio_limits] == pytest.approx(limits, rel=1e-3)


@each_model
def test_flic_and_the_c_statistic_are_those_of_r(known: dict) -> None:
    specification = specification_of(known["outcome"], known["predictors"])
    found = performance(rows_of("cohort"), specification, seed=1, resamples=10)
    assert found is not None
    assert found.intercept == pytest.approx(known["flic_intercept"], abs=1e-6)
    assert [point.predicted for point in found.points] == pytest.approx(known["predicted"], abs=1e-7)
    assert found.apparent == pytest.approx(known["c"], abs=1e-9)
    assert np.mean([point.predicted for point in found.points]) == pytest.approx(found.events / found.n, abs=1e-9)


@pytest.mark.parametrize("known", oracle()["optimism"], ids=lambda each: each["outcome"])
def test_the_loss_of_each_resample_is_that_of_r(known: dict) -> None:
    data = complete_cases(rows_of("cohort"), specification_of(known["outcome"], known["predictors"]))
    found = resampled_losses(data.design, data.outcome, np.array(known["chosen"]))
    assert found == pytest.approx([loss for loss in known["loss"] if loss is not None], abs=1e-9)


def test_the_correction_is_the_mean_loss_of_seeded_resamples() -> None:
    data = complete_cases(rows_of("cohort"), LDH_LIVER)
    found = performance(rows_of("cohort"), LDH_LIVER, seed=7, resamples=50)
    assert found is not None
    chosen = np.random.default_rng(7).integers(0, len(data.outcome), size=(50, len(data.outcome)))
    losses = resampled_losses(data.design, data.outcome, chosen)
    assert found.optimism == pytest.approx(np.mean(losses))
    assert found.corrected == pytest.approx(found.apparent - np.mean(losses))
    assert found.resamples_used == len(losses)


def test_c_counts_pairs_and_ties_by_half() -> None:
    random = np.random.default_rng(3)
    score, outcome = random.integers(0, 5, 40) / 7.0, random.integers(0, 2, 40).astype(float)
    pairs = [
        1.0 if with_it > without else 0.5 if with_it == without else 0.0
        for with_it in score[outcome == 1]
        for without in score[outcome == 0]
    ]
    assert c_statistic(score, outcome) == pytest.approx(np.mean(pairs))


def test_resamples_without_variation_are_left_out_and_too_many_of_them_stop_the_correction() -> None:
    rows = [patient(crs=int(place < 6), ratio=3.0 if place < 1 else 0.5) for place in range(30)]
    found = performance(rows, specification_of("crs_any", ["ldh_elevated"]), seed=1)
    assert found is not None
    assert found.corrected is None
    assert found.not_corrected is not None
    # The only patient above the limit is in a resample with probability 1 - (29/30)^30, about 64 %.
    assert found.resamples_used / found.resamples == pytest.approx(0.64, abs=0.08)


@given(
    st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.25, 0.3, 0.5, 0.6, 0.7, 0.9]), st.booleans()), min_size=1),
)
@settings(max_examples=60, deadline=None)
def test_groups_hold_every_patient_once_and_never_part_equal_predictions(points: list[tuple[float, bool]]) -> None:
    predicted = np.array([risk for risk, _ in points])
    happened = np.array([event for _, event in points])
    found = groups(predicted, happened)
    assert sum(each.n for each in found) == len(points)
    assert sum(each.events for each in found) == happened.sum()
    for one, other in pairwise(found):
        assert one.most_predicted < other.least_predicted
    for each in found:
        assert each.observed_interval == clopper_pearson(each.events, each.n)


def test_separation_is_said_and_its_estimate_stays_finite() -> None:
    """Every patient above the limit has CRS, nobody else: 5/5 and 0/7. Firth of a 2x2 table adds one half a cell."""
    rows = [patient(crs=int(place < 5), ratio=2.0 if place < 5 else 0.5) for place in range(12)]
    found = regression(rows, specification_of("crs_any", ["ldh_elevated"]))
    assert found.separation is True
    assert any(note.startswith("Separation:") for note in found.notes)
    assert found.effects[0].odds_ratio == pytest.approx((5.5 / 0.5) / (0.5 / 7.5), rel=1e-6)
    assert found.effects[0].odds_ratio_limits[1] is not None


def test_of_a_two_by_two_table_the_odds_ratio_is_that_with_half_a_patient_in_each_cell() -> None:
    cells = {(2.0, 1): 9, (2.0, 0): 4, (0.5, 1): 3, (0.5, 0): 11}
    rows = [patient(crs=crs, ratio=ratio) for (ratio, crs), count in cells.items() for _ in range(count)]
    found = regression(rows, specification_of("crs_any", ["ldh_elevated"]))
    assert found.effects[0].odds_ratio == pytest.approx((9.5 * 11.5) / (4.5 * 3.5), rel=1e-6)
    assert found.separation is False
    assert found.notes == ()


def test_several_maxima_are_said() -> None:
    """A covariate with a long tail and few events: the case of ``tests/unit/test_firth_maxima.py``, as patients."""
    rows = [patient(crs=int(place < 3), prior_lines=20 if place == 0 else 0, liver=place == 4) for place in range(25)]
    rows += [patient(crs=0, prior_lines=1), patient(crs=1, prior_lines=1), patient(crs=0, prior_lines=2)]
    found = [regression(rows, each) for outcome in OUTCOMES for each in univariable(outcome)]
    marked = [each for each in found if each.several_maxima or any(effect.several_maxima for effect in each.effects)]
    assert marked
    assert all(any("more than one maximum" in note for note in each.notes) for each in marked)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([], "no patient has"),
        ([patient(crs=None)], "no patient has"),
        ([patient(crs=0)] * 9, "in 0 of the 9"),
        ([patient(crs=1)] * 2 + [patient(crs=0)] * 9, "in 2 of the 11"),
        ([patient(crs=1)] * 5 + [patient(crs=0)] * 9, "the same LDH above its upper limit"),
        (
            [patient(crs=place % 2, ratio=2.0 if place > 4 else 0.5, liver=place > 4) for place in range(12)],
            "cannot be told apart",
        ),
    ],
)
def test_what_cannot_be_fitted_is_a_sentence(rows: list[CohortRow], says: str) -> None:
    found = regression(rows, LDH_LIVER)
    assert found.effects == ()
    assert found.not_fitted is not None
    assert says in found.not_fitted
    assert performance(rows, LDH_LIVER, seed=1) is None


def test_values_of_a_patient() -> None:
    row = patient(crs=0, ratio=4.0, liver=True, age=72, sex=Sex.MALE, ecog=2, prior_lines=3)
    assert value_of(row, Predictor.LDH_DOUBLINGS) == 2.0
    assert value_of(row, Predictor.LDH_ELEVATED) == 1.0
    assert value_of(patient(crs=0, ratio=1.0), Predictor.LDH_ELEVATED) == 0.0  # at the limit is not above it
    assert [value_of(row, each) for each in (Predictor.AGE, Predictor.SEX, Predictor.ECOG, Predictor.PRIOR_LINES)] == [
        pytest.approx(7.2),
        1.0,
        1.0,
        3.0,
    ]
    high = row.model_copy(update={"ldh": LdhCategory(category="high")})
    assert (value_of(high, Predictor.LDH_ELEVATED), value_of(high, Predictor.LDH_DOUBLINGS)) == (1.0, None)
    nothing = CohortRow()
    assert all(value_of(nothing, each) is None for each in Predictor)
    assert set(MEANINGS) == set(Predictor)


def test_sizes_are_rileys_with_the_cohorts_own_rate() -> None:
    """16 of 30 with two predictors: 383 patients, as the paper's third criterion gives for that rate."""
    rows = [patient(crs=int(place < 16), ratio=1.5, liver=place % 3 == 0) for place in range(30)]
    found = size(rows, LDH_LIVER)
    r2 = DEFAULT_NAGELKERKE * maximum_cox_snell(16 / 30)
    assert (found.n, found.events, found.parameters, found.needed) == (30, 16, 2, 383)
    assert found.per_parameter == 7.0  # the 14 without are the rarer
    assert found.shrinkage == expected_shrinkage(30, 2, r2)
    assert found.needed_all == minimum_sample_size(LOOKED_AT, 16 / 30, r2).needed
    assert found.met is False
    assert found.verdict.startswith("TOO FEW PATIENTS")
    assert "30 of at least 383" in found.verdict
    large = size(rows * 20, LDH_LIVER)
    assert large.met is True
    assert "TOO FEW" not in large.verdict
    none = size([patient(crs=0)] * 8, LDH_LIVER)
    assert none.needed is None
    assert "0 of 8" in none.verdict


def test_a_known_truth_is_found_again() -> None:
    """2,500 patients: log odds ratios within four standard errors of the truth."""
    rows = simulated_centre(2_500, 11, Truth(crs_ldh=0.6, crs_liver=0.9))
    found = regression(rows, specification_of("crs_any", ["ldh_doublings", "liver_metastases"]))
    for effect, truth in zip(found.effects, (0.6, 0.9), strict=True):
        assert abs(effect.log_odds_ratio - truth) < 4 * effect.standard_error
        assert effect.standard_error < 0.12


@pytest.fixture(scope="module")
def parts() -> ModelParts:
    return model_parts(simulated_centre(40, 5, missing=0.06, prophylaxis=0.25), seed=1, resamples=60)


def test_parts_are_of_patients_known_to_be_without_prophylaxis(parts: ModelParts) -> None:
    rows = simulated_centre(40, 5, missing=0.06, prophylaxis=0.25)
    without = [row for row in rows if row.tocilizumab_prophylaxis is Presence.NO]
    assert parts.population.without_prophylaxis == len(without) < 40
    assert parts.population.with_prophylaxis == 40 - len(without)
    assert parts.population.simulated
    assert parts.study == tuple(regression(without, each) for each in STUDY_MODELS)
    assert len(parts.univariable) == len(OUTCOMES) * len(Predictor)
    assert parts.dots_of == len(parts.dots) == sum(row.ldh is not None for row in without)


def test_parts_are_the_same_again_and_safe_as_json(parts: ModelParts) -> None:
    shares: list[float] = []
    rows = simulated_centre(40, 5, missing=0.06, prophylaxis=0.25)
    again = model_parts(rows, seed=1, resamples=60, progress=lambda _, share: shares.append(share))
    assert again == parts
    assert json.loads(json.dumps(parts.model_dump(mode="json"), allow_nan=False))
    assert ModelParts.model_validate_json(parts.model_dump_json()) == parts
    assert all(later > earlier - 1e-9 for earlier, later in pairwise(shares))
    assert (shares[0], shares[-1]) == (0.0, 1.0)


def test_of_a_large_cohort_fewer_resamples_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimism, "MOST_DRAWN", 2_000)
    found = performance(rows_of("cohort"), LDH_LIVER, seed=1)
    assert found is not None
    assert found.resamples == found.resamples_used == 2_000 // found.n == 58
    monkeypatch.setattr(optimism, "MOST_DRAWN", 100)
    few = performance(rows_of("cohort"), LDH_LIVER, seed=1)
    assert few is not None
    assert few.resamples == optimism.LEAST_RESAMPLES


def test_another_seed_moves_the_correction_alone() -> None:
    one = performance(rows_of("cohort"), LDH_LIVER, seed=1, resamples=30)
    other = performance(rows_of("cohort"), LDH_LIVER, seed=2, resamples=30)
    assert one is not None
    assert other is not None
    assert one.optimism != other.optimism
    assert (one.apparent, one.points) == (other.apparent, other.points)


@pytest.mark.parametrize("n", [0, 1, 2, 5, 12])
def test_a_cohort_of_a_dozen_or_fewer_gives_sentences(n: int) -> None:
    found = model_parts(simulated_centre(n, 4, missing=0.2), seed=1, resamples=20)
    for each in found.study:
        assert bool(each.effects) != bool(each.not_fitted)
    json.dumps(found.model_dump(mode="json"), allow_nan=False)


def test_of_many_patients_a_lot_is_drawn_for_the_dots() -> None:
    found = model_parts(simulated_centre(MOST_DOTS + 50, 4), seed=1, resamples=2)
    assert (len(found.dots), found.dots_of) == (MOST_DOTS, MOST_DOTS + 50)


PUBLISHED = {
    Outcome.CRS_ANY: {Predictor.LDH_ELEVATED, Predictor.LDH_DOUBLINGS, Predictor.LIVER},
    Outcome.CRS_GRADE2PLUS: {Predictor.LDH_ELEVATED, Predictor.LDH_DOUBLINGS},
    Outcome.ICANS_ANY: {Predictor.DIABETES, Predictor.CVD},
}


def test_in_the_example_cohort_the_published_predictors_are_positive_and_significant() -> None:
    """Under both codings of LDH, in the 30 without prophylaxis, with 16, 7 and 7 events."""
    path = files("knowledge") / "data" / "example_cohort.csv"
    with path.open("rb") as stream:
        rows = read_cohort(stream).rows
    found = model_parts(rows, seed=1, resamples=20)
    assert found.population.without_prophylaxis == 30
    assert found.population.simulated
    published = [each for each in found.study if each.specification.standing == "published"]
    assert {each.specification.outcome for each in published} == set(PUBLISHED)
    for outcome, predictors in PUBLISHED.items():
        models = [each for each in published if each.specification.outcome is outcome]
        assert {effect.predictor for each in models for effect in each.effects} == predictors
        for model in models:
            assert model.sample.n == 30
            for effect in model.effects:
                assert effect.p_value is not None
                assert effect.p_value < 0.05
                assert effect.odds_ratio_limits[0] is not None
                assert effect.odds_ratio_limits[0] > 1.0
    assert {each.sample.events for each in published if each.specification.outcome is Outcome.CRS_ANY} == {16}
    assert {each.sample.events for each in published if each.specification.outcome is Outcome.ICANS_ANY} == {7}
    assert all(each.met is False for each in found.sizes)


def test_an_odds_ratio_beyond_a_thousand_million_is_none() -> None:
    assert odds_or_none(20.8) is None
    assert odds_or_none(float("nan")) is None
    assert odds_or_none(-20.8) is None
    assert odds_or_none(2.0) == exp(2.0)
