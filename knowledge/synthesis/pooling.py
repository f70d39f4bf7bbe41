"""Accepted cohorts from several strata made into one weighted set of draws."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from knowledge.synthesis.cohorts import Batch
from knowledge.synthesis.spec import CODINGS

Floats = NDArray[np.float64]

# Draws below this multiple of their stratum's mean weight are kept by lot, in
# proportion, and then carry exactly this weight (rejection control): unbiased, keeps
# the file small and the answer quick, and costs a fifth of the effective sample size.
THIN_SHARE = 2.0
# How much more to simulate than by expectation, so that the pool still holds its target after the lots.
THINNING_LOSS = 1.03


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
    """Expected effective size, after thinning, of strata pooled with weights divided by the number simulated."""
    if any(not stratum.batches for stratum in strata):
        return 0.0
    total, squares = 0.0, 0.0
    for stratum in strata:
        weight = stratum.weight / stratum.simulated
        if weight.size:
            total += float(weight.sum())
            # A draw of weight w is kept with chance min(1, w / floor) and then weighs max(w, floor).
            squares += float((weight * np.maximum(weight, _floor(weight))).sum())
    return total * total / squares if squares > 0 else 0.0


def _floor(weight: Floats) -> float:
    return THIN_SHARE * float(weight.mean())


def _coding_index(stratum: Stratum) -> int:
    return next((index for index, coding in enumerate(CODINGS) if coding == stratum.coding), 0)


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
        for stratum in strata:
            weight = stratum.weight
            floor = _floor(weight)
            keep = rng.random(len(weight)) * floor < weight
            share = np.maximum(weight, floor)[keep] / stratum.simulated
            kept.append((stratum.matrix(names)[:, keep], share, _coding_index(stratum)))
        total = sum(float(weight.sum()) for _, weight, _ in kept) * len(by_tau)
        for matrix, weight, coding_index in kept:
            matrices.append(matrix)
            weights.append(weight / total)
            taus.append(np.full(len(weight), tau_index))
            codings.append(np.full(len(weight), coding_index))
    return np.concatenate(matrices, axis=1), np.concatenate(weights), np.concatenate(taus), np.concatenate(codings)
