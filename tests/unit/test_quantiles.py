"""Weighted quantiles by histogram against a plain full sort: the same value, not only nearly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from knowledge.quantiles import BINS, weighted_quantiles
from tests.support.engine_plain import sorted_quantile

Floats = NDArray[np.float64]

PROBABILITIES = (1e-6, 0.025, 0.25, 0.5, 0.975, 1.0)
LAW = settings(max_examples=100, deadline=None, derandomize=True)

# Few distinct values make ties; ends and edges of bins are where a histogram goes wrong.
edges = st.sampled_from([0.0, 1.0, 0.5, 1 / BINS, 2 / BINS, 1 - 1 / BINS, np.nextafter(0.5, 0), np.nextafter(1.0, 0)])
values = st.one_of(edges, st.sampled_from([0.1, 0.2, 0.2001, 0.7]), st.floats(0.0, 1.0))
# Whole weights add up without rounding, so both ways must agree to the last bit.
samples = st.lists(st.tuples(values, st.integers(0, 40)), min_size=1, max_size=80).filter(
    lambda pairs: sum(weight for _, weight in pairs) > 0
)


@given(samples)
@LAW
def test_equals_the_full_sort(sample: list[tuple[float, int]]) -> None:
    value, weight = (np.array(column, dtype=float) for column in zip(*sample, strict=True))
    expected = tuple(sorted_quantile(value, weight, probability) for probability in PROBABILITIES)
    assert weighted_quantiles(value, weight, PROBABILITIES) == expected


@given(st.integers(0, 10_000), st.integers(1, 3000))
@LAW
def test_equals_the_full_sort_on_large_samples_with_uneven_weights(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    value, weight = rng.beta(0.5, 0.5, size), rng.gamma(0.3, size=size)
    expected = tuple(sorted_quantile(value, weight, probability) for probability in (0.025, 0.5, 0.975))
    assert weighted_quantiles(value, weight, (0.025, 0.5, 0.975)) == expected


def test_by_hand() -> None:
    value, weight = np.array([0.4, 0.1, 0.9, 0.4]), np.array([1.0, 2.0, 4.0, 1.0])
    assert weighted_quantiles(value, weight, (0.25, 0.26, 0.5, 0.51, 1.0)) == (0.1, 0.4, 0.4, 0.9, 0.9)


def test_values_without_weight_do_not_count() -> None:
    value, weight = np.array([0.0, 0.3, 0.30001, 1.0]), np.array([0.0, 1.0, 0.0, 0.0])
    assert weighted_quantiles(value, weight, (0.025, 0.5, 0.975)) == (0.3, 0.3, 0.3)


def test_branches_are_taken_flat() -> None:
    rng = np.random.default_rng(5)
    value, weight = rng.random((16, 50)), rng.random((16, 50))
    assert weighted_quantiles(value, weight, (0.1,)) == weighted_quantiles(value.ravel(), weight.ravel(), (0.1,))


@pytest.mark.parametrize("end", [0.0, 1.0])
def test_all_at_one_end(end: float) -> None:
    assert weighted_quantiles(np.full(7, end), np.ones(7), PROBABILITIES) == (end,) * len(PROBABILITIES)
