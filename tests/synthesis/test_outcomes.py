"""Outcomes drawn conditional on their total, against enumeration of all 2^n of them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from knowledge.synthesis.outcomes import draw_given_total

Floats = NDArray[np.float64]


def enumerated(p: Floats, total: int) -> dict[tuple[int, ...], float]:
    """P(outcomes) of every pattern with this total; they add up to P(sum = total)."""
    patterns = [pattern for pattern in product((0, 1), repeat=len(p)) if sum(pattern) == total]
    return {
        pattern: float(np.prod([q if one else 1 - q for q, one in zip(p, pattern, strict=True)]))
        for pattern in patterns
    }


@given(
    st.lists(st.floats(0.001, 0.999), min_size=1, max_size=7).flatmap(
        lambda p: st.tuples(st.just(p), st.integers(0, len(p)))
    )
)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_weight_is_the_probability_of_the_total(case: tuple[list[float], int]) -> None:
    p, total = np.array(case[0]), case[1]
    y, weight = draw_given_total(p[None, :], total, np.random.default_rng(0))
    assert weight[0] == pytest.approx(sum(enumerated(p, total).values()), rel=1e-12)
    assert y.sum() == total


def test_equal_chances_give_the_binomial() -> None:
    p = np.full((3, 30), [[0.2], [0.5], [0.9]])
    _, weight = draw_given_total(p, 16, np.random.default_rng(0))
    assert weight == pytest.approx(stats.binom.pmf(16, 30, [0.2, 0.5, 0.9]), rel=1e-12)


@pytest.mark.parametrize("total", [0, 7, 16, 30])
def test_every_cohort_has_exactly_the_total(total: int) -> None:
    rng = np.random.default_rng(1)
    y, weight = draw_given_total(rng.uniform(0.01, 0.99, (500, 30)), total, rng)
    assert (y.sum(axis=1) == total).all()
    assert np.isin(y, (0.0, 1.0)).all()
    assert ((weight > 0) & (weight < 1)).all()


@pytest.mark.parametrize("total", [1, 2, 4])
def test_patterns_come_in_their_conditional_proportions(total: int) -> None:
    p = np.array([0.05, 0.3, 0.5, 0.8, 0.95])
    draws = 40_000
    y, _ = draw_given_total(np.tile(p, (draws, 1)), total, np.random.default_rng(2))
    chances = enumerated(p, total)
    seen = np.array([(y == pattern).all(axis=1).sum() for pattern in chances])
    expected = draws * np.array(list(chances.values())) / sum(chances.values())
    assert seen.sum() == draws
    often = expected >= 5  # the rest together, as chi-square wants
    observed = np.append(seen[often], seen[~often].sum())
    hoped = np.append(expected[often], expected[~often].sum())
    kept = hoped > 0
    assert stats.chisquare(observed[kept], hoped[kept]).pvalue > 0.001


def test_cohorts_of_one_batch_are_independent_of_each_other() -> None:
    """A cohort's weight depends on its own chances alone."""
    rng = np.random.default_rng(3)
    p = rng.uniform(0.1, 0.9, (4, 30))
    _, together = draw_given_total(p, 16, np.random.default_rng(0))
    for row in range(4):
        _, alone = draw_given_total(p[row : row + 1], 16, np.random.default_rng(9))
        assert alone[0] == together[row]
