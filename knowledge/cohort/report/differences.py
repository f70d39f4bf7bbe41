"""Standardised differences between two groups: how unlike they are, free of units and of the number of patients."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np
from scipy.stats import f

from knowledge.cohort.report.proportions import Z95
from knowledge.frozen import FrozenModel

# Below this they count as alike by convention (Austin, Stat Med 2009;28:3083-3107).
ALIKE = 0.1


class StandardisedDifference(FrozenModel):
    """The group with prophylaxis less the group without, in standard deviations.

    ``value`` is None where there is none; ``why`` then says why not. A variable of several categories has a distance,
    which bears no sign and gets no interval. ``by_chance``: its size stays below this in about 95 % of cohorts whose
    groups, of these sizes, do not differ at all; the more categories the larger.
    """

    value: float | None
    interval: tuple[float, float] | None = None
    why: str | None = None
    by_chance: float | None = None


def of_values(given: Sequence[float], without: Sequence[float]) -> StandardisedDifference:
    """Difference of means by the root of the mean of both variances (n - 1), with the interval of Hedges and Olkin.

    Source: Austin, Stat Med 2009;28:3083-3107, doi 10.1002/sim.3697.
    """
    if min(len(given), len(without)) < 2:
        return _none("a group has fewer than two known values")
    spread = (float(np.var(given, ddof=1)) + float(np.var(without, ddof=1))) / 2
    return _signed(float(np.mean(given)) - float(np.mean(without)), spread, len(given), len(without))


def of_shares(x1: int, n1: int, x0: int, n0: int) -> StandardisedDifference:
    """Difference of shares by the root of the mean of both p (1 - p). Source: as for values."""
    if min(n1, n0) < 1:
        return _none("a group has no known value")
    p1, p0 = x1 / n1, x0 / n0
    return _signed(p1 - p0, (p1 * (1 - p1) + p0 * (1 - p0)) / 2, n1, n0)


def of_categories(given: Sequence[int], without: Sequence[int]) -> StandardisedDifference:
    """Mahalanobis distance between the shares of all categories but one, with the mean of both covariances.

    Args:
        given, without: patients in each category, in the same order.

    Source: Yang and Dalton, SAS Global Forum 2012, paper 335.
    """
    n1, n0 = sum(given), sum(without)
    if min(n1, n0) < 1:
        return _none("a group has no known value")
    seen = [(x1, x0) for x1, x0 in zip(given, without, strict=True) if x1 or x0]
    if len(seen) == 1:
        return StandardisedDifference(value=0.0)
    p1, p0 = np.array([x1 / n1 for x1, _ in seen[1:]]), np.array([x0 / n0 for _, x0 in seen[1:]])
    covariance = (np.diag(p1) - np.outer(p1, p1) + np.diag(p0) - np.outer(p0, p0)) / 2
    if np.linalg.matrix_rank(covariance) < len(seen) - 1:
        return _none("the groups share no category that could measure their distance")
    apart = p1 - p0
    return StandardisedDifference(
        value=sqrt(max(0.0, float(apart @ np.linalg.solve(covariance, apart)))),
        by_chance=by_chance(n1, n0, len(seen) - 1),
    )


def by_chance(n1: int, n0: int, dimensions: int = 1) -> float | None:
    """The size that about 95 % of differences stay below where the groups do not differ at all.

    By Hotelling's T squared, times 1/n1 + 1/n0, with the degrees of freedom (Satterthwaite's) of a mean of two
    variances; of one dimension that is Student's t. None where the groups are too small for it.

    Args:
        n1, n0: known values in each group.
        dimensions: categories less one; 1 of a value or a share.
    """
    if min(n1, n0) < 2:
        return None
    degrees = 4.0 / (1.0 / (n1 - 1) + 1.0 / (n0 - 1))
    rest = degrees - dimensions + 1.0
    if rest < 1.0:
        return None
    return sqrt(dimensions * degrees / rest * float(f.ppf(0.95, dimensions, rest)) * (1 / n1 + 1 / n0))


def _signed(difference: float, variance: float, n1: int, n0: int) -> StandardisedDifference:
    if variance <= 0.0:
        if difference == 0.0:
            return StandardisedDifference(value=0.0)
        return _none("no variation within the groups")
    value = difference / sqrt(variance)
    error = sqrt((n1 + n0) / (n1 * n0) + value * value / (2 * (n1 + n0)))
    return StandardisedDifference(
        value=value, interval=(value - Z95 * error, value + Z95 * error), by_chance=by_chance(n1, n0)
    )


def _none(why: str) -> StandardisedDifference:
    return StandardisedDifference(value=None, why=why)
