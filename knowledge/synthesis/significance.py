"""The publication filter: a Firth regression whose named predictors are all positive and significant."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from knowledge.firth import fit_many

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def all_positive_and_significant(columns: Floats, y: Floats, trials: Floats | None, threshold: float) -> Bools:
    """Whether, in each data set, every coefficient but the intercept is positive and significant (B,).

    ``columns`` (k, B, n) with the intercept first. A fit that is singular or does not converge fails.
    """
    k = len(columns)
    full = fit_many(columns, y, trials)
    passed = full.converged & (full.coef[:, 1:] > 0).all(axis=1)
    for j in range(1, k):
        rows = np.flatnonzero(passed)
        if not rows.size:
            break
        # Above this log likelihood the ratio is already below the threshold.
        bound = full.loglik[rows] - threshold / 2.0
        held = fit_many(
            columns[:, rows],
            y[rows],
            None if trials is None else trials[rows],
            hold=j,
            start=full.coef[rows],
            stop_above=bound,
        )
        passed[rows] = held.converged & ~held.exceeded & (held.loglik <= bound)
    return passed
