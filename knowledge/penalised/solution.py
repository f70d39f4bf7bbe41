"""One data set solved: Firth's fit, FLIC's intercept, FLAC's augmented data, and inference on either likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.penalised.ascent import MAX_ITERATIONS, Maximum, maximise
from knowledge.penalised.checks import Checked, FirthError
from knowledge.penalised.lanes import Lanes, make_lanes
from knowledge.penalised.likelihood import evaluate
from knowledge.penalised.limits import (
    HIGHER,
    NO_CHECK,
    SUSPECT_LEVERAGE,
    ask,
    climb_profile,
    other_starts,
    profile_limits,
)

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Largest score left, per unit of weight. The log likelihood is then right to about its square.
TIGHT = 1e-11
LIMIT_TOLERANCE = 1e-10
# Relative difference of a coefficient that makes another maximum of it; climbs to the same one agree to about 1e-9.
ELSEWHERE = 1e-4


@dataclass(frozen=True, eq=False)
class Solution:
    """The maximum of one data set's likelihood in scaled columns; what callers read is in the columns as given.

    ``shown`` coefficients are the caller's; FLAC's indicator stands behind them.
    """

    lanes: Lanes
    full: Maximum
    scale: Floats
    shown: int
    several: bool
    hat: Floats

    @property
    def suspect(self) -> bool:
        """Whether another maximum is possible: a leverage is high and the likelihood is not concave."""
        return self.lanes.penalised and bool(self.hat.max() >= SUSPECT_LEVERAGE)

    @property
    def coef(self) -> Floats:
        """Coefficients (shown,)."""
        found: Floats = (self.full.beta[:, 0] / self.scale)[: self.shown]
        return found

    @property
    def cov(self) -> Floats:
        """Inverse information (shown, shown)."""
        found: Floats = (self.full.inverse[:, :, 0] / np.outer(self.scale, self.scale))[: self.shown, : self.shown]
        return found

    @property
    def loglik(self) -> float:
        """Log likelihood; the penalty, half the log determinant, is that of the columns as given."""
        penalty = float(np.log(self.scale).sum()) if self.lanes.penalised else 0.0
        return float(self.full.loglik[0]) + penalty

    @property
    def iterations(self) -> int:
        """Steps to the maximum."""
        return self.full.iterations

    def ratios(self) -> Floats:
        """Likelihood ratio of each coefficient against zero (shown,).

        Raises:
            FirthError: a fit with a coefficient held at zero did not converge.
        """
        j, same = np.arange(self.shown), np.zeros(self.shown, dtype=np.intp)
        top = self.full.beta[:, same]
        starts = (top, *other_starts(top)) if self.suspect else (top,)
        highest, _, _ = climb_profile(self.lanes.take(same), j, np.zeros(self.shown), starts, TIGHT * _size(self.lanes))
        for lost in np.flatnonzero(~np.isfinite(highest)):
            raise FirthError(f"the fit with coefficient {lost} held at zero did not converge")
        ratio: Floats = np.maximum(0.0, 2.0 * (self.full.loglik[0] - highest))
        return ratio

    def limits(self, drop: float, skip: int | None) -> tuple[Floats, Bools]:
        """Profile limits (shown, 2) and where the profile has several maxima (shown, 2); NaN for ``skip``.

        Raises:
            FirthError: a limit was not found.
        """
        asked = [j for j in range(self.shown) if j != skip]
        value, several = np.full((self.shown, 2), np.nan), np.zeros((self.shown, 2), dtype=bool)
        if not asked:
            return value, several
        j, side = np.repeat(asked, 2), np.tile([-1.0, 1.0], len(asked))
        question = ask(self.lanes, self.full, np.zeros(len(j), dtype=np.intp), j, side, drop)
        # A likelihood without the penalty is concave: there is nothing to look for elsewhere.
        check_from = SUSPECT_LEVERAGE if self.lanes.penalised else NO_CHECK
        found = profile_limits(question, LIMIT_TOLERANCE * _size(self.lanes), check_from=check_from)
        for lost in np.flatnonzero(~np.isfinite(found.value)):
            end = "lower" if side[lost] < 0 else "upper"
            raise FirthError(f"the {end} profile limit of coefficient {j[lost]} was not found")
        value[asked] = found.value.reshape(-1, 2) / self.scale[asked, None]
        several[asked] = found.several.reshape(-1, 2)
        return value, several


def solve(data: Checked) -> Solution:
    """Firth's fit.

    Raises:
        FirthError: it did not converge.
    """
    return _solve(data.design, data.outcome, data.weights, data.offset, data.kept, penalised=True)


def solve_flic(data: Checked, coef: Floats, intercept: int) -> tuple[Floats, Floats]:
    """Coefficients (k,) with the intercept refitted by maximum likelihood, and inverse information there (k, k).

    Raises:
        FirthError: the intercept did not converge.
    """
    column = data.design[:, [intercept]]
    rest = data.design @ coef - column[:, 0] * coef[intercept]
    shift = rest if data.offset is None else rest + data.offset
    alone = _solve(column, data.outcome, data.weights, shift, data.kept, penalised=False)
    moved = coef.copy()
    moved[intercept] = alone.coef[0]
    lanes, scale = _scaled(data.design, data.outcome, data.weights, data.offset, penalised=False)
    inverse = evaluate(lanes, (moved * scale)[:, None]).inverse[:, :, 0]
    return moved, inverse / np.outer(scale, scale)


def solve_flac(data: Checked, hat: Floats) -> Solution:
    """Maximum likelihood on the data and, behind an indicator, the penalty's pseudo-patients.

    Each patient's own: half the leverage with the event, half without, at the patient's covariates.

    Raises:
        FirthError: it did not converge.
    """
    n = len(data.outcome)
    own = np.ones(n) if data.weights is None else data.weights
    leverage = hat[data.kept]
    design = np.vstack([data.design, data.design])
    design = np.column_stack([design, np.repeat([0.0, 1.0], n)])
    events, trials = np.r_[own * data.outcome, 0.5 * leverage], np.r_[own, leverage]
    offset = None if data.offset is None else np.r_[data.offset, data.offset]
    share = np.divide(events, trials, out=np.zeros_like(events), where=trials > 0)
    return _solve(
        design, share, trials, offset, np.ones(2 * n, dtype=bool), penalised=False, shown=data.design.shape[1]
    )


def intercept_column(design: Floats) -> int:
    """Index of the constant column.

    Raises:
        FirthError: there is none.
    """
    for j in range(design.shape[1]):
        if (design[:, j] == design[0, j]).all():
            return j
    raise FirthError("FLIC and FLAC correct the intercept: X needs an intercept column, all of one value")


def _solve(
    design: Floats,
    share: Floats,
    weights: Floats | None,
    offset: Floats | None,
    kept: Bools,
    *,
    penalised: bool,
    shown: int | None = None,
) -> Solution:
    lanes, scale = _scaled(design, share, weights, offset, penalised=penalised)
    full, several = _climb(lanes)
    hat = np.zeros(len(kept))
    hat[kept] = evaluate(lanes, full.beta).hat[:, 0]
    return Solution(lanes, full, scale, shown or lanes.k, several, hat)


def _climb(lanes: Lanes) -> tuple[Maximum, bool]:
    """The highest maximum found, and whether there was another.

    Raises:
        FirthError: no climb converged.
    """
    tolerance = TIGHT * _size(lanes)
    first = maximise(lanes, np.zeros((lanes.k, 1)), tolerance=tolerance)
    if not lanes.penalised or (first.converged[0] and evaluate(lanes, first.beta).hat.max() < SUSPECT_LEVERAGE):
        if not first.converged[0]:
            raise FirthError(f"the fit did not converge in {MAX_ITERATIONS} iterations")
        return first, False
    start = np.concatenate(other_starts(np.nan_to_num(first.beta)), axis=1)
    others = maximise(lanes.take(np.zeros(start.shape[1], dtype=np.intp)), start, tolerance=tolerance)
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
    one = slice(best, best + 1)
    highest = Maximum(
        others.beta[:, one],
        others.loglik[one],
        others.inverse[:, :, one],
        others.converged[one],
        others.exceeded[one],
        others.iterations,
    )
    return highest, several


def _scaled(
    design: Floats, share: Floats, weights: Floats | None, offset: Floats | None, *, penalised: bool
) -> tuple[Lanes, Floats]:
    """One lane, with columns near one in size, and what they were divided by.

    An LDH in U/L or a rare exposure in thousandths must not strain step or tolerance, which suit covariates near
    one. Powers of two, so that scaling and back rounds nothing.
    """
    scale = np.exp2(np.round(np.log2(np.abs(design).max(axis=0))))
    columns = np.ascontiguousarray((design / scale).T)[:, None, :]
    trials = None if weights is None else weights[None, :]
    events = share[None, :] if trials is None else share * trials
    shift = None if offset is None else offset[None, :]
    lanes = make_lanes(columns, events, trials, shift, penalised=penalised)
    return lanes, scale


def _size(lanes: Lanes) -> float:
    """Mean weight of a row, at least one: a score is a sum over patients."""
    return 1.0 if lanes.trials is None else max(1.0, float(lanes.trials.mean()))
