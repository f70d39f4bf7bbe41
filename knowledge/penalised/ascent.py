"""Climbing to the maximum of the penalised likelihood, lane by lane, by scoring with one remembered secant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.penalised.lanes import Index, Lanes, chosen
from knowledge.penalised.likelihood import Point, evaluate

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.intp]

# A lone extreme value slows the climb to a few per cent a step; an ordinary fit takes about ten.
MAX_ITERATIONS = 1_000
# Largest change of one coefficient in one step; full steps overshoot on separated data.
MAX_STEP = 5.0
MAX_HALVINGS = 30
# A step is halved where the slope along it turns round to more than this share of what it was. A patient who
# alone has a finding has leverage one; scoring then steps exactly twice too far, and without this rule would
# swing about the optimum for ever at equal log likelihoods.
MAX_OVERSHOOT = 0.75
# Lanes that are done are carried along until so many are that copying the rest is cheaper.
CROWDED = 0.7


@dataclass(frozen=True)
class Maximum:
    """``beta`` (k, L), ``loglik`` (L,), ``inverse`` (k, k, L) of the information there.

    ``converged`` (L,) is False where the information is singular, the iterations
    ran out, or the climb was stopped because ``stop_above`` was passed; the last
    case alone is marked in ``exceeded`` (L,).
    """

    beta: Floats
    loglik: Floats
    inverse: Floats
    converged: Bools
    exceeded: Bools
    iterations: int

    def only(self, lane: int) -> Maximum:
        """One lane of several."""
        one = slice(lane, lane + 1)
        return Maximum(
            self.beta[:, one],
            self.loglik[one],
            self.inverse[:, :, one],
            self.converged[one],
            self.exceeded[one],
            self.iterations,
        )


def maximise(
    lanes: Lanes,
    start: Floats,
    *,
    tolerance: float,
    hold: Integers | None = None,
    stop_above: Floats | None = None,
    max_iterations: int = MAX_ITERATIONS,
) -> Maximum:
    """The maximum over all coefficients, or over all but the held one.

    Args:
        lanes: the data.
        start: starting coefficients (k, L); a held coefficient stays at its starting value.
        tolerance: largest absolute score of a free coefficient at convergence.
        hold: index of the held coefficient (L,), -1 where none is.
        stop_above: (L,) a lane is given up as soon as its log likelihood is above this.
            Steps never lower the log likelihood, so its maximum is above it too.
        max_iterations: after which a lane has not converged.
    """
    found = _Found(lanes, start)
    climb = _Climb(lanes, start.copy(), hold, stop_above)
    iterations = 0
    while climb.retire(found, tolerance) and iterations < max_iterations:
        iterations += 1
        climb.step(tolerance)
    return Maximum(found.beta, found.loglik, found.inverse, found.converged, found.exceeded, iterations)


class _Found:
    """The answer as far as it is known, in the order of the caller's lanes."""

    def __init__(self, lanes: Lanes, start: Floats) -> None:
        self.beta = np.full(start.shape, np.nan)
        self.loglik = np.full(lanes.count, -np.inf)
        self.inverse = np.full((lanes.k, lanes.k, lanes.count), np.nan)
        self.converged = np.zeros(lanes.count, dtype=bool)
        self.exceeded = np.zeros(lanes.count, dtype=bool)


class _Climb:
    """The lanes on their way."""

    def __init__(self, lanes: Lanes, beta: Floats, hold: Integers | None, stop_above: Floats | None) -> None:
        self.lanes, self.beta, self.hold, self.stop_above = lanes, beta, hold, stop_above
        self.rows = np.arange(lanes.count)
        self.active = np.ones(lanes.count, dtype=bool)
        self.point = self._free(evaluate(lanes, beta), hold)
        self.active &= np.isfinite(self.point.loglik)
        self.move: Floats | None = None  # the last step, and the score before it
        self.before: Floats | None = None

    @staticmethod
    def _free(point: Point, hold: Integers | None) -> Point:
        """The point with the score of the held coefficient, which does not count, set to zero."""
        if hold is not None:
            held = np.flatnonzero(hold >= 0)
            point.score[hold[held], held] = 0.0
        return point

    def retire(self, found: _Found, tolerance: float) -> bool:
        """Note the lanes that are done; whether any is left."""
        done = self.active & (np.abs(self.point.score).max(axis=0) <= tolerance)
        over = np.zeros_like(done)
        if self.stop_above is not None:
            over = self.active & ~done & (self.point.loglik > self.stop_above)
        retired = done | over
        if retired.any():
            to = self.rows[retired]
            found.beta[:, to], found.loglik[to] = self.beta[:, retired], self.point.loglik[retired]
            found.inverse[:, :, to] = self.point.inverse[:, :, retired]
            found.converged[self.rows[done]] = True
            found.exceeded[self.rows[over]] = True
            self.active &= ~retired
        left = int(self.active.sum())
        if 0 < left < CROWDED * len(self.rows):
            self._keep(np.flatnonzero(self.active))
        return left > 0

    def _keep(self, index: Index) -> None:
        self.lanes, self.beta, self.rows = self.lanes.take(index), chosen(self.beta, index), self.rows[index]
        self.point, self.active = self.point.take(index), self.active[index]
        self.hold = None if self.hold is None else self.hold[index]
        self.stop_above = None if self.stop_above is None else self.stop_above[index]
        self.move = None if self.move is None else chosen(self.move, index)
        self.before = None if self.before is None else chosen(self.before, index)

    def step(self, tolerance: float) -> None:
        """One step uphill, halved where the log likelihood would fall or the step overshoots."""
        step = self._direction()
        largest = np.abs(step).max(axis=0)
        step *= np.minimum(1.0, MAX_STEP / np.maximum(largest, MAX_STEP))
        step[:, ~self.active] = 0.0
        tried = self.beta + step
        point = self._free(evaluate(self.lanes, tried), self.hold)
        floor = self.point.loglik - 1e-12 * (1.0 + np.abs(self.point.loglik))
        slope = np.einsum("kl,kl->l", step, self.point.score)
        good = _uphill(point, step, slope, floor, tolerance)
        for _ in range(MAX_HALVINGS):
            worse = np.flatnonzero(self.active & ~good)
            if not worse.size:
                break
            step[:, worse] *= 0.5
            slope[worse] *= 0.5
            tried[:, worse] = self.beta[:, worse] + step[:, worse]
            held = None if self.hold is None else self.hold[worse]
            again = self._free(evaluate(self.lanes.take(worse), tried[:, worse]), held)
            point.put(worse, again)
            good[worse] = _uphill(again, step[:, worse], slope[worse], floor[worse], tolerance)
        self.active &= point.loglik >= floor
        self.move, self.before, self.beta, self.point = step, self.point.score, tried, point

    def _direction(self) -> Floats:
        """Scoring, its curvature corrected by what the last step showed (one BFGS update)."""
        score = self.point.score
        if self.move is None or self.before is None:
            return self._times_inverse(score)
        change = self.before - score
        along = np.einsum("kl,kl->l", self.move, change)
        sizes = np.einsum("kl,kl->l", self.move, self.move) * np.einsum("kl,kl->l", change, change)
        usable = along > 1e-10 * np.sqrt(sizes)
        rho = np.where(usable, 1.0 / np.where(usable, along, 1.0), 0.0)
        share = rho * np.einsum("kl,kl->l", self.move, score)
        result = self._times_inverse(score - share * change)
        result += self.move * (share - rho * np.einsum("kl,kl->l", change, result))
        return result

    def _times_inverse(self, vector: Floats) -> Floats:
        """Inverse information of the free coefficients times ``vector``; the held coefficient gets zero."""
        result: Floats = np.einsum("ijl,jl->il", self.point.inverse, vector)
        if self.hold is not None:
            held = np.flatnonzero(self.hold >= 0)
            j = self.hold[held]
            share = result[j, held] / self.point.inverse[j, j, held]
            result[:, held] -= self.point.inverse[:, j, held] * share
            result[j, held] = 0.0
        return result


def _uphill(point: Point, step: Floats, slope: Floats, floor: Floats, tolerance: float) -> Bools:
    turned = np.einsum("kl,kl->l", step, point.score)
    arrived = np.abs(point.score).max(axis=0) <= tolerance
    good: Bools = (point.loglik >= floor) & ((turned >= -MAX_OVERSHOOT * slope) | arrived)
    return good
