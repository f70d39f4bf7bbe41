"""Do those who had it carry higher estimates than those who had not? The c-statistic."""

from __future__ import annotations

from math import exp, log, sqrt

import numpy as np
from scipy.optimize import brentq

from knowledge.cohort.validation.cells import Cells, Counts, Floats
from knowledge.cohort.validation.measure import Measure, withheld
from knowledge.normal import Z95

DELONG = "DeLong's variance, interval on the logit scale"
NEWCOMBE = "Newcombe's method 5 (DeLong's variance is zero or undefined here)"
# At an area of 0 or 1 the equation also holds there itself, which is not the limit sought.
BESIDE = 1e-9


def c_statistic(cells: Cells) -> Measure:
    """Chance that of two patients, one with and one without the outcome, the first has the higher estimate.

    Ties count one half. Variance after DeLong, DeLong and Clarke-Pearson (Biometrics 1988;44:837-845), the interval
    formed on the logit scale so that it stays within 0 and 1. With one patient in a group, or groups without
    overlap, that variance is zero or undefined: then Newcombe's method 5 (Stat Med 2006;25:559-573). Where all have the
    same estimate it is 0.5 whatever happened, and has no interval.
    """
    if min(cells.had, cells.had_not) == 0:
        kind = "with the outcome" if cells.had == 0 else "without the outcome"
        return withheld("no patient" if cells.n == 0 else f"no patient {kind}: there is nothing to tell apart")
    if cells.distinct == 1:
        return Measure(value=0.5, note="all patients have the same estimate: no interval, nothing was tested")
    area = concordance(cells.events, cells.others)
    variance = delong_variance(cells)
    if variance is None or variance <= 0.0 or not 0.0 < area < 1.0:
        low, high = newcombe_limits(area, cells.had, cells.had_not)
        return Measure(value=area, low=low, high=high, method=NEWCOMBE)
    centre, reach = log(area / (1.0 - area)), Z95 * sqrt(variance) / (area * (1.0 - area))
    low, high = (1.0 / (1.0 + exp(-each)) for each in (max(centre - reach, -700.0), min(centre + reach, 700.0)))
    return Measure(value=area, low=low, high=high, method=DELONG)


def concordance(with_it: Floats | Counts, without: Floats | Counts) -> float:
    """The c-statistic from counts by rising estimate, (K,) each; counts need not be whole."""
    below = np.cumsum(without) - without
    return float(with_it @ (below + 0.5 * without) / (with_it.sum() * without.sum()))


def delong_variance(cells: Cells) -> float | None:
    """DeLong's variance of the c-statistic; None with a single patient in either group."""
    m, n = cells.had, cells.had_not
    if min(m, n) < 2:
        return None
    area = concordance(cells.events, cells.others)
    below = (np.cumsum(cells.others) - 0.5 * cells.others) / n
    above = (m - np.cumsum(cells.events) + 0.5 * cells.events) / m
    of_events = float(cells.events @ (below - area) ** 2) / (m - 1)
    of_others = float(cells.others @ (above - area) ** 2) / (n - 1)
    return of_events / m + of_others / n


def newcombe_limits(area: float, m: int, n: int) -> tuple[float, float]:
    """Newcombe's method 5: the areas from which what was seen lies 1.96 of their own standard errors away."""

    def beyond(limit: float) -> float:
        return abs(limit - area) - Z95 * sqrt(_variance_at(limit, m, n))

    low = 0.0 if area <= 0.0 else float(brentq(beyond, 0.0, area - BESIDE, xtol=1e-12))
    high = 1.0 if area >= 1.0 else float(brentq(beyond, area + BESIDE, 1.0, xtol=1e-12))
    return low, high


def _variance_at(area: float, m: int, n: int) -> float:
    half = 0.5 * (m + n) - 1.0
    spread = 1.0 + half * (1.0 - area) / (2.0 - area) + half * area / (1.0 + area)
    return area * (1.0 - area) * spread / (m * n)
