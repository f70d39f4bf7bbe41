"""The pooled rate: what other cohorts' counts alone say of any patient at a centre not seen yet.

The mean over the posterior of the centre term, for everybody, with the 95 % interval of a new centre's rate. For CRS
of grade >= 2 the rate of any grade is multiplied by the prior share of grade >= 2 among those with CRS, which comes
from published trials too. Nothing of the founding study enters, and no predictor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.assessment import Outcome
from knowledge.logistic import expit_of_any
from knowledge.simulation.methods import Predicted
from knowledge.synthesis.centre import centre_posterior
from knowledge.synthesis.spec import POOLS, Pool, Spec

Floats = NDArray[np.float64]

SEED = 0
# Monte Carlo error of the mean below 0.0003, of the limits below 0.001.
DRAWS = 400_000
LIMITS = (0.025, 0.975)


@dataclass(frozen=True)
class PooledRate:
    """A rate and its 95 % limits at a new centre."""

    risk: float
    low: float
    high: float

    def predict(self, shape: tuple[int, ...]) -> Predicted:
        """The same for every patient of every cohort."""
        return Predicted(*(np.full(shape, value) for value in (self.risk, self.low, self.high)))


def pooled_rates(spec: Spec) -> dict[Outcome, PooledRate]:
    """One rate an outcome, under the engine's own priors."""
    rng = np.random.default_rng(SEED)
    any_grade = {pool: _new_centre(spec, pool, rng) for pool in POOLS}
    mean, sd = spec.grade2_given_any
    severe = expit_of_any(np.log(mean / (1.0 - mean)) + sd * rng.standard_normal(DRAWS))
    return {
        Outcome.CRS_ANY: _summed_up(any_grade["crs"]),
        Outcome.CRS_GRADE2PLUS: _summed_up(any_grade["crs"] * severe),
        Outcome.ICANS_ANY: _summed_up(any_grade["icans"]),
    }


def _new_centre(spec: Spec, pool: Pool, rng: np.random.Generator) -> Floats:
    posterior = centre_posterior(spec.centres(pool), spec.centre_mean_sd, spec.centre_sd_scale)
    mu, t = posterior.draw(DRAWS, rng)
    return expit_of_any(mu + t * rng.standard_normal(DRAWS))


def _summed_up(rate: Floats) -> PooledRate:
    low, high = np.quantile(rate, LIMITS)
    return PooledRate(float(rate.mean()), float(low), float(high))
