"""Draws weighed by a centre's patients, and whether they can bear it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.cohort.record import CohortRow
from knowledge.cohort.update.likelihood import Progress, log_likelihood
from knowledge.cohort.update.patients import SitePatients, site_patients
from knowledge.cohort.update.psis import largest_khat, pareto_smoothed
from knowledge.cohort.update.redraw import LEVELS, levels, unfolded
from knowledge.model import Draws, Model
from knowledge.synthesis.pooling import effective_size
from knowledge.synthesis.spec import POOLS, Pool

Floats = NDArray[np.float64]

# Below this a limit of 95 % would rest on fewer than five draws' worth.
LEAST_EFFECTIVE = 200.0


@dataclass(frozen=True, eq=False)
class Weighed:
    """One pool after the update: ``draws`` (N), ``level`` and ``weight`` (R, N), these smoothed and summing to one.

    ``khat`` is the larger of two: of all weights, and of each draw's, summed over its levels. ``effective`` is
    Kish's effective size of the latter, since levels of one draw share its effects.
    """

    pool: Pool
    draws: Draws
    level: Floats
    weight: Floats
    khat: float
    largest_khat: float
    effective: float

    @property
    def bears(self) -> bool:
        """Whether the draws suffice."""
        return self.khat <= self.largest_khat and self.effective >= LEAST_EFFECTIVE


def weigh(
    parent: Model,
    pool: Pool,
    patients: SitePatients,
    seed: int,
    progress: Progress | None = None,
    *,
    count: int = LEVELS,
) -> Weighed:
    """The draws of one pool, each with several levels of the centre, weighed by the patients' likelihood.

    Args:
        parent: the model to start from.
        pool: whose draws.
        patients: at least one of them with this outcome known.
        seed: of the levels, together with the pool.
        progress: as in ``log_likelihood``.
        count: levels a draw.
    """
    draws = unfolded(parent.draws(pool))
    level = centre_levels(draws, pool, seed, count)
    likelihood = log_likelihood(pool, patients, draws, level, parent.spec.ldh_hold, progress)
    log_weight = np.log(draws.weight) - np.log(len(level)) + likelihood
    smoothed = pareto_smoothed(log_weight.ravel())
    weight = np.exp(smoothed.log_weight - smoothed.log_weight.max()).reshape(level.shape)
    weight /= weight.sum()
    top = log_weight.max(axis=0)
    by_draw = top + np.log(np.exp(log_weight - top).sum(axis=0))
    khat = max(smoothed.khat, pareto_smoothed(by_draw).khat)
    return Weighed(
        pool, draws, level, weight, khat, largest_khat(len(draws.weight)), effective_size(weight.sum(axis=0))
    )


def centre_levels(draws: Draws, pool: Pool, seed: int, count: int = LEVELS) -> Floats:
    """``count`` levels of one pool's draws (count, N); the same seed gives the same."""
    return levels(draws, np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(POOLS.index(pool),))), count)


def most_patients(parent: Model, pool: Pool, rows: Sequence[CohortRow], seed: int) -> int:
    """How many of the rows that enter one pool its draws bear, the earliest first; found by bisection.

    Earliest by day of the first dose, then as they stand: a rule that cannot look at outcomes, and the update that
    the centre could have made at that time.
    """
    entering = [row for row in rows if _enters(row, pool)]
    entering.sort(key=lambda row: (row.dose_day is None, row.dose_day or 0))
    fits, beyond = 0, len(entering)
    while beyond - fits > 1:
        middle = (fits + beyond) // 2
        if weigh(parent, pool, site_patients(entering[:middle]), seed).bears:
            fits = middle
        else:
            beyond = middle
    return fits


def _enters(row: CohortRow, pool: Pool) -> bool:
    patients = site_patients([row])
    return bool(patients.crs if pool == "crs" else patients.icans)
