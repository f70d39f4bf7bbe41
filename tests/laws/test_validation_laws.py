"""Laws of the measures of a validation, whatever the cohort."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.cohort.validation.accuracy import brier, scaled_brier
from knowledge.cohort.validation.cells import Cells
from knowledge.cohort.validation.curve import groups
from knowledge.cohort.validation.decision import THRESHOLDS, net_benefit, net_benefit_of_all
from knowledge.cohort.validation.discrimination import c_statistic
from knowledge.cohort.validation.level import calibration_in_the_large, observed_expected
from knowledge.cohort.validation.needed import for_c_statistic, for_observed_expected, needed
from knowledge.cohort.validation.slope import recalibration

RISKS = st.integers(1, 99).map(lambda percent: percent / 100)
PATIENTS = st.lists(st.tuples(RISKS, st.booleans()), min_size=1, max_size=60)
Patients = list[tuple[float, bool]]


def cells(patients: Patients) -> Cells:
    return Cells.of_patients([risk for risk, _ in patients], [had for _, had in patients])


@given(PATIENTS, st.randoms())
def test_the_order_of_patients_does_not_matter(patients: Patients, random: object) -> None:
    shuffled = list(patients)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    for measure in (observed_expected, calibration_in_the_large, c_statistic, recalibration, needed, groups):
        assert measure(cells(patients)) == measure(cells(shuffled))  # type: ignore[operator]  # each takes cells alone


@given(PATIENTS)
def test_the_c_statistic_depends_on_the_order_of_the_estimates_alone(patients: Patients) -> None:
    """Any rising transformation leaves it and its interval as they are; a falling one turns it round."""
    plain = c_statistic(cells(patients))
    squared = c_statistic(cells([(risk * risk, had) for risk, had in patients]))
    turned = c_statistic(cells([(1.0 - risk, had) for risk, had in patients]))
    assert plain == squared
    if plain.value is not None and plain.low is not None and plain.high is not None:
        assert (turned.value, turned.low, turned.high) == pytest.approx(
            (1.0 - plain.value, 1.0 - plain.high, 1.0 - plain.low), abs=1e-9
        )
        assert 0.0 <= plain.low <= plain.value <= plain.high <= 1.0


@given(PATIENTS)
def test_the_c_statistic_counts_pairs(patients: Patients) -> None:
    with_it = [risk for risk, had in patients if had]
    without = [risk for risk, had in patients if not had]
    pairs = [(a > b) + 0.5 * (a == b) for a in with_it for b in without]
    assert c_statistic(cells(patients)).value == (pytest.approx(np.mean(pairs)) if pairs else None)


@given(PATIENTS)
def test_treating_all_is_deciding_by_an_estimate_of_nearly_one(patients: Patients) -> None:
    share = sum(had for _, had in patients) / len(patients)
    formula = share - (1.0 - share) * THRESHOLDS / (1.0 - THRESHOLDS)
    everyone = cells([(0.99, had) for _, had in patients])
    no_one = cells([(0.01, had) for _, had in patients])
    assert net_benefit_of_all(cells(patients)) == pytest.approx(formula)
    assert net_benefit(everyone) == pytest.approx(formula)
    assert net_benefit(no_one) == pytest.approx(0.0)
    assert bool(np.all(net_benefit(cells(patients)) <= share + 1e-12))


@given(PATIENTS)
def test_observed_over_expected_and_the_shift_agree_on_the_side(patients: Patients) -> None:
    ratio, shift = observed_expected(cells(patients)), calibration_in_the_large(cells(patients))
    assert ratio.value is not None
    assert ratio.low is not None
    assert ratio.high is not None
    assert ratio.low <= ratio.value <= ratio.high
    if shift.value is not None:
        assert np.sign(round(shift.value, 9)) == np.sign(round(ratio.value - 1.0, 9))
        assert shift.low is not None
        assert shift.high is not None
        assert shift.low < shift.value < shift.high


@given(PATIENTS)
def test_the_scaled_brier_score_of_the_observed_share_is_zero(patients: Patients) -> None:
    share = sum(had for _, had in patients) / len(patients)
    if 0.0 < share < 1.0:
        flat = cells([(share, had) for _, had in patients])
        assert scaled_brier(flat) == pytest.approx(0.0)
        assert brier(flat) == pytest.approx(share * (1.0 - share))


@given(PATIENTS)
def test_groups_hold_every_patient_once(patients: Patients) -> None:
    found = groups(cells(patients))
    assert sum(each.n for each in found) == len(patients)
    assert sum(each.events for each in found) == sum(had for _, had in patients)
    assert all(each.low <= each.observed <= each.high for each in found)
    assert [each.estimate for each in found] == sorted(each.estimate for each in found)


@given(RISKS, RISKS)
def test_narrower_intervals_need_more_patients(share: float, c: float) -> None:
    assert for_observed_expected(share, 0.1) > for_observed_expected(share, 0.2)
    narrow, wide = for_c_statistic(c, share, 0.05), for_c_statistic(c, share, 0.1)
    assert narrow is not None
    assert wide is not None
    assert narrow >= wide
