"""Penalised likelihoods with several maxima: found, the highest taken, and said; limits against a plain search."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from knowledge.firth import fit, profile_many
from tests.support.engine_firth import Floats, ordinary_sets, penalised_loglik, random_sets

DROP = stats.chi2.ppf(0.95, 1) / 2


def plain_maxima(X: Floats, y: Floats, starts: int) -> list[tuple[float, Floats]]:
    """Distinct maxima found by scipy from random starts, highest first."""
    rng, found = np.random.default_rng(0), []
    for _ in range(starts):
        solved = optimize.minimize(
            lambda b: -penalised_loglik(X, y, b), rng.normal(0, 3, X.shape[1]), method="BFGS", options={"gtol": 1e-7}
        )
        if np.abs(solved.jac).max() < 1e-4 and not any(np.abs(solved.x - b).max() < 0.1 for _, b in found):
            found.append((-float(solved.fun), solved.x))
    return sorted(found, key=lambda each: -each[0])


def test_the_likelihood_itself_can_have_two_maxima_and_the_higher_is_taken() -> None:
    several = 0
    for X, y in (_sparse(seed) for seed in range(100)):
        found = fit(X, y)
        if not found.several_maxima:
            continue
        several += 1
        if several <= 3:
            maxima = plain_maxima(X, y, 60)
            assert len(maxima) >= 2
            assert found.loglik == pytest.approx(maxima[0][0], abs=1e-6)
            # By symmetry of the two patients two maxima can be as high; then it is one of them.
            highest = [beta for height, beta in maxima if height > maxima[0][0] - 1e-6]
            assert min(np.abs(found.coef - beta).max() for beta in highest) < 1e-3
    assert several >= 3


def test_a_lone_event_among_raw_values_of_ldh_has_two_maxima() -> None:
    """One explains the event by its place among the low, one does not; from the middle only the latter is found."""
    ldh = [662, 268, 492, 666, 571, 581, 421, 110, 387, 345, 378, 208, 98, 1245, 558,
           777, 420, 466, 394, 522, 172, 569, 122, 210, 186, 1853, 142, 316, 1783, 429]  # fmt: skip
    X, y = np.column_stack([np.ones(30), ldh]), np.zeros(30)
    y[12] = 1.0
    found = fit(X, y)
    assert found.several_maxima
    higher = optimize.minimize(lambda b: -penalised_loglik(X, y, b), [-0.41, -0.0078], method="Nelder-Mead")
    assert found.loglik == pytest.approx(-higher.fun, abs=1e-6)
    assert found.loglik > penalised_loglik(X, y, np.array([-1.9, -0.00018])) + 0.1
    assert (found.pvalues < 0.9).all()
    # In logarithms there is one.
    assert not fit(np.column_stack([np.ones(30), np.log2(ldh)]), y).several_maxima


def skewed(seed: int) -> tuple[Floats, Floats]:
    """Raw LDH in U/L, one to three events, all among the eight lowest: hard on purpose."""
    rng = np.random.default_rng(seed)
    ldh = np.exp(rng.normal(6, 1, 30))
    y = np.zeros(30)
    y[rng.choice(np.argsort(ldh)[:8], rng.integers(1, 4), replace=False)] = 1.0
    return np.column_stack([np.ones(30), ldh]), y


def test_no_fit_held_at_zero_is_higher_than_the_full_one_and_few_maxima_are_missed() -> None:
    missed, two = 0, 0
    for X, y in map(skewed, range(60)):
        found = fit(X, y)
        assert (found.lr >= 0).all()
        rng, spread = np.random.default_rng(3), X[:, 1].std()
        standard = X / [1.0, spread]
        gap = np.log(spread)  # the penalty is that of the columns as given
        for _ in range(12):
            slope = rng.normal(0, 6)
            start = [-slope * rng.choice(standard[:, 1]), slope]
            solved = optimize.minimize(negative_loglik, start, args=(standard, y), method="Nelder-Mead")
            if -solved.fun + gap > found.loglik + 1e-4:
                missed += 1
        two += found.several_maxima
    assert two >= 10
    assert missed == 0


def negative_loglik(beta: Floats, X: Floats, y: Floats) -> float:
    return -penalised_loglik(X, y, beta)


def test_ordinary_data_have_one_maximum() -> None:
    """With a common finding, seven scattered starts of scipy find nothing else either."""
    rng = np.random.default_rng(8)
    for _ in range(5):
        X = np.column_stack([np.ones(30), rng.normal(size=30), rng.random(30) < 0.4]).astype(float)
        y = (rng.random(30) < 0.5).astype(float)
        assert not fit(X, y).several_maxima
        assert len(plain_maxima(X, y, 7)) == 1


def profile(X: Floats, y: Floats, j: int, value: float, starts: int) -> float:
    """The profile by scipy, the best of several starts."""
    rest = [i for i in range(X.shape[1]) if i != j]
    rng, best = np.random.default_rng(1), -np.inf

    def negative(free: Floats) -> float:
        beta = np.empty(X.shape[1])
        beta[j], beta[rest] = value, free
        return -penalised_loglik(X, y, beta)

    for number in range(starts):
        start = np.zeros(len(rest)) if number == 0 else rng.normal(0, 4, len(rest))
        best = max(best, -float(optimize.minimize(negative, start, method="BFGS", options={"gtol": 1e-8}).fun))
    return best


def test_at_a_limit_the_profile_has_fallen_by_half_the_quantile() -> None:
    for X, y in ordinary_sets(41, 4):
        found = fit(X, y)
        for j in range(3):
            for limit in found.ci[j]:
                assert profile(X, y, j, limit, 3) == pytest.approx(found.loglik - DROP, abs=1e-6)


def test_limits_where_the_profile_has_several_maxima_are_those_of_the_highest_and_are_marked() -> None:
    """A quick search stops at a lesser maximum there; scipy from twelve starts finds none higher than ours."""
    marked = 0
    for X, y in (_sparse(seed) for seed in range(60)):
        found = fit(X, y)
        for j, side in zip(*np.nonzero(found.several_maxima_at_limits), strict=True):
            marked += 1
            if marked <= 4:
                height = profile(X, y, int(j), found.ci[j, side], 12)
                assert height == pytest.approx(found.loglik - DROP, abs=1e-5)
    assert marked >= 6


def test_many_profiles_equal_one_by_one() -> None:
    columns, y = random_sets(42, 60)
    batch = profile_many(columns, y)
    compared = 0
    for b in range(len(y)):
        X = columns[:, b].T
        if np.ptp(y[b]) == 0 or np.linalg.matrix_rank(X) < 3:
            continue
        alone = fit(X, y[b])
        assert batch.coef[b] == pytest.approx(alone.coef, abs=1e-6)
        assert batch.pvalues[b] == pytest.approx(alone.pvalues, abs=1e-7)
        np.testing.assert_allclose(batch.ci[b], alone.ci, rtol=1e-5, atol=1e-6)
        compared += 1
    assert compared >= 50


def test_unchecked_profiles_are_the_checked_ones_but_for_a_few() -> None:
    columns, y = random_sets(43, 300)
    checked, quick = profile_many(columns, y), profile_many(columns, y, check=False)
    assert not quick.several.any()
    differ = ~np.isclose(checked.ci, quick.ci, rtol=1e-5, atol=1e-6, equal_nan=True)
    assert (checked.several | ~differ).all()  # what differs is marked
    assert differ.mean() < 0.02


def test_a_singular_set_has_no_limits_and_leaves_the_others_alone() -> None:
    columns, y = random_sets(44, 5)
    columns[2, 1] = 0.0
    batch = profile_many(columns, y)
    assert np.isnan(batch.ci[1]).all()
    assert np.isnan(batch.pvalues[1]).all()
    others = [0, 2, 3, 4]
    kept = profile_many(columns[:, others], y[others])
    np.testing.assert_array_equal(batch.ci[others], kept.ci)


def _sparse(seed: int) -> tuple[Floats, Floats]:
    """Thirty patients; two have a finding, one of them the event; a continuous covariate nearly parts the rest."""
    rng = np.random.default_rng(seed)
    x, finding = rng.normal(size=30), np.r_[1.0, 1.0, np.zeros(28)]
    y = (rng.random(30) < 1 / (1 + np.exp(-2.5 * x))).astype(float)
    y[:2] = [1.0, 0.0]
    return np.column_stack([np.ones(30), x, finding]), y
