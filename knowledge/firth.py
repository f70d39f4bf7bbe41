"""Firth's penalised-likelihood logistic regression, with FLIC and FLAC for probabilities.

The penalised log likelihood is ``l*(b) = l(b) + log det(X'WX) / 2`` (Jeffreys
prior; Firth, Biometrika 1993; Heinze and Schemper, Stat Med 2002). A
coefficient is tested by the penalised likelihood ratio: the fit that holds it
at zero keeps the penalty of the *full* design, as R's logistf does.

Firth's estimates of odds ratios are good; its predicted probabilities are not,
for the penalty draws their mean towards one half. FLIC refits the intercept
alone so that the mean prediction is the observed rate; FLAC adds the
penalty's pseudo-patients to the data and lets an indicator take up what they
add to the rate (Puhr et al., Stat Med 2017). Predict with one of these.

Penalised likelihoods of few patients can have several maxima, the likelihood
itself (two patients alone with a finding, one of whom has the event; few
events and a covariate with a long tail) as well as its profiles. ``fit`` climbs
from many starts, takes the highest maximum and says where there was more than one.

Everything but the search for separation is numpy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from knowledge.logistic import expit_of_any
from knowledge.normal import quantile
from knowledge.penalised.batch import BatchFit, BatchProfile, fit_many, profile_many, tail_probability
from knowledge.penalised.checks import Checked, FirthError, checked, checked_rows
from knowledge.penalised.grouped import fit_grouped
from knowledge.penalised.separation import is_separated
from knowledge.penalised.solution import Solution, find_intercept, solve, solve_flac, solve_flic

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Method = Literal["firth", "flic", "flac"]

__all__ = [
    "BatchFit",
    "BatchProfile",
    "FirthError",
    "FirthFit",
    "Method",
    "fit",
    "fit_grouped",
    "fit_many",
    "profile_many",
]


@dataclass(frozen=True, eq=False)
class FirthFit:
    """One regression; ``k`` coefficients in the order of X's columns.

    ``coef`` (k,); ``cov`` (k, k), the inverse of X'WX at ``coef`` (of FLAC: of its augmented data); ``loglik``,
    penalised (of FLIC: that of the Firth fit; of FLAC: the log likelihood of its augmented data); ``hat`` (n,)
    leverages of the Firth fit; ``several_maxima``, whether the climb from other starts ended elsewhere, in which
    case this is the highest. ``converged`` is always True: what did not converge is an error instead.

    What takes longer is worked out when first asked for: ``pvalues``, ``ci``, ``separation``.
    """

    method: Method
    alpha: float
    coef: Floats
    cov: Floats
    loglik: float
    hat: Floats
    iterations: int
    several_maxima: bool
    converged: bool
    _data: Checked = field(repr=False)
    _solution: Solution = field(repr=False)
    _wald: int | None = field(repr=False)  # the column whose inference is Wald's: FLIC's intercept

    @cached_property
    def lr(self) -> Floats:
        """Likelihood ratio of each coefficient against zero (k,); of FLIC's intercept Wald's chi-square."""
        ratio = self._ratios[0].copy()
        if self._wald is not None:
            ratio[self._wald] = self.coef[self._wald] ** 2 / self.cov[self._wald, self._wald]
        return ratio

    @cached_property
    def several_maxima_at_tests(self) -> Bools:
        """Where the fit that holds a coefficient at zero has several maxima (k,); the p value is of the highest."""
        several = self._ratios[1].copy()
        if self._wald is not None:
            several[self._wald] = False
        return several

    @cached_property
    def pvalues(self) -> Floats:
        """P value of each coefficient (k,), from ``lr``.

        Raises:
            FirthError: a fit with a coefficient held at zero did not converge, or is higher than the full fit.
        """
        return tail_probability(self.lr)

    @cached_property
    def ci(self) -> Floats:
        """Limits of each coefficient at level 1 - alpha (k, 2), by profile likelihood; of FLIC's intercept Wald's.

        Raises:
            FirthError: a limit was not found.
        """
        limits = self._limits[0].copy()
        if self._wald is not None:
            reach = self._z * np.sqrt(self.cov[self._wald, self._wald])
            limits[self._wald] = self.coef[self._wald] + np.array([-reach, reach])
        return limits

    @cached_property
    def several_maxima_at_limits(self) -> Bools:
        """Where the profile has more than one maximum at the limit (k, 2); the limit is then that of the highest."""
        several = self._limits[1].copy()
        if self._wald is not None:
            several[self._wald] = False
        return several

    @cached_property
    def separation(self) -> bool:
        """Whether a linear combination of X parts events from non-events, completely or but for ties."""
        return is_separated(self._data.design / np.abs(self._data.design).max(axis=0), self._data.outcome)

    def predict(self, X: ArrayLike, offset: ArrayLike | None = None) -> Floats:
        """Probability of the outcome for each row of X (m, k), with ``offset`` (m,) on the link scale.

        Raises:
            FirthError: wrong shape or not finite.
        """
        return expit_of_any(self._link(X, offset)[0])

    def predict_interval(self, X: ArrayLike, offset: ArrayLike | None = None) -> Floats:
        """Wald limits (m, 2) of the probabilities at level 1 - alpha, formed on the link scale.

        Raises:
            FirthError: as ``predict``.
        """
        link, rows = self._link(X, offset)
        reach = self._z * np.sqrt(np.einsum("ij,jk,ik->i", rows, self.cov, rows))
        return expit_of_any(np.column_stack([link - reach, link + reach]))

    @cached_property
    def _ratios(self) -> tuple[Floats, Bools]:
        return self._solution.ratios()

    @cached_property
    def _limits(self) -> tuple[Floats, Bools]:
        return self._solution.limits(0.5 * self._z**2, skip=self._wald)

    @cached_property
    def _z(self) -> float:
        return float(quantile(1.0 - self.alpha / 2.0))

    def _link(self, X: ArrayLike, offset: ArrayLike | None) -> tuple[Floats, Floats]:
        rows, shift = checked_rows(X, offset, len(self.coef))
        return rows @ self.coef + shift, rows


def fit(
    X: ArrayLike,
    y: ArrayLike,
    *,
    method: Method = "firth",
    alpha: float = 0.05,
    weights: ArrayLike | None = None,
    offset: ArrayLike | None = None,
) -> FirthFit:
    """Logistic regression of one data set by penalised likelihood.

    Args:
        X: design (n, k) with its own intercept column.
        y: outcomes (n,), 0 or 1, both of which occur.
        method: "firth"; "flic" or "flac" where probabilities are predicted (both need an intercept column).
        alpha: one minus the level of ``ci`` and ``predict_interval``.
        weights: how many patients each row stands for (n,), zero or more, not necessarily whole; one each if None.
        offset: known part of each row's log odds (n,).

    Raises:
        FirthError: wrong shape, not finite, y not 0/1 or constant, X not of full column rank,
            a weight below zero, no intercept column where one is needed, or a fit that did not converge.

    Sources: Firth, Biometrika 1993;80:27-38. Heinze and Schemper, Stat Med 2002;21:2409-2419.
    Puhr, Heinze, Nold, Lusa and Geroldinger, Stat Med 2017;36:2302-2317.
    """
    data = checked(X, y, method, alpha, weights, offset)
    plain = solve(data)
    solution, wald = plain, None
    coef, cov = plain.coef, plain.cov
    if method != "firth":
        intercept = find_intercept(data.design)
        if intercept is None:
            raise FirthError("FLIC and FLAC correct the intercept: X needs an intercept column, all of one value")
        if method == "flic":
            wald = intercept
            coef, cov = solve_flic(data, plain.coef, intercept)
        else:
            solution = solve_flac(data, plain.hat)
            k = solution.shown
            coef, cov = solution.coef[:k], solution.cov[:k, :k]
    return FirthFit(
        method=method,
        alpha=alpha,
        coef=coef,
        cov=cov,
        loglik=solution.loglik,
        hat=plain.hat,
        iterations=solution.iterations,
        several_maxima=plain.several,
        converged=True,
        _data=data,
        _solution=solution,
        _wald=wald,
    )
