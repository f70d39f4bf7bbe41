"""Simulated cohorts judged one at a time, with loops, from the description of the model.

``crs_cohorts`` and ``icans_cohorts`` take the same random numbers in the same order as the
batches do, so that each cohort can be compared with what the batch made of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from knowledge.firth import FirthError, fit
from knowledge.synthesis.centre import CentrePosterior
from knowledge.synthesis.outcomes import draw_given_total
from knowledge.synthesis.spec import Spec

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Accepted:
    """A cohort that meets every condition, by its place in the batch, with its weight."""

    index: int
    a_study: float
    weight: float


def crs_cohorts(
    spec: Spec, centre: CentrePosterior, tau: float, coding: str, size: int, rng: np.random.Generator
) -> Iterator[Accepted]:
    """The accepted among ``size`` cohorts with CRS outcomes."""
    m = rng.normal(0.10, 0.15, size)
    s = rng.uniform(0.8, 1.4, size)
    prevalence = rng.beta(14, 26, size)
    rho = rng.uniform(0.0, 0.6, size)
    mu, t = centre.draw(size, rng)
    a_study = mu + t * rng.standard_normal(size)
    rng.standard_normal(size)  # the new centre, of no concern to the cohort
    scale = np.array([tau if coding == "elevated" else tau / (2 * sd) for sd in s])
    b_ldh = scale * rng.standard_normal(size)
    b_liver = tau * rng.standard_normal(size)
    c = rng.normal(math.log(0.33 / 0.67), 0.6, size)
    d = scale * rng.standard_normal(size)
    logit3 = rng.normal(math.log(0.11 / 0.89), 0.8, size)
    z1 = rng.standard_normal((size, spec.n))
    noise = rng.standard_normal((size, spec.n))

    ldh, liver, chance = np.empty((size, spec.n)), np.empty((size, spec.n)), np.empty((size, spec.n))
    middle = np.empty(size)
    for i in range(size):
        middle[i] = stats.norm.cdf(m[i] / s[i]) if coding == "elevated" else m[i]
        threshold = special.ndtri(1 - prevalence[i])
        for j in range(spec.n):
            log2_ratio = m[i] + s[i] * z1[i, j]
            ldh[i, j] = float(log2_ratio > 0) if coding == "elevated" else log2_ratio
            z2 = rho[i] * z1[i, j] + math.sqrt(1 - rho[i] ** 2) * noise[i, j]
            liver[i, j] = float(z2 > threshold)
            eta = a_study[i] + b_ldh[i] * (ldh[i, j] - middle[i]) + b_liver[i] * (liver[i, j] - prevalence[i])
            chance[i, j] = special.expit(eta)
    any_grade, _ = draw_given_total(chance, 16, rng)
    uniform = rng.random((size, spec.n))

    for i in range(size):
        ones = np.ones(spec.n)
        if not _published(np.column_stack([ones, ldh[i], liver[i]]), any_grade[i], spec.lr_threshold):
            continue
        worse = [
            float(any_grade[i, j] and uniform[i, j] < special.expit(c[i] + d[i] * (ldh[i, j] - middle[i])))
            for j in range(spec.n)
        ]
        if sum(worse) < 3 or not _published(np.column_stack([ones, ldh[i]]), np.array(worse), spec.lr_threshold):
            continue
        third = stats.binom.pmf(3, int(sum(worse)), special.expit(logit3[i]))
        yield Accepted(i, float(a_study[i]), float(_poisson_binomial(chance[i], 16) * third))


def icans_cohorts(
    spec: Spec, centre: CentrePosterior, tau: float, size: int, rng: np.random.Generator
) -> Iterator[Accepted]:
    """The accepted among ``size`` cohorts with ICANS outcomes."""
    p, q = rng.beta(8, 32, size), rng.beta(9, 21, size)
    rho = rng.uniform(0.0, 0.4, size)
    mu, t = centre.draw(size, rng)
    a_study = mu + t * rng.standard_normal(size)
    rng.standard_normal(size)  # the new centre
    b_diabetes, b_cvd = tau * rng.standard_normal(size), tau * rng.standard_normal(size)
    z1, noise = rng.standard_normal((size, spec.n)), rng.standard_normal((size, spec.n))
    z2 = rho[:, None] * z1 + np.sqrt(1 - rho[:, None] ** 2) * noise
    diabetes = (z1 > special.ndtri(1 - p)[:, None]).astype(float)
    cvd = (z2 > special.ndtri(1 - q)[:, None]).astype(float)
    eta = a_study[:, None] + b_diabetes[:, None] * (diabetes - p[:, None]) + b_cvd[:, None] * (cvd - q[:, None])
    chance = special.expit(eta)
    icans, _ = draw_given_total(chance, 7, rng)
    for i in range(size):
        if _published(np.column_stack([np.ones(spec.n), diabetes[i], cvd[i]]), icans[i], spec.lr_threshold):
            yield Accepted(i, float(a_study[i]), float(_poisson_binomial(chance[i], 7)))


def _published(design: Floats, y: Floats, threshold: float) -> bool:
    """Every predictor positive and significant in the cohort's own Firth regression."""
    try:
        found = fit(design, y)
    except FirthError:  # a constant or collinear column
        return False
    return bool((found.coef[1:] > 0).all() and (found.lr[1:] >= threshold).all())


def _poisson_binomial(chance: Floats, total: int) -> float:
    """P(sum = total) by convolving one patient after the other."""
    distribution = np.array([1.0])
    for p in chance:
        distribution = np.convolve(distribution, [1 - p, p])
    return float(distribution[total])
