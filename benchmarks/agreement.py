"""How far a contender's answers are from ours, and what became of limits that differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.cohorts import Cohorts
from benchmarks.rivals import Answers
from knowledge import firth
from knowledge.normal import quantile
from knowledge.penalised.lanes import make_lanes
from knowledge.penalised.limits import climb_profile, other_starts

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# A coefficient or limit that is further from ours than this, relative where it is above one, counts as another.
OTHER = 1e-3
# Log likelihood within which a value lies on the level that the profile must cross.
ON_LEVEL = 1e-3


@dataclass(frozen=True)
class Reference:
    """Our ``fit`` of every data set, and where it found several maxima: ``several`` (B,), ``at_limits`` (B, k, 2)."""

    cohorts: Cohorts
    coef: Floats
    pvalues: Floats
    ci: Floats
    loglik: Floats
    several: Bools
    at_limits: Bools


def reference(cohorts: Cohorts) -> Reference:
    """The answers that all others are compared with."""
    fits = [firth.fit(x, y) for x, y in zip(cohorts.design, cohorts.y, strict=True)]
    return Reference(
        cohorts,
        np.array([each.coef for each in fits]),
        np.array([each.pvalues for each in fits]),
        np.array([each.ci for each in fits]),
        np.array([each.loglik for each in fits]),
        np.array([each.several_maxima for each in fits]),
        np.array([each.several_maxima_at_limits for each in fits]),
    )


def agreement(ours: Reference, theirs: Answers) -> dict[str, Any]:
    """Largest differences among the answers that are the same ones, and the count of those that are not, and why."""
    coef = _relative(theirs.coef, ours.coef)
    found = {
        "sets": len(coef),
        "fits_without_answer": int(np.isnan(coef).any(axis=1).sum()),
        "coef_largest_difference": _largest(coef[(coef <= OTHER).all(axis=1)]),
        "fits_that_differ": int((coef > OTHER).any(axis=1).sum()),
        "fits_that_differ_where_several_maxima": int(((coef > OTHER).any(axis=1) & ours.several).sum()),
    }
    if theirs.pvalues is None or theirs.ci is None:
        return found
    pvalue = np.abs(theirs.pvalues - ours.pvalues)
    limit = _relative(theirs.ci, ours.ci)
    other = limit > OTHER
    above = _above_level(ours, theirs.ci, other)
    return found | {
        "pvalues": pvalue.size,
        "pvalues_without_answer": int(np.isnan(pvalue).sum()),
        "pvalue_largest_difference": _largest(pvalue[pvalue <= OTHER]),
        "pvalues_that_differ": int((pvalue > OTHER).sum()),
        "limits": limit.size,
        "limits_without_answer": int(np.isnan(limit).sum()),
        "limit_largest_difference": _largest(limit[limit <= OTHER]),
        "limits_that_differ": int(other.sum()),
        "limits_that_differ_where_several_maxima": int((other & ours.at_limits).sum()),
        # What the profile, the best of all starts, says of those limits.
        "limits_that_differ_profile_still_above_level": int((above > ON_LEVEL).sum()),
        "limits_that_differ_profile_already_below_level": int((above < -ON_LEVEL).sum()),
        "limits_that_differ_profile_at_level": int((np.abs(above) <= ON_LEVEL).sum()),
    }


def _relative(theirs: Floats, ours: Floats) -> Floats:
    difference: Floats = np.abs(theirs - ours) / np.maximum(1.0, np.abs(ours))
    return difference


def _largest(values: Floats) -> float | None:
    return float(values.max()) if values.size else None


def _above_level(ours: Reference, ci: Floats, asked: Bools) -> Floats:
    """By how much the profile at the limits asked about is above the level of the confidence limit (A,)."""
    which, j, end = np.nonzero(asked)
    if not which.size:
        return np.empty(0)
    lanes = make_lanes(np.ascontiguousarray(ours.cohorts.design[which].transpose(2, 0, 1)), ours.cohorts.y[which])
    top = ours.coef[which].T.copy()
    highest, _, _ = climb_profile(lanes, j, ci[which, j, end], (top, *other_starts(top)), 1e-6)
    level = ours.loglik[which] - 0.5 * float(quantile(0.975)) ** 2
    difference: Floats = highest - level
    return difference
