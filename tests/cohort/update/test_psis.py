"""Pareto smoothing against R's loo, and the laws it must keep."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.cohort.update.psis import LEAST_TAIL, largest_khat, pareto_fit, pareto_smoothed, tail_length

ORACLE = json.loads((Path(__file__).parents[2] / "data" / "oracle" / "psis.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(ORACLE["cases"]))
def test_shape_and_smoothed_weights_are_those_of_loo(name: str) -> None:
    case = ORACLE["cases"][name]
    smoothed = pareto_smoothed(np.array(case["log_ratio"]))
    log_weight = smoothed.log_weight - np.logaddexp.reduce(smoothed.log_weight)
    # Far below zero the ratios have lost four digits before either program sees them.
    assert smoothed.khat == pytest.approx(case["khat"], abs=1e-10)
    np.testing.assert_allclose(log_weight, case["log_weight"], atol=1e-10)


def test_the_cases_reach_from_bounded_to_hopeless() -> None:
    shapes = [case["khat"] for case in ORACLE["cases"].values()]
    assert min(shapes) < -0.5
    assert max(shapes) > 1.0
    assert ORACLE["loo"] == "2.5.1"


@given(st.integers(26, 400), st.floats(0.05, 3.0), st.integers(0, 1_000))
def test_smoothing_keeps_order_and_never_exceeds_the_largest_weight(size: int, scale: float, seed: int) -> None:
    ratio = scale * np.random.default_rng(seed).standard_normal(size)
    smoothed = pareto_smoothed(ratio)
    order = np.argsort(ratio)
    assert (np.diff(smoothed.log_weight[order]) >= -1e-12).all()
    assert smoothed.log_weight.max() <= ratio.max() + 1e-12
    rest = order[: -tail_length(size)]
    np.testing.assert_allclose(smoothed.log_weight[rest], ratio[rest], atol=1e-12)
    shifted = pareto_smoothed(ratio + 5.0)
    assert shifted.khat == pytest.approx(smoothed.khat, abs=1e-6)


def test_a_tail_too_short_is_not_judged_and_equal_weights_have_no_tail() -> None:
    assert tail_length(20) < LEAST_TAIL
    assert pareto_smoothed(np.arange(20.0)).khat == float("inf")
    equal = pareto_smoothed(np.full(1_000, -3.0))
    assert equal.khat == float("-inf")
    np.testing.assert_array_equal(equal.log_weight, -3.0)


def test_exceedances_that_cannot_be_fitted_are_infinitely_heavy() -> None:
    shape, _ = pareto_fit(np.concatenate([np.zeros(20), [1.0]]))
    assert shape == float("inf")


def test_few_draws_are_asked_for_lighter_tails() -> None:
    assert largest_khat(100) == pytest.approx(0.5)
    assert largest_khat(100_000) == 0.7
    assert largest_khat(1) == float("-inf")
