"""Firth regressions of a centre's own cohort, in patients without prophylactic tocilizumab.

The founding study fitted Firth's penalised logistic regression (Firth, Biometrika 1993; Heinze and Schemper, Stat
Med 2002). Each model here takes the patients whose outcome and predictors are all known, and counts the others.
Limits are of the profile penalised likelihood, p values of the penalised likelihood ratio, as R's logistf gives them.
What the data cannot bear is a sentence in ``not_fitted``, never an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, isfinite

import numpy as np
from numpy.typing import NDArray

from knowledge.cohort.record import CohortRow
from knowledge.cohort.report.predictors import MEANINGS, Predictor, value_of
from knowledge.cohort.report.specification import NAMES, Specification
from knowledge.firth import FirthError, FirthFit, fit
from knowledge.frozen import FrozenModel

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

# With fewer patients on one side an interval says no more than the counts do.
LEAST_EVENTS = 3
# Separation is looked for by a linear programme, whose time grows steeply; a cohort of more is hardly separated.
SEPARATION_UP_TO = 2_000
# A limit further out is beyond what can be told from none: an odds ratio of 10^9.
FURTHEST_LOG_ODDS = 20.723


class Effect(FrozenModel):
    """One predictor in one model. A limit is None where none was found or it is beyond 10^9 (lower: 10^-9)."""

    predictor: Predictor
    log_odds_ratio: float
    standard_error: float
    odds_ratio: float
    odds_ratio_limits: tuple[float | None, float | None]
    p_value: float | None
    several_maxima: bool


class Sample(FrozenModel):
    """Whom a model rests on: ``n`` patients with everything known, ``events`` of them with the outcome."""

    n: int
    events: int
    outcome_unknown: int
    predictor_unknown: int


class Regression(FrozenModel):
    """One model. ``effects`` is empty exactly where ``not_fitted`` says why; ``notes`` are plain words on the fit."""

    specification: Specification
    sample: Sample
    effects: tuple[Effect, ...] = ()
    separation: bool | None = None
    several_maxima: bool = False
    notes: tuple[str, ...] = ()
    not_fitted: str | None = None


@dataclass(frozen=True, eq=False)
class Complete:
    """``design`` (n, 1 + predictors) with the intercept first, ``outcome`` (n,) of 0 and 1, ``places`` (n,) in rows."""

    design: Floats
    outcome: Floats
    places: Integers
    sample: Sample


def complete_cases(rows: Sequence[CohortRow], specification: Specification) -> Complete:
    """The patients of whom outcome and predictors are known."""
    design, outcome, places, outcome_unknown, predictor_unknown = [], [], [], 0, 0
    for place, row in enumerate(rows):
        had = row.had(specification.outcome)
        values = [value_of(row, each) for each in specification.predictors]
        if had is None:
            outcome_unknown += 1
        elif None in values:
            predictor_unknown += 1
        else:
            design.append([1.0, *values])
            outcome.append(float(had))
            places.append(place)
    sample = Sample(
        n=len(outcome), events=int(sum(outcome)), outcome_unknown=outcome_unknown, predictor_unknown=predictor_unknown
    )
    width = 1 + len(specification.predictors)
    return Complete(np.array(design, float).reshape(-1, width), np.array(outcome), np.array(places, np.intp), sample)


def regression(rows: Sequence[CohortRow], specification: Specification) -> Regression:
    """One model of ``rows``, all of whom are taken to be without prophylaxis."""
    data = complete_cases(rows, specification)
    if (reason := unfit(data, specification)) is not None:
        return Regression(specification=specification, sample=data.sample, not_fitted=reason)
    try:
        found = fit(data.design, data.outcome)
        effects = tuple(_effect(found, place, each) for place, each in enumerate(specification.predictors, start=1))
    except FirthError as error:
        reason = f"The fit failed: {error}."
        return Regression(specification=specification, sample=data.sample, not_fitted=reason)
    separation = found.separation if data.sample.n <= SEPARATION_UP_TO else None
    return Regression(
        specification=specification,
        sample=data.sample,
        effects=effects,
        separation=separation,
        several_maxima=found.several_maxima,
        notes=tuple(_notes(data, specification, effects, separation, found.several_maxima)),
    )


def unfit(data: Complete, specification: Specification) -> str | None:
    """Why the model cannot be fitted, as a sentence; None if it can."""
    n, events, name = data.sample.n, data.sample.events, NAMES[specification.outcome]
    if n == 0:
        return "Not fitted: no patient has the outcome and every predictor known."
    if min(events, n - events) < LEAST_EVENTS:
        return (
            f"Not fitted: {name} in {events} of the {n} patients with everything known; at least {LEAST_EVENTS} with "
            f"and {LEAST_EVENTS} without it are asked for."
        )
    for place, each in enumerate(specification.predictors, start=1):
        column = data.design[:, place]
        if column.min() == column.max():
            return f"Not fitted: all {n} patients have the same {MEANINGS[each].label}, so nothing can be compared."
    if np.linalg.matrix_rank(data.design) < data.design.shape[1]:
        return "Not fitted: one predictor follows from the others in these patients, so they cannot be told apart."
    return None


def _effect(found: FirthFit, place: int, predictor: Predictor) -> Effect:
    try:
        limits = found.ci[place]
        several = bool(found.several_maxima_at_limits[place].any())
    except FirthError:  # the estimate stands; that a limit was not found is shown
        limits, several = np.array([np.nan, np.nan]), False
    try:
        p_value: float | None = float(found.pvalues[place])
        several = several or bool(found.several_maxima_at_tests[place])
    except FirthError:
        p_value = None
    coefficient = float(found.coef[place])
    return Effect(
        predictor=predictor,
        log_odds_ratio=coefficient,
        standard_error=float(np.sqrt(found.cov[place, place])),
        odds_ratio=exp(coefficient),
        odds_ratio_limits=(odds_or_none(limits[0]), odds_or_none(limits[1])),
        p_value=p_value,
        several_maxima=several,
    )


def odds_or_none(log_odds: float) -> float | None:
    """The odds ratio of a limit; None where there is none or it is beyond what is shown."""
    return exp(log_odds) if isfinite(log_odds) and abs(log_odds) <= FURTHEST_LOG_ODDS else None


def _notes(
    data: Complete,
    specification: Specification,
    effects: Sequence[Effect],
    separation: bool | None,
    several_maxima: bool,
) -> list[str]:
    notes = []
    if separation:
        notes.append(
            "Separation: the predictors part patients with the outcome from those without, completely or but for ties. "
            "Ordinary logistic regression would have no finite estimate; here estimate and outer limit are finite "
            "because of the penalty, and the data do not bound the effect on that side."
        )
    if several_maxima:
        notes.append(
            "The penalised likelihood has more than one maximum; the highest is shown. Other programs, which climb "
            "from one start, may show another."
        )
    if any(each.several_maxima for each in effects):
        named = ", ".join(MEANINGS[each.predictor].label for each in effects if each.several_maxima)
        notes.append(
            f"The profile of {named} has more than one maximum at a limit or at the test; the highest is used, and "
            "other programs may show another limit or p value."
        )
    for place, each in enumerate(specification.predictors, start=1):
        if MEANINGS[each].binary:
            ones = int(data.design[:, place].sum())
            fewer = min(ones, data.sample.n - ones)
            if fewer < LEAST_EVENTS:
                notes.append(f"{MEANINGS[each].label}: one of the two groups has {fewer} of {data.sample.n} patients.")
    if any(None in each.odds_ratio_limits for each in effects):
        notes.append("A limit that is not shown was not found, or lies beyond an odds ratio of 10^9 or its inverse.")
    return [note[0].upper() + note[1:] for note in notes]
