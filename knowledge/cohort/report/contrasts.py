"""Two groups and an event: Fisher's test, risk difference, risk ratio, E-value; defined for empty cells too."""

from __future__ import annotations

from math import sqrt

import numpy as np
import scipy.stats

from knowledge.cohort.report.proportions import LARGE, Z95, Proportion, wilson
from knowledge.exact import fisher_exact
from knowledge.frozen import FrozenModel


class Difference(FrozenModel):
    """Risk with less risk without, as a fraction of 1, with Newcombe's hybrid score interval (95 %)."""

    estimate: float
    interval: tuple[float, float]


class Ratio(FrozenModel):
    """Risk with by risk without, with Koopman's score interval (95 %).

    ``estimate`` is None where no event was seen without prophylaxis: there is then no finite ratio. ``upper`` is None
    where the interval has no upper end.
    """

    estimate: float | None
    lower: float
    upper: float | None


class EValue(FrozenModel):
    """How strong unmeasured confounding would have to be, as risk ratios, to explain the result away.

    ``estimate`` is None where the ratio is 0, infinite or undefined: no finite confounding would do, or there is
    nothing to explain. ``limit`` belongs to the limit of the interval nearest to 1; it is 1 where the interval
    holds 1, for then no confounding is needed.
    """

    estimate: float | None
    limit: float


class Contrast(FrozenModel):
    """Prophylaxis against none for one event."""

    given: Proportion
    without: Proportion
    fisher_p: float
    difference: Difference
    ratio: Ratio
    e_value: EValue


def contrast(given: Proportion, without: Proportion) -> Contrast | None:
    """The comparison, or None where a group is empty."""
    if given.n == 0 or without.n == 0:
        return None
    ratio = risk_ratio(given.events, given.n, without.events, without.n)
    return Contrast(
        given=given,
        without=without,
        fisher_p=fisher_p(given.events, given.n - given.events, without.events, without.n - without.events),
        difference=risk_difference(given.events, given.n, without.events, without.n),
        ratio=ratio,
        e_value=e_value(ratio),
    )


def fisher_p(a: int, b: int, c: int, d: int) -> float:
    """Two-sided p of Fisher's exact test of [[a, b], [c, d]]: on integers, or by scipy where the table is large.

    Raises:
        ValueError: a cell is negative.
    """
    if min(a, b, c, d) < 0 or a + b + c + d <= LARGE:
        return fisher_exact(a, b, c, d)
    return float(scipy.stats.fisher_exact(np.array([[a, b], [c, d]])).pvalue)


def risk_difference(x1: int, n1: int, x0: int, n0: int) -> Difference:
    """x1/n1 less x0/n0, with Newcombe's method 10.

    Chosen before Miettinen and Nurminen's: in closed form, made of the two Wilson intervals that a reader can check
    by hand, and no worse in small groups.

    Raises:
        ValueError: a count is out of range.

    Source: Newcombe, Stat Med 1998;17:873-890.
    """
    (low1, high1), (low0, high0) = wilson(x1, n1), wilson(x0, n0)
    p1, p0 = x1 / n1, x0 / n0
    below = sqrt((p1 - low1) ** 2 + (high0 - p0) ** 2)
    above = sqrt((high1 - p1) ** 2 + (p0 - low0) ** 2)
    return Difference(estimate=p1 - p0, interval=(max(-1.0, p1 - p0 - below), min(1.0, p1 - p0 + above)))


def risk_ratio(x1: int, n1: int, x0: int, n0: int) -> Ratio:
    """(x1/n1) / (x0/n0) with the asymptotic score interval, which exists at every table.

    Its limits are those ratios at which Pearson's chi-squared of both groups, with risks fitted under the ratio,
    reaches 3.84; Miettinen and Nurminen's is the same but for a factor N/(N-1).

    Raises:
        ValueError: a count is out of range.

    Source: Koopman, Biometrics 1984;40:513-517.
    """
    if min(n1, n0) < 1 or not (0 <= x1 <= n1 and 0 <= x0 <= n0):
        raise ValueError(f"no table of two groups: {x1} of {n1} and {x0} of {n0}")
    upper = _upper(x1, n1, x0, n0)
    turned = _upper(x0, n0, x1, n1)  # the upper limit of the inverse ratio
    return Ratio(
        estimate=None if x0 == 0 else (x1 / n1) / (x0 / n0), lower=0.0 if turned is None else 1.0 / turned, upper=upper
    )


def e_value(ratio: Ratio) -> EValue:
    """The E-value of a risk ratio and of the limit of its interval nearest to 1.

    Source: VanderWeele and Ding, Ann Intern Med 2017;167:268-274.
    """
    finite = ratio.estimate is not None and ratio.estimate > 0.0
    if ratio.lower > 1.0:
        nearest = ratio.lower
    elif ratio.upper is not None and ratio.upper < 1.0:
        nearest = ratio.upper
    else:
        nearest = 1.0
    return EValue(estimate=strength(ratio.estimate) if finite and ratio.estimate else None, limit=strength(nearest))


def strength(risk_ratio: float) -> float:
    """RR + sqrt(RR (RR - 1)), of the inverse where the ratio is below 1.

    Raises:
        ValueError: the ratio is not above 0.
    """
    if not risk_ratio > 0.0:
        raise ValueError(f"a risk ratio must lie above 0, not {risk_ratio}")
    away = max(risk_ratio, 1.0 / risk_ratio)
    return away + sqrt(away * (away - 1.0))


def _upper(x1: int, n1: int, x0: int, n0: int) -> float | None:
    """The ratio above the estimate at which the score statistic reaches its 95 % point; None where it never does."""
    if x0 == 0:
        return None
    low = (x1 / n1) / (x0 / n0)
    high = max(1.0, 2.0 * low)
    while _chi_squared(high, x1, n1, x0, n0) < Z95 * Z95:
        low, high = high, 2.0 * high
    while low < (middle := (low + high) / 2) < high:  # bisection to the last bit
        if _chi_squared(middle, x1, n1, x0, n0) < Z95 * Z95:
            low = middle
        else:
            high = middle
    return middle


def _chi_squared(ratio: float, x1: int, n1: int, x0: int, n0: int) -> float:
    """Pearson's statistic with the risks of largest likelihood among those whose ratio is ``ratio``."""
    a, b, c = (n1 + n0) * ratio, (n1 + x0) * ratio + n0 + x1, x1 + x0
    p0 = 2.0 * c / (b + sqrt(max(0.0, b * b - 4.0 * a * c)))
    return _term(x1, n1, ratio * p0) + _term(x0, n0, p0)


def _term(x: int, n: int, p: float) -> float:
    # At no and at all events the quotient is reduced, so that a fitted risk of 0 or 1 divides nothing by nothing.
    if x == n:
        return n * max(0.0, 1.0 - p) / p
    if x == 0:
        return n * p / (1.0 - p)
    return float((x - n * p) ** 2 / (n * p * (1.0 - p)))
