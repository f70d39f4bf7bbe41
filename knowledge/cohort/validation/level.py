"""As many events as expected? Observed over expected, and calibration in the large."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, log

import numpy as np
from scipy.optimize import brentq
from scipy.special import betaincinv

from knowledge.cohort.validation.cells import Cells
from knowledge.cohort.validation.measure import ALPHA, HALF_CHI2, Measure, withheld
from knowledge.exact import clopper_pearson
from knowledge.logistic import expit_of_any

NOBODY = "no patient"
# Beyond this the standard library's exact sums take seconds; scipy's incomplete beta gives the same limits.
MANY = 2_000
# Log odds beyond which no shift is sought.
FAR = 60.0
EXACT = "Clopper-Pearson limits of the observed share, over the expected share"
PROFILE = "maximum likelihood, profile likelihood"
ONE_SIDED = "exact: the shift under which what was seen has a chance of 2.5 %"


def observed_expected(cells: Cells) -> Measure:
    """Observed events over the sum of the estimates.

    The interval is Clopper and Pearson's of the observed share, divided by the mean estimate. Patients of different
    risks make a count that varies less than a binomial one of the same mean (Hoeffding, Ann Math Stat 1956;27:713-721),
    so it is at least as wide as it need be; unlike the usual interval on the log scale, it is defined for no event.
    """
    if cells.n == 0:
        return withheld(NOBODY)
    low, high = share_limits(cells.had, cells.n)
    scale = cells.n / cells.expected
    return Measure(value=cells.had / cells.expected, low=low * scale, high=high * scale, method=EXACT)


def share_limits(events: int, n: int) -> tuple[float, float]:
    """Clopper and Pearson's limits of a share, quick for any ``n``."""
    if n <= MANY:
        return clopper_pearson(events, n, ALPHA)
    low = 0.0 if events == 0 else float(betaincinv(events, n - events + 1, ALPHA / 2))
    high = 1.0 if events == n else float(betaincinv(events + 1, n - events, 1.0 - ALPHA / 2))
    return low, high


def calibration_in_the_large(cells: Cells) -> Measure:
    """Shift of all log odds that fits best: the intercept of a logistic regression with the logit as offset.

    0 is right; below 0 the estimates are too high. Limits by profile likelihood (Cox, Biometrika 1958;45:562-565; Van
    Calster et al., J Clin Epidemiol 2016;74:167-176). With no event, or with nothing but events, there is no estimate,
    and one limit is exact.
    """
    if cells.n == 0:
        return withheld(NOBODY)
    if cells.had == 0:
        high = _root(lambda shift: _log_chance(cells, shift) - log(ALPHA / 2))
        return Measure(value=None, high=high, method=ONE_SIDED, note="no event: no estimate, only an upper limit")
    if cells.had_not == 0:
        low = _root(lambda shift: _log_chance(cells, shift) - log(ALPHA / 2))
        return Measure(
            value=None, low=low, method=ONE_SIDED, note="nothing but events: no estimate, only a lower limit"
        )
    best = _root(lambda shift: float(cells.total @ expit_of_any(cells.log_odds + shift)) - cells.had)
    top = _log_chance(cells, best)

    def fall(shift: float) -> float:
        return top - _log_chance(cells, shift) - HALF_CHI2

    return Measure(value=best, low=_root(fall, high=best), high=_root(fall, low=best), method=PROFILE)


def _log_chance(cells: Cells, shift: float) -> float:
    """Log likelihood of what was seen with every log odds shifted."""
    moved = cells.log_odds + shift
    return -float(cells.events @ np.logaddexp(0.0, -moved) + cells.others @ np.logaddexp(0.0, moved))


def _root(function: Callable[[float], float], low: float = -inf, high: float = inf) -> float:
    return float(brentq(function, max(low, -FAR), min(high, FAR), xtol=1e-12, rtol=1e-12))
