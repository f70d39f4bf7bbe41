"""Maximum likelihood logistic regression on patients grouped by estimate, with profile limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from knowledge.cohort.validation.cells import Counts
from knowledge.cohort.validation.measure import HALF_CHI2
from knowledge.logistic import expit_of_any

Floats = NDArray[np.float64]

STEPS, HALVINGS, CLOSE = 60, 30, 1e-10
# A limit is sought this many times the standard error away, doubled each time.
REACH, TRIES = 3.0, 8


class NoFitError(Exception):
    """The likelihood has no maximum that could be found: separated, or the columns are not independent."""


@dataclass(frozen=True, eq=False)
class Regression:
    """``coef`` (k,), ``cov`` (k, k) the inverse information, ``loglik``."""

    coef: Floats
    cov: Floats
    loglik: float
    design: Floats
    events: Counts
    others: Counts

    def limits(self, column: int) -> tuple[float, float]:
        """Profile likelihood limits of one coefficient at 95 %.

        Raises:
            NoFitError: a limit was not found.
        """
        return self._limit(column, -1.0), self._limit(column, 1.0)

    def _limit(self, column: int, side: float) -> float:
        centre, step = float(self.coef[column]), side * float(np.sqrt(self.cov[column, column]))
        kept = np.delete(self.design, column, axis=1)
        start = np.delete(self.coef, column)

        def fall(value: float) -> float:
            offset = self.design[:, column] * value
            return self.loglik - _climb(kept, self.events, self.others, offset, start)[2] - HALF_CHI2

        for attempt in range(TRIES):
            end = centre + step * REACH * 2.0**attempt
            if fall(end) > 0:
                return float(brentq(fall, centre, end, xtol=1e-10, rtol=1e-10))
        raise NoFitError("a limit was not found")


def regress(design: Floats, events: Counts, others: Counts) -> Regression:
    """Logistic regression of ``events`` and ``others`` (K,), patients at each row of ``design`` (K, k).

    Raises:
        NoFitError: see there.
    """
    zero = np.zeros(len(events))
    coef, cov, loglik = _climb(design, events, others, zero, np.zeros(design.shape[1]))
    return Regression(coef, cov, loglik, design, events, others)


def _climb(
    design: Floats, events: Counts, others: Counts, offset: Floats, start: Floats
) -> tuple[Floats, Floats, float]:
    coef, total = start.copy(), events + others
    now = _loglik(design @ coef + offset, events, others)
    for _ in range(STEPS):
        chance = expit_of_any(design @ coef + offset)
        information = (design * (total * chance * (1.0 - chance))[:, None]).T @ design
        try:
            cov: Floats = np.linalg.inv(information).astype(np.float64)
        except np.linalg.LinAlgError:
            raise NoFitError("singular") from None
        score = design.T @ (events - total * chance)
        step = cov @ score
        if float(score @ step) < CLOSE:
            return coef, cov, now
        for _ in range(HALVINGS):
            then = _loglik(design @ (coef + step) + offset, events, others)
            if then >= now:
                break
            step = step / 2.0
        else:
            return coef, cov, now  # as close as rounding allows
        coef, now = coef + step, then
    raise NoFitError("did not converge")


def _loglik(eta: Floats, events: Counts, others: Counts) -> float:
    return -float(events @ np.logaddexp(0.0, -eta) + others @ np.logaddexp(0.0, eta))
