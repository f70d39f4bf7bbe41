"""The synthesis a second time, as plainly as it can be said: simulate everything, keep what shows the facts.

Nothing is conditioned on, weighted, proposed, remembered or thinned: outcomes of every grade
are drawn freely and a cohort is thrown away unless all its counts and significances are
the published ones. The Firth regression is written anew. From the project it takes the
specification and the grid of the centre term, which has tests of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from knowledge.synthesis.centre import CentrePosterior
from knowledge.synthesis.spec import Coding, Spec

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Scoring steps, shortened so that a patient of leverage one, where a full step goes twice too far, converges too.
STEPS, LENGTH, LONGEST = 400, 0.7, 1.0


@dataclass(frozen=True)
class Kept:
    """Parameters (A,) of the cohorts that show the facts, and how many were simulated."""

    simulated: int
    columns: dict[str, Floats]

    @property
    def accepted(self) -> int:
        """How many were kept."""
        return len(self.columns["mu"])


def simulate(
    spec: Spec, centre: CentrePosterior, tau: float, coding: Coding | None, size: int, rng: np.random.Generator
) -> Kept:
    """``size`` cohorts with CRS under one coding of LDH, or with ICANS if it is None."""
    return _icans(spec, centre, tau, size, rng) if coding is None else _crs(spec, centre, tau, coding, size, rng)


def published(design: Floats, y: Floats, threshold: float) -> Bools:
    """Every predictor positive and significant, for designs (B, n, k) and outcomes (B, n)."""
    full, top = firth(design, y, None)
    shown = np.isfinite(top) & (full[:, 1:] > 0).all(axis=1)
    for j in range(1, design.shape[2]):
        rows = np.flatnonzero(shown)
        _, held = firth(design[rows], y[rows], j)
        shown[rows] = 2 * (top[rows] - held) >= threshold
    return shown


def firth(design: Floats, y: Floats, zero: int | None) -> tuple[Floats, Floats]:
    """Coefficients (B, k), ``zero`` held at zero, and penalised log likelihood (B,), NaN where singular."""
    size, _, k = design.shape
    free = [j for j in range(k) if j != zero]
    beta = np.zeros((size, k))
    full_rank = np.linalg.matrix_rank(design) == k if size else np.zeros(0, bool)
    moving = np.flatnonzero(full_rank)
    loglik = np.full(size, np.nan)
    for step in range(STEPS):
        x, b = design[moving], beta[moving]
        p = special.expit(np.einsum("bnk,bk->bn", x, b))
        w = p * (1 - p)
        information = np.einsum("bni,bn,bnj->bij", x, w, x)
        hat = w * np.einsum("bni,bij,bnj->bn", x, np.linalg.inv(information), x)
        score = np.einsum("bn,bnk->bk", y[moving] - p + hat * (0.5 - p), x)[:, free]
        done = np.abs(score).max(axis=1, initial=0.0) < 1e-7
        likelihood = (special.xlogy(y[moving], p) + special.xlogy(1 - y[moving], 1 - p)).sum(axis=1)
        loglik[moving[done]] = (likelihood + 0.5 * np.linalg.slogdet(information)[1])[done]
        if done.all():
            break
        moving, information, score = moving[~done], information[~done], score[~done]
        change = np.linalg.solve(information[:, free][:, :, free], score[:, :, None])[:, :, 0]
        change *= np.minimum(1, LONGEST / np.abs(change).max(axis=1, keepdims=True))
        # In sparse data the last digits may swing: shorter steps settle them.
        shorter = LENGTH if step < STEPS // 2 else LENGTH / 4
        beta[moving[:, None], free] += shorter * change
    return beta, loglik


def _crs(spec: Spec, centre: CentrePosterior, tau: float, coding: Coding, size: int, rng: np.random.Generator) -> Kept:
    m, s = rng.normal(*spec.ldh_mean, size), rng.uniform(*spec.ldh_sd, size)
    prevalence, rho = rng.beta(*spec.liver_prevalence, size), rng.uniform(*spec.ldh_liver_correlation, size)
    mu, t = centre.draw(size, rng)
    a_study, a_new = mu + t * rng.normal(size=size), mu + t * rng.normal(size=size)
    slope_sd = np.full(size, tau) if coding == "elevated" else tau / (2 * s)
    b_ldh, d_ldh = slope_sd * rng.normal(size=size), slope_sd * rng.normal(size=size)
    b_liver = tau * rng.normal(size=size)
    c = special.logit(spec.grade2_given_any[0]) + spec.grade2_given_any[1] * rng.normal(size=size)
    g = special.logit(spec.grade3_given_grade2[0]) + spec.grade3_given_grade2[1] * rng.normal(size=size)

    z1, z2 = _latent(size, spec.n, rho, rng)
    log2_ratio = m[:, None] + s[:, None] * z1
    ldh = np.where(log2_ratio > 0, 1.0, 0.0) if coding == "elevated" else log2_ratio
    middle = special.ndtr(m / s) if coding == "elevated" else m
    liver = np.where(z2 > special.ndtri(1 - prevalence)[:, None], 1.0, 0.0)
    x = ldh - middle[:, None]
    any_grade = _happens(a_study[:, None] + b_ldh[:, None] * x + b_liver[:, None] * (liver - prevalence[:, None]), rng)
    grade2 = any_grade * _happens(c[:, None] + d_ldh[:, None] * x, rng)
    grade3 = grade2 * _happens(np.broadcast_to(g[:, None], x.shape), rng)

    rows = np.flatnonzero(
        (any_grade.sum(axis=1) == spec.crs_any)
        & (grade2.sum(axis=1) >= spec.crs_grade2_least)
        & (grade3.sum(axis=1) == spec.crs_grade3)
    )
    one = np.ones((len(rows), spec.n))
    rows = rows[published(np.stack([one, ldh[rows]], axis=2), grade2[rows], spec.lr_threshold)]
    one = np.ones((len(rows), spec.n))
    rows = rows[published(np.stack([one, ldh[rows], liver[rows]], axis=2), any_grade[rows], spec.lr_threshold)]
    columns = {
        "ldh_mean": m, "ldh_sd": s, "liver_prevalence": prevalence, "ldh_liver_correlation": rho, "mu": mu, "t": t,
        "a_study": a_study, "a_new": a_new, "b_ldh": b_ldh, "b_liver": b_liver, "c_grade2": c, "d_ldh": d_ldh,
        "logit_grade3": g,
    }  # fmt: skip
    return Kept(size, {name: column[rows] for name, column in columns.items()})


def _icans(spec: Spec, centre: CentrePosterior, tau: float, size: int, rng: np.random.Generator) -> Kept:
    p, q = rng.beta(*spec.diabetes_prevalence, size), rng.beta(*spec.cvd_prevalence, size)
    rho = rng.uniform(*spec.diabetes_cvd_correlation, size)
    mu, t = centre.draw(size, rng)
    a_study, a_new = mu + t * rng.normal(size=size), mu + t * rng.normal(size=size)
    b_diabetes, b_cvd = tau * rng.normal(size=size), tau * rng.normal(size=size)
    z1, z2 = _latent(size, spec.n, rho, rng)
    diabetes = np.where(z1 > special.ndtri(1 - p)[:, None], 1.0, 0.0)
    cvd = np.where(z2 > special.ndtri(1 - q)[:, None], 1.0, 0.0)
    eta = a_study[:, None] + b_diabetes[:, None] * (diabetes - p[:, None]) + b_cvd[:, None] * (cvd - q[:, None])
    icans = _happens(eta, rng)
    rows = np.flatnonzero(icans.sum(axis=1) == spec.icans_any)
    one = np.ones((len(rows), spec.n))
    rows = rows[published(np.stack([one, diabetes[rows], cvd[rows]], axis=2), icans[rows], spec.lr_threshold)]
    columns = {
        "diabetes_prevalence": p, "cvd_prevalence": q, "diabetes_cvd_correlation": rho, "mu": mu, "t": t,
        "a_study": a_study, "a_new": a_new, "b_diabetes": b_diabetes, "b_cvd": b_cvd,
    }  # fmt: skip
    return Kept(size, {name: column[rows] for name, column in columns.items()})


def _latent(size: int, n: int, rho: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    first, noise = rng.normal(size=(size, n)), rng.normal(size=(size, n))
    return first, rho[:, None] * first + np.sqrt(1 - rho[:, None] ** 2) * noise


def _happens(eta: Floats, rng: np.random.Generator) -> Floats:
    return np.where(rng.random(eta.shape) < special.expit(eta), 1.0, 0.0)
