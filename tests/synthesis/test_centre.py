"""The centre term against adaptive quadrature and against importance sampling, both written apart."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, special, stats

from knowledge.evidence import load as load_evidence
from knowledge.synthesis.centre import CentrePosterior, centre_posterior
from knowledge.synthesis.facts import published_spec
from knowledge.synthesis.spec import POOLS, CentreCohort, Pool

SPEC = published_spec(load_evidence())


@pytest.fixture(scope="module", params=POOLS)
def pool(request: pytest.FixtureRequest) -> Pool:
    chosen: Pool = request.param
    return chosen


@pytest.fixture(scope="module")
def posterior(pool: Pool) -> CentrePosterior:
    return centre_posterior(SPEC.centres(pool), SPEC.centre_mean_sd, SPEC.centre_sd_scale)


def log_density(mu: float, t: float, cohorts: tuple[CentreCohort, ...]) -> float:
    """Log posterior density up to a constant: quadrature over each cohort's own logit theta."""
    total = float(stats.norm.logpdf(mu, 0.0, 2.5) + stats.halfnorm.logpdf(t, scale=0.5))
    for cohort in cohorts:

        def integrand(theta: float, cohort: CentreCohort = cohort) -> float:
            rate = special.expit(theta)
            return float(stats.binom.pmf(cohort.events, cohort.n, rate) * stats.norm.pdf(theta, mu, t))

        # Where the likelihood and the cohorts' spread both have their mass.
        middle = math.log(cohort.events / (cohort.n - cohort.events))
        points = sorted({mu - 4 * t, mu, mu + 4 * t, middle - 0.5, middle, middle + 0.5})
        area, _ = integrate.quad(integrand, -9.0, 9.0, points=points, limit=400, epsabs=0, epsrel=1e-9)
        total += math.log(area)
    return total


def test_cells_are_in_the_ratio_of_the_density(pool: Pool, posterior: CentrePosterior) -> None:
    peak = np.unravel_index(posterior.probability.argmax(), posterior.probability.shape)
    cells = [(int(peak[0]), int(peak[1])), (int(peak[0]) - 8, 5), (int(peak[0]) + 12, 30), (int(peak[0]) - 3, 70)]
    ours = [math.log(posterior.probability[cell]) for cell in cells]
    theirs = [log_density(posterior.mu[i], posterior.t[j], SPEC.centres(pool)) for i, j in cells]
    assert np.diff(ours) == pytest.approx(np.diff(theirs), abs=2e-6)


def test_means_and_spreads_agree_with_importance_sampling(pool: Pool, posterior: CentrePosterior) -> None:
    """mu proposed about the crude rate, t from its prior, likelihood by Gauss-Hermite quadrature."""
    rng, size = np.random.default_rng(5), 30_000
    cohorts = SPEC.centres(pool)
    crude = float(special.logit(sum(c.events for c in cohorts) / sum(c.n for c in cohorts)))
    mu, t = rng.normal(crude, 0.7, size), np.abs(rng.normal(0.0, SPEC.centre_sd_scale, size))
    nodes, node_weights = special.roots_hermitenorm(140)
    theta = mu[:, None] + t[:, None] * nodes
    log_weight = stats.norm.logpdf(mu, 0.0, SPEC.centre_mean_sd) - stats.norm.logpdf(mu, crude, 0.7)
    for c in cohorts:
        log_likelihood = c.events * special.log_expit(theta) + (c.n - c.events) * special.log_expit(-theta)
        log_weight += special.logsumexp(log_likelihood + np.log(node_weights), axis=1)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    assert 1 / (weight**2).sum() > 5_000  # enough for the tolerances below
    mu_mean, t_mean = float(weight @ mu), float(weight @ t)
    mu_sd, t_sd = math.sqrt(weight @ (mu - mu_mean) ** 2), math.sqrt(weight @ (t - t_mean) ** 2)

    by_mu, by_t = posterior.probability.sum(axis=1), posterior.probability.sum(axis=0)
    ours_mu, ours_t = float(by_mu @ posterior.mu), float(by_t @ posterior.t)
    assert ours_mu == pytest.approx(mu_mean, abs=0.012)
    assert math.sqrt(by_mu @ (posterior.mu - ours_mu) ** 2) == pytest.approx(mu_sd, abs=0.012)
    assert ours_t == pytest.approx(t_mean, abs=0.008)
    assert math.sqrt(by_t @ (posterior.t - ours_t) ** 2) == pytest.approx(t_sd, abs=0.008)


def test_draws_follow_the_grid(posterior: CentrePosterior) -> None:
    mu, t = posterior.draw(100_000, np.random.default_rng(6))
    by_mu, by_t = posterior.probability.sum(axis=1), posterior.probability.sum(axis=0)
    mean = float(by_mu @ posterior.mu)
    assert float(mu.mean()) == pytest.approx(mean, abs=0.01)
    assert float(mu.std()) == pytest.approx(math.sqrt(by_mu @ (posterior.mu - mean) ** 2), abs=0.01)
    assert float(t.mean()) == pytest.approx(float(by_t @ posterior.t), abs=0.01)
    assert t.min() >= 0.0
    together = np.corrcoef(mu, t)[0, 1]
    both = float(posterior.mu @ posterior.probability @ posterior.t) - mean * float(by_t @ posterior.t)
    sds = math.sqrt(by_mu @ (posterior.mu - mean) ** 2) * math.sqrt(by_t @ (posterior.t - by_t @ posterior.t) ** 2)
    assert together == pytest.approx(both / sds, abs=0.02)


def test_the_grid_holds_all_the_posterior(posterior: CentrePosterior) -> None:
    assert posterior.probability.sum() == pytest.approx(1.0)
    edge = posterior.probability[[0, -1], :].sum() + posterior.probability[:, -1].sum()
    assert edge < 1e-5


def test_without_cohorts_it_is_the_prior() -> None:
    """A wide mean is cut at four logits; between-centre sd is half-normal, mean 0.5 sqrt(2 / pi)."""
    prior = centre_posterior((), 0.8, 0.5)
    assert float(prior.probability.sum(axis=1) @ prior.mu) == pytest.approx(0.0, abs=1e-12)
    assert float(prior.probability.sum(axis=1) @ prior.mu**2) == pytest.approx(0.64, abs=0.001)
    assert float(prior.probability.sum(axis=0) @ prior.t) == pytest.approx(0.5 * math.sqrt(2 / math.pi), abs=1e-4)


def test_more_patients_say_more() -> None:
    few = centre_posterior((CentreCohort(fact="a", events=4, n=10),), 2.5, 0.5)
    many = centre_posterior((CentreCohort(fact="a", events=400, n=1000),), 2.5, 0.5)

    def spread(posterior: CentrePosterior) -> float:
        by_mu = posterior.probability.sum(axis=1)
        mean = by_mu @ posterior.mu
        return math.sqrt(by_mu @ (posterior.mu - mean) ** 2)

    assert spread(many) < spread(few)
    # However many patients, one centre is one centre: t itself remains.
    assert spread(many) > 0.3
