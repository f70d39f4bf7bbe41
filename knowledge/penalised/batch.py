"""Firth regressions of many data sets of equal size at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.normal import quantile
from knowledge.penalised.ascent import Maximum, maximise
from knowledge.penalised.lanes import Lanes, make_lanes
from knowledge.penalised.limits import NO_CHECK, SUSPECT_LEVERAGE, ask, profile_limits

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Largest score left at convergence. The log likelihood is then right to about its square.
LOOSE = 1e-6
# So many lanes at once keep the arrays near the processor and numpy's own work per call small.
CHUNK = 1024
# Of the limits: log likelihood and scores. A limit is then right to about the same, relative to its standard error.
LIMIT_TOLERANCE = 1e-8


@dataclass(frozen=True)
class BatchFit:
    """Many Firth regressions: ``coef`` (B, k), ``loglik`` (B,) penalised.

    ``converged`` (B,) is False where the information is singular, the iterations
    ran out, or the fit was stopped because ``stop_above`` was passed; the last
    case alone is marked in ``exceeded`` (B,). ``coef`` is then NaN.
    """

    coef: Floats
    loglik: Floats
    converged: Bools
    exceeded: Bools
    iterations: int


@dataclass(frozen=True)
class BatchProfile:
    """Inference for many Firth regressions, NaN where a fit did not converge.

    ``coef`` (B, k), ``loglik`` (B,), ``pvalues`` (B, k) of the penalised likelihood ratio, ``ci`` (B, k, 2) by
    profile, ``several`` (B, k, 2) where the profile has more than one maximum at the limit.
    """

    coef: Floats
    loglik: Floats
    pvalues: Floats
    ci: Floats
    several: Bools


def fit_many(
    columns: Floats,
    y: Floats,
    trials: Floats | None = None,
    *,
    hold: int | None = None,
    start: Floats | None = None,
    stop_above: Floats | None = None,
    tolerance: float = LOOSE,
) -> BatchFit:
    """Firth regressions of B data sets, each climbed from one start, as logistf does.

    An outcome that never varies is fitted like any other, since the penalty keeps it finite.

    Args:
        columns: covariates (k, B, n), the intercept among them, near one in size and centred or nearly so.
        y: events (B, n): 0 or 1, or counts up to ``trials``. What is given is not checked.
        trials: patients behind each row (B, n); None means one each. Zero is allowed.
        hold: index of a coefficient held at zero; the penalty stays that of the full design.
        start: starting coefficients (B, k); zero if None.
        stop_above: (B,) a data set is given up as soon as its log likelihood is above this.
            Steps never lower the log likelihood, so the optimum is above it too.
        tolerance: largest absolute score at convergence.
    """
    k, size, _ = columns.shape
    coef, loglik = np.full((size, k), np.nan), np.full(size, -np.inf)
    converged, exceeded, iterations = np.zeros(size, bool), np.zeros(size, bool), 0
    for first in range(0, size, CHUNK):
        part = slice(first, first + CHUNK)
        lanes = _lanes(columns, y, trials, part)
        at = np.zeros((k, lanes.count)) if start is None else start[part].T.copy()
        held = None
        if hold is not None:
            at[hold] = 0.0
            held = np.full(lanes.count, hold)
        limit = None if stop_above is None else stop_above[part]
        found = maximise(lanes, at, tolerance=tolerance, hold=held, stop_above=limit)
        coef[part], loglik[part] = found.beta.T, found.loglik
        converged[part], exceeded[part] = found.converged, found.exceeded
        iterations = max(iterations, found.iterations)
    return BatchFit(coef, loglik, converged, exceeded, iterations)


def profile_many(
    columns: Floats, y: Floats, trials: Floats | None = None, *, alpha: float = 0.05, check: bool = True
) -> BatchProfile:
    """Firth regressions of B data sets with p-values and profile limits of every coefficient.

    Fits and p-values are climbed from one start, as ``fit_many`` does; limits are put to the test.

    Args:
        columns: covariates (k, B, n), the intercept among them, each of a size near one.
        y: events (B, n): 0 or 1, or counts up to ``trials``.
        trials: patients behind each row (B, n); None means one each.
        alpha: one minus the confidence level.
        check: climb the profile again from other starts where a patient's leverage makes a second maximum possible.
            Without it quicker, and some limits (one in a thousand in ordinary data, one in forty where most data
            sets are separated) are those of a lesser maximum.
    """
    k, size, _ = columns.shape
    drop = 0.5 * float(quantile(1.0 - alpha / 2.0)) ** 2
    coef, loglik = np.full((size, k), np.nan), np.full(size, -np.inf)
    pvalues, ci, several = np.full((size, k), np.nan), np.full((size, k, 2), np.nan), np.zeros((size, k, 2), bool)
    for first in range(0, size, CHUNK // 2):
        part = slice(first, first + CHUNK // 2)
        lanes = _lanes(columns, y, trials, part)
        full = maximise(lanes, np.zeros((k, lanes.count)), tolerance=LIMIT_TOLERANCE)
        coef[part], loglik[part] = full.beta.T, full.loglik
        rows = np.flatnonzero(full.converged)
        pvalues[first + rows] = tail_probability(likelihood_ratios(lanes, full, rows))
        lane, j = np.repeat(rows, 2 * k), np.tile(np.repeat(np.arange(k), 2), len(rows))
        side = np.tile([-1.0, 1.0], k * len(rows))
        limits = profile_limits(
            ask(lanes, full, lane, j, side, drop), LIMIT_TOLERANCE, check_from=SUSPECT_LEVERAGE if check else NO_CHECK
        )
        ci[first + rows] = limits.value.reshape(-1, k, 2)
        several[first + rows] = limits.several.reshape(-1, k, 2)
    return BatchProfile(coef, loglik, pvalues, ci, several)


def likelihood_ratios(lanes: Lanes, full: Maximum, rows: NDArray[np.intp]) -> Floats:
    """Penalised likelihood ratio of every coefficient (R, k) in the lanes ``rows``; NaN where a fit failed."""
    k = lanes.k
    lane, hold = np.repeat(rows, k), np.tile(np.arange(k), len(rows))
    start = full.beta[:, lane].copy()
    start[hold, np.arange(len(hold))] = 0.0
    held = maximise(lanes.take(lane), start, tolerance=LOOSE, hold=hold)
    ratio = np.where(held.converged, np.maximum(0.0, 2.0 * (full.loglik[lane] - held.loglik)), np.nan)
    return ratio.reshape(-1, k)


def tail_probability(ratio: Floats) -> Floats:
    """P(chi-square with one degree of freedom > ratio), elementwise."""
    flat = [math.erfc(math.sqrt(each / 2.0)) if each == each else math.nan for each in ratio.ravel()]
    return np.array(flat).reshape(ratio.shape)


def _lanes(columns: Floats, y: Floats, trials: Floats | None, part: slice) -> Lanes:
    return make_lanes(columns[:, part], y[part], None if trials is None else trials[part])
