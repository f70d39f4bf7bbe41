"""Are high estimates high enough and low ones low enough? Logistic recalibration."""

from __future__ import annotations

import numpy as np

from knowledge import firth
from knowledge.cohort.validation.cells import Cells
from knowledge.cohort.validation.level import PROFILE
from knowledge.cohort.validation.measure import Measure, withheld
from knowledge.cohort.validation.regression import NoFitError, regress

# Fewer in the smaller group tell nothing of a slope; from MANY on, maximum likelihood's bias no longer matters.
LEAST, MANY = 5, 20
PENALISED = "Firth's penalised likelihood, its profile (few events)"
PENALISED_SEPARATED = "Firth's penalised likelihood, its profile (separated)"


def recalibration(cells: Cells) -> tuple[Measure, Measure]:
    """Intercept and slope of the outcome on the logit of the estimate.

    A slope of 1 is right; below 1 the estimates lie too far apart, above 1 too close together. The intercept is read
    together with the slope: it is the log odds where Tarla says 50 %. With fewer than 20 patients in the smaller group,
    or separated groups, the likelihood is Firth's; below 5 nothing is given.
    """
    reason = why_not(cells)
    if reason:
        return withheld(reason), withheld(reason)
    design = np.column_stack([np.ones(cells.distinct), cells.log_odds])
    if cells.fewer < MANY or _separated(cells):
        return _penalised(cells, PENALISED if cells.fewer < MANY else PENALISED_SEPARATED)
    try:
        found = regress(design, cells.events, cells.others)
        limits = found.limits(0), found.limits(1)
    except NoFitError:
        reason = "the regression has no solution here"
        return withheld(reason), withheld(reason)
    intercept, slope = (
        Measure(value=float(found.coef[place]), low=limits[place][0], high=limits[place][1], method=PROFILE)
        for place in (0, 1)
    )
    return intercept, slope


def why_not(cells: Cells) -> str:
    """Why no slope can be given; empty where it can."""
    if cells.n == 0:
        return "no patient"
    if cells.fewer < LEAST:
        return f"needs at least {LEAST} patients with the outcome and {LEAST} without; there are {counted(cells)}"
    if cells.distinct < 2:
        return "all patients have the same estimate"
    return ""


def counted(cells: Cells) -> str:
    """``3 and 9``: patients with the outcome, and without."""
    return f"{cells.had:,} and {cells.had_not:,}"


def _separated(cells: Cells) -> bool:
    """Whether one limit parts those with the outcome from those without, but for ties."""
    with_it, without = cells.risk[cells.events > 0], cells.risk[cells.others > 0]
    return bool(without.max() <= with_it.min() or with_it.max() <= without.min())


def _penalised(cells: Cells, method: str) -> tuple[Measure, Measure]:
    rows = np.concatenate([cells.log_odds, cells.log_odds])
    outcome = np.repeat([1.0, 0.0], cells.distinct)
    weight = np.concatenate([cells.events, cells.others]).astype(float)
    some = weight > 0
    design = np.column_stack([np.ones(int(some.sum())), rows[some]])
    try:
        found = firth.fit(design, outcome[some], weights=weight[some])
        limits = found.ci
    except firth.FirthError:
        reason = "the penalised regression has no solution here"
        return withheld(reason), withheld(reason)
    intercept, slope = (
        Measure(value=float(found.coef[k]), low=float(limits[k, 0]), high=float(limits[k, 1]), method=method)
        for k in (0, 1)
    )
    return intercept, slope
