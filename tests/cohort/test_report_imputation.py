"""Multiple imputation: Rubin's rules against mitools and mice, the chain against R's mice, donors, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from knowledge.cohort.record import CohortRow
from knowledge.cohort.report import imputation
from knowledge.cohort.report.chain import DONORS, choose_donors, completed_sets
from knowledge.cohort.report.imputation import LEAST_SETS, imputed
from knowledge.cohort.report.models import regression
from knowledge.cohort.report.pooling import pool
from knowledge.cohort.report.specification import Specification
from knowledge.factors import LdhCategory, LdhMultiple, Presence
from tests.support.centre import simulated_centre
from tests.support.models_oracle import oracle, rows_of, specification_of

LDH_LIVER = specification_of("crs_any", ["ldh_doublings", "liver_metastases"])


@pytest.mark.parametrize("known", oracle()["rubin"])
def test_pooling_is_that_of_mice_and_mitools(known: dict) -> None:
    found = pool(known["estimates"], known["variances"], known["complete_degrees"])
    for other in ("mice", "mitools"):
        assert found.estimate == pytest.approx(known[other]["estimate"], rel=1e-12)
        assert found.variance == pytest.approx(known[other]["variance"], rel=1e-12)
    assert found.within == pytest.approx(known["mice"]["within"], rel=1e-12)
    assert found.between == pytest.approx(known["mice"]["between"], rel=1e-9)
    # mice takes at least 0.0001 as the share of variance from missing values.
    assert found.degrees == pytest.approx(known["mice"]["df"], rel=1e-9 if found.missing_share > 1e-4 else 1e-3)


def test_limits_and_p_are_students() -> None:
    found = pool([0.9, 1.2, 1.0], [0.2, 0.3, 0.25], 20)
    low, high = found.limits()
    assert 2 * stats.t.cdf(-(high - found.estimate) / np.sqrt(found.variance), found.degrees) == pytest.approx(0.05)
    assert found.estimate - low == pytest.approx(high - found.estimate)
    assert found.p_value == pytest.approx(2 * stats.t.sf(found.estimate / np.sqrt(found.variance), found.degrees))
    # Sets that agree leave the complete data's degrees, less what a finite sample costs (Barnard and Rubin).
    assert pool([1.0, 1.0], [0.2, 0.2], 20).degrees == pytest.approx(21 / 23 * 20)


@pytest.mark.parametrize(
    ("estimates", "variances", "degrees"), [([1.0], [0.1], 5), ([1.0, 1.0], [0.1], 5), ([1.0, 1.0], [0.1, 0.0], 5)]
)
def test_pooling_refuses_what_it_cannot_pool(estimates: list[float], variances: list[float], degrees: float) -> None:
    with pytest.raises(ValueError, match="two or more"):
        pool(estimates, variances, degrees)


def test_the_whole_agrees_with_rs_mice(monkeypatch: pytest.MonkeyPatch) -> None:
    """400 patients, a fifth missing depending on the outcome. R imputes by a normal model and logistic regression, here
    predictive means are matched: two methods, so estimates within a fifth of a standard error, errors within 12 %."""
    known = oracle()["imputed"]
    monkeypatch.setattr(imputation, "LEAST_SETS", 60)
    found = imputed(rows_of("large"), LDH_LIVER, seed=3)
    complete = regression(rows_of("large"), LDH_LIVER)
    assert found.sets == 60
    for effect, other, plain in zip(found.effects, known["effects"], complete.effects, strict=True):
        assert effect.predictor.value == other["predictor"]
        assert abs(effect.log_odds_ratio - other["estimate"]) < 0.2 * other["se"]
        assert effect.standard_error == pytest.approx(other["se"], rel=0.12)
        # What was not thrown away makes the interval narrower than that of complete cases.
        assert effect.standard_error < plain.standard_error


def test_equally_near_donors_are_equally_likely() -> None:
    """40 donors with one predicted value and 40 with another: each of the near forty is taken as often."""
    random = np.random.default_rng(1)
    observed = np.repeat([0.2, 0.7], 40)
    taken = np.bincount(choose_donors(observed, np.full(20_000, 0.2), DONORS, random), minlength=80)
    assert taken[40:].sum() == 0
    assert stats.chisquare(taken[:40]).pvalue > 0.001


def test_without_ties_the_nearest_are_taken() -> None:
    random = np.random.default_rng(2)
    observed = random.normal(size=50)
    for wanted in (-3.0, 0.0, 0.4, 3.0):
        chosen = choose_donors(observed, np.full(4_000, wanted), DONORS, random)
        nearest = np.argsort(np.abs(observed - wanted))[:DONORS]
        assert set(chosen) == set(nearest)
        assert stats.chisquare(np.bincount(chosen, minlength=50)[nearest]).pvalue > 0.001


def test_a_set_fills_gaps_with_observed_values_and_leaves_the_rest() -> None:
    random = np.random.default_rng(4)
    values = np.column_stack([random.normal(size=60), random.integers(0, 2, 60).astype(float)])
    values[random.random(values.shape) < 0.2] = np.nan
    outcome = random.integers(0, 2, 60).astype(float)
    before = values.copy()
    seen = ~np.isnan(values)
    sets = list(completed_sets(values, outcome, 5, seed=9))
    for filled in sets:
        assert np.array_equal(filled[seen], values[seen])
        for column in range(2):
            assert set(filled[:, column]) <= set(values[seen[:, column], column])
    assert len({filled.tobytes() for filled in sets}) == 5
    assert np.array_equal(values, before, equal_nan=True)
    again = list(completed_sets(values, outcome, 5, seed=9))
    assert all(np.array_equal(one, other) for one, other in zip(sets, again, strict=True))


def test_numpys_global_random_state_is_neither_used_nor_moved() -> None:
    rows = simulated_centre(40, 3, missing=0.1)
    np.random.seed(1)
    before = np.random.get_state()[1].copy()
    one = imputed(rows, LDH_LIVER, seed=5)
    assert np.array_equal(np.random.get_state()[1], before)
    np.random.seed(2)
    assert imputed(rows, LDH_LIVER, seed=5) == one
    assert imputed(rows, LDH_LIVER, seed=6) != one


def test_outcomes_are_never_imputed() -> None:
    rows = [row.model_copy(update={"crs_grade_dose1": None}) for row in simulated_centre(8, 9)]
    rows += simulated_centre(40, 3, missing=0.1)
    found = imputed(rows, LDH_LIVER, seed=1)
    assert (found.sample.n, found.sample.outcome_unknown) == (40, 8)
    assert found == imputed(rows[8:], LDH_LIVER, seed=1).model_copy(
        update={"sample": found.sample}
    )  # patients without an outcome change nothing
    gaps = {each.predictor.value: each.missing for each in found.missing}
    known = [row for row in rows if row.crs_grade_dose1 is not None]
    assert gaps["ldh_doublings"] == sum(row.ldh is None for row in known)
    assert gaps["liver_metastases"] == sum(row.liver_metastases is Presence.UNKNOWN for row in known)
    assert found.sets >= LEAST_SETS


def patients(n: int, *, unknown: int) -> list[CohortRow]:
    """``n`` patients, of the first ``unknown`` of whom LDH is not known."""
    return [
        CohortRow(
            ldh=None if place < unknown else LdhMultiple(multiple=0.5 + place % 5),
            liver_metastases=Presence.YES if place % 3 else Presence.NO,
            tocilizumab_prophylaxis=Presence.NO,
            crs_grade_dose1=place % 2,
            icans_grade=0,
        )
        for place in range(n)
    ]


@pytest.mark.parametrize(
    ("rows", "specification", "says"),
    [
        (patients(40, unknown=0), LDH_LIVER, "Not needed"),
        (patients(15, unknown=2), LDH_LIVER, "15 patients with a known outcome"),
        (patients(40, unknown=21), LDH_LIVER, "known in only 19 of 40"),
        (patients(40, unknown=4), specification_of("icans_any", ["diabetes"]), "no complete-case model"),
        ([], LDH_LIVER, "Not needed"),
    ],
)
def test_where_it_would_make_data_up_it_is_not_done(
    rows: list[CohortRow], specification: Specification, says: str
) -> None:
    found = imputed(rows, specification, seed=1)
    assert found.effects == ()
    assert found.not_done is not None
    assert says in found.not_done


def test_ldh_known_as_high_alone_is_said_to_be_lost_to_the_doublings() -> None:
    rows = patients(40, unknown=0)
    rows[3] = rows[3].model_copy(update={"ldh": LdhCategory(category="high")})
    found = imputed(rows, LDH_LIVER, seed=1)
    assert found.incomplete == 1
    assert "known only as high or normal (1)" in found.notes[0]
    assert imputed(rows, specification_of("crs_any", ["ldh_elevated", "liver_metastases"]), seed=1).incomplete == 0


def test_sets_differ_by_what_the_few_observed_leave_open() -> None:
    """30 patients of whom a finding is known, 300 of whom not: the share filled in is no surer than those 30 make it.

    Its spread between sets is about the standard error of a regression's mean on 30. Where known and unknown are both
    matched by the drawn parameters the draws cancel, and a third of that spread is left.
    """
    ratios = []
    for seed in range(3):
        random = np.random.default_rng(seed)
        helper = random.normal(size=330)
        values = np.column_stack([helper + 2.0 * random.normal(size=330) > 0, helper > 0]).astype(float)
        outcome = random.integers(0, 2, 330).astype(float)
        values[30:, 0] = np.nan
        design = np.column_stack([np.ones(330), values[:, 1], outcome])
        left = values[:30, 0] - design[:30] @ np.linalg.lstsq(design[:30], values[:30, 0], rcond=None)[0]
        middle = design[30:].mean(axis=0)
        error = np.sqrt(left @ left / 27 * (middle @ np.linalg.inv(design[:30].T @ design[:30]) @ middle))
        means = [filled[30:, 0].mean() for filled in completed_sets(values, outcome, 50, seed=6)]
        ratios.append(np.std(means, ddof=1) / error)
    assert 0.7 < np.mean(ratios) < 1.3


def test_many_equal_donors_beside_the_wanted_value_are_equally_likely() -> None:
    """Between 40 and 40 donors of two predicted values, and nearer to the former: each of those forty is taken."""
    random = np.random.default_rng(1)
    taken = np.bincount(choose_donors(np.repeat([0.2, 0.7], 40), np.full(20_000, 0.3), DONORS, random), minlength=80)
    assert taken[40:].sum() == 0
    assert stats.chisquare(taken[:40]).pvalue > 0.001
