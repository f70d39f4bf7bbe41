"""Where the profile of one coefficient crosses a level: confidence limits by profile likelihood.

A quick search after Venzon and Moolgavkar (Appl Stat 1988) finds most limits.
Its result is then put to the test: the profile at that value is climbed again
from other starts, because with few patients the constrained likelihood can
have several maxima. Where a higher one appears, or the quick search fails, the
crossing is bracketed and bisected, each value of the profile being the best of
all starts. Such a limit is marked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.penalised.ascent import MAX_STEP, Maximum, maximise
from knowledge.penalised.lanes import Lanes, chosen
from knowledge.penalised.likelihood import evaluate
from knowledge.penalised.starts import other_starts

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.intp]

QUICK_ITERATIONS = 25
# A profile value so little above the level is the same maximum, found again.
HIGHER = 1e-6
# Among 58,000 profile limits of simulated sets of 30, sparse and separated ones among them, no second maximum was seen
# where every patient's leverage, at the maximum and at the limit, was below 0.37.
SUSPECT_LEVERAGE = 1.0 / 3.0
# Nineteen in twenty second maxima were seen above this.
GREAT_LEVERAGE = 0.5
NO_CHECK = 2.0  # above every leverage
MAX_DOUBLINGS = 60
MAX_SECTIONS = 100
# Enough to see whether another maximum is higher: the log likelihood is then right to about 1e-8.
ROUGH = 1e-4
# A climb of the profile that takes longer than this is given up; another start may do better.
PROFILE_ITERATIONS = 300


@dataclass(frozen=True)
class Question:
    """The lanes asked about, each with its coefficient ``j`` (L,), ``side`` (L,) of -1 or 1, and the ``level`` (L,)
    of the log likelihood that the profile must cross; ``top`` (k, L) and ``inverse`` (k, k, L) at the maximum, and
    ``extra`` places to climb from, each (k, L)."""

    lanes: Lanes
    j: Integers
    side: Floats
    level: Floats
    drop: float
    top: Floats
    inverse: Floats
    extra: tuple[Floats, ...] = ()

    def take(self, index: Integers) -> Question:
        """The chosen lanes."""
        return Question(
            self.lanes.take(index),
            self.j[index],
            self.side[index],
            self.level[index],
            self.drop,
            chosen(self.top, index),
            chosen(self.inverse, index),
            tuple(chosen(start, index) for start in self.extra),
        )


@dataclass(frozen=True)
class Limits:
    """``value`` (L,), NaN where none was found; ``several`` (L,) where the profile has more than one maximum there."""

    value: Floats
    several: Bools


def ask(lanes: Lanes, full: Maximum, lane: Integers, j: Integers, side: Floats, drop: float) -> Question:
    """The question where lane ``lane``'s profile of ``j`` has fallen by ``drop`` from its maximum."""
    return Question(
        lanes.take(lane), j, side, full.loglik[lane] - drop, drop, chosen(full.beta, lane), chosen(full.inverse, lane)
    )


def profile_limits(question: Question, tolerance: float, *, check_from: float = SUSPECT_LEVERAGE) -> Limits:
    """The limit of every lane; ``tolerance`` on log likelihood and scores.

    Where a patient's leverage, at the maximum or at the limit, is at least ``check_from``, the profile at the limit
    is climbed again from other starts; ``NO_CHECK`` does so nowhere.
    """
    lane = np.arange(question.lanes.count)
    beta, found = _quick(question, tolerance)
    missed = np.flatnonzero(~found)
    if missed.size:
        _, beta[:, missed], _ = _bracketed(question.take(missed), (), tolerance)
    several = np.zeros(len(lane), dtype=bool)
    if check_from < NO_CHECK:
        lost = np.isnan(beta[0])
        leverage = _largest_leverage(question, beta)
        doubtful = np.flatnonzero(~lost & (leverage >= check_from))
        if doubtful.size:
            part = question.take(doubtful)
            several[doubtful] = _higher_elsewhere(part, chosen(beta, doubtful), leverage[doubtful])
        again = np.flatnonzero(several | lost)
        if again.size:
            part = question.take(again)
            _, beta[:, again], differ = _bracketed(part, (*other_starts(part.top), *part.extra), tolerance)
            several[again] |= differ
    return Limits(beta[question.j, lane], several)


def _largest_leverage(question: Question, beta: Floats) -> Floats:
    """Of any row, at the maximum or at the limit ``beta`` (k, L); NaN where the limit is."""
    at_top, at_limit = (evaluate(question.lanes, at).hat.max(axis=0) for at in (question.top, beta))
    larger: Floats = np.maximum(at_top, at_limit)
    return larger


def _quick(question: Question, tolerance: float) -> tuple[Floats, Bools]:
    """Coefficients at the limit (k, L) and whether they were found (L,).

    Each step goes to the point on the level, furthest out in coefficient j, of the
    quadratic with this score and information.
    """
    lanes, j, side, level = question.lanes, question.j, question.side, question.level
    every = np.arange(lanes.count)
    beta = question.top + side * np.sqrt(2.0 * question.drop) * _unit_column(question.inverse, j)
    result, found = np.full(beta.shape, np.nan), np.zeros(lanes.count, dtype=bool)
    rows = every
    for _ in range(QUICK_ITERATIONS):
        point = evaluate(lanes, beta)
        free = point.score.copy()
        free[j, np.arange(len(j))] = 0.0
        arrived = (np.abs(free).max(axis=0) <= tolerance) & (np.abs(point.loglik - level) <= tolerance)
        result[:, rows[arrived]] = beta[:, arrived]
        found[rows[arrived]] = True
        going = ~arrived & np.isfinite(point.loglik)
        if not going.any():
            break
        if going.mean() < 0.7:
            keep = np.flatnonzero(going)
            lanes, j, side, level, rows = lanes.take(keep), j[keep], side[keep], level[keep], rows[keep]
            beta, point, going = chosen(beta, keep), point.take(keep), going[keep]
        uphill = np.einsum("ijl,jl->il", point.inverse, point.score)
        reach = 2.0 * (point.loglik - level) + np.einsum("kl,kl->l", point.score, uphill)
        step = uphill + side * np.sqrt(np.maximum(reach, 0.0)) * _unit_column(point.inverse, j)
        step *= np.minimum(1.0, MAX_STEP / np.maximum(np.abs(step).max(axis=0), MAX_STEP))
        step[:, ~going] = 0.0
        beta = beta + step
    return result, found


def _unit_column(inverse: Floats, j: Integers) -> Floats:
    """Column j of the inverse over the root of its diagonal entry (k, L): one standard error along the profile."""
    lane = np.arange(len(j))
    column: Floats = inverse[:, j, lane] / np.sqrt(inverse[j, j, lane])
    return column


def climb_profile(
    lanes: Lanes, j: Integers, value: Floats, starts: tuple[Floats, ...], tolerance: float
) -> tuple[Floats, Floats, Bools]:
    """The profile at ``value`` (L,): its log likelihood (L,), the coefficients (k, L), and whether starts differ (L,).

    The best of all ``starts``, each (k, L); -inf where none of them led anywhere.
    """
    every = np.arange(lanes.count)
    copies = len(starts)
    start = np.concatenate(starts, axis=1)
    hold = np.tile(j, copies)
    start[hold, np.arange(len(hold))] = np.tile(value, copies)
    many = lanes if copies == 1 else lanes.take(np.tile(every, copies))
    top = maximise(many, start, tolerance=tolerance, hold=hold, max_iterations=PROFILE_ITERATIONS)
    loglik = np.where(top.converged, top.loglik, -np.inf).reshape(copies, -1)
    best = loglik.argmax(axis=0)
    beta = top.beta.reshape(len(top.beta), copies, -1)[:, best, every]
    highest = loglik[best, every]
    lowest = np.where(np.isfinite(loglik), loglik, np.inf).min(axis=0)
    return highest, beta, np.isfinite(highest) & (highest - lowest > HIGHER)


def _higher_elsewhere(question: Question, beta: Floats, leverage: Floats) -> Bools:
    """Whether the profile at the limit ``beta`` (k, L) is above the level when climbed from other starts (L,).

    From three where the largest ``leverage`` (L,) leaves little doubt, from three more where it does not.
    """
    top = question.top
    value = beta[question.j, np.arange(question.lanes.count)]
    third, mirror, nothing, one, other = other_starts(top)
    higher = np.zeros(question.lanes.count, dtype=bool)
    first, second = (top - 3.0 * (beta - top), third, one, *question.extra), (mirror, nothing, other)
    for starts, least in ((first, 0.0), (second, GREAT_LEVERAGE)):
        rows = np.flatnonzero(~higher & (leverage >= least))
        if rows.size:
            part = question.take(rows)
            chosen_starts = tuple(chosen(start, rows) for start in starts)
            highest, _, _ = climb_profile(part.lanes, part.j, value[rows], chosen_starts, ROUGH)
            higher[rows] = highest > part.level + HIGHER
    return higher


def _bracketed(question: Question, starts: tuple[Floats, ...], tolerance: float) -> tuple[Floats, Floats, Bools]:
    """Limits (L,), coefficients there (k, L), and whether starts differed near the limit (L,); NaN where none is found.

    Outwards in doubling steps until the profile is below the level, then Newton's step on the
    profile (its slope is the score of the held coefficient) or, where that leaves the bracket, its middle.
    """
    lanes, j, side, level = question.lanes, question.j, question.side, question.level
    every = np.arange(lanes.count)
    centre = question.top[j, every]
    warm = question.top.copy()
    several = np.zeros(lanes.count, dtype=bool)
    inside, outside = np.zeros(lanes.count), np.full(lanes.count, np.inf)  # distances from the maximum
    se = np.sqrt(question.inverse[j, j, every])
    distance = np.sqrt(2.0 * question.drop) * se
    value, at_limit = np.full(lanes.count, np.nan), np.full(question.top.shape, np.nan)
    open_ = np.ones(lanes.count, dtype=bool)
    for _ in range(MAX_DOUBLINGS + MAX_SECTIONS):
        rows = np.flatnonzero(open_)
        if not rows.size:
            break
        part = lanes if rows.size == lanes.count else lanes.take(rows)
        where = centre[rows] + side[rows] * distance[rows]
        others = tuple(start[:, rows] for start in starts)
        highest, beta, differ = climb_profile(part, j[rows], where, (warm[:, rows], *others), tolerance)
        several[rows] |= differ
        failed = ~np.isfinite(highest)
        open_[rows[failed]] = False
        above = highest - level[rows]
        slope = side[rows] * evaluate(part, np.where(failed, 0.0, beta)).score[j[rows], np.arange(len(rows))]
        warm[:, rows] = np.where(failed, warm[:, rows], beta)
        inner, outer = rows[~failed & (above > 0)], rows[~failed & (above <= 0)]
        inside[inner], outside[outer] = distance[inner], distance[outer]
        bounded = np.isfinite(outside[rows])
        narrow = bounded & (inside[rows] >= (1.0 - 1e-12) * outside[rows])
        arrived = ~failed & ((np.abs(above) <= tolerance) | narrow)
        value[rows[arrived]], at_limit[:, rows[arrived]] = where[arrived], beta[:, arrived]
        open_[rows[arrived]] = False
        with np.errstate(divide="ignore", invalid="ignore"):
            newton = distance[rows] - above / slope
        middle = np.where(bounded, 0.5 * (inside[rows] + outside[rows]), 2.0 * distance[rows])
        furthest = np.where(bounded, outside[rows], 2.0 * distance[rows])
        fits = np.isfinite(newton) & (newton > inside[rows]) & (newton < furthest)
        distance[rows] = np.where(fits, newton, middle)
    return value, at_limit, several
