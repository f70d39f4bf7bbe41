"""One data set solved: Firth's fit, FLIC's intercept, FLAC's augmented data, and inference on either likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.penalised.ascent import MAX_ITERATIONS, Maximum, maximise
from knowledge.penalised.basis import Basis, basis_for
from knowledge.penalised.checks import Checked, FirthError
from knowledge.penalised.lanes import Lanes, make_lanes
from knowledge.penalised.likelihood import evaluate
from knowledge.penalised.limits import HIGHER, NO_CHECK, Question, climb_profile, profile_limits
from knowledge.penalised.starts import one_slope_starts, other_starts

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Largest score left, per unit of weight. The log likelihood is then right to about its square.
TIGHT = 1e-11
LIMIT_TOLERANCE = 1e-10
# Rows to which these apply as they are.
ROWS = 100
# Of a fit whose height alone counts: right to about 1e-16. And of climbs that only look where they end.
HEIGHT, SEARCH = 1e-8, 1e-6
# Relative difference of a coordinate that makes another maximum of it; climbs to the same one agree to about 1e-9.
ELSEWHERE = 1e-4
EVERYWHERE = 0.0  # leverage from which limits are put to the test


@dataclass(frozen=True, eq=False)
class Problem:
    """Rows ``design`` (n, k) with the share of events ``share`` (n,) among ``weights`` (n,) patients, one each if None.

    ``starts`` (k, S) are coefficients to climb from beside zero; none where the likelihood is concave.
    """

    design: Floats
    share: Floats
    weights: Floats | None
    offset: Floats | None
    penalised: bool
    starts: Floats

    @property
    def tolerance(self) -> float:
        """Largest score left: of the mean weight of a row, at least one, since a score is a sum over patients."""
        return TIGHT * self.size

    @property
    def size(self) -> float:
        """Mean weight of a row or the patients by the hundred, whichever is more; at least one.

        What rounding leaves of a sum over thousands of patients is more than ``TIGHT``: a climb would never arrive.
        Their information grows with them, so that coefficients are as exact as ever.
        """
        mean = 1.0 if self.weights is None else float(self.weights.mean())
        return max(1.0, mean, mean * len(self.share) / ROWS)

    def lanes(self, bases: list[Basis]) -> Lanes:
        """One lane for each basis."""
        columns = np.stack([basis.work.T for basis in bases], axis=1)
        many = (len(bases), len(self.share))
        trials = None if self.weights is None else np.broadcast_to(self.weights, many)
        events = np.broadcast_to(self.share if self.weights is None else self.share * self.weights, many)
        offset = None if self.offset is None else np.broadcast_to(self.offset - self._absorbed(bases[0]), many)
        return make_lanes(columns, events, trials, offset, penalised=self.penalised)

    def moved(self, basis: Basis) -> Floats:
        """Coordinates (k,) of the part of the offset that the columns can take up.

        A large offset would drown the rest in rounding, so that part is left out of the lanes and added to the
        coordinates: theirs are the caller's plus this.
        """
        if self.offset is None:
            return np.zeros(len(basis.order))
        found: Floats = basis.work.T @ self.offset / len(self.offset)
        return found

    def _absorbed(self, basis: Basis) -> Floats:
        """That part itself (n,), the same in every basis."""
        found: Floats = basis.work @ self.moved(basis)
        return found


@dataclass(frozen=True, eq=False)
class Solution:
    """The highest maximum found of one problem, and inference there, in the columns as given.

    ``coef`` (k,); ``cov`` (k, k) the inverse information; ``hat`` (n,) leverages. The first ``shown`` coefficients are
    the caller's; FLAC's indicator stands behind them. ``several`` says whether other climbs ended elsewhere.
    """

    problem: Problem
    coef: Floats
    cov: Floats
    loglik: float
    hat: Floats
    iterations: int
    several: bool
    shown: int

    def ratios(self) -> tuple[Floats, Bools]:
        """Likelihood ratio of each coefficient against zero (shown,), and where the fit that holds it there has
        several maxima (shown,); the ratio is then that of the highest.

        Raises:
            FirthError: a fit with a coefficient held at zero did not converge, or is higher than the full fit,
                which then is no maximum of all.
        """
        bases, lanes, tops = self._asked(list(range(self.shown)))
        last = np.full(self.shown, len(self.coef) - 1)
        starts = (tops, *self._others(bases, tops)) if self.problem.penalised else (tops,)
        # The log likelihood of each basis is that of the columns as given but for a constant.
        level = np.array([self.loglik - self._shift(basis) for basis in bases])
        zero = np.array([self.problem.moved(basis)[-1] for basis in bases])
        highest, _, several = climb_profile(lanes, last, zero, starts, HEIGHT * self.problem.size)
        for lost in np.flatnonzero(~np.isfinite(highest)):
            raise FirthError(f"the fit with coefficient {lost} held at zero did not converge")
        for higher in np.flatnonzero(highest > level + HIGHER):
            raise FirthError(
                f"the fit ended on a lesser maximum: with coefficient {higher} held at zero the likelihood is higher; "
                "take logarithms of skewed covariates, or fewer covariates"
            )
        ratio: Floats = np.maximum(0.0, 2.0 * (level - highest))
        return ratio, several

    def limits(self, drop: float, skip: int | None) -> tuple[Floats, Bools]:
        """Profile limits (shown, 2) and where the profile has several maxima (shown, 2); NaN for ``skip``.

        Raises:
            FirthError: a limit was not found.
        """
        asked = [j for j in range(self.shown) if j != skip]
        value, several = np.full((self.shown, 2), np.nan), np.zeros((self.shown, 2), dtype=bool)
        if not asked:
            return value, several
        bases, lanes, tops = self._asked([j for j in asked for _ in range(2)])
        question = Question(
            lanes=lanes,
            j=np.full(len(bases), len(self.coef) - 1),
            side=np.tile([-1.0, 1.0], len(asked)),
            level=np.array([self.loglik - self._shift(basis) for basis in bases]) - drop,
            drop=drop,
            top=tops,
            inverse=evaluate(lanes, tops).inverse,
            extra=self._slopes(bases),
        )
        # A likelihood without the penalty is concave: there is nothing to look for elsewhere.
        check_from = EVERYWHERE if self.problem.penalised else NO_CHECK
        found = profile_limits(question, LIMIT_TOLERANCE * self.problem.size, check_from=check_from)
        for lost in np.flatnonzero(~np.isfinite(found.value)):
            end = "lower" if question.side[lost] < 0 else "upper"
            raise FirthError(f"the {end} profile limit of coefficient {asked[lost // 2]} was not found")
        units = np.array([basis.unit for basis in bases])
        zero = np.array([self.problem.moved(basis)[-1] for basis in bases])
        value[asked] = ((found.value - zero) / units).reshape(-1, 2)
        several[asked] = found.several.reshape(-1, 2)
        return value, several

    def _asked(self, asked: list[int]) -> tuple[list[Basis], Lanes, Floats]:
        """Bases, lanes and maximum (k, L) for a question about each of these coefficients."""
        by_column = {j: basis_for(self.problem.design, j) for j in set(asked)}
        bases = [by_column[j] for j in asked]
        tops = np.stack([basis.coordinates(self.coef) + self.problem.moved(basis) for basis in bases], axis=1)
        return bases, self.problem.lanes(bases), tops

    def _slopes(self, bases: list[Basis]) -> tuple[Floats, ...]:
        """The problem's own starts in coordinates, one (k, L) each."""
        by_lane = np.stack([basis.coordinates(self.problem.starts) for basis in bases], axis=2)
        return tuple(by_lane[:, start] for start in range(by_lane.shape[1]))

    def _others(self, bases: list[Basis], tops: Floats) -> tuple[Floats, ...]:
        return (*other_starts(tops), *self._slopes(bases))

    def _shift(self, basis: Basis) -> float:
        """By how much the log likelihood in the columns as given is above that in the basis."""
        return basis.logdet if self.problem.penalised else 0.0


def solve(data: Checked) -> Solution:
    """Firth's fit.

    Raises:
        FirthError: it did not converge.
    """
    starts = one_slope_starts(data.design, find_intercept(data.design))
    return _solve(Problem(data.design, data.outcome, data.weights, data.offset, True, starts), data.kept)


def solve_flic(data: Checked, coef: Floats, intercept: int) -> tuple[Floats, Floats]:
    """Coefficients (k,) with the intercept refitted by maximum likelihood, and inverse information there (k, k).

    Raises:
        FirthError: the intercept did not converge.
    """
    column = data.design[:, [intercept]]
    rest = data.design @ coef - column[:, 0] * coef[intercept]
    shift = rest if data.offset is None else rest + data.offset
    alone = _solve(Problem(column, data.outcome, data.weights, shift, False, np.zeros((1, 0))), data.kept)
    moved = coef.copy()
    moved[intercept] = alone.coef[0]
    basis = basis_for(data.design, intercept)
    problem = Problem(data.design, data.outcome, data.weights, data.offset, False, np.zeros((len(coef), 0)))
    point = evaluate(problem.lanes([basis]), (basis.coordinates(moved) + problem.moved(basis))[:, None])
    return moved, basis.covariance(point.inverse[:, :, 0])


def solve_flac(data: Checked, hat: Floats) -> Solution:
    """Maximum likelihood on the data and, behind an indicator, the penalty's pseudo-patients.

    Each patient's own: half the leverage with the event, half without, at the patient's covariates.

    Raises:
        FirthError: it did not converge.
    """
    n, k = data.design.shape
    own = np.ones(n) if data.weights is None else data.weights
    leverage = hat[data.kept]
    design = np.vstack([data.design, data.design])
    design = np.column_stack([design, np.repeat([0.0, 1.0], n)])
    events, trials = np.r_[own * data.outcome, 0.5 * leverage], np.r_[own, leverage]
    offset = None if data.offset is None else np.r_[data.offset, data.offset]
    share = np.divide(events, trials, out=np.zeros_like(events), where=trials > 0)
    problem = Problem(design, share, trials, offset, False, np.zeros((k + 1, 0)))
    return _solve(problem, np.ones(2 * n, dtype=bool), shown=k)


def find_intercept(design: Floats) -> int | None:
    """Index of the constant column, None without one."""
    for j in range(design.shape[1]):
        if (design[:, j] == design[0, j]).all():
            return j
    return None


def _solve(problem: Problem, kept: Bools, *, shown: int | None = None) -> Solution:
    k = problem.design.shape[1]
    basis = basis_for(problem.design, k - 1)
    lanes = problem.lanes([basis])
    full, several = _climb(problem, basis, lanes)
    point = evaluate(lanes, full.beta)
    hat = np.zeros(len(kept))
    hat[kept] = point.hat[:, 0]
    return Solution(
        problem=problem,
        coef=basis.coefficients(full.beta[:, 0] - problem.moved(basis)),
        cov=basis.covariance(full.inverse[:, :, 0]),
        loglik=float(full.loglik[0]) + (basis.logdet if problem.penalised else 0.0),
        hat=hat,
        iterations=full.iterations,
        several=several,
        shown=shown or k,
    )


def _climb(problem: Problem, basis: Basis, lanes: Lanes) -> tuple[Maximum, bool]:
    """The highest maximum found, and whether there was another.

    Raises:
        FirthError: no climb converged.
    """
    origin = np.zeros((lanes.k, 1))
    first = maximise(lanes, origin, tolerance=problem.tolerance)
    if not problem.penalised:
        if not first.converged[0]:
            raise FirthError(f"the fit did not converge in {MAX_ITERATIONS} iterations")
        return first, False
    top = np.where(np.isfinite(first.beta), first.beta, origin)
    start = np.concatenate([*other_starts(top), basis.coordinates(problem.starts)], axis=1)
    others = maximise(lanes.take(np.zeros(start.shape[1], dtype=np.intp)), start, tolerance=SEARCH * problem.size)
    if not (first.converged[0] or others.converged.any()):
        raise FirthError(f"the fit did not converge in {MAX_ITERATIONS} iterations")
    loglik = np.where(others.converged, others.loglik, -np.inf)
    best = int(loglik.argmax())
    # Another place, whether higher, lower or, by symmetry, as high.
    elsewhere = np.abs(others.beta - first.beta) > ELSEWHERE * (1.0 + np.abs(first.beta))
    several = bool(first.converged[0]) and bool(elsewhere[:, others.converged].any())
    # The first counts unless another is higher, not only the same place by another way.
    if first.converged[0] and loglik[best] <= first.loglik[0] + HIGHER:
        return first, several
    highest = maximise(lanes, others.beta[:, [best]], tolerance=problem.tolerance)
    return (highest if highest.converged[0] else others.only(best)), several
