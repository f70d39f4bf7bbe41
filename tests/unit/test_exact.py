"""Exact intervals and Fisher's test, against scipy, statsmodels and figures worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint  # type: ignore[import-untyped]  # ships no types

from knowledge.exact import clopper_pearson, fisher_exact

counts = st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
cells = st.integers(0, 125)  # four cells: tables of up to 500


@pytest.mark.parametrize(
    ("events", "n", "low", "high"),
    [(16, 30, 34.3, 71.7), (3, 30, 2.1, 26.5), (7, 30, 9.9, 42.3), (1, 10, 0.3, 44.5), (0, 10, 0.0, 30.8)],
)
def test_intervals_of_the_founding_study(events: int, n: int, low: float, high: float) -> None:
    assert tuple(round(100 * limit, 1) for limit in clopper_pearson(events, n)) == (low, high)


@pytest.mark.parametrize("n", [1, 10, 473])
def test_no_event_and_only_events_have_closed_forms(n: int) -> None:
    """With no event the upper limit solves (1 - p)^n = 0.025; with only events the mirror image."""
    limit = 0.025 ** (1 / n)
    low, high = clopper_pearson(0, n)
    assert low == 0.0
    assert high == pytest.approx(1 - limit, abs=1e-14)
    low, high = clopper_pearson(n, n)
    assert low == pytest.approx(limit, abs=1e-14)
    assert high == 1.0


@given(counts, st.sampled_from([0.01, 0.05, 0.1, 0.5, 0.9]))
@settings(max_examples=150, deadline=None)
def test_interval_agrees_with_scipy_and_statsmodels(count: tuple[int, int], alpha: float) -> None:
    events, n = count
    ours = clopper_pearson(events, n, alpha)
    theirs = stats.binomtest(events, n).proportion_ci(confidence_level=1 - alpha, method="exact")
    # scipy and statsmodels reach the limits by root finding and beta quantiles; both hold ten digits.
    assert ours == pytest.approx((theirs.low, theirs.high), abs=1e-10)
    assert ours == pytest.approx(proportion_confint(events, n, alpha=alpha, method="beta"), abs=1e-10)


@given(counts)
@settings(max_examples=100, deadline=None)
def test_interval_contains_the_observed_share_and_mirrors(count: tuple[int, int]) -> None:
    events, n = count
    low, high = clopper_pearson(events, n)
    assert 0.0 <= low <= events / n <= high <= 1.0
    assert clopper_pearson(n - events, n) == pytest.approx((1 - high, 1 - low), abs=1e-15)


@pytest.mark.parametrize(
    ("events", "n", "alpha"), [(-1, 10, 0.05), (11, 10, 0.05), (0, 0, 0.05), (1, 10, 0.0), (1, 10, 1.0)]
)
def test_impossible_counts_and_levels_are_refused(events: int, n: int, alpha: float) -> None:
    with pytest.raises(ValueError, match="must lie"):
        clopper_pearson(events, n, alpha)


@pytest.mark.parametrize(("table", "p"), [((16, 14, 1, 9), 0.026), ((7, 23, 0, 10), 0.16)])
def test_fisher_of_the_founding_study(table: tuple[int, int, int, int], p: float) -> None:
    assert float(f"{fisher_exact(*table):.2g}") == p


def test_fisher_by_hand() -> None:
    """The lady tasting tea with one pair of cups confused: (16 + 1 + 16 + 1) / 70."""
    assert fisher_exact(3, 1, 1, 3) == 34 / 70
    assert fisher_exact(4, 0, 0, 4) == 2 / 70


@given(cells, cells, cells, cells)
@settings(max_examples=200, deadline=None)
def test_fisher_agrees_with_scipy(a: int, b: int, c: int, d: int) -> None:
    ours = fisher_exact(a, b, c, d)
    assert 0.0 < ours <= 1.0
    assert math.isclose(ours, stats.fisher_exact(np.array([[a, b], [c, d]])).pvalue, rel_tol=1e-9)


@given(cells, cells, cells, cells)
@settings(max_examples=100, deadline=None)
def test_fisher_does_not_depend_on_how_the_table_is_turned(a: int, b: int, c: int, d: int) -> None:
    assert fisher_exact(a, b, c, d) == fisher_exact(c, d, a, b) == fisher_exact(b, a, d, c) == fisher_exact(a, c, b, d)


@pytest.mark.parametrize("table", [(0, 0, 0, 0), (0, 5, 0, 7), (3, 4, 0, 0)])
def test_a_table_with_an_empty_margin_says_nothing(table: tuple[int, int, int, int]) -> None:
    assert fisher_exact(*table) == 1.0


def test_a_negative_cell_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        fisher_exact(-1, 2, 3, 4)
