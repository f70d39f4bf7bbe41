"""Simulated cohorts judged one at a time, with loops, from the description of the model.

``crs_cohorts`` and ``icans_cohorts`` take the same random numbers in the same order as the
batches do, so that each cohort can be compared with what the batch made of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import integrate, special, stats

from knowledge.firth import FirthError, fit
from knowledge.synthesis.centre import CentrePosterior
from knowledge.synthesis.outcomes import draw_given_total
from knowledge.synthesis.proposal import Proposal, Proposals
from knowledge.synthesis.spec import Spec

Floats = NDArray[np.float64]

TRIES = {"crs": 4, "icans": 8, "severity": 16}


@dataclass(frozen=True)
class Accepted:
    """A cohort that meets every condition: two of its parameters, and its weight."""

    a_study: float
    slope: float  # of grade >= 2 on LDH; of ICANS on CVD
    weight: float


def crs_cohorts(
    spec: Spec,
    centre: CentrePosterior,
    tau: float,
    coding: str,
    size: int,
    rng: np.random.Generator,
    proposals: Proposals,
) -> Iterator[Accepted]:
    """The accepted among ``size`` cohorts with CRS outcomes."""
    m = rng.normal(0.10, 0.15, size)
    s = rng.uniform(0.8, 1.4, size)
    prevalence = rng.beta(14, 26, size)
    rho = rng.uniform(0.0, 0.6, size)
    standard, importance = _proposed(proposals.crs, size, rng)
    mu, t = centre.draw(size, rng)
    a_study = mu + t * standard[0]
    rng.standard_normal(size)  # the new centre, of no concern to the cohort
    scale = np.array([tau if coding == "elevated" else tau / (2 * sd) for sd in s])
    b_ldh, b_liver = scale * standard[1], tau * standard[2]
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
    ones = np.ones(spec.n)
    designs = [np.column_stack([ones, ldh[i], liver[i]]) for i in range(size)]
    any_grade = _first_stage(spec, designs, chance, 16, TRIES["crs"], rng)

    kept = list(any_grade)
    tries = TRIES["severity"]
    standard, importance2 = _proposed(proposals.severity, len(kept) * tries, rng)
    uniform = rng.random((len(kept) * tries, spec.n))
    lots = rng.random(len(kept))
    for place, i in enumerate(kept):
        y, share = any_grade[i]
        weights, slopes = [], []
        for at in range(place * tries, (place + 1) * tries):
            c = math.log(0.33 / 0.67) + 0.6 * standard[0, at]
            d = scale[i] * standard[1, at]
            risk = special.expit(c + d * (ldh[i] - middle[i]))
            worse = np.array([float(y[j] and uniform[at, j] < risk[j]) for j in range(spec.n)])
            shown = worse.sum() >= 3 and _published(np.column_stack([ones, ldh[i]]), worse, spec.lr_threshold)
            weights.append(importance2[at] * three_severe(int(worse.sum())) if shown else 0.0)
            slopes.append(d)
        if sum(weights) > 0:
            chosen = int(np.argmax(np.cumsum(weights) > lots[place] * sum(weights)))
            weight = importance[i] * _poisson_binomial(chance[i], 16) * share * sum(weights) / tries
            yield Accepted(float(a_study[i]), float(slopes[chosen]), float(weight))


def icans_cohorts(
    spec: Spec, centre: CentrePosterior, tau: float, size: int, rng: np.random.Generator, proposals: Proposals
) -> Iterator[Accepted]:
    """The accepted among ``size`` cohorts with ICANS outcomes."""
    p, q = rng.beta(8, 32, size), rng.beta(9, 21, size)
    rho = rng.uniform(0.0, 0.4, size)
    standard, importance = _proposed(proposals.icans, size, rng)
    mu, t = centre.draw(size, rng)
    a_study = mu + t * standard[0]
    rng.standard_normal(size)  # the new centre
    b_diabetes, b_cvd = tau * standard[1], tau * standard[2]
    z1, noise = rng.standard_normal((size, spec.n)), rng.standard_normal((size, spec.n))
    z2 = rho[:, None] * z1 + np.sqrt(1 - rho[:, None] ** 2) * noise
    diabetes = (z1 > special.ndtri(1 - p)[:, None]).astype(float)
    cvd = (z2 > special.ndtri(1 - q)[:, None]).astype(float)
    eta = a_study[:, None] + b_diabetes[:, None] * (diabetes - p[:, None]) + b_cvd[:, None] * (cvd - q[:, None])
    chance = special.expit(eta)
    designs = [np.column_stack([np.ones(spec.n), diabetes[i], cvd[i]]) for i in range(size)]
    for i, (_, share) in _first_stage(spec, designs, chance, 7, TRIES["icans"], rng).items():
        weight = importance[i] * _poisson_binomial(chance[i], 7) * share
        yield Accepted(float(a_study[i]), float(b_cvd[i]), float(weight))


@lru_cache
def three_severe(number: int) -> float:
    """P(three of ``number`` with grade >= 2 have grade >= 3), averaged over the prior of its logit."""
    prior = stats.norm(math.log(0.11 / 0.89), 0.8)
    found, _ = integrate.quad(lambda x: prior.pdf(x) * stats.binom.pmf(3, number, special.expit(x)), -9, 6, limit=200)
    return float(found)


def _proposed(proposal: Proposal, size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Standard normals from the mixture, each with the prior's density over the mixture's."""
    mean, sd, share = proposal.mean, proposal.sd, proposal.share
    shifted = rng.random(size) < share
    z = rng.standard_normal((len(mean), size))
    weight = np.empty(size)
    for i in range(size):
        if shifted[i]:
            z[:, i] = [mean[k] + sd[k] * z[k, i] for k in range(len(mean))]
        prior = math.prod(math.exp(-(z[k, i] ** 2) / 2) for k in range(len(mean)))
        near = math.prod(math.exp(-(((z[k, i] - mean[k]) / sd[k]) ** 2) / 2) / sd[k] for k in range(len(mean)))
        weight[i] = prior / ((1 - share) * prior + share * near)
    return z, weight


def _first_stage(
    spec: Spec, designs: list[Floats], chance: Floats, total: int, tries: int, rng: np.random.Generator
) -> dict[int, tuple[Floats, float]]:
    """By cohort the outcomes kept and the share of its tries that showed the published significances."""
    y, _ = draw_given_total(chance, total, rng, tries)
    passing = {}
    for i, design in enumerate(designs):
        found = [at for at in range(i * tries, (i + 1) * tries) if _published(design, y[at], spec.lr_threshold)]
        if found:
            passing[i] = found
    lots = rng.random(len(passing))
    return {
        i: (y[found[int(lot * len(found))]], len(found) / tries)
        for lot, (i, found) in zip(lots, passing.items(), strict=True)
    }


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
