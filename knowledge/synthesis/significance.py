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


def group_binary(x: tuple[Bools, ...], y: Floats) -> tuple[Floats, Floats, Floats]:
    """Binary covariates (B, n) as cells: columns (1 + len(x), B, 2^len(x)), events and trials (B, 2^len(x))."""
    size, _ = y.shape
    cells = 2 ** len(x)
    code: NDArray[np.int64] = np.zeros(y.shape, dtype=np.int64)
    for j, present in enumerate(x):
        code += present.astype(np.int64) << j
    flat = (code + cells * np.arange(size)[:, None]).ravel()
    patients = np.ones(y.size)
    trials, events = (
        np.asarray(np.bincount(flat, weights=each, minlength=size * cells), dtype=np.float64).reshape(size, cells)
        for each in (patients, y.ravel())
    )
    design: Floats = np.ones((1 + len(x), size, cells))
    for j in range(len(x)):
        design[1 + j] = ((np.arange(cells) >> j) & 1).astype(float)
    return design, events, trials
