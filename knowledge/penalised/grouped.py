"""All-binary covariates: patients with the same findings are one row, and equal tables are fitted once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from knowledge.penalised.batch import LOOSE, BatchFit, fit_many

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


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


def distinct_tables(events: Floats, trials: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows (D,) that hold one of each table, and for every row (B,) which of these is its own."""
    both = np.concatenate([events, trials], axis=1)
    _, first, inverse = np.unique(both, axis=0, return_index=True, return_inverse=True)
    return first, inverse.reshape(-1)


def fit_grouped(x: tuple[Bools, ...], y: Floats, *, tolerance: float = LOOSE) -> BatchFit:
    """Firth regressions of B data sets whose covariates are all binary, with an intercept.

    Args:
        x: each covariate (B, n).
        y: outcomes (B, n) of 0/1.
        tolerance: largest absolute score at convergence.

    Returns:
        As ``fit_many``: coefficients (B, 1 + len(x)), the intercept first.
    """
    columns, events, trials = group_binary(x, y)
    rows, own = distinct_tables(events, trials)
    found = fit_many(columns[:, rows], events[rows], trials[rows], tolerance=tolerance)
    return BatchFit(found.coef[own], found.loglik[own], found.converged[own], found.exceeded[own], found.iterations)
