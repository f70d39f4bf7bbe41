"""The validation from end to end."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from knowledge.assessment import Outcome
from knowledge.cohort.record import CohortRow
from knowledge.cohort.validation.accuracy import accuracy
from knowledge.cohort.validation.cells import Cells
from knowledge.cohort.validation.collecting import OUTCOMES, Collected, Progress, collect
from knowledge.cohort.validation.curve import calibration_curve, groups
from knowledge.cohort.validation.decision import decision_curve
from knowledge.cohort.validation.discrimination import c_statistic
from knowledge.cohort.validation.estimating import (
    WORTH_PROCESSES,
    Estimated,
    Mapper,
    distinct_patients,
    estimate,
    mapping,
)
from knowledge.cohort.validation.level import calibration_in_the_large, observed_expected
from knowledge.cohort.validation.needed import needed
from knowledge.cohort.validation.resampling import RESAMPLES, Resampled, joined, parts, resample
from knowledge.cohort.validation.results import Flow, OutcomeValidation, Spread, Validation
from knowledge.cohort.validation.slope import recalibration
from knowledge.cohort.validation.verdict import IN_SAMPLE, verdict
from knowledge.model import Model
from knowledge.model import load as load_model

DEFAULT_SEED = 20_261_124
CLASSES = 20


def validate(
    rows: Iterable[CohortRow], model: Model | None = None, *, seed: int = DEFAULT_SEED, resamples: int = RESAMPLES,
    workers: int | None = None, cohort_sha256: str | None = None, progress: Progress | None = None,
) -> Validation:  # fmt: skip
    """Compare the model's estimates with what happened to the patients without prophylactic tocilizumab.

    Args:
        rows: the cohort, read once and not kept.
        model: another model than the shipped one.
        seed: of the bootstrap.
        resamples: of the bootstrap, at least 1.
        workers: processes; None means one a core. The result does not depend on it, nor on the order of the rows.
        cohort_sha256: of the file that the rows come from.
        progress: told what is done, how much, and of how much.

    Raises:
        ModelError: the shipped model is missing, altered or built from other facts.
    """
    return validate_collected(
        collect(rows, progress), model, seed=seed, resamples=resamples, workers=workers, cohort_sha256=cohort_sha256,
        progress=progress,
    )  # fmt: skip


def validate_collected(
    collected: Collected, model: Model | None = None, *, seed: int = DEFAULT_SEED, resamples: int = RESAMPLES,
    workers: int | None = None, cohort_sha256: str | None = None, progress: Progress | None = None,
) -> Validation:  # fmt: skip
    """As ``validate``, from rows that were read before."""
    chosen = model or load_model()
    worth = distinct_patients(collected) >= WORTH_PROCESSES
    own = chosen.site is not None and chosen.site.data_sha256 == cohort_sha256
    with mapping(chosen, workers, worth=worth) as mapper:
        estimated = estimate(chosen, collected, mapper, progress)
        resampled = _resampled(estimated, seed, resamples, mapper, progress)
    return Validation(
        model=chosen.version,
        site=chosen.site,
        cohort_sha256=cohort_sha256,
        simulated=collected.simulated,
        seed=seed,
        resamples=resamples,
        flow=Flow(
            read=collected.read,
            prophylaxis_given=collected.prophylaxis_given,
            prophylaxis_unknown=collected.prophylaxis_unknown,
            included=collected.included,
            repeated=collected.repeated,
        ),
        outcomes=tuple(_outcome(each, collected, estimated[each], resampled[each], own=own) for each in OUTCOMES),
    )


def _resampled(
    estimated: dict[Outcome, Estimated], seed: int, resamples: int, mapper: Mapper, progress: Progress | None
) -> dict[Outcome, Resampled]:
    some = {outcome: each.cells for outcome, each in estimated.items() if each.cells.n}
    work = [(outcome, part) for outcome, each in some.items()
            for part in parts(each, seed, OUTCOMES.index(outcome), resamples)]  # fmt: skip
    found: dict[Outcome, list[Resampled]] = {outcome: [] for outcome in OUTCOMES}
    done = 0
    for (outcome, part), result in zip(work, mapper(resample, (part for _, part in work)), strict=True):
        found[outcome].append(result)
        done += part.resamples
        if progress:
            progress("resamples", done, resamples * len(some))
    none = np.empty(0)
    return {outcome: joined(found[outcome]) if outcome in some else Resampled(none, none, none, none)
            for outcome in OUTCOMES}  # fmt: skip


def _outcome(
    outcome: Outcome, collected: Collected, estimated: Estimated, resampled: Resampled, *, own: bool
) -> OutcomeValidation:
    cells = estimated.cells
    ratio = observed_expected(cells)
    intercept, slope = recalibration(cells)
    brier, scaled = accuracy(cells, resampled.brier, resampled.scaled)
    return OutcomeValidation(
        outcome=outcome,
        n=cells.n,
        events=cells.had,
        expected=cells.expected,
        expected_range=estimated.expected_range,
        outcome_unknown=collected.outcome_unknown[outcome],
        finding_unknown=dict(sorted(collected.finding_unknown[outcome].items())),
        observed_expected=ratio,
        calibration_in_the_large=calibration_in_the_large(cells),
        intercept=intercept,
        slope=slope,
        c_statistic=c_statistic(cells),
        brier=brier,
        scaled_brier=scaled,
        curve=calibration_curve(cells),
        groups=groups(cells),
        spread=_spread(cells),
        decision=decision_curve(cells, resampled.by_estimate, resampled.of_all),
        needed=needed(cells),
        verdict=(IN_SAMPLE if own and cells.n else "") + verdict(outcome, cells, ratio, estimated.expected_range),
    )


def _spread(cells: Cells) -> Spread:
    edges = np.linspace(0.0, 1.0, CLASSES + 1)
    counted = [np.histogram(cells.risk, edges, weights=each)[0] for each in (cells.events, cells.others)]
    with_it, without = (tuple(int(each) for each in row) for row in counted)
    return Spread(events=with_it, others=without)
