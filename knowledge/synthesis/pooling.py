"""Accepted cohorts from several strata made into one weighted set of draws."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from knowledge.synthesis.cohorts import Batch

Floats = NDArray[np.float64]

# Draws below this multiple of their stratum's mean weight are kept by lot, in
# proportion, and then carry exactly this weight (rejection control): unbiased, keeps
# the file small and the answer quick, and costs a few per cent of the effective sample size.
THIN_SHARE = 1.0
# How much more to simulate, so that the pool still holds its target after thinning.
THINNING_LOSS = 1.08


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

    def matrix(self, names: tuple[str, ...]) -> Floats:
        """Parameters of the accepted cohorts (len(names), A)."""
        return np.concatenate([np.stack([batch.columns[name] for name in names]) for batch in self.batches], axis=1)

    def passed(self) -> dict[str, int]:
        """Cohorts left after each condition, in order."""
        total: dict[str, int] = {}
        for batch in self.batches:
            for condition, count in batch.passed.items():
                total[condition] = total.get(condition, 0) + count
        return total


def effective_size(weight: Floats) -> float:
    """Kish's effective sample size of a weighted sample."""
    squares = float((weight**2).sum())
    return float(weight.sum()) ** 2 / squares if squares > 0 else 0.0


def effective_size_of(strata: list[Stratum]) -> float:
    """Effective size of strata pooled with weights divided by the number simulated."""
    if any(not stratum.batches for stratum in strata):
        return 0.0
    return effective_size(np.concatenate([stratum.weight / stratum.simulated for stratum in strata]))


def pool_strata(
    by_tau: list[list[Stratum]], names: tuple[str, ...], rng: np.random.Generator
) -> tuple[Floats, Floats, NDArray[np.int64], NDArray[np.int64]]:
    """Pool all strata: parameters (P, N), weight (N,) summing to one, index of tau (N,), of coding (N,).

    Within a tau, codings share by their evidence (weight over number simulated);
    each tau then carries the same total weight, never updated by the evidence.
    """
    matrices, weights, taus, codings = [], [], [], []
    for tau_index, strata in enumerate(by_tau):
        kept: list[tuple[Floats, Floats, int]] = []
        for coding_index, stratum in enumerate(strata):
            weight = stratum.weight
            floor = THIN_SHARE * float(weight.mean())
            keep = rng.random(len(weight)) * floor < weight
            share = np.maximum(weight, floor)[keep] / stratum.simulated
            kept.append((stratum.matrix(names)[:, keep], share, coding_index))
        total = sum(float(weight.sum()) for _, weight, _ in kept) * len(by_tau)
        for matrix, weight, coding_index in kept:
            matrices.append(matrix)
            weights.append(weight / total)
            taus.append(np.full(len(weight), tau_index))
            codings.append(np.full(len(weight), coding_index))
    return np.concatenate(matrices, axis=1), np.concatenate(weights), np.concatenate(taus), np.concatenate(codings)
