"""Patients sorted by estimate: of a cohort, all that the measures of a validation need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Cells:
    """Patients grouped by estimate, lowest first: ``risk`` (K,), strictly rising and strictly between 0 and 1, and how
    many at each had the outcome (``events``) and had it not (``others``), both (K,).
    """

    risk: Floats
    events: Counts
    others: Counts

    @classmethod
    def of(cls, risk: ArrayLike, events: ArrayLike, others: ArrayLike) -> Cells:
        """From counts at estimates in any order, some of which may be equal; estimates without a patient are dropped.

        Raises:
            ValueError: an estimate is not strictly between 0 and 1, or a count is negative.
        """
        value = np.asarray(risk, dtype=float)
        count = np.stack([np.asarray(events, dtype=np.int64), np.asarray(others, dtype=np.int64)])
        if not bool(np.all((value > 0.0) & (value < 1.0))):
            raise ValueError("estimates must lie strictly between 0 and 1")
        if bool(np.any(count < 0)):
            raise ValueError("counts must not be negative")
        seen = count.sum(axis=0) > 0
        distinct, place = np.unique(value[seen], return_inverse=True)
        summed = np.zeros((2, len(distinct)), dtype=np.int64)
        for row in (0, 1):
            np.add.at(summed[row], place, count[row, seen])
        return cls(distinct, summed[0], summed[1])

    @classmethod
    def of_patients(cls, risk: ArrayLike, had: Iterable[bool]) -> Cells:
        """From one estimate and one outcome a patient."""
        outcome = np.fromiter(had, dtype=np.int64)
        return cls.of(risk, outcome, 1 - outcome)

    @cached_property
    def total(self) -> Counts:
        """Patients at each estimate (K,)."""
        return self.events + self.others

    @cached_property
    def log_odds(self) -> Floats:
        """Logit of each estimate (K,)."""
        odds: Floats = np.log(self.risk) - np.log1p(-self.risk)
        return odds

    @property
    def n(self) -> int:
        """Patients."""
        return int(self.total.sum())

    @property
    def had(self) -> int:
        """Patients with the outcome."""
        return int(self.events.sum())

    @property
    def had_not(self) -> int:
        """Patients without it."""
        return int(self.others.sum())

    @property
    def fewer(self) -> int:
        """The smaller of the two groups: what most measures are limited by."""
        return min(self.had, self.had_not)

    @property
    def expected(self) -> float:
        """Sum of the estimates."""
        return float(self.total @ self.risk)

    @property
    def distinct(self) -> int:
        """How many different estimates there are."""
        return len(self.risk)

    def quantiles(self, shares: ArrayLike) -> Floats:
        """Quantiles of the log odds over patients (R's type 7)."""
        found: Floats = np.quantile(np.repeat(self.log_odds, self.total), np.asarray(shares, dtype=float))
        return found
