"""The yardstick: Firth regressions of many data sets as anyone would write them in numpy.

Fisher scoring with ``einsum`` and ``np.linalg.inv`` over data sets side by side, each left alone once it has
converged; no step halving, no second start. The constrained fits and the profile keep the full design's penalty.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from knowledge.normal import quantile
from knowledge.penalised.batch import LIMIT_TOLERANCE, LOOSE, tail_probability

Floats = NDArray[np.float64]

MAX_ITERATIONS, MAX_STEP = 100, 5.0
LIMIT_ITERATIONS = 50


def evaluate(X: Floats, y: Floats, beta: Floats) -> tuple[Floats, Floats, Floats]:
    """Penalised log likelihood (B,), score (B, k) and inverse information (B, k, k)."""
    eta = np.einsum("bnk,bk->bn", X, beta)
    p = 1.0 / (1.0 + np.exp(-eta))
    w = p * (1.0 - p)
    information = np.einsum("bnj,bn,bnk->bjk", X, w, X, optimize=True)
    inverse = np.linalg.inv(information)
    hat = w * np.einsum("bnj,bjk,bnk->bn", X, inverse, X, optimize=True)
    score = np.einsum("bnk,bn->bk", X, y - p + hat * (0.5 - p))
    loglik = (y * eta - np.logaddexp(0.0, eta)).sum(axis=1) + 0.5 * np.log(np.linalg.det(information))
    return loglik, score, inverse


def fit(
    X: Floats, y: Floats, start: Floats, hold: int | None = None, tolerance: float = LOOSE
) -> tuple[Floats, Floats]:
    """Coefficients (B, k), NaN where 100 steps were too few, and penalised log likelihood (B,)."""
    beta, loglik, going = start.copy(), np.full(len(y), np.nan), np.arange(len(y))
    free = [j for j in range(X.shape[2]) if j != hold]
    for _ in range(MAX_ITERATIONS):
        loglik[going], score, inverse = evaluate(X[going], y[going], beta[going])
        if hold is not None:  # the inverse information of the free coefficients
            inverse = inverse - inverse[:, :, [hold]] * inverse[:, [hold], :] / inverse[:, [hold], [hold], None]
            score[:, hold] = 0.0
        left = np.abs(score[:, free]).max(axis=1) > tolerance
        going, score, inverse = going[left], score[left], inverse[left]
        if not going.size:
            break
        step = np.einsum("bjk,bk->bj", inverse, score)
        step *= np.minimum(1.0, MAX_STEP / np.maximum(np.abs(step).max(axis=1), MAX_STEP))[:, None]
        beta[going] += step
    beta[going], loglik[going] = np.nan, np.nan
    return beta, loglik


def full(X: Floats, y: Floats, alpha: float = 0.05) -> tuple[Floats, Floats, Floats]:
    """Coefficients (B, k), p-values (B, k) and profile limits (B, k, 2); NaN where something did not converge."""
    count, _, k = X.shape
    drop = 0.5 * float(quantile(1.0 - alpha / 2.0)) ** 2
    beta, top = fit(X, y, np.zeros((count, k)), tolerance=LIMIT_TOLERANCE)
    pvalues, ci = np.empty((count, k)), np.empty((count, k, 2))
    for j in range(k):
        start = beta.copy()
        start[:, j] = 0.0
        held = fit(X, y, start, hold=j)[1]
        pvalues[:, j] = tail_probability(np.maximum(0.0, 2.0 * (top - held)))
        for end, side in enumerate((-1.0, 1.0)):
            ci[:, j, end] = limit(X, y, beta, top - drop, drop, j, side)
    return beta, pvalues, ci


def limit(X: Floats, y: Floats, beta: Floats, level: Floats, drop: float, j: int, side: float) -> Floats:
    """Where the profile of coefficient j crosses ``level`` (B,), after Venzon and Moolgavkar (1988)."""
    found, going, at = np.full(len(y), np.nan), np.flatnonzero(np.isfinite(level)), beta.copy()
    inverse = evaluate(X[going], y[going], at[going])[2]
    at[going] += side * np.sqrt(2.0 * drop / inverse[:, j, j])[:, None] * inverse[:, :, j]
    for _ in range(LIMIT_ITERATIONS):
        loglik, score, inverse = evaluate(X[going], y[going], at[going])
        others = np.delete(score, j, axis=1)
        above = loglik - level[going]
        left = (np.abs(others).max(axis=1) > LIMIT_TOLERANCE) | (np.abs(above) > LIMIT_TOLERANCE)
        found[going[~left]] = at[going[~left], j]
        going, score, inverse, above = going[left], score[left], inverse[left], above[left]
        if not going.size:
            break
        uphill = np.einsum("bjk,bk->bj", inverse, score)
        reach = np.maximum(0.0, 2.0 * above + np.einsum("bk,bk->b", score, uphill))
        step = uphill + side * np.sqrt(reach / inverse[:, j, j])[:, None] * inverse[:, :, j]
        step *= np.minimum(1.0, MAX_STEP / np.maximum(np.abs(step).max(axis=1), MAX_STEP))[:, None]
        at[going] += step
    return found
