"""Firth's penalised-likelihood logistic regression, one data set or many at once.

The penalised log likelihood is ``l*(b) = l(b) + log det(X'WX) / 2`` (Jeffreys
prior; Firth, Biometrika 1993; Heinze and Schemper, Stat Med 2002). A
coefficient is tested by the penalised likelihood ratio: the fit that holds it
at zero keeps the penalty of the *full* design, as R's logistf does.

Data sets may be grouped: a row then stands for ``trials`` patients with the
same covariates. Everything here is numpy; nothing depends on BLAS threading,
so the same data give the same bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# A lone extreme value slows scoring to a few per cent a step; an ordinary fit takes about twenty.
MAX_ITERATIONS = 1_000
# Largest change of one coefficient in one step; Newton overshoots on separated data.
MAX_STEP = 5.0
# Largest score left at convergence. The log likelihood is then right to about its square.
TIGHT, LOOSE = 1e-11, 1e-6
MAX_HALVINGS = 30
# A step is also halved where the slope along it turns round to more than this share of what it was.
# A patient who alone has a finding has leverage one; scoring then steps exactly twice too far, and
# without this rule would swing about the optimum for ever at equal log likelihoods.
MAX_OVERSHOOT = 0.75


class FirthError(ValueError):
    """The data cannot be fitted; the message says which demand they miss."""


@dataclass(frozen=True)
class FirthFit:
    """One Firth regression; ``k`` coefficients in the order of X's columns.

    ``coef`` (k,), ``cov`` (k, k) the inverse of X'WX, ``loglik`` penalised,
    ``pvalues`` (k,) and ``lr`` (k,) of the penalised likelihood ratio tests,
    ``hat`` (n,) leverages.
    """

    coef: Floats
    cov: Floats
    loglik: float
    lr: Floats
    pvalues: Floats
    hat: Floats
    iterations: int
    converged: bool

    def predict(self, X: ArrayLike) -> Floats:
        """Probability of the outcome for each row of X (m, k)."""
        return _expit(np.asarray(X, dtype=float) @ self.coef)


@dataclass(frozen=True)
class BatchFit:
    """Many Firth regressions: ``coef`` (B, k), ``loglik`` (B,) penalised.

    ``converged`` (B,) is False where the information is singular, the iterations
    ran out, or the fit was stopped because ``stop_above`` was passed; the last
    case alone is marked in ``exceeded`` (B,).
    """

    coef: Floats
    loglik: Floats
    converged: Bools
    exceeded: Bools
    iterations: int


def fit(X: ArrayLike, y: ArrayLike) -> FirthFit:
    """Firth logistic regression of one data set.

    Args:
        X: design (n, k) with its own intercept column.
        y: outcomes (n,), 0 or 1.

    Raises:
        FirthError: wrong shape, not finite, y not 0/1, X not of full column rank,
            or a fit that did not converge.
    """
    design, outcome = _checked(X, y)
    k = design.shape[1]
    # An LDH in U/L or a rare exposure in thousandths must not strain step or tolerance, which
    # suit covariates near one. Powers of two, so that scaling and back rounds nothing.
    scale = np.exp2(np.round(np.log2(np.abs(design).max(axis=0))))
    design = design / scale
    columns = np.ascontiguousarray(design.T)[:, None, :]
    responses = outcome[None, :]
    full = fit_many(columns, responses, tolerance=TIGHT)
    if not full.converged[0]:
        raise FirthError(f"the fit did not converge in {MAX_ITERATIONS} iterations")
    lr = np.empty(k)
    for j in range(k):
        held = fit_many(columns, responses, hold=j, start=full.coef, tolerance=TIGHT)
        if not held.converged[0]:
            raise FirthError(f"the fit with coefficient {j} held at zero did not converge")
        lr[j] = max(0.0, 2.0 * (full.loglik[0] - held.loglik[0]))
    p = _expit(design @ full.coef[0])
    weight = p * (1.0 - p)
    cov: Floats = np.asarray(np.linalg.inv(design.T @ (weight[:, None] * design)), dtype=np.float64)
    hat = weight * np.einsum("ij,jk,ik->i", design, cov, design)
    pvalues = np.array([math.erfc(math.sqrt(statistic / 2.0)) for statistic in lr])
    # The penalty, half the log determinant, is that of the columns as given.
    loglik = float(full.loglik[0] + np.log(scale).sum())
    coef, cov = full.coef[0] / scale, cov / np.outer(scale, scale)
    return FirthFit(coef, cov, loglik, lr, pvalues, hat, full.iterations, converged=True)


def fit_many(
    columns: Floats,
    y: Floats,
    trials: Floats | None = None,
    *,
    hold: int | None = None,
    start: Floats | None = None,
    stop_above: Floats | None = None,
    tolerance: float = LOOSE,
) -> BatchFit:
    """Firth regressions of B data sets of equal size at once.

    Args:
        columns: covariates (k, B, n), the intercept among them.
        y: events (B, n): 0 or 1, or counts up to ``trials``.
        trials: patients behind each row (B, n); None means one each. Zero is allowed.
        hold: index of a coefficient held at zero; the penalty stays that of the full design.
        start: starting coefficients (B, k).
        stop_above: (B,) a data set is given up as soon as its log likelihood is above this.
            Steps never lower the log likelihood, so the optimum is above it too.
        tolerance: largest absolute score at convergence.
    """
    k, size, _ = columns.shape
    free = [j for j in range(k) if j != hold]
    beta = np.zeros((size, k)) if start is None else start.copy()
    if hold is not None:
        beta[:, hold] = 0.0
    result = BatchFit(np.full((size, k), np.nan), np.full(size, -np.inf), np.zeros(size, bool), np.zeros(size, bool), 0)
    rows = np.arange(size)
    work = _Data(columns, y, np.ones_like(y) if trials is None else trials)
    current = _evaluate(work, beta)
    alive = np.isfinite(current.loglik)
    iterations = 0
    while True:
        # Retire the singular, the converged and those beyond the stopping bound.
        done = alive & (np.abs(current.score[:, free]).max(axis=1, initial=0.0) <= tolerance)
        over = (
            alive & ~done & (current.loglik > stop_above[rows]) if stop_above is not None else np.zeros(len(rows), bool)
        )
        retired = done | over
        result.coef[rows[retired]] = beta[retired]
        result.loglik[rows[retired]] = current.loglik[retired]
        result.converged[rows[done]] = True
        result.exceeded[rows[over]] = True
        keep = alive & ~retired
        if not keep.any() or iterations == MAX_ITERATIONS:
            break
        if not keep.all():
            rows, beta, work, current = rows[keep], beta[keep], work.take(keep), current.take(keep)
        iterations += 1
        beta, current, alive = _ascend(work, beta, current, free)
    return BatchFit(result.coef, result.loglik, result.converged, result.exceeded, iterations)


@dataclass(frozen=True)
class _Data:
    columns: Floats
    y: Floats
    trials: Floats

    def take(self, keep: Bools) -> _Data:
        return _Data(self.columns[:, keep], self.y[keep], self.trials[keep])


@dataclass(frozen=True)
class _Point:
    """Log likelihood (B,), score (B, k) and information (B, k, k) at some coefficients."""

    loglik: Floats
    score: Floats
    information: Floats

    def take(self, keep: Bools) -> _Point:
        return _Point(self.loglik[keep], self.score[keep], self.information[keep])


def _evaluate(data: _Data, beta: Floats) -> _Point:
    k = len(data.columns)
    eta = data.columns[0] * beta[:, :1]
    for j in range(1, k):
        eta += data.columns[j] * beta[:, j : j + 1]
    small = np.exp(-np.abs(eta))
    p = np.where(eta >= 0, 1.0, small) / (1.0 + small)
    weight = data.trials * small / (1.0 + small) ** 2
    information = np.empty((len(beta), k, k))
    for i in range(k):
        weighted = weight * data.columns[i]
        for j in range(i + 1):
            information[:, i, j] = information[:, j, i] = np.einsum("bn,bn->b", weighted, data.columns[j])
    inverse, logdet = _inverse_logdet(information)
    hat = np.zeros_like(eta)
    for i in range(k):
        for j in range(i + 1):
            term = data.columns[i] * data.columns[j] * inverse[:, i, j, None]
            hat += term if i == j else 2.0 * term
    hat *= weight
    residual = data.y - data.trials * p + hat * (0.5 - p)
    score = np.stack([np.einsum("bn,bn->b", residual, data.columns[j]) for j in range(k)], axis=1)
    log_partition = np.maximum(eta, 0.0) + np.log1p(small)
    loglik = np.einsum("bn,bn->b", data.y, eta) - np.einsum("bn,bn->b", data.trials, log_partition) + 0.5 * logdet
    return _Point(np.where(np.isfinite(loglik), loglik, -np.inf), score, information)


def _ascend(data: _Data, beta: Floats, current: _Point, free: list[int]) -> tuple[Floats, _Point, Bools]:
    """One scoring step, halved where the log likelihood would fall or the step overshoots."""
    step = np.zeros_like(beta)
    if free:
        inner = current.information[:, free][:, :, free]
        inverse, _ = _inverse_logdet(inner)
        step[:, free] = np.einsum("bij,bj->bi", inverse, current.score[:, free])
    largest = np.abs(step).max(axis=1)
    step *= np.minimum(1.0, MAX_STEP / np.maximum(largest, MAX_STEP))[:, None]
    tried = beta + step
    point = _evaluate(data, tried)
    slack = 1e-12 * (1.0 + np.abs(current.loglik))
    for _ in range(MAX_HALVINGS):
        slope, turned = (np.einsum("bj,bj->b", step, at.score) for at in (current, point))
        worse = ~((point.loglik >= current.loglik - slack) & (turned >= -MAX_OVERSHOOT * slope))
        if not worse.any():
            return tried, point, np.ones(len(beta), bool)
        step[worse] *= 0.5
        tried[worse] = beta[worse] + step[worse]
        again = _evaluate(data.take(worse), tried[worse])
        point.loglik[worse], point.score[worse], point.information[worse] = again.loglik, again.score, again.information
    return tried, point, point.loglik >= current.loglik - slack


def _inverse_logdet(information: Floats) -> tuple[Floats, Floats]:
    """Inverse (B, k, k) and log determinant (B,) of symmetric matrices; NaN and -inf where singular."""
    k = information.shape[1]
    # A pivot this small beside the diagonal is rounding, not information.
    diagonal = np.prod(np.einsum("bii->bi", information), axis=1)
    inverse = np.full_like(information, np.nan)
    if k == 1:
        det = information[:, 0, 0]
        adjugate = np.ones_like(information)
    elif k == 2:
        a, b, d = information[:, 0, 0], information[:, 0, 1], information[:, 1, 1]
        det = a * d - b * b
        adjugate = np.stack([np.stack([d, -b], 1), np.stack([-b, a], 1)], 1)
    elif k == 3:
        a, b, c = information[:, 0, 0], information[:, 0, 1], information[:, 0, 2]
        d, e, f = information[:, 1, 1], information[:, 1, 2], information[:, 2, 2]
        m00, m01, m02 = d * f - e * e, c * e - b * f, b * e - c * d
        det = a * m00 + b * m01 + c * m02
        m11, m12, m22 = a * f - c * c, b * c - a * e, a * d - b * b
        adjugate = np.stack(
            [np.stack([m00, m01, m02], 1), np.stack([m01, m11, m12], 1), np.stack([m02, m12, m22], 1)], 1
        )
    else:
        sign, logabs = np.linalg.slogdet(information)
        det = sign * np.exp(logabs)
        adjugate = np.full_like(information, np.nan)
    regular = (det > 1e-13 * diagonal) & (diagonal > 0) & np.isfinite(det)
    if k <= 3:
        inverse[regular] = adjugate[regular] / det[regular, None, None]
    elif regular.any():
        inverse[regular] = np.linalg.inv(information[regular])
    logdet = np.full(len(information), -np.inf)
    logdet[regular] = np.log(det[regular])
    return inverse, logdet


def _checked(X: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    design, outcome = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
    if design.ndim != 2 or not design.size or outcome.shape != design.shape[:1]:
        raise FirthError(f"X must be (n, k) and y (n,), neither empty; got {design.shape} and {outcome.shape}")
    if not (np.isfinite(design).all() and np.isfinite(outcome).all()):
        raise FirthError("X and y must be finite")
    if not np.isin(outcome, (0.0, 1.0)).all():
        raise FirthError("y must hold only 0 and 1")
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise FirthError("X is not of full column rank: a column is constant twice or a sum of others")
    return design, outcome


def _expit(eta: Floats) -> Floats:
    small = np.exp(-np.abs(eta))
    result: Floats = np.where(eta >= 0, 1.0, small) / (1.0 + small)
    return result
