"""Multiple imputation of missing predictors, as a sensitivity analysis beside the complete cases.

Chained equations with predictive mean matching (``chain``): a missing value is drawn from the patients whose predicted
value is nearest, so only values that occur are filled in. Outcomes are never imputed: a patient without
one is left out, and the outcome helps to impute the predictors, without which effects would be drawn towards none
(Moons et al., J Clin Epidemiol 2006;59:1092-1101). Each completed set gets its Firth regression; estimates and
their Wald variances are pooled by ``pooling``. Limits are therefore symmetric on the log scale, not profile limits.

It rests on values being missing at random given what the imputation model holds: the outcome and the founding study's
predictors of that toxicity. No data can show that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, exp

import numpy as np
from numpy.typing import NDArray

from knowledge.assessment import Outcome
from knowledge.cohort.record import CohortRow
from knowledge.cohort.report.chain import DONORS, completed_sets
from knowledge.cohort.report.models import Complete, Sample, complete_cases, odds_or_none, unfit
from knowledge.cohort.report.pooling import pool
from knowledge.cohort.report.predictors import LDH_CODINGS, MEANINGS, Predictor, value_of
from knowledge.cohort.report.specification import Specification
from knowledge.factors import LdhCategory
from knowledge.firth import FirthError, fit
from knowledge.frozen import FrozenModel

Floats = NDArray[np.float64]

# At least as many sets as per cent of patients are incomplete (White, Royston and Wood, Stat Med 2011;30:377-399).
LEAST_SETS, MOST_SETS = 20, 100
LEAST_PATIENTS = 20
LEAST_KNOWN = 2 * DONORS
MOST_MISSING = 0.5  # of one predictor's values


class PooledEffect(FrozenModel):
    """One predictor over all completed sets; limits by Student's t, None beyond an odds ratio of 10^9.

    ``missing_share``: part of the variance that is due to what is missing.
    """

    predictor: Predictor
    log_odds_ratio: float
    standard_error: float
    odds_ratio: float
    odds_ratio_limits: tuple[float | None, float | None]
    p_value: float
    degrees_of_freedom: float
    missing_share: float


class MissingValues(FrozenModel):
    """How many patients lack one predictor, of those whose outcome is known."""

    predictor: Predictor
    missing: int


class Imputed(FrozenModel):
    """The sensitivity analysis of one model. ``effects`` is empty exactly where ``not_done`` says why."""

    specification: Specification
    sample: Sample
    incomplete: int
    missing: tuple[MissingValues, ...]
    sets: int = 0
    effects: tuple[PooledEffect, ...] = ()
    notes: tuple[str, ...] = ()
    not_done: str | None = None


def imputed(
    rows: Sequence[CohortRow],
    specification: Specification,
    *,
    seed: int,
    progress: Callable[[float], None] | None = None,
) -> Imputed:
    """The sensitivity analysis of one model of ``rows``; the same seed gives the same figures."""
    known = [row for row in rows if row.had(specification.outcome) is not None]
    columns = _columns_of(specification)
    values = np.array([[_nan(value_of(row, each)) for each in columns] for row in known]).reshape(-1, len(columns))
    outcome = np.array([float(bool(row.had(specification.outcome))) for row in known])
    own = [columns.index(each) for each in specification.predictors]
    incomplete = int(np.isnan(values[:, own]).any(axis=1).sum())
    lacking = [
        MissingValues(predictor=each, missing=int(gaps))
        for each, gaps in zip(columns, np.isnan(values).sum(axis=0), strict=True)
    ]
    sample = Sample(
        n=len(known), events=int(outcome.sum()), outcome_unknown=len(rows) - len(known), predictor_unknown=0
    )
    base = Imputed(specification=specification, sample=sample, incomplete=incomplete, missing=tuple(lacking))
    if (reason := _not_done(rows, base, own)) is not None:
        return base.model_copy(update={"not_done": reason})
    sets = int(np.clip(ceil(100.0 * incomplete / len(known)), LEAST_SETS, MOST_SETS))
    estimates, variances = [], []
    for place, completed in enumerate(completed_sets(values, outcome, sets, seed)):
        design = np.column_stack([np.ones(len(known)), completed[:, own]])
        if (reason := unfit(Complete(design, outcome, np.arange(len(known)), sample), specification)) is not None:
            return base.model_copy(update={"not_done": f"Not done: in a completed set the model fails. {reason}"})
        try:
            found = fit(design, outcome)
        except FirthError as error:
            return base.model_copy(update={"not_done": f"Not done: the fit of a completed set failed: {error}."})
        estimates.append(found.coef[1:])
        variances.append(np.diag(found.cov)[1:])
        if progress is not None:
            progress((place + 1) / sets)
    degrees = len(known) - len(own) - 1
    effects = [
        _pooled(each, np.array(estimates)[:, place], np.array(variances)[:, place], degrees)
        for place, each in enumerate(specification.predictors)
    ]
    return base.model_copy(
        update={"sets": sets, "effects": tuple(effects), "notes": tuple(_notes(known, specification))}
    )


def _columns_of(specification: Specification) -> list[Predictor]:
    """The model's predictors, and the founding study's other one of that toxicity to help."""
    if specification.outcome is Outcome.ICANS_ANY:
        helpers = [Predictor.DIABETES, Predictor.CVD]
    else:
        codings = [each for each in specification.predictors if each in LDH_CODINGS]
        helpers = [*(codings or [Predictor.LDH_ELEVATED]), Predictor.LIVER]
    return list(dict.fromkeys([*specification.predictors, *helpers]))


def _not_done(rows: Sequence[CohortRow], base: Imputed, own: Sequence[int]) -> str | None:
    specification, n = base.specification, base.sample.n
    if base.incomplete == 0:
        return "Not needed: no predictor of this model is missing where the outcome is known."
    if n < LEAST_PATIENTS:
        return (
            f"Not done: {n} patients with a known outcome; below {LEAST_PATIENTS} there is too little to impute from."
        )
    if (reason := unfit(complete_cases(rows, specification), specification)) is not None:
        return f"Not done, since there is no complete-case model to compare with. {reason}"
    for place, each in enumerate(base.missing):
        known = n - each.missing
        if each.missing > MOST_MISSING * n or known < LEAST_KNOWN:
            needed = "of this model" if place in own else "that would help to impute"
            return (
                f"Not done: {MEANINGS[each.predictor].label}, a predictor {needed}, is known in only {known} of {n} "
                "patients. Imputing that much would be making data up."
            )
    return None


def _pooled(predictor: Predictor, estimates: Floats, variances: Floats, degrees: int) -> PooledEffect:
    found = pool(estimates.tolist(), variances.tolist(), degrees)
    low, high = found.limits()
    return PooledEffect(
        predictor=predictor,
        log_odds_ratio=found.estimate,
        standard_error=float(np.sqrt(found.variance)),
        odds_ratio=exp(found.estimate),
        odds_ratio_limits=(odds_or_none(low), odds_or_none(high)),
        p_value=found.p_value,
        degrees_of_freedom=found.degrees,
        missing_share=found.missing_share,
    )


def _notes(known: Sequence[CohortRow], specification: Specification) -> list[str]:
    categories = sum(isinstance(row.ldh, LdhCategory) for row in known)
    if categories and Predictor.LDH_DOUBLINGS in specification.predictors:
        return [
            f"LDH known only as high or normal ({categories}) is imputed here as if it were not known at all; the "
            "coding above or not above the upper limit keeps it."
        ]
    return []


def _nan(value: float | None) -> float:
    return np.nan if value is None else value
