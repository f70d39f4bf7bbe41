"""Measures of predictions against known true risks, with Monte Carlo standard errors.

Arrays are (A, M): A weighted cohorts, M patients each. Cohorts are the
clusters: a figure is a ratio of weighted sums over cohorts, and its standard
error comes from the linearised contributions of each cohort.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from knowledge.logistic import expit_of_any
from knowledge.simulation.methods import Predicted
from knowledge.simulation.results import CurvePoint, Estimate, Measures

Floats = NDArray[np.float64]

UNDEFINED = Estimate(value=None, se=None)
# Predicted risks are held this far from 0 and 1 before their logit is taken.
EDGE = 1e-9
NEWTON_ITERATIONS = 100
NEWTON_TOLERANCE = 1e-10
# A slope within one cohort whose predictions hardly differ says nothing (variance of the logit).
LEAST_VARIANCE = 1e-8
LARGEST_SLOPE = 50.0
CURVE_POINTS = 10
DECIMALS = 6


def measures(predicted: Predicted, true: Floats, weight: Floats, engine: Predicted) -> Measures:
    """All measures of one method; ``engine`` is what it is compared with, ``weight`` (A,) is of the cohorts."""
    error = predicted.risk - true
    squared = (error**2).mean(axis=1)
    inside = (predicted.low <= true) & (true <= predicted.high)
    logit = _logit(predicted.risk)
    varied = bool((np.ptp(logit, axis=None)) > LEAST_VARIANCE)
    return Measures(
        mean_difference=mean(error.mean(axis=1), weight),
        intercept=calibration_intercept(logit, true, weight),
        slope=calibration_slope(logit, true, weight) if varied else UNDEFINED,
        slope_median=median_slope(logit, true, weight) if varied else UNDEFINED,
        coverage=mean(inside.mean(axis=1), weight),
        width=mean((predicted.high - predicted.low).mean(axis=1), weight),
        brier=mean((true * (1.0 - true)).mean(axis=1) + squared, weight),
        brier_excess=mean(squared, weight),
        brier_excess_over_engine=mean(squared - ((engine.risk - true) ** 2).mean(axis=1), weight),
        absolute_error=mean(np.abs(error).mean(axis=1), weight),
    )


def mean(value: Floats, weight: Floats) -> Estimate:
    """Weighted mean over cohorts of ``value`` (A,), with the standard error of a ratio of sums."""
    share = weight / weight.sum()
    centre = float((share * value).sum())
    return _estimate(centre, float(np.sqrt((share**2 * (value - centre) ** 2).sum())))


def calibration_intercept(logit: Floats, true: Floats, weight: Floats) -> Estimate:
    """The a at which expit_of_any(a + logit of prediction) is right on average."""
    share = weight / weight.sum()
    a = 0.0
    for _ in range(NEWTON_ITERATIONS):
        p = expit_of_any(a + logit)
        residual = (true - p).mean(axis=1)
        information = float((share * (p * (1.0 - p)).mean(axis=1)).sum())
        step = float((share * residual).sum()) / information
        a += step
        if abs(step) < NEWTON_TOLERANCE:
            break
    return _estimate(a, float(np.sqrt((share**2 * residual**2).sum())) / information)


def calibration_slope(logit: Floats, true: Floats, weight: Floats) -> Estimate:
    """Slope of the true risk on the logit of the prediction over all cohorts together."""
    share = weight / weight.sum()
    x = np.stack([np.ones_like(logit), logit])
    b = np.array([0.0, 1.0])
    for _ in range(NEWTON_ITERATIONS):
        p = expit_of_any(b[0] + b[1] * logit)
        score = (x * (true - p)).mean(axis=2)
        information = np.einsum("a,iam,am,jam->ij", share / logit.shape[1], x, p * (1.0 - p), x)
        step = np.linalg.solve(information, (share * score).sum(axis=1))
        b += step
        if np.abs(step).max() < NEWTON_TOLERANCE:
            break
    bread = np.linalg.inv(information)
    meat = np.einsum("ia,a,ja->ij", score, share**2, score)
    return _estimate(float(b[1]), float(np.sqrt((bread @ meat @ bread)[1, 1])))


def median_slope(logit: Floats, true: Floats, weight: Floats) -> Estimate:
    """Weighted median over cohorts of the calibration slope within each; standard error after Woodruff."""
    slope, found = cohort_slopes(logit, true)
    if not found.any():
        return UNDEFINED
    share = weight[found] / weight[found].sum()
    order = np.argsort(slope[found], kind="stable")
    value, cumulative = slope[found][order], np.cumsum(share[order])
    middle = _step_quantile(value, cumulative, 0.5)
    spread = float(np.sqrt((share[order] ** 2 * ((value <= middle) - 0.5) ** 2).sum()))
    low, high = (_step_quantile(value, cumulative, 0.5 + sign * spread) for sign in (-1.0, 1.0))
    return _estimate(middle, (high - low) / 2.0)


def cohort_slopes(logit: Floats, true: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Calibration slope within each cohort (A,), and where there is one (A,)."""
    # Centred and scaled, so that one Newton iteration suits all cohorts.
    centre, sd = logit.mean(axis=1, keepdims=True), logit.std(axis=1, keepdims=True)
    found = sd[:, 0] ** 2 > LEAST_VARIANCE
    x = np.where(found[:, None], (logit - centre) / np.where(sd > 0, sd, 1.0), 0.0)
    rate = true.mean(axis=1)
    a, b = np.log(rate / (1.0 - rate)), np.zeros(len(logit))
    for _ in range(NEWTON_ITERATIONS):
        p = expit_of_any(a[:, None] + b[:, None] * x)
        v = p * (1.0 - p)
        s0, s1 = (true - p).sum(axis=1), ((true - p) * x).sum(axis=1)
        i00, i01, i11 = v.sum(axis=1), (v * x).sum(axis=1), (v * x * x).sum(axis=1)
        det = np.where(found, i00 * i11 - i01 * i01, 1.0)
        step_a, step_b = (i11 * s0 - i01 * s1) / det, (i00 * s1 - i01 * s0) / det
        step_a, step_b = (np.where(found, np.clip(step, -1.0, 1.0), 0.0) for step in (step_a, step_b))
        a, b = a + step_a, b + step_b
        if max(np.abs(step_a).max(), np.abs(step_b).max()) < NEWTON_TOLERANCE:
            break
    return np.clip(b / np.where(found, sd[:, 0], 1.0), -LARGEST_SLOPE, LARGEST_SLOPE), found


def curve(predicted: Floats, true: Floats, weight: Floats) -> tuple[CurvePoint, ...]:
    """Mean predicted and mean true risk in tenths of the patients ordered by predicted risk.

    Patients with the same prediction stay together, so there may be fewer points than ten.
    """
    each = np.broadcast_to((weight / weight.sum() / predicted.shape[1])[:, None], predicted.shape)
    _, place = np.unique(np.round(predicted, DECIMALS + 3), return_inverse=True)
    mass = np.bincount(place.ravel(), weights=each.ravel())
    middle = np.cumsum(mass) - 0.5 * mass
    tenth = np.minimum(middle * CURVE_POINTS, CURVE_POINTS - 1).astype(np.int64)[place.reshape(predicted.shape)]
    points = []
    for number in np.unique(tenth):
        inside = np.where(tenth == number, each, 0.0)
        total = inside.sum()
        centre = float((inside * true).sum() / total)
        se = float(np.sqrt(((inside * (true - centre)).sum(axis=1) ** 2).sum()) / total)
        mean_predicted = round(float((inside * predicted).sum() / total), DECIMALS)
        points.append(CurvePoint(predicted=mean_predicted, true=_estimate(centre, se)))
    return tuple(points)


def _logit(p: Floats) -> Floats:
    held = np.clip(p, EDGE, 1.0 - EDGE)
    result: Floats = np.log(held / (1.0 - held))
    return result


def _step_quantile(value: Floats, cumulative: Floats, probability: float) -> float:
    reached = int(np.searchsorted(cumulative, min(max(probability, 0.0), float(cumulative[-1]))))
    return float(value[min(reached, len(value) - 1)])


def _estimate(value: float, se: float) -> Estimate:
    return Estimate(value=round(value, DECIMALS), se=round(se, DECIMALS))
