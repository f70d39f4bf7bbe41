"""The flexible calibration curve: observed share against estimate, without supposing a straight line."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from knowledge.cohort.validation.cells import Cells
from knowledge.cohort.validation.level import share_limits
from knowledge.cohort.validation.regression import NoFitError, regress
from knowledge.cohort.validation.slope import counted
from knowledge.frozen import FrozenModel
from knowledge.logistic import expit_of_any
from knowledge.normal import Z95

Floats = NDArray[np.float64]

# Knots by the size of the smaller group, at Harrell's quantiles (Regression Modeling Strategies, 2nd ed., table 2.3).
KNOTS = {
    20: (0.10, 0.50, 0.90),
    100: (0.05, 0.35, 0.65, 0.95),
    500: (0.05, 0.275, 0.50, 0.725, 0.95),
}
LEAST = min(KNOTS)
# Beyond these quantiles of the estimates the curve would rest on a handful of patients.
SHOWN = (0.01, 0.99)
POINTS = 80
# Different estimates that a curve needs; with fewer, the groups are those estimates and show all there is.
LEAST_DISTINCT = 8
PATIENTS_A_GROUP, MOST_GROUPS = 15, 10


class CurvePoint(FrozenModel):
    """Observed share at one estimate, with the pointwise 95 % band."""

    estimate: float
    observed: float
    low: float
    high: float


class Curve(FrozenModel):
    """The curve, or why there is none; ``knots`` as estimates."""

    points: tuple[CurvePoint, ...] = ()
    knots: tuple[float, ...] = ()
    note: str = ""


class Group(FrozenModel):
    """Patients of neighbouring estimates: their mean estimate, and the observed share with its exact 95 % interval."""

    n: int
    events: int
    estimate: float
    observed: float
    low: float
    high: float


def calibration_curve(cells: Cells) -> Curve:
    """Restricted cubic spline of the logit of the estimate in a logistic regression; the band is Wald's, pointwise.

    Van Calster et al., J Clin Epidemiol 2016;74:167-176; spline basis after Harrell. Given from 20 patients in the
    smaller group and 8 different estimates on.
    """
    if cells.n == 0:
        return Curve(note="no patient")
    if cells.fewer < LEAST:
        needs = f"needs at least {LEAST} patients with the outcome and {LEAST} without"
        return Curve(note=f"{needs}; there are {counted(cells)}")
    few = f"Tarla gives these patients only {cells.distinct} different estimates: the groups show all there is"
    if cells.distinct < LEAST_DISTINCT:
        return Curve(note=few)
    shares = KNOTS[max(least for least in KNOTS if least <= cells.fewer)]
    for chosen in (shares, KNOTS[LEAST]):
        knots = cells.quantiles(chosen)
        if bool(np.all(np.diff(knots) > 0)):
            return _fitted(cells, knots)
    return Curve(note="too many patients share the same estimate")


def groups(cells: Cells) -> tuple[Group, ...]:
    """Patients in groups of about the same size by rising estimate: at most 10, of at least 15 where there are so many.

    Patients of one estimate stay together; up to 10 different estimates are a group each.
    """
    if cells.n == 0:
        return ()
    wanted = max(1, min(MOST_GROUPS, cells.n // PATIENTS_A_GROUP))
    if cells.distinct <= MOST_GROUPS and cells.n // PATIENTS_A_GROUP >= cells.distinct:
        place = np.arange(cells.distinct)
    else:
        middle = np.cumsum(cells.total) - 0.5 * cells.total
        place = np.minimum((middle * wanted / cells.n).astype(int), wanted - 1)
    return tuple(_group(cells, place == which) for which in np.unique(place))


def spline_basis(x: Floats, knots: Floats) -> Floats:
    """Restricted cubic spline (N, k - 1): x itself and k - 2 cubic terms that are straight beyond the outer knots."""
    scale = (knots[-1] - knots[0]) ** 2
    last, before = knots[-1], knots[-2]
    columns = [x]
    for knot in knots[:-2]:
        cubic = np.maximum(x - knot, 0.0) ** 3
        cubic = cubic - np.maximum(x - before, 0.0) ** 3 * (last - knot) / (last - before)
        cubic = cubic + np.maximum(x - last, 0.0) ** 3 * (before - knot) / (last - before)
        columns.append(cubic / scale)
    return np.column_stack(columns)


def curve_at(cells: Cells, knots: Floats, x: Floats) -> tuple[Floats, Floats, Floats]:
    """Observed share, lower and upper limit of the band at log odds ``x`` (N,), each (N,).

    Raises:
        NoFitError: the regression has no solution.
    """
    found = regress(_design(cells.log_odds, knots), cells.events, cells.others)
    rows = _design(x, knots)
    link, reach = rows @ found.coef, Z95 * np.sqrt(np.einsum("ij,jk,ik->i", rows, found.cov, rows))
    return expit_of_any(link), expit_of_any(link - reach), expit_of_any(link + reach)


def _design(x: Floats, knots: Floats) -> Floats:
    return np.column_stack([np.ones(len(x)), spline_basis(x, knots)])


def _fitted(cells: Cells, knots: Floats) -> Curve:
    first, last = cells.quantiles(SHOWN)
    x = np.linspace(float(first), float(last), POINTS)
    try:
        observed, low, high = curve_at(cells, knots, x)
    except NoFitError:
        return Curve(note="the regression has no solution here")
    points = tuple(
        CurvePoint(estimate=float(p), observed=float(o), low=float(a), high=float(b))
        for p, o, a, b in zip(expit_of_any(x), observed, low, high, strict=True)
    )
    return Curve(points=points, knots=tuple(float(each) for each in expit_of_any(knots)))


def _group(cells: Cells, chosen: NDArray[np.bool_]) -> Group:
    n, events = int(cells.total[chosen].sum()), int(cells.events[chosen].sum())
    low, high = share_limits(events, n)
    estimate = float(cells.total[chosen] @ cells.risk[chosen] / n)
    return Group(n=n, events=events, estimate=estimate, observed=events / n, low=low, high=high)
