"""The publication filter: a Firth regression whose named predictors are all positive and significant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from knowledge.firth import fit_many
from knowledge.logistic import expit
from knowledge.penalised.grouped import group_binary
from knowledge.synthesis.spec import TestName

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Beyond this many binary covariates nearly every table is a new one; remembering would not pay.
MOST_REMEMBERED = 2


@dataclass(frozen=True)
class Criterion:
    """Which test at which chi-square threshold; the first ``predictors`` covariates must pass, the rest adjust."""

    threshold: float
    name: TestName
    predictors: int


def judge_continuous(x: tuple[Floats, ...], y: Floats, criterion: Criterion) -> Bools:
    """Whether each data set passes (B,): covariates (B, n) each, outcomes (B, n) of 0/1."""
    design: Floats = np.stack([np.ones_like(y), *x])
    return passes(design, y, None, criterion)


def judge_binary(x: tuple[Floats, ...], y: Floats, criterion: Criterion) -> Bools:
    """The same for covariates of 0/1: only the table of counts matters, so each is fitted once and remembered."""
    design, events, trials = group_binary(tuple(each > 0.5 for each in x), y)
    if len(x) > MOST_REMEMBERED:
        return passes(design, events, trials, criterion)
    counts = np.concatenate([trials, events], axis=1).astype(np.int64)
    base = y.shape[1] + 1
    key = counts @ (base ** np.arange(counts.shape[1], dtype=np.int64))
    return _verdicts(criterion, len(x), base).look_up(
        key, lambda rows: passes(design[:, rows], events[rows], trials[rows], criterion)
    )


def passes(columns: Floats, y: Floats, trials: Floats | None, criterion: Criterion) -> Bools:
    """Whether, in each data set, every predictor is positive and significant (B,).

    ``columns`` (k, B, n): the intercept, the predictors, then what only adjusts. A fit
    that is singular or does not converge fails.
    """
    predictors = range(1, 1 + criterion.predictors)
    full = fit_many(columns, y, trials)
    passed = full.converged & (full.coef[:, 1 : 1 + criterion.predictors] > 0).all(axis=1)
    if criterion.name == "wald":
        rows = np.flatnonzero(passed)
        at = None if trials is None else trials[rows]
        passed[rows] = (_wald(columns[:, rows], full.coef[rows], at)[:, predictors] >= criterion.threshold).all(axis=1)
        return passed
    for j in predictors:
        rows = np.flatnonzero(passed)
        if not rows.size:
            break
        # Above this log likelihood the ratio is already below the threshold.
        bound = full.loglik[rows] - criterion.threshold / 2.0
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


def _wald(columns: Floats, coef: Floats, trials: Floats | None) -> Floats:
    """Squared Wald statistics (B, k): the variance is the inverse of X'WX at the Firth estimate."""
    if not len(coef):
        return np.empty_like(coef)
    p = expit((columns * coef.T[:, :, None]).sum(axis=0))
    weight = p * (1.0 - p) * (1.0 if trials is None else trials)
    information = np.einsum("ibn,jbn->bij", weight * columns, columns)
    variance = np.einsum("bii->bi", np.linalg.inv(information))
    statistic: Floats = coef * coef / variance
    return statistic


class _Verdicts:
    """Verdicts by key, in order of the keys. What is remembered is what would be found again."""

    def __init__(self) -> None:
        self._keys: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._passed: Bools = np.empty(0, dtype=np.bool_)

    def look_up(self, key: NDArray[np.int64], decide: Callable[[NDArray[np.intp]], Bools]) -> Bools:
        """Verdicts for keys (B,); ``decide`` gives those of rows not met before."""
        distinct, first, back = np.unique(key, return_index=True, return_inverse=True)
        place = np.searchsorted(self._keys, distinct)
        new = np.ones(len(distinct), dtype=np.bool_)
        inside = place < len(self._keys)
        new[inside] = self._keys[place[inside]] != distinct[inside]
        if new.any():
            self._passed = np.insert(self._passed, place[new], decide(first[new]))
            self._keys = np.insert(self._keys, place[new], distinct[new])
            place = np.searchsorted(self._keys, distinct)
        found: Bools = self._passed[place][back]
        return found


@lru_cache(maxsize=16)
def _verdicts(criterion: Criterion, covariates: int, base: int) -> _Verdicts:
    """The memory of one process for one analysis."""
    del criterion, covariates, base
    return _Verdicts()
