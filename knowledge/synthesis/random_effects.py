"""The centre term beside the classical random-effects estimates, for the documents and the tests.

Loads statsmodels where it is used: never on the way to an answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from knowledge.model import Draws
from knowledge.normal import Z95, cdf
from knowledge.synthesis.centre import CentrePosterior, centre_posterior
from knowledge.synthesis.spec import CentreCohort

Floats = NDArray[np.float64]
Method = Literal["dl", "pm"]
CLASSICAL: dict[str, Method] = {"DerSimonian-Laird": "dl", "Paule-Mandel": "pm"}

TAILS = (0.025, 0.5, 0.975)
# A quantile is bisected between these log odds down to far below what is printed.
REACH, HALVINGS = 8.0, 32
NEGLIGIBLE = 1e-12  # probability of a cell; all of the 64,000 together would move no printed digit


@dataclass(frozen=True)
class CentreEstimate:
    """What one method says of the centres; log odds, intervals of 95 %.

    ``mean`` of the centres' log odds with its interval, ``sd`` between centres (with an interval where
    the method gives one), and ``new``, the interval of a further centre's log odds with its middle.
    """

    mean: float
    mean_interval: tuple[float, float]
    sd: float
    sd_interval: tuple[float, float] | None
    new: float
    new_interval: tuple[float, float]


@lru_cache(maxsize=8)
def posterior_of(cohorts: tuple[CentreCohort, ...], mean_sd: float, sd_scale: float) -> CentrePosterior:
    """``centre_posterior``, kept: tables and pictures ask for the same ones, and each takes a second."""
    return centre_posterior(cohorts, mean_sd, sd_scale)


def posterior_estimate(posterior: CentrePosterior) -> CentreEstimate:
    """Medians and equal-tailed intervals of the hierarchical posterior."""
    by_mu, by_t = posterior.probability.sum(axis=1), posterior.probability.sum(axis=0)
    mu = [_grid_quantile(posterior.mu, posterior.mu_step, by_mu, tail) for tail in TAILS]
    t = [_grid_quantile(posterior.t, posterior.t_step, by_t, tail) for tail in TAILS]
    new = [new_centre_quantile(posterior, tail) for tail in TAILS]
    return CentreEstimate(mu[1], (mu[0], mu[2]), t[1], (t[0], t[2]), new[1], (new[0], new[2]))


def new_centre_quantile(posterior: CentrePosterior, probability: float) -> float:
    """Quantile of mu + t e, the log odds at a centre not among the cohorts; e is standard normal."""
    row, column = np.nonzero(posterior.probability > NEGLIGIBLE)
    weight, mu, t = posterior.probability[row, column], posterior.mu[row], posterior.t[column]
    weight = weight / weight.sum()
    low, high = -REACH, REACH
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        below = float((weight * cdf((middle - mu) / t)).sum())
        low, high = (middle, high) if below < probability else (low, middle)
    return middle


def model_estimate(draws: Draws) -> CentreEstimate:
    """What a model's draws say, the founding study's counts being among its conditions; at the covariates' means."""
    mu, t, new = (_weighted_quantiles(draws[name], draws.weight) for name in ("mu", "t", "a_new"))
    return CentreEstimate(mu[1], (mu[0], mu[2]), t[1], (t[0], t[2]), new[1], (new[0], new[2]))


def random_effects(cohorts: Sequence[CentreCohort], method: Method) -> CentreEstimate:
    """DerSimonian-Laird (``dl``) or Paule-Mandel (``pm``) on the cohorts' log odds, by statsmodels.

    Each cohort's log odds count as normal with variance 1/events + 1/(n - events). The interval of a new
    centre is normal with variance sd^2 + se(mean)^2: it takes the sd between centres for known.
    statsmodels (0.15) leaves a DerSimonian-Laird variance below zero as it is, which would weight the
    cohorts by less than nothing; as the method has it, such a variance is zero, and the fixed-effect estimate stands.
    """
    from statsmodels.stats.meta_analysis import combine_effects  # type: ignore[import-untyped]  # it has no type hints

    effect, variance = log_odds(cohorts)
    result = combine_effects(effect, variance, method_re=method)
    between = max(0.0, float(result.tau2))
    negative = result.tau2 < 0
    mean = float(result.mean_effect_fe if negative else result.mean_effect_re)
    se = float(result.sd_eff_w_fe if negative else result.sd_eff_w_re)
    new = Z95 * math.sqrt(between + se * se)
    return CentreEstimate(
        mean=mean,
        mean_interval=(mean - Z95 * se, mean + Z95 * se),
        sd=math.sqrt(between),
        sd_interval=None,
        new=mean,
        new_interval=(mean - new, mean + new),
    )


def log_odds(cohorts: Sequence[CentreCohort]) -> tuple[Floats, Floats]:
    """Each cohort's log odds and their variance (k,); every cohort has patients with and without the event."""
    events = np.array([cohort.events for cohort in cohorts], dtype=np.float64)
    others = np.array([cohort.n for cohort in cohorts], dtype=np.float64) - events
    return np.log(events / others), 1.0 / events + 1.0 / others


def _grid_quantile(middle: Floats, step: float, probability: Floats, tail: float) -> float:
    """Quantile of a density that is even within each cell."""
    edges = np.append(middle - 0.5 * step, middle[-1] + 0.5 * step)
    cumulative = np.concatenate(([0.0], np.cumsum(probability)))
    return float(np.interp(tail * cumulative[-1], cumulative, edges))


def _weighted_quantiles(values: Floats, weight: Floats) -> list[float]:
    order = np.argsort(values, kind="stable")
    cumulative = np.cumsum(weight[order])
    reached = np.searchsorted(cumulative, np.array(TAILS) * cumulative[-1])
    return [float(values[order][position]) for position in reached]
