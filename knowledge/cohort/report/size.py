"""Whether the cohort is large enough for its models: events per predictor, and Riley's least sample size.

The criteria are for a *prediction* model by ordinary logistic regression (Riley et al., Stat Med 2019;38:1276-96, in
``knowledge.sample_size``), with the cohort's own rate and the customary assumption that the model reaches 15 % of the
largest Cox-Snell R2 that this rate allows. They are a least requirement; meeting them promises nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from knowledge.cohort.record import CohortRow
from knowledge.cohort.report.models import complete_cases
from knowledge.cohort.report.predictors import LDH_CODINGS, Predictor
from knowledge.cohort.report.specification import NAMES, Specification
from knowledge.frozen import FrozenModel
from knowledge.sample_size import (
    DEFAULT_NAGELKERKE,
    SHRINKAGE,
    expected_shrinkage,
    maximum_cox_snell,
    minimum_sample_size,
)

# Every predictor that is looked at by itself; LDH, in two codings, is one.
LOOKED_AT = len(Predictor) - len(LDH_CODINGS) + 1


class Size(FrozenModel):
    """How large the cohort is for one model, and how large it would have to be.

    ``per_parameter`` is the rarer of patients with and without the outcome, divided by the predictors. ``needed`` is
    for the model's predictors, ``needed_all`` for all that were looked at. None where nobody, or everybody, had the
    outcome: then ``verdict`` says so.
    """

    specification: Specification
    n: int
    events: int
    parameters: int
    per_parameter: float
    parameters_all: int
    cox_snell: float | None = None
    by_shrinkage: int | None = None
    by_optimism: int | None = None
    by_overall_risk: int | None = None
    needed: int | None = None
    needed_all: int | None = None
    shrinkage: float | None = None
    met: bool | None = None
    verdict: str


def size(rows: Sequence[CohortRow], specification: Specification) -> Size:
    """Events per predictor and least sample size of one model of ``rows``."""
    sample = complete_cases(rows, specification).sample
    n, events, parameters = sample.n, sample.events, len(specification.predictors)
    name = NAMES[specification.outcome]
    per_parameter = min(events, n - events) / parameters
    if not 0 < events < n:
        return Size(
            specification=specification,
            n=n,
            events=events,
            parameters=parameters,
            per_parameter=per_parameter,
            parameters_all=LOOKED_AT,
            verdict=f"{name} in {events} of {n} patients: a model cannot be fitted, and how many patients one needs "
            "cannot be worked out from this rate.",
        )
    prevalence = events / n
    cox_snell = DEFAULT_NAGELKERKE * maximum_cox_snell(prevalence)
    found = minimum_sample_size(parameters, prevalence, cox_snell)
    shrinkage = expected_shrinkage(n, parameters, cox_snell)
    met = n >= found.needed
    return Size(
        specification=specification,
        n=n,
        events=events,
        parameters=parameters,
        per_parameter=per_parameter,
        parameters_all=LOOKED_AT,
        cox_snell=cox_snell,
        by_shrinkage=found.by_shrinkage,
        by_optimism=found.by_optimism,
        by_overall_risk=found.by_overall_risk,
        needed=found.needed,
        needed_all=minimum_sample_size(LOOKED_AT, prevalence, cox_snell).needed,
        shrinkage=shrinkage,
        met=met,
        verdict=_verdict(name, n, found.needed, shrinkage, met=met),
    )


def _verdict(name: str, n: int, needed: int, shrinkage: float, *, met: bool) -> str:
    if met:
        return (
            f"{name}: {n:,} patients, at least {needed:,} asked for: the least sample size is met, which does not make "
            "the model right."
        )
    cost = (
        f"Effects found in {n:,} are expected to be exaggerated: to hold in new patients they would have to be "
        f"multiplied by about {shrinkage:.2f} (at least {SHRINKAGE:g} is asked for)."
        if shrinkage < SHRINKAGE
        else f"Effects would need little shrinking (about {shrinkage:.2f}), but the overall risk, or the fit, is not "
        "known closely enough."
    )
    return (
        f"TOO FEW PATIENTS for a prediction model of {name}: {n:,} of at least {needed:,}. {cost} Read the odds ratios "
        "as a description of these patients; do not predict with them."
    )
