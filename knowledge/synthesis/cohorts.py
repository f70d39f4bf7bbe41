"""Simulated cohorts of 30 and the conditions they must meet, a batch at a time.

Each function returns the parameter columns of the cohorts that met every
condition, with their weights, and how many were left after each condition.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from knowledge.normal import cdf, quantile
from knowledge.penalised.grouped import group_binary
from knowledge.synthesis.centre import CentrePosterior
from knowledge.synthesis.outcomes import draw_given_total
from knowledge.synthesis.significance import all_positive_and_significant
from knowledge.synthesis.spec import Coding, Spec

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

CRS_COLUMNS = (
    "ldh_mean", "ldh_sd", "liver_prevalence", "ldh_liver_correlation", "mu", "t", "a_study", "a_new",
    "b_ldh", "b_liver", "c_grade2", "d_ldh", "logit_grade3",
)  # fmt: skip
ICANS_COLUMNS = (
    "diabetes_prevalence", "cvd_prevalence", "diabetes_cvd_correlation", "mu", "t", "a_study", "a_new",
    "b_diabetes", "b_cvd",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class CrsPatients:
    """Patients of accepted cohorts, each (A, n): ``ldh`` as it enters (elevated 0/1, or log2 ratio), the rest 0/1."""

    ldh: Floats
    liver: Floats
    any_grade: Floats
    grade2: Floats


@dataclass(frozen=True, eq=False)
class IcansPatients:
    """Patients of accepted cohorts, each (A, n) of 0/1."""

    diabetes: Floats
    cvd: Floats
    icans: Floats


@dataclass(frozen=True)
class Batch:
    """Accepted cohorts: ``columns`` name to (A,), ``weight`` (A,); ``passed`` counts by condition in order.

    ``patients`` stands in the order of the weights, and only where asked for.
    """

    simulated: int
    columns: dict[str, Floats]
    weight: Floats
    passed: dict[str, int]
    patients: CrsPatients | IcansPatients | None = None


def _logit(p: float) -> float:
    return float(np.log(p / (1.0 - p)))


def _expit(eta: Floats) -> Floats:
    result: Floats = 1.0 / (1.0 + np.exp(-eta))
    return result


def _correlated(size: int, n: int, correlation: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Two latent normals (B, n) with the given correlation (B,)."""
    first = rng.standard_normal((size, n))
    rho = correlation[:, None]
    return first, rho * first + np.sqrt(1.0 - rho * rho) * rng.standard_normal((size, n))


def _centre(centre: CentrePosterior, size: int, rng: np.random.Generator) -> dict[str, Floats]:
    mu, t = centre.draw(size, rng)
    a_study = mu + t * rng.standard_normal(size)
    a_new = mu + t * rng.standard_normal(size)
    return {"mu": mu, "t": t, "a_study": a_study, "a_new": a_new}


def crs_batch(
    spec: Spec,
    centre: CentrePosterior,
    tau: float,
    coding: Coding,
    size: int,
    rng: np.random.Generator,
    *,
    keep_data: bool = False,
) -> Batch:
    """``size`` cohorts with CRS outcomes under one tau and one coding of LDH; ``keep_data`` keeps their patients."""
    n = spec.n
    mean = rng.normal(*spec.ldh_mean, size)
    sd = rng.uniform(*spec.ldh_sd, size)
    prevalence = rng.beta(*spec.liver_prevalence, size)
    correlation = rng.uniform(*spec.ldh_liver_correlation, size)
    # tau is the scale of a 2-sd difference; the elevated coding is one unit wide as it stands.
    slope_scale = np.full(size, tau) if coding == "elevated" else tau / (2.0 * sd)
    columns = {
        "ldh_mean": mean,
        "ldh_sd": sd,
        "liver_prevalence": prevalence,
        "ldh_liver_correlation": correlation,
        **_centre(centre, size, rng),
        "b_ldh": slope_scale * rng.standard_normal(size),
        "b_liver": tau * rng.standard_normal(size),
        "c_grade2": rng.normal(_logit(spec.grade2_given_any[0]), spec.grade2_given_any[1], size),
        "d_ldh": slope_scale * rng.standard_normal(size),
        "logit_grade3": rng.normal(_logit(spec.grade3_given_grade2[0]), spec.grade3_given_grade2[1], size),
    }
    z1, z2 = _correlated(size, n, correlation, rng)
    log2_ratio = mean[:, None] + sd[:, None] * z1
    ldh = (log2_ratio > 0).astype(float) if coding == "elevated" else log2_ratio
    ldh_centre = cdf(mean / sd) if coding == "elevated" else mean
    liver = z2 > quantile(1.0 - prevalence)[:, None]
    ldh_centred = ldh - ldh_centre[:, None]
    eta = columns["a_study"][:, None] + columns["b_ldh"][:, None] * ldh_centred
    eta += columns["b_liver"][:, None] * (liver - prevalence[:, None])
    any_grade, weight = draw_given_total(_expit(eta), spec.crs_any, rng)
    uniform = rng.random((size, n))

    if coding == "elevated":
        design, events, trials = group_binary((ldh > 0.5, liver), any_grade)
        passed = all_positive_and_significant(design, events, trials, spec.lr_threshold)
    else:
        design = np.stack([np.ones((size, n)), ldh, liver.astype(float)])
        passed = all_positive_and_significant(design, any_grade, None, spec.lr_threshold)
    counts = {"crs_any": int(passed.sum())}

    rows = np.flatnonzero(passed)
    eta2 = columns["c_grade2"][rows, None] + columns["d_ldh"][rows, None] * ldh_centred[rows]
    grade2 = any_grade[rows] * (uniform[rows] < _expit(eta2))
    severe_enough = grade2.sum(axis=1) >= spec.crs_grade2_least
    rows, grade2 = rows[severe_enough], grade2[severe_enough]
    counts["crs_grade2_count"] = len(rows)
    if coding == "elevated":
        design, events, trials = group_binary((ldh[rows] > 0.5,), grade2)
        passed = all_positive_and_significant(design, events, trials, spec.lr_threshold)
    else:
        design = np.stack([np.ones((len(rows), n)), ldh[rows]])
        passed = all_positive_and_significant(design, grade2, None, spec.lr_threshold)
    rows, grade2 = rows[passed], grade2[passed]
    counts["crs_grade2"] = len(rows)

    k2 = grade2.sum(axis=1)
    third = _expit(columns["logit_grade3"][rows])
    final = weight[rows] * _binomial_pmf(spec.crs_grade3, k2, third)
    patients = CrsPatients(ldh[rows], liver[rows].astype(float), any_grade[rows], grade2) if keep_data else None
    return Batch(size, {name: columns[name][rows] for name in CRS_COLUMNS}, final, counts, patients)


def icans_batch(
    spec: Spec, centre: CentrePosterior, tau: float, size: int, rng: np.random.Generator, *, keep_data: bool = False
) -> Batch:
    """``size`` cohorts with ICANS outcomes under one tau; ``keep_data`` keeps their patients."""
    n = spec.n
    diabetes_prevalence = rng.beta(*spec.diabetes_prevalence, size)
    cvd_prevalence = rng.beta(*spec.cvd_prevalence, size)
    correlation = rng.uniform(*spec.diabetes_cvd_correlation, size)
    columns = {
        "diabetes_prevalence": diabetes_prevalence,
        "cvd_prevalence": cvd_prevalence,
        "diabetes_cvd_correlation": correlation,
        **_centre(centre, size, rng),
        "b_diabetes": tau * rng.standard_normal(size),
        "b_cvd": tau * rng.standard_normal(size),
    }
    z1, z2 = _correlated(size, n, correlation, rng)
    diabetes = z1 > quantile(1.0 - diabetes_prevalence)[:, None]
    cvd = z2 > quantile(1.0 - cvd_prevalence)[:, None]
    eta = columns["a_study"][:, None] + columns["b_diabetes"][:, None] * (diabetes - diabetes_prevalence[:, None])
    eta += columns["b_cvd"][:, None] * (cvd - cvd_prevalence[:, None])
    icans, weight = draw_given_total(_expit(eta), spec.icans_any, rng)
    design, events, trials = group_binary((diabetes, cvd), icans)
    passed = all_positive_and_significant(design, events, trials, spec.lr_threshold)
    rows = np.flatnonzero(passed)
    kept = {name: columns[name][rows] for name in ICANS_COLUMNS}
    patients = IcansPatients(diabetes[rows].astype(float), cvd[rows].astype(float), icans[rows]) if keep_data else None
    return Batch(size, kept, weight[rows], {"icans_any": len(rows)}, patients)


def _binomial_pmf(events: int, n: Floats, p: Floats) -> Floats:
    """Binomial(events; n, p) with its coefficient, elementwise over n and p."""
    coefficient = np.array([float(comb(int(m), events)) for m in n])
    result: Floats = coefficient * p**events * (1.0 - p) ** (n - events)
    return result
