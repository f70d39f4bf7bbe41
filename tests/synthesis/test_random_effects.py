"""The centre term against classical random-effects estimates, and its intervals against a plain grid.

What must agree: given the same sd between centres, mean and standard error (the exact
likelihood against a normal one), and where the likelihood of that sd is highest. What need not: the posterior
averages over the sd, with a prior, where DerSimonian-Laird and Paule-Mandel take one value for known.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import optimize, special, stats
from statsmodels.stats.meta_analysis import combine_effects

from knowledge.evidence import load as load_evidence
from knowledge.model import load as load_model
from knowledge.synthesis.centre import CentrePosterior
from knowledge.synthesis.facts import published_spec
from knowledge.synthesis.random_effects import (
    TAILS,
    CentreEstimate,
    Method,
    log_odds,
    model_estimate,
    new_centre_quantile,
    posterior_estimate,
    posterior_of,
    random_effects,
)
from knowledge.synthesis.spec import POOLS, CentreCohort, Pool
from tests.support.engine_plain import sorted_quantile

Floats = NDArray[np.float64]
SPEC = published_spec(load_evidence())
METHODS: tuple[Method, ...] = ("dl", "pm")
# The normal approximation of a binomial log odds: next to exact for 102 and 473 patients, less so for 4 of 25.
NORMAL_APPROXIMATION = {"crs": 0.005, "icans": 0.02}


@pytest.fixture(scope="module", params=POOLS)
def pool(request: pytest.FixtureRequest) -> Pool:
    chosen: Pool = request.param
    return chosen


@pytest.fixture(scope="module")
def posterior(pool: Pool) -> CentrePosterior:
    return posterior_of(SPEC.centres(pool), SPEC.centre_mean_sd, SPEC.centre_sd_scale)


@pytest.fixture(scope="module")
def estimate(posterior: CentrePosterior) -> CentreEstimate:
    return posterior_estimate(posterior)


def at_sd(posterior: CentrePosterior, sd: float) -> tuple[float, float]:
    """Mean and sd of mu in the column of the grid whose t is nearest."""
    column = posterior.probability[:, np.abs(posterior.t - sd).argmin()]
    weight = column / column.sum()
    mean = float(weight @ posterior.mu)
    return mean, math.sqrt(weight @ (posterior.mu - mean) ** 2)


def excess(tau2: float, effect: Floats, variance: Floats) -> float:
    """Cochran's Q with weights 1 / (variance + tau2), less its degrees of freedom."""
    weight = 1.0 / (variance + tau2)
    mean = (weight * effect).sum() / weight.sum()
    return float((weight * (effect - mean) ** 2).sum() - (len(effect) - 1))


# statsmodels


def test_dersimonian_laird_by_hand(pool: Pool) -> None:
    """Control Clin Trials 1986;7:177-188: (Q - df) / (sum w - sum w^2 / sum w), at least zero."""
    effect, variance = log_odds(SPEC.centres(pool))
    weight = 1.0 / variance
    scale = weight.sum() - (weight**2).sum() / weight.sum()
    between = max(0.0, excess(0.0, effect, variance) / scale)
    weight = 1.0 / (variance + between)
    ours = random_effects(SPEC.centres(pool), "dl")
    assert ours.sd == pytest.approx(math.sqrt(between), abs=1e-12)
    assert ours.mean == pytest.approx((weight * effect).sum() / weight.sum(), rel=1e-12)
    half = (ours.mean_interval[1] - ours.mean_interval[0]) / 2
    assert half == pytest.approx(stats.norm.ppf(0.975) / math.sqrt(weight.sum()), rel=1e-6)
    new = (ours.new_interval[1] - ours.new_interval[0]) / 2
    assert new == pytest.approx(stats.norm.ppf(0.975) * math.sqrt(between + 1 / weight.sum()), rel=1e-6)


def test_paule_mandel_by_root_finding(pool: Pool) -> None:
    """J Res Natl Bur Stand 1982;87:377-385: the variance at which Q meets its degrees of freedom, at least zero."""
    effect, variance = log_odds(SPEC.centres(pool))
    between = 0.0
    if excess(0.0, effect, variance) > 0:
        between = float(optimize.brentq(excess, 0.0, 5.0, args=(effect, variance)))
    assert random_effects(SPEC.centres(pool), "pm").sd == pytest.approx(math.sqrt(between), abs=1e-6)


def test_with_two_cohorts_both_methods_are_one() -> None:
    """The one difference has the variance v1 + v2 + 2 sd^2, whichever way it is weighted."""
    effect, variance = log_odds(SPEC.crs_centres)
    between = ((effect[0] - effect[1]) ** 2 - variance.sum()) / 2
    for method in METHODS:
        assert random_effects(SPEC.crs_centres, method).sd ** 2 == pytest.approx(between, rel=1e-6)


def test_a_variance_below_zero_is_none() -> None:
    """The cohorts of ICANS differ by less than chance would have them; statsmodels leaves the figure below zero."""
    effect, variance = log_odds(SPEC.icans_centres)
    raw = combine_effects(effect, variance, method_re="dl")
    assert raw.tau2 < -0.04
    ours = random_effects(SPEC.icans_centres, "dl")
    assert ours.sd == 0.0
    assert ours.mean == pytest.approx(float((effect / variance).sum() / (1 / variance).sum()))
    assert ours.mean == pytest.approx(random_effects(SPEC.icans_centres, "pm").mean)


# What must agree


@pytest.mark.parametrize("method", METHODS)
def test_given_the_same_sd_mean_and_error_agree(pool: Pool, posterior: CentrePosterior, method: Method) -> None:
    classical = random_effects(SPEC.centres(pool), method)
    mean, sd = at_sd(posterior, classical.sd)
    assert mean == pytest.approx(classical.mean, abs=NORMAL_APPROXIMATION[pool])
    se = (classical.mean_interval[1] - classical.mean_interval[0]) / 2 / stats.norm.ppf(0.975)
    assert sd == pytest.approx(se, abs=0.005)


@pytest.mark.parametrize("method", METHODS)
def test_the_likelihood_of_the_sd_is_highest_where_the_classical_estimate_lies(
    pool: Pool, posterior: CentrePosterior, method: Method
) -> None:
    """Posterior over prior, mu averaged out, is a restricted likelihood; Paule-Mandel's is not, yet it agrees here."""
    likelihood = posterior.probability.sum(axis=0) / stats.halfnorm.pdf(posterior.t, scale=SPEC.centre_sd_scale)
    highest = float(posterior.t[likelihood.argmax()])
    assert highest == pytest.approx(random_effects(SPEC.centres(pool), method).sd, abs=posterior.t_step)


@pytest.mark.parametrize("method", METHODS)
def test_a_new_centres_interval_is_wider_than_the_classical_one(
    pool: Pool, estimate: CentreEstimate, method: Method
) -> None:
    """It knows that the sd between centres is not known; with two or three cohorts that matters most."""
    classical = random_effects(SPEC.centres(pool), method)
    assert estimate.new_interval[0] < classical.new_interval[0] < classical.new_interval[1] < estimate.new_interval[1]
    assert estimate.mean_interval[0] < classical.mean < estimate.mean_interval[1]
    assert estimate.sd_interval is not None
    # Zero is the end of what a positive sd can be: the posterior comes near it but never holds it.
    assert classical.sd < estimate.sd_interval[1]
    assert classical.sd == 0.0 or estimate.sd_interval[0] < classical.sd


# A second implementation: a plain grid over each cohort's own log odds


def plain_grid(cohorts: tuple[CentreCohort, ...]) -> tuple[Floats, Floats, Floats]:
    """mu (M,), t (T,) and their posterior (M, T), each cohort's theta ~ N(mu, t) summed over a fine grid."""
    theta = np.arange(-4.5, 2.5, 0.006)
    likelihoods = [stats.binom.pmf(cohort.events, cohort.n, special.expit(theta)) for cohort in cohorts]
    mu, t = np.arange(-3.5, 1.5, 0.05), np.arange(0.0125, 2.5, 0.025)
    density = np.empty((len(mu), len(t)))
    for column, spread in enumerate(t):
        kernel = stats.norm.pdf((theta[None, :] - mu[:, None]) / spread)
        kernel /= kernel.sum(axis=1, keepdims=True)
        density[:, column] = np.prod([kernel @ likelihood for likelihood in likelihoods], axis=0)
    density *= stats.norm.pdf(mu, 0.0, 2.5)[:, None] * stats.halfnorm.pdf(t, scale=0.5)
    return mu, t, density / density.sum()


def test_intervals_agree_with_a_plain_grid(pool: Pool, posterior: CentrePosterior, estimate: CentreEstimate) -> None:
    mu, t, density = plain_grid(SPEC.centres(pool))
    for tail in TAILS:
        new = new_centre_quantile(posterior, tail)
        assert float((density * stats.norm.cdf((new - mu[:, None]) / t)).sum()) == pytest.approx(tail, abs=1e-3)
    by_mu, by_t = density.sum(axis=1), density.sum(axis=0)
    for tail, at in zip(TAILS, (estimate.mean_interval[0], estimate.mean, estimate.mean_interval[1]), strict=True):
        assert np.interp(at, mu + 0.025, np.cumsum(by_mu)) == pytest.approx(tail, abs=2e-3)
    assert estimate.sd_interval is not None
    for tail, at in zip(TAILS, (estimate.sd_interval[0], estimate.sd, estimate.sd_interval[1]), strict=True):
        assert np.interp(at, np.append(0.0, t + 0.0125), np.append(0.0, np.cumsum(by_t))) == pytest.approx(
            tail, abs=2e-3
        )


def test_draws_give_the_same_new_centre(posterior: CentrePosterior, estimate: CentreEstimate) -> None:
    """As the model draws them: mu and t from the grid, then e."""
    rng = np.random.default_rng(21)
    mu, t = posterior.draw(200_000, rng)
    drawn = np.quantile(mu + t * rng.standard_normal(len(mu)), TAILS)
    expected = (estimate.new_interval[0], estimate.new, estimate.new_interval[1])
    # Three standard errors of a quantile in the tail are about 0.02.
    assert drawn == pytest.approx(expected, abs=0.02)


def test_what_the_model_holds_is_its_draws(pool: Pool, estimate: CentreEstimate) -> None:
    """Sorted one by one; the founding study's counts have narrowed the level of a new centre, if by little."""
    draws = load_model().draws(pool)
    held = model_estimate(draws)
    for name, shown in (
        ("mu", (held.mean_interval[0], held.mean, held.mean_interval[1])),
        ("t", (*(held.sd_interval or ())[:1], held.sd, *(held.sd_interval or ())[1:])),
        ("a_new", (held.new_interval[0], held.new, held.new_interval[1])),
    ):
        assert shown == pytest.approx([sorted_quantile(draws[name], draws.weight, tail) for tail in TAILS], abs=1e-12)
    assert held.new_interval[1] - held.new_interval[0] < estimate.new_interval[1] - estimate.new_interval[0]
