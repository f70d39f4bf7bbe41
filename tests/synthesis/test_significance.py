"""The publication filter in batches against one Firth regression at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from knowledge.firth import FirthError, fit
from knowledge.penalised.grouped import group_binary
from knowledge.synthesis.significance import Criterion, judge_binary, judge_continuous, passes

Floats = NDArray[np.float64]

CHI2_5_PERCENT = 3.841459


def all_positive_and_significant(
    columns: Floats, y: Floats, trials: Floats | None, threshold: float
) -> NDArray[np.bool_]:
    """The filter with every covariate a predictor."""
    return passes(columns, y, trials, Criterion(threshold, "penalised_likelihood_ratio", len(columns) - 1))


def one_by_one(design: Floats, y: Floats, threshold: float) -> bool:
    """Whether a cohort passes, by its own regression."""
    try:
        found = fit(design, y)
    except FirthError:
        return False
    return bool((found.coef[1:] > 0).all() and (found.lr[1:] >= threshold).all())


def cohorts(seed: int, size: int, slope: float) -> tuple[Floats, Floats, Floats]:
    """Continuous (size, 30), binary (size, 30) and outcomes with true effects on both."""
    rng = np.random.default_rng(seed)
    continuous = rng.normal(size=(size, 30))
    binary = (rng.random((size, 30)) < 0.35).astype(float)
    chance = 1 / (1 + np.exp(-slope * continuous - slope * (binary - 0.35)))
    return continuous, binary, (rng.random((size, 30)) < chance).astype(float)


@pytest.mark.parametrize("threshold", [1.0, CHI2_5_PERCENT])
def test_agrees_with_one_regression_at_a_time(threshold: float) -> None:
    continuous, binary, y = cohorts(1, 80, 1.3)
    columns = np.stack([np.ones_like(y), continuous, binary])
    passed = all_positive_and_significant(columns, y, None, threshold)
    assert passed.tolist() == [one_by_one(columns[:, b].T, y[b], threshold) for b in range(len(y))]
    assert 5 < passed.sum() < 75


def test_grouped_agrees_with_one_regression_at_a_time() -> None:
    _, liver, y = cohorts(2, 60, 2.0)
    high = (np.random.default_rng(3).random(y.shape) < 0.15 + 0.6 * y).astype(bool)
    design, events, trials = group_binary((high, liver > 0), y)
    passed = all_positive_and_significant(design, events, trials, CHI2_5_PERCENT)
    alone = [one_by_one(np.column_stack([np.ones(30), high[b], liver[b]]), y[b], CHI2_5_PERCENT) for b in range(len(y))]
    assert passed.tolist() == alone
    assert 5 < passed.sum() < 55


def test_a_finding_of_one_patient_can_be_significant() -> None:
    """The only diabetic has ICANS, and one other patient: rare, but neither constant nor collinear."""
    diabetes = np.zeros((1, 30), bool)
    diabetes[0, 0] = True
    y = np.zeros((1, 30))
    y[0, :2] = 1.0
    design, events, trials = group_binary((diabetes,), y)
    alone = fit(np.column_stack([np.ones(30), diabetes[0]]), y[0])
    assert alone.lr[1] == pytest.approx(5.752, abs=1e-3)
    assert all_positive_and_significant(design, events, trials, CHI2_5_PERCENT).tolist() == [True]
    assert all_positive_and_significant(design, events, trials, alone.lr[1] + 1e-6).tolist() == [False]


def test_constant_and_collinear_columns_fail() -> None:
    continuous, binary, y = cohorts(4, 5, 2.5)
    binary[0], binary[1] = 0.0, 1.0
    continuous[2] = binary[2]
    columns = np.stack([np.ones_like(y), continuous, binary])
    assert not all_positive_and_significant(columns, y, None, 0.0)[:3].any()
    design, events, trials = group_binary((binary > 0, binary > 0), y)
    assert not all_positive_and_significant(design, events, trials, 0.0).any()


def test_an_outcome_nobody_has_is_no_finding() -> None:
    continuous, binary, y = cohorts(5, 3, 1.0)
    columns = np.stack([np.ones_like(y), continuous, binary])
    assert not all_positive_and_significant(columns, np.zeros_like(y), None, CHI2_5_PERCENT).any()


def test_a_negative_association_fails_however_significant() -> None:
    x = np.r_[np.zeros(15), np.ones(15)][None, :]
    y = 1.0 - x
    columns = np.stack([np.ones_like(x), x])
    assert not all_positive_and_significant(columns, y, None, CHI2_5_PERCENT).any()
    assert all_positive_and_significant(columns, x, None, CHI2_5_PERCENT).all()


@given(st.integers(0, 10_000), st.integers(1, 2), st.integers(1, 12))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_grouping_counts_every_patient_once(seed: int, factors: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    x = tuple(rng.random((3, n)) < 0.4 for _ in range(factors))
    y = (rng.random((3, n)) < 0.5).astype(float)
    design, events, trials = group_binary(x, y)
    assert design.shape == (1 + factors, 3, 2**factors)
    assert (design[0] == 1).all()
    for b in range(3):
        for cell in range(2**factors):
            values = design[1:, b, cell]
            members = np.all([x[j][b] == values[j] for j in range(factors)], axis=0)
            assert trials[b, cell] == members.sum()
            assert events[b, cell] == y[b, members].sum()
    assert (trials.sum(axis=1) == n).all()


# The variants of the sensitivity analysis, and the memory of tables


def test_wald_agrees_with_one_regression_at_a_time() -> None:
    continuous, binary, y = cohorts(6, 80, 1.5)
    passed = judge_continuous((continuous, binary), y, Criterion(CHI2_5_PERCENT, "wald", 2))
    for b in range(len(y)):
        found = fit(np.column_stack([np.ones(30), continuous[b], binary[b]]), y[b])
        z = found.coef[1:] / np.sqrt(np.diag(found.cov)[1:])
        assert passed[b] == (z >= 1.959964).all()
    assert 5 < passed.sum() < 75


def test_wald_on_grouped_data_agrees_with_wald_on_patients() -> None:
    _, liver, y = cohorts(7, 200, 2.0)
    high = (np.random.default_rng(8).random(y.shape) < 0.15 + 0.6 * y).astype(float)
    test = Criterion(CHI2_5_PERCENT, "wald", 2)
    passed = judge_binary((high, liver), y, test)
    assert (passed == judge_continuous((high, liver), y, test)).all()
    assert 5 < passed.sum() < 195


def test_what_only_adjusts_need_not_be_significant() -> None:
    continuous, binary, y = cohorts(9, 60, 1.5)
    noise = np.random.default_rng(10).normal(size=y.shape)
    passed = judge_continuous(
        (continuous, binary, noise), y, Criterion(CHI2_5_PERCENT, "penalised_likelihood_ratio", 2)
    )
    for b in range(len(y)):
        found = fit(np.column_stack([np.ones(30), continuous[b], binary[b], noise[b]]), y[b])
        assert passed[b] == ((found.coef[1:3] > 0).all() and (found.lr[1:3] >= CHI2_5_PERCENT).all())
    assert 5 < passed.sum() < 55


def test_remembered_tables_get_the_verdict_of_their_own_regression() -> None:
    """Asked again, in another order and among others, each cohort is judged as its patients are."""
    test = Criterion(3.0, "penalised_likelihood_ratio", 2)  # a threshold no other test here remembers
    for seed in (11, 12, 11):
        _, liver, y = cohorts(seed, 300, 1.0)
        high = (np.random.default_rng(seed).random(y.shape) < 0.2 + 0.5 * y).astype(float)
        passed = judge_binary((high, liver), y, test)
        assert (passed == judge_continuous((high, liver), y, test)).all()
        assert 5 < passed.sum() < 295
