"""Pareto-smoothed importance sampling: can reweighted draws be trusted, and weights that are steadier.

The largest weights are compared with a generalised Pareto distribution. Its shape k says how heavy their tail is: above
1/2 their variance is infinite, and above about 0.7 an estimate may be far off without any sign of it. The largest
weights are then replaced by the quantiles of the fitted distribution, and none may exceed the largest one drawn.

Sources: Vehtari, Simpson, Gelman, Yao and Gabry, J Mach Learn Res 2024;25(72) (method, tail length, thresholds, prior
of k); Zhang and Stephens, Technometrics 2009;51:316-325 (the fit). The tests hold it against R's loo.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Fewer than these in the tail cannot be fitted.
LEAST_TAIL = 5
# The weak prior that keeps k of a short tail from straying: worth 10 observations at 0.5.
PRIOR_TAIL, PRIOR_K = 10, 0.5
# Zhang and Stephens' prior of theta: spread, and grid points beyond the square root of the tail's length.
THETA_SPREAD, GRID = 3, 30
MOST_K = 0.7


@dataclass(frozen=True, eq=False)
class Smoothed:
    """``log_weight`` (S,) with a smoothed tail (on the scale of the ratios given), and the tail's shape ``khat``.

    ``khat`` is inf where the tail is too short to tell, and -inf where all of it is the same weight.
    """

    log_weight: Floats
    khat: float


def pareto_smoothed(log_ratio: Floats) -> Smoothed:
    """Smooth importance weights, given as finite logarithms (S,) up to a constant."""
    size, top = len(log_ratio), float(log_ratio.max())
    log_weight = log_ratio - top
    length = tail_length(size)
    if length < LEAST_TAIL:
        return Smoothed(log_ratio.copy(), float("inf"))
    order = np.argsort(log_weight, kind="stable")
    tail = order[-length:]
    largest = log_weight[tail]
    if largest[-1] - largest[0] < np.finfo(float).eps:
        return Smoothed(log_ratio.copy(), float("-inf"))
    cutoff = np.exp(log_weight[order[-length - 1]])
    khat, sigma = pareto_fit(np.exp(largest) - cutoff)
    if np.isfinite(khat):
        with np.errstate(divide="ignore"):  # cutoff may underflow to zero; the quantiles are above it
            log_weight[tail] = np.log(cutoff + pareto_quantiles(khat, sigma, length))
    return Smoothed(np.minimum(log_weight, 0.0) + top, khat)


def tail_length(size: int) -> int:
    """How many of the largest weights make the tail: a fifth, or three square roots of their number if fewer."""
    return int(np.ceil(min(0.2 * size, 3.0 * np.sqrt(size))))


def largest_khat(size: int) -> float:
    """The largest k at which ``size`` draws still suffice: 1 - 1/log10(size), and 0.7 at most."""
    return min(MOST_K, 1.0 - 1.0 / float(np.log10(size))) if size > 1 else float("-inf")


def pareto_fit(exceedance: Floats) -> tuple[float, float]:
    """Shape k (after its weak prior) and scale sigma of ascending exceedances (M,) over the tail's lower end.

    Zhang and Stephens: the mean of theta = -k/sigma over its profile likelihood and a data-dependent prior, on a grid.
    """
    size = len(exceedance)
    points = GRID + int(np.sqrt(size))
    quarter = exceedance[int(size / 4 + 0.5) - 1]
    with np.errstate(divide="ignore", invalid="ignore"):  # what cannot be fitted becomes inf below
        steps = 1.0 - np.sqrt(points / (np.arange(1, points + 1) - 0.5))
        theta = 1.0 / exceedance[-1] + steps / (THETA_SPREAD * quarter)
        shape = np.log1p(-theta[:, None] * exceedance).mean(axis=1)
        profile = size * (np.log(-theta / shape) - shape - 1.0)
        weight = np.exp(profile - profile.max())
        mean = float((theta * weight).sum() / weight.sum())
        k = float(np.log1p(-mean * exceedance).mean())
        sigma = -k / mean
    if not (np.isfinite(k) and sigma > 0):
        return float("inf"), float("nan")
    return (size * k + PRIOR_TAIL * PRIOR_K) / (size + PRIOR_TAIL), sigma


def pareto_quantiles(k: float, sigma: float, count: int) -> Floats:
    """``count`` mid-quantiles of the generalised Pareto distribution, ascending (count,)."""
    log_above = np.log1p(-(np.arange(count) + 0.5) / count)
    result: Floats = -sigma * log_above if k == 0.0 else sigma * np.expm1(-k * log_above) / k
    return result
