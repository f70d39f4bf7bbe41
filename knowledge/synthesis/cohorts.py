"""Simulated cohorts of 30 and the conditions they must meet, a batch at a time.

Each function returns the parameter columns of the cohorts that met every
condition, with their weights, and how many were left after each condition.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.logistic import expit
from knowledge.normal import quantile
from knowledge.synthesis.centre import CentrePosterior
from knowledge.synthesis.outcomes import draw_given_total
from knowledge.synthesis.parameters import (
    CRS_COLUMNS,
    ICANS_COLUMNS,
    correlated,
    crs_parameters,
    diabetes_and_cvd,
    icans_parameters,
    ldh_and_liver,
    present,
)
from knowledge.synthesis.proposal import SHIFTED, Proposals
from knowledge.synthesis.severity import Ldh, draw_severity
from knowledge.synthesis.significance import Criterion, judge_binary, judge_continuous
from knowledge.synthesis.spec import Coding, Pool, Spec
from knowledge.synthesis.structure import AS_MODELLED, Structure, acting_ldh, analysed_ldh

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

PREDICTORS = 2  # significant in the study's regression of any grade: LDH and liver; diabetes and CVD
# Outcomes drawn for each cohort. Where LDH enters as a multiple each costs regressions of its own.
TRIES: dict[Pool, int] = {"crs": 4, "icans": 8}


@dataclass(frozen=True, eq=False)
class CrsPatients:
    """Patients of accepted cohorts, each (A, n): ``ldh`` as analysed (elevated 0/1, or log2 ratio), the rest 0/1."""

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
    """Accepted cohorts: ``columns`` name to (A,), ``weight`` (A,) of prior, proposal and published counts.

    ``passed`` and ``reached`` name the conditions in order: how many cohorts were left after
    each, and their summed weight. Over ``simulated`` the latter is the probability, under the
    prior, of meeting the conditions up to that one. ``patients`` stands in the order of the
    weights, and only where asked for.
    """

    simulated: int
    columns: dict[str, Floats]
    weight: Floats
    passed: dict[str, int]
    reached: dict[str, float]
    patients: CrsPatients | IcansPatients | None = None


def crs_batch(
    spec: Spec,
    centre: CentrePosterior,
    tau: float,
    coding: Coding,
    size: int,
    rng: np.random.Generator,
    *,
    keep_data: bool = False,
    proposals: Proposals = SHIFTED,
    structure: Structure = AS_MODELLED,
) -> Batch:
    """``size`` cohorts with CRS outcomes under one tau and one coding of LDH; ``keep_data`` keeps their patients.

    ``coding`` is how LDH acts; how the study analyses it, and what else acts, is in ``structure``.
    """
    chosen = proposals if spec.significances else proposals.off()
    parameters, scale, importance = crs_parameters(spec, centre, tau, coding, size, chosen.crs, rng)
    mean, sd, prevalence = (parameters[name] for name in ("ldh_mean", "ldh_sd", "liver_prevalence"))
    z1, z2 = correlated(size, spec.n, parameters["ldh_liver_correlation"], rng)
    log2_ratio = mean[:, None] + sd[:, None] * z1
    ldh, ldh_centre = acting_ldh(structure, coding, log2_ratio, mean, sd)
    analysed = structure.analysed or coding
    seen = analysed_ldh(analysed, log2_ratio)
    liver = (z2 > quantile(1.0 - prevalence)[:, None]).astype(float)
    eta = parameters["a_study"][:, None] + parameters["b_ldh"][:, None] * (ldh - ldh_centre[:, None])
    eta += parameters["b_liver"][:, None] * (liver - prevalence[:, None])
    names: tuple[str, ...] = CRS_COLUMNS
    if structure.interaction:
        names = (*CRS_COLUMNS, "b_interaction")
        parameters["b_interaction"] = structure.interaction * scale * rng.standard_normal(size)
        both = (ldh - ldh_centre[:, None]) * (liver - prevalence[:, None])
        eta += parameters["b_interaction"][:, None] * both
    others = diabetes_and_cvd(spec, size, rng) if spec.other_covariates else ()
    rows, any_grade, weight, passed, reached = _published(
        spec, "crs", (seen, liver, *others), eta, importance, rng, binary=analysed == "elevated"
    )
    x = Ldh(ldh[rows], ldh_centre[rows], scale[rows], seen[rows], analysed)
    severity = draw_severity(spec, x, any_grade, chosen.severity, rng)
    for name, by_cohort in severity.reached.items():
        passed[name], reached[name] = int((by_cohort > 0).sum()), float((weight * by_cohort).sum())
    kept = np.flatnonzero(severity.weight)
    rows, any_grade = rows[kept], any_grade[kept]
    columns = {name: column[rows] for name, column in parameters.items()} | {
        "c_grade2": severity.c_grade2[kept],
        "d_ldh": severity.d_ldh[kept],
        "logit_grade3": severity.logit_grade3[kept],
    }
    final = weight[kept] * severity.weight[kept]
    patients = CrsPatients(seen[rows], liver[rows], any_grade, severity.grade2[kept]) if keep_data else None
    return Batch(size, {name: columns[name] for name in names}, final, passed, reached, patients)


def icans_batch(
    spec: Spec,
    centre: CentrePosterior,
    tau: float,
    size: int,
    rng: np.random.Generator,
    *,
    keep_data: bool = False,
    proposals: Proposals = SHIFTED,
    structure: Structure = AS_MODELLED,
) -> Batch:
    """``size`` cohorts with ICANS outcomes under one tau; ``keep_data`` keeps their patients."""
    chosen = proposals if spec.significances else proposals.off()
    parameters, importance = icans_parameters(spec, centre, tau, size, chosen.icans, rng)
    diabetes, cvd = present(spec.n, parameters, ICANS_COLUMNS[:3], rng)
    eta = parameters["a_study"][:, None]
    eta = eta + parameters["b_diabetes"][:, None] * (diabetes - parameters["diabetes_prevalence"][:, None])
    eta += parameters["b_cvd"][:, None] * (cvd - parameters["cvd_prevalence"][:, None])
    names: tuple[str, ...] = ICANS_COLUMNS
    if structure.interaction:
        names = (*ICANS_COLUMNS, "b_interaction")
        parameters["b_interaction"] = structure.interaction * tau * rng.standard_normal(size)
        both = (diabetes - parameters["diabetes_prevalence"][:, None]) * (cvd - parameters["cvd_prevalence"][:, None])
        eta += parameters["b_interaction"][:, None] * both
    others = ldh_and_liver(spec, size, rng) if spec.other_covariates else ()
    rows, icans, weight, passed, reached = _published(
        spec, "icans", (diabetes, cvd, *others), eta, importance, rng, binary=True
    )
    columns = {name: parameters[name][rows] for name in names}
    patients = IcansPatients(diabetes[rows], cvd[rows], icans) if keep_data else None
    return Batch(size, columns, weight, passed, reached, patients)


def _published(
    spec: Spec,
    pool: Pool,
    x: tuple[Floats, ...],
    eta: Floats,
    importance: Floats,
    rng: np.random.Generator,
    *,
    binary: bool,
) -> tuple[NDArray[np.intp], Floats, Floats, dict[str, int], dict[str, float]]:
    """Outcomes of any grade with the published count, kept where the published predictors are significant.

    Several outcomes are drawn for each cohort. One of those that pass is kept, by lot, and the
    cohort then carries their share: the same expectation as with a single draw, more evenly spread.

    Args:
        spec: conditions.
        pool: whose outcome.
        x: covariates of the analysis (B, n) each, the two published predictors first.
        eta: true logits (B, n).
        importance: weight of the proposal (B,).
        rng: of all randomness.
        binary: whether every covariate is 0/1.

    Returns:
        Rows that passed (A,), their outcomes (A, n), their weights (A,), and ``passed`` and ``reached`` of a batch.
    """
    total = spec.crs_any if pool == "crs" else spec.icans_any
    tries = TRIES[pool] if spec.significances else 1
    y, of_count = draw_given_total(expit(eta), total, rng, tries)
    weight = importance * of_count
    passed, reached = {f"{pool}_count": len(eta)}, {f"{pool}_count": float(weight.sum())}
    if not spec.significances:
        return np.arange(len(eta)), y, weight, passed, reached
    judge = judge_binary if binary else judge_continuous
    repeated = tuple(np.repeat(each, tries, axis=0) for each in x)
    met = judge(repeated, y, Criterion(spec.lr_threshold, spec.test, PREDICTORS)).reshape(-1, tries)
    cumulative = met.cumsum(axis=1)
    rows = np.flatnonzero(met.any(axis=1))
    lot = np.floor(rng.random(len(rows)) * cumulative[rows, -1])
    chosen = (cumulative[rows] <= lot[:, None]).sum(axis=1)
    weight = weight[rows] * cumulative[rows, -1] / tries
    passed[f"{pool}_any"], reached[f"{pool}_any"] = len(rows), float(weight.sum())
    return rows, y[rows * tries + chosen], weight, passed, reached
