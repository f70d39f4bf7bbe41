"""Predictions of a model in the patients it was made from, and how much too good they look.

Predictions are FLIC's: Firth's slopes with the intercept at which the mean prediction is the observed rate (Puhr et
al., Stat Med 2017). The c statistic's optimism is Harrell's: the model is fitted again in resamples of the patients;
what each loses between its own resample and the patients is averaged and taken off (Harrell, Lee and Mark, Stat Med
1996;15:361-387). The predictors are given, not chosen, in each resample, so optimism from choosing is not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from knowledge.cohort.record import CohortRow
from knowledge.cohort.report.models import Complete, complete_cases, unfit
from knowledge.cohort.report.specification import Specification
from knowledge.exact import clopper_pearson
from knowledge.firth import FirthError, fit, fit_many
from knowledge.frozen import FrozenModel

Floats = NDArray[np.float64]

RESAMPLES = 500
# Of a large cohort fewer do, since the optimism goes with predictors over patients: this many patients drawn in all.
MOST_DRAWN, LEAST_RESAMPLES = 1_000_000, 50
# With fewer on one side, a good share of the resamples has next to none of them.
LEAST_FOR_RESAMPLING = 5
# A mean over fewer usable resamples would be one over chosen resamples.
LEAST_USABLE = 0.9
# So many values of a block of resamples at once.
BLOCK_VALUES = 4_000_000
# Points are listed up to so many patients; groups stand for the rest.
MOST_POINTS = 2_000
PER_GROUP, MOST_GROUPS, FEW_VALUES = 10, 10, 6


class Point(FrozenModel):
    """One patient: prediction (fraction of 1) and what happened."""

    predicted: float
    observed: bool


class Group(FrozenModel):
    """Patients with like predictions: mean prediction, events, and the exact 95 % interval of the observed rate."""

    n: int
    events: int
    predicted: float
    least_predicted: float
    most_predicted: float
    observed: float
    observed_interval: tuple[float, float]


class Performance(FrozenModel):
    """Predictions of one model and its c statistic; ``corrected`` is None where ``not_corrected`` says why."""

    specification: Specification
    n: int
    events: int
    intercept: float
    slopes: tuple[float, ...]
    points: tuple[Point, ...]
    groups: tuple[Group, ...]
    apparent: float
    optimism: float | None
    corrected: float | None
    resamples: int
    resamples_used: int
    not_corrected: str | None


def performance(
    rows: Sequence[CohortRow],
    specification: Specification,
    *,
    seed: int,
    resamples: int = RESAMPLES,
    progress: Callable[[float], None] | None = None,
) -> Performance | None:
    """Predictions and c statistic of one model; None where the model cannot be fitted.

    ``resamples`` is the most that are drawn: of more than 2,000 patients there are fewer, but at least 50.
    """
    data = complete_cases(rows, specification)
    if unfit(data, specification) is not None:
        return None
    try:
        found = fit(data.design, data.outcome, method="flic")
    except FirthError:
        return None
    resamples = min(resamples, max(LEAST_RESAMPLES, MOST_DRAWN // data.sample.n))
    predicted, happened = found.predict(data.design), data.outcome > 0.5
    apparent = c_statistic(predicted, data.outcome)
    optimism, used, reason = _optimism(data, seed, resamples, progress)
    return Performance(
        specification=specification,
        n=data.sample.n,
        events=data.sample.events,
        intercept=float(found.coef[0]),
        slopes=tuple(float(each) for each in found.coef[1:]),
        points=tuple(
            Point(predicted=float(risk), observed=bool(event)) for risk, event in zip(predicted, happened, strict=True)
        )
        if data.sample.n <= MOST_POINTS
        else (),
        groups=groups(predicted, happened),
        apparent=apparent,
        optimism=optimism,
        corrected=None if optimism is None else apparent - optimism,
        resamples=resamples,
        resamples_used=used,
        not_corrected=reason,
    )


def c_statistic(score: Floats, outcome: Floats) -> float:
    """Share of pairs of a patient with and one without the outcome in which the former scores higher; ties half.

    ``score`` and ``outcome`` (0/1) are (n,); both outcomes occur. Source: Hanley and McNeil, Radiology 1982;143:29-36.
    """
    # Predictions that differ by rounding alone are equal.
    ranks = rankdata(np.round(score, 12))
    events = outcome > 0.5
    with_it, without = int(events.sum()), int((~events).sum())
    return float((ranks[events].sum() - with_it * (with_it + 1) / 2) / (with_it * without))


def groups(predicted: Floats, happened: NDArray[np.bool_]) -> tuple[Group, ...]:
    """One group a distinct prediction where there are few; else groups of about ten, never parting equal ones."""
    rounded = np.round(predicted, 12)
    values, counts = np.unique(rounded, return_counts=True)
    if len(values) <= FEW_VALUES:
        label = np.searchsorted(values, rounded)
    else:
        wanted = int(np.clip(len(rounded) // PER_GROUP, 1, MOST_GROUPS))
        middle = np.cumsum(counts) - counts / 2.0  # of the patients with that value, in the order of predictions
        label = np.floor(middle / len(rounded) * wanted).astype(int)[np.searchsorted(values, rounded)]
    found = []
    for each in np.unique(label):
        chosen = label == each
        n, events = int(chosen.sum()), int(happened[chosen].sum())
        found.append(
            Group(
                n=n,
                events=events,
                predicted=float(predicted[chosen].mean()),
                least_predicted=float(predicted[chosen].min()),
                most_predicted=float(predicted[chosen].max()),
                observed=events / n,
                observed_interval=clopper_pearson(events, n),
            )
        )
    return tuple(found)


def _optimism(
    data: Complete, seed: int, resamples: int, progress: Callable[[float], None] | None
) -> tuple[float | None, int, str | None]:
    n, events = data.sample.n, data.sample.events
    if min(events, n - events) < LEAST_FOR_RESAMPLING:
        return None, 0, f"Not corrected: fewer than {LEAST_FOR_RESAMPLING} patients with, or without, the outcome."
    random = np.random.default_rng(seed)
    block = max(1, BLOCK_VALUES // (n * data.design.shape[1]))
    lost: list[float] = []
    for first in range(0, resamples, block):
        chosen = random.integers(0, n, size=(min(block, resamples - first), n))
        lost += resampled_losses(data.design, data.outcome, chosen)
        if progress is not None:
            progress(min(1.0, (first + block) / resamples))
    if len(lost) < LEAST_USABLE * resamples:
        unusable = resamples - len(lost)
        reason = f"Not corrected: in {unusable} of {resamples} resamples a predictor or the outcome did not vary."
        return None, len(lost), reason
    return float(np.mean(lost)), len(lost), None


def resampled_losses(design: Floats, outcome: Floats, chosen: NDArray[np.int64]) -> list[float]:
    """What each resample's model loses in c between the resample and all patients.

    Args:
        design: (n, k) with the intercept first; outcome: (n,) of 0 and 1; chosen: places (B, n) of each resample.

    Returns:
        One value a usable resample: those in which outcome and predictors vary and the fit converged.
    """
    # Centred and scaled columns: slopes change with them, the order of the patients does not.
    scaled = design.copy()
    scaled[:, 1:] = (design[:, 1:] - design[:, 1:].mean(axis=0)) / design[:, 1:].std(axis=0)
    columns, y = np.moveaxis(scaled[chosen], 2, 0), outcome[chosen]
    varies = (y.min(axis=1) < y.max(axis=1)) & (np.ptp(columns[1:], axis=2) > 0).all(axis=0)
    usable = np.flatnonzero(varies)
    usable = usable[np.linalg.matrix_rank(scaled[chosen[usable]]) == scaled.shape[1]] if len(usable) else usable
    if not len(usable):
        return []
    found = fit_many(columns[:, usable], y[usable])
    losses = []
    for place, coef, converged in zip(usable, found.coef, found.converged, strict=True):
        if converged:
            score = scaled @ coef
            losses.append(c_statistic(score[chosen[place]], y[place]) - c_statistic(score, outcome))
    return losses
