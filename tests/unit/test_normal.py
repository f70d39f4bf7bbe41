"""The normal distribution in numpy against scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from knowledge.normal import bivariate_upper, cdf, quantile

LAW = settings(max_examples=100, deadline=None, derandomize=True)
shares = st.floats(0.005, 0.995)
correlations = st.floats(0.0, 0.6)  # the widest prior of the model


def test_cdf_on_a_grid() -> None:
    x = np.concatenate([np.linspace(-37, 37, 20_001), np.array([0.46875, 4.0, 5.6568]) * math.sqrt(2)])
    np.testing.assert_allclose(cdf(x), stats.norm.cdf(x), rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(cdf(x), stats.norm.cdf(x), rtol=0, atol=4e-16)


@given(st.floats(-30, 30))
@example(0.0)
@example(-0.46875 * math.sqrt(2))
@LAW
def test_cdf(x: float) -> None:
    assert float(cdf(x)) == pytest.approx(stats.norm.cdf(x), rel=1e-13, abs=1e-15)
    assert float(cdf(x)) + float(cdf(-x)) == pytest.approx(1.0, abs=1e-15)


@given(st.floats(1e-300, 1.0, exclude_max=True))
@example(0.075)
@example(0.925)
@example(math.exp(-25.0))  # where the two tail formulas meet
@LAW
def test_quantile(p: float) -> None:
    assert float(quantile(p)) == pytest.approx(stats.norm.ppf(p), rel=1e-13, abs=1e-15)


@given(st.floats(1e-12, 0.5))
@LAW
def test_quantile_undoes_cdf(p: float) -> None:
    assert float(cdf(quantile(p))) == pytest.approx(p, rel=1e-12)


def test_quantile_at_the_ends_and_in_shape() -> None:
    assert quantile([0.0, 0.5, 1.0]).tolist() == [-math.inf, 0.0, math.inf]
    assert quantile(np.full((2, 3), 0.3)).shape == (2, 3)


@given(shares, shares, correlations)
@LAW
def test_bivariate_upper_against_scipys_bivariate_normal(p: float, q: float, rho: float) -> None:
    a, b = stats.norm.isf(p), stats.norm.isf(q)
    theirs = stats.multivariate_normal.cdf([-a, -b], cov=[[1.0, rho], [rho, 1.0]])
    assert float(bivariate_upper(p, q, rho)) == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize(("p", "q", "rho"), [(0.2, 0.3, 0.4), (0.01, 0.6, 0.6), (0.35, 0.5, 0.05)])
def test_bivariate_upper_against_direct_integration(p: float, q: float, rho: float) -> None:
    """Over the first variable: density times the chance of the second given the first."""
    a, b = stats.norm.isf(p), stats.norm.isf(q)

    def slice_at(z: float) -> float:
        return float(stats.norm.pdf(z) * stats.norm.sf((b - rho * z) / math.sqrt(1 - rho * rho)))

    area, _ = integrate.quad(slice_at, a, 12.0, epsabs=1e-13, epsrel=1e-12)
    assert float(bivariate_upper(p, q, rho)) == pytest.approx(area, abs=1e-11)


@given(shares, shares, correlations, correlations)
@LAW
def test_bivariate_upper_stays_within_its_bounds(p: float, q: float, rho: float, other: float) -> None:
    both = float(bivariate_upper(p, q, rho))
    assert p * q - 1e-12 <= both <= min(p, q) + 1e-12
    assert both == pytest.approx(float(bivariate_upper(q, p, rho)), abs=1e-12)
    low, high = sorted((rho, other))
    assert float(bivariate_upper(p, q, low)) <= float(bivariate_upper(p, q, high)) + 1e-12


def test_bivariate_upper_without_correlation_is_the_product() -> None:
    p, q = np.array([0.1, 0.5, 0.9]), np.array([[0.2], [0.7]])
    np.testing.assert_allclose(bivariate_upper(p, q, 0.0), p * q, rtol=1e-15)
