"""How rates differ between centres: an exact binomial-normal posterior on a grid.

Cohort j has logit rate mu + t e_j with e_j standard normal. With two or three
cohorts t cannot be estimated, hence its half-normal prior; a new centre's rate
is mu + t e for a fresh e.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.synthesis.spec import CentreCohort

Floats = NDArray[np.float64]

# Grid cells. The posterior of mu lies within +-2 for the rates seen (6 to 60 %);
# t is cut at five times its prior scale, where the density is 4e-6 of its peak.
MU_EDGES = np.linspace(-4.0, 4.0, 401)
T_CELLS = 160
T_REACH = 5.0
# Trapezoid over e: its step times the largest t stays near the width of the
# sharpest likelihood (0.09 logits for n = 473), where the rule errs below 1e-6.
E_NODES = np.linspace(-8.0, 8.0, 401)


@dataclass(frozen=True)
class CentrePosterior:
    """Posterior probability of each grid cell: ``mu`` (M,), ``t`` (T,) midpoints, ``probability`` (M, T)."""

    mu: Floats
    t: Floats
    probability: Floats
    mu_step: float
    t_step: float

    def draw(self, size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """``size`` draws of (mu, t), uniform within their cells."""
        cumulative = np.cumsum(self.probability.ravel())
        cell = np.searchsorted(cumulative, rng.random(size) * cumulative[-1], side="right")
        row, column = np.divmod(np.minimum(cell, cumulative.size - 1), len(self.t))
        mu = self.mu[row] + self.mu_step * (rng.random(size) - 0.5)
        t = self.t[column] + self.t_step * (rng.random(size) - 0.5)
        return mu, t


def centre_posterior(cohorts: Sequence[CentreCohort], mean_sd: float, sd_scale: float) -> CentrePosterior:
    """Posterior of (mu, t) given the cohorts' counts; mu ~ N(0, mean_sd), t ~ half-normal(sd_scale)."""
    mu = 0.5 * (MU_EDGES[1:] + MU_EDGES[:-1])
    t_step = T_REACH * sd_scale / T_CELLS
    t = t_step * (np.arange(T_CELLS) + 0.5)
    node_weight = np.exp(-0.5 * E_NODES**2)
    node_weight /= node_weight.sum()
    log_posterior = -0.5 * (mu[:, None] / mean_sd) ** 2 - 0.5 * (t[None, :] / sd_scale) ** 2
    for column, spread in enumerate(t):
        theta = mu[:, None] + spread * E_NODES[None, :]
        log_one_plus = np.logaddexp(0.0, theta)
        for cohort in cohorts:
            peak = cohort.events / cohort.n
            top = cohort.n * (peak * np.log(peak) + (1 - peak) * np.log1p(-peak))
            likelihood = np.exp(cohort.events * theta - cohort.n * log_one_plus - top)
            # Summed, not multiplied as matrices: BLAS may add up in another order on another machine.
            average = (likelihood * node_weight).sum(axis=1)
            with np.errstate(divide="ignore"):  # cells no cohort allows get probability zero
                log_posterior[:, column] += np.log(average)
    probability = np.exp(log_posterior - log_posterior.max())
    probability /= probability.sum()
    return CentrePosterior(mu, np.asarray(t, dtype=np.float64), probability, float(MU_EDGES[1] - MU_EDGES[0]), t_step)
