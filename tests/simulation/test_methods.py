"""The rivals in batches against one regression at a time."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import optimize, stats

from knowledge import firth as single
from knowledge.simulation import methods

Floats = NDArray[np.float64]


def cohorts(seed: int, size: int, slope: float) -> tuple[Floats, Floats]:
    """Covariates (3, size, 30), intercept first, one continuous and one binary; outcomes (size, 30)."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(size, 30))
    liver = (rng.random((size, 30)) < 0.35).astype(float)
    chance = 1 / (1 + np.exp(-slope * (x + liver)))
    return np.stack([np.ones_like(x), x, liver]), (rng.random((size, 30)) < chance).astype(float)


def separated(seed: int) -> tuple[Floats, Floats]:
    """Cohorts whose outcome the first covariate tells completely."""
    columns, _ = cohorts(seed, 4, 1.0)
    return columns, (columns[1] > 0.2).astype(float)


@pytest.mark.parametrize(("columns", "y"), [cohorts(1, 12, 1.2), separated(2)], ids=["ordinary", "separated"])
def test_firth_calculators_are_single_fits(columns: Floats, y: Floats) -> None:
    calculators = methods.firth(columns, y)
    new = np.stack([np.ones((len(y), 2)), np.full((len(y), 2), [0.4, -1.0]), np.full((len(y), 2), [1.0, 0.0])])
    predicted = calculators.predict(new)
    for a in range(len(y)):
        fitted = single.fit(columns[:, a].T, y[a])
        assert calculators.coef[a] == pytest.approx(fitted.coef, rel=1e-6)
        assert calculators.cov[a] == pytest.approx(fitted.cov, rel=1e-4, abs=1e-6)
        for patient in range(2):
            row = new[None, :, a, patient]
            wanted = [fitted.predict(row)[0], *fitted.predict_interval(row)[0]]
            found = [each[a, patient] for each in (predicted.risk, predicted.low, predicted.high)]
            assert found == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(("columns", "y"), [cohorts(3, 12, 1.2), separated(4)], ids=["ordinary", "separated"])
def test_flic_is_firths_slopes_with_the_rate_met(columns: Floats, y: Floats) -> None:
    """A plain loop: the intercept by a root finder, the covariance from its own weights."""
    found = methods.flic(columns, y)
    for a in range(len(y)):
        x = columns[:, a].T
        slopes = single.fit(x, y[a]).coef[1:]
        offset = x[:, 1:] @ slopes

        def surplus(intercept: float, offset: Floats = offset, a: int = a) -> float:
            return float((1 / (1 + np.exp(-intercept - offset))).sum() - y[a].sum())

        intercept = optimize.brentq(surplus, -60, 60, xtol=1e-13)
        assert found.coef[a] == pytest.approx([intercept, *slopes], rel=1e-6)
        p = 1 / (1 + np.exp(-x @ found.coef[a]))
        assert p.mean() == pytest.approx(y[a].mean(), abs=1e-12)
        assert found.cov[a] == pytest.approx(np.linalg.inv(x.T @ np.diag(p * (1 - p)) @ x), rel=1e-8)
        alone = single.fit(x, y[a], method="flic")
        assert found.coef[a] == pytest.approx(alone.coef, rel=1e-6)
        assert found.cov[a] == pytest.approx(alone.cov, rel=1e-5)


def test_plain_rate_is_the_count_with_its_exact_interval() -> None:
    y = np.zeros((2, 30))
    y[0, :16], y[1, :3] = 1.0, 1.0
    predicted = methods.plain_rate(y, 5)
    exact = stats.binomtest(16, 30).proportion_ci(method="exact")
    assert predicted.risk.shape == (2, 5)
    assert predicted.risk[:, 0].tolist() == [16 / 30, 0.1]
    assert [predicted.low[0, 4], predicted.high[0, 4]] == pytest.approx([exact.low, exact.high], abs=1e-9)


def test_a_fit_that_does_not_converge_is_no_calculator() -> None:
    columns, y = cohorts(5, 2, 1.0)
    columns[2, 0] = 0.0  # nobody has it: singular
    with pytest.raises(ValueError, match="did not converge"):
        methods.firth(columns, y)
