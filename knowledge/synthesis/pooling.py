"""Accepted cohorts from several strata made into one weighted set of draws."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from knowledge.synthesis.balance import take_in_proportion
from knowledge.synthesis.cohorts import Batch
from knowledge.synthesis.reference import reference_risks
from knowledge.synthesis.spec import CODINGS, Pool

Floats = NDArray[np.float64]


@dataclass
class Stratum:
    """All batches of one tau and one coding."""

    tau: float
    coding: str
    batches: list[Batch] = field(default_factory=list)

    @property
    def simulated(self) -> int:
        """Cohorts simulated, whether or not they met the conditions."""
        return sum(batch.simulated for batch in self.batches)

    @property
    def weight(self) -> Floats:
        """Weight of every accepted cohort (A,)."""
        return np.concatenate([batch.weight for batch in self.batches])

    @property
    def probability_of_facts(self) -> float:
        """Monte Carlo estimate of P(published facts | tau, coding)."""
        return float(self.weight.sum() / self.simulated)

    @property
    def standard_error(self) -> float:
        """Monte Carlo standard error of ``probability_of_facts``; cohorts are independent."""
        mean = self.probability_of_facts
        return float(np.sqrt(((self.weight**2).sum() / self.simulated - mean * mean) / self.simulated))

    def matrix(self, names: tuple[str, ...]) -> Floats:
        """Parameters of the accepted cohorts (len(names), A)."""
        return np.concatenate([np.stack([batch.columns[name] for name in names]) for batch in self.batches], axis=1)

    def passed(self) -> dict[str, int]:
        """Cohorts left after each condition, in order."""
        return {name: sum(batch.passed[name] for batch in self.batches) for name in self.batches[0].passed}

    def probabilities(self) -> dict[str, float]:
        """P(conditions up to each one) under the prior, in order."""
        names = self.batches[0].reached
        return {name: sum(batch.reached[name] for batch in self.batches) / self.simulated for name in names}


def effective_size(weight: Floats) -> float:
    """Kish's effective sample size of a weighted sample."""
    squares = float((weight**2).sum())
    return float(weight.sum()) ** 2 / squares if squares > 0 else 0.0


def effective_size_of(strata: list[Stratum]) -> float:
    """Effective size of strata pooled with weights divided by the number simulated."""
    if any(not stratum.batches for stratum in strata):
        return 0.0
    return effective_size(np.concatenate([stratum.weight / stratum.simulated for stratum in strata]))


def effective_size_of_pool(by_tau: list[list[Stratum]]) -> float:
    """Effective size of the cohorts behind a pool, in which every tau weighs the same."""
    return float(len(by_tau) ** 2 / sum(1.0 / effective_size_of(strata) for strata in by_tau))


def pool_strata(
    pool: Pool, by_tau: list[list[Stratum]], names: tuple[str, ...], draws: int, rng: np.random.Generator
) -> tuple[Floats, Floats, NDArray[np.int64], NDArray[np.int64]]:
    """Pool all strata: parameters (P, N), weight (N,) summing to one, index of tau (N,), of coding (N,).

    Within a tau, codings share by their evidence (weight over number simulated);
    each tau then carries the same total weight, never updated by the evidence. About ``draws`` draws are
    taken in proportion to their weight; one that is taken more often weighs more instead, so N is smaller.
    """
    matrices, weights, taus, codings = [], [], [], []
    for tau_index, strata in enumerate(by_tau):
        share = [stratum.weight / stratum.simulated for stratum in strata]
        unit = sum(float(each.sum()) for each in share) * len(by_tau) / draws
        taken = []
        for stratum, weight in zip(strata, share, strict=True):
            matrix = stratum.matrix(names)
            position = reference_risks(pool, stratum.coding, dict(zip(names, matrix, strict=True)))
            copies = take_in_proportion(position, weight, unit, rng)
            kept = np.flatnonzero(copies)
            taken.append((matrix[:, kept], copies[kept].astype(np.float64), _coding_index(stratum)))
        total = sum(float(times.sum()) for _, times, _ in taken) * len(by_tau)
        for matrix, times, coding_index in taken:
            matrices.append(matrix)
            weights.append(times / total)
            taus.append(np.full(len(times), tau_index))
            codings.append(np.full(len(times), coding_index))
    return np.concatenate(matrices, axis=1), np.concatenate(weights), np.concatenate(taus), np.concatenate(codings)


def _coding_index(stratum: Stratum) -> int:
    return next((index for index, coding in enumerate(CODINGS) if coding == stratum.coding), 0)
