"""Everything of the report that comes from regressions, in one record."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from knowledge.assessment import Outcome
from knowledge.cohort.record import CohortRow
from knowledge.cohort.report.imputation import Imputed, imputed
from knowledge.cohort.report.models import Regression, regression
from knowledge.cohort.report.optimism import RESAMPLES, Performance, performance
from knowledge.cohort.report.size import Size, size
from knowledge.cohort.report.specification import OUTCOMES, STUDY_MODELS, univariable
from knowledge.factors import LdhCategory, Presence
from knowledge.frozen import FrozenModel

# What is being done, and the share of all work that is done by now.
Progress = Callable[[str, float], None]
# More dots than this cannot be told apart.
MOST_DOTS = 600
UNIVARIABLE_SHARE, STUDY_SHARE = 0.2, 0.3


class Dot(FrozenModel):
    """One patient: LDH as a multiple of its upper limit, and what happened (None: not known)."""

    ratio: float
    crs_any: bool | None
    crs_grade2plus: bool | None
    icans_any: bool | None


class Population(FrozenModel):
    """Whom the models are of."""

    patients: int
    with_prophylaxis: int
    prophylaxis_unknown: int
    without_prophylaxis: int
    simulated: bool


class ModelParts(FrozenModel):
    """Regressions, predictions, imputation and sizes; ``dots`` are at most 600, ``dots_of`` says of how many.

    ``ldh_category`` counts patients whose LDH is known only as high or normal, who have no dot.
    """

    population: Population
    seed: int
    resamples: int
    univariable: tuple[Regression, ...]
    study: tuple[Regression, ...]
    performance: tuple[Performance, ...]
    imputation: tuple[Imputed, ...]
    sizes: tuple[Size, ...]
    dots: tuple[Dot, ...]
    dots_of: int
    ldh_category: int


def model_parts(
    rows: Sequence[CohortRow], *, seed: int, resamples: int = RESAMPLES, progress: Progress | None = None
) -> ModelParts:
    """All regressions of a cohort, in its patients known to be without prophylactic tocilizumab.

    Args:
        rows: the whole cohort.
        seed: of resampling and imputation; each model has a stream of its own, so one does not move another.
        resamples: of the optimism correction.
        progress: told what is being done and the share of all work done.
    """
    without = [row for row in rows if row.tocilizumab_prophylaxis is Presence.NO]
    tell = progress or _silent
    singles = [each for outcome in OUTCOMES for each in univariable(outcome)]
    alone = []
    for place, each in enumerate(singles):
        tell("each predictor by itself", UNIVARIABLE_SHARE * place / len(singles))
        alone.append(regression(without, each))
    together: list[Regression] = []
    performances: list[Performance] = []
    imputations: list[Imputed] = []
    for place, each in enumerate(STUDY_MODELS):
        start = UNIVARIABLE_SHARE + (1.0 - UNIVARIABLE_SHARE) * place / len(STUDY_MODELS)
        width = (1.0 - UNIVARIABLE_SHARE) / len(STUDY_MODELS)
        tell("the study's models", start)
        together.append(regression(without, each))
        follow = _within(tell, "optimism", start, STUDY_SHARE * width)
        found = performance(without, each, seed=_seed(seed, place, 1), resamples=resamples, progress=follow)
        performances += [] if found is None else [found]
        follow = _within(tell, "imputation", start + STUDY_SHARE * width, (1.0 - STUDY_SHARE) * width)
        imputations.append(imputed(without, each, seed=_seed(seed, place, 2), progress=follow))
    dots, dots_of = _dots(without, _seed(seed, 0, 3))
    tell("done", 1.0)
    unknown = sum(row.tocilizumab_prophylaxis is Presence.UNKNOWN for row in rows)
    return ModelParts(
        population=Population(
            patients=len(rows),
            with_prophylaxis=len(rows) - len(without) - unknown,
            prophylaxis_unknown=unknown,
            without_prophylaxis=len(without),
            simulated=any(row.simulated for row in rows),
        ),
        seed=seed,
        resamples=resamples,
        univariable=tuple(alone),
        study=tuple(together),
        performance=tuple(performances),
        imputation=tuple(imputations),
        sizes=tuple(size(without, each) for each in STUDY_MODELS),
        dots=dots,
        dots_of=dots_of,
        ldh_category=sum(isinstance(row.ldh, LdhCategory) for row in without),
    )


def _silent(_doing: str, _share: float) -> None:
    """Nobody is told."""


def _within(tell: Progress, doing: str, start: float, width: float) -> Callable[[float], None]:
    return lambda share: tell(doing, start + width * share)


def _seed(seed: int, place: int, stream: int) -> int:
    return int(np.random.SeedSequence([seed, place, stream]).generate_state(1, np.uint64)[0])


def _dots(rows: Sequence[CohortRow], seed: int) -> tuple[tuple[Dot, ...], int]:
    measured = [row for row in rows if row.factors.ldh_ratio is not None]
    chosen: Sequence[int] = range(len(measured))
    if len(measured) > MOST_DOTS:
        chosen = sorted(np.random.default_rng(seed).choice(len(measured), MOST_DOTS, replace=False).tolist())
    return tuple(_dot(measured[place]) for place in chosen), len(measured)


def _dot(row: CohortRow) -> Dot:
    ratio = row.factors.ldh_ratio
    if ratio is None:
        raise ValueError("a dot needs an LDH that is known as a number")
    return Dot(
        ratio=ratio,
        crs_any=row.had(Outcome.CRS_ANY),
        crs_grade2plus=row.had(Outcome.CRS_GRADE2PLUS),
        icans_any=row.had(Outcome.ICANS_ANY),
    )
