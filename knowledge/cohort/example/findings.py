"""Thirty patients who show the published significances, out of cohorts of the kind the engine is conditioned on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.evidence import load
from knowledge.firth import fit
from knowledge.synthesis.centre import centre_posterior
from knowledge.synthesis.cohorts import CrsPatients, IcansPatients, crs_batch, icans_batch
from knowledge.synthesis.facts import published_spec

Floats = NDArray[np.float64]

# One laboratory, one limit.
ULN = 250
BATCH = 2_048
TAU_CRS, TAU_ICANS = 1.0, 0.75  # the middle of the engine's three
# Well under 0.05, so that another machine's last digits decide nothing.
SIGNIFICANT = 0.04
# A mix near the evidence: liver 35 % (cov.liver.d304), above the limit 54 % (cov.ldh.high163), CRS of grade >= 2 a
# third to a half of CRS (inc.eu473.crs_g2plus_day1); diabetes 20 %, CVD 30 % as in the engine's priors.
LIVER, ABOVE_LIMIT, GRADE_2, DIABETES, CVD = (9, 12), (15, 18), (5, 8), (5, 7), (8, 10)
HIGHEST_LDH = 2_000


@dataclass(frozen=True, eq=False)
class Findings:
    """Columns (30,): LDH in U/L, the others 0 or 1. The rows of CRS and of ICANS belong to the same patients."""

    ldh: Floats
    liver: Floats
    crs: Floats
    crs_grade2: Floats
    diabetes: Floats
    cvd: Floats
    icans: Floats


def find(rng: np.random.Generator) -> Findings:
    """The first cohort that shows everything; CRS and ICANS are independent of each other, as in the engine."""
    spec = published_spec(load())
    crs_centre, icans_centre = (
        centre_posterior(spec.centres(pool), spec.centre_mean_sd, spec.centre_sd_scale) for pool in ("crs", "icans")
    )
    while True:
        batch = crs_batch(spec, crs_centre, TAU_CRS, "log2_ratio", BATCH, rng, keep_data=True)
        assert isinstance(batch.patients, CrsPatients)  # noqa: S101 - for the type checker
        if (crs := _crs(batch.patients)) is not None:
            break
    while True:
        batch = icans_batch(spec, icans_centre, TAU_ICANS, BATCH, rng, keep_data=True)
        assert isinstance(batch.patients, IcansPatients)  # noqa: S101 - for the type checker
        if (icans := _icans(batch.patients)) is not None:
            break
    return Findings(*crs, *icans)


def _crs(patients: CrsPatients) -> tuple[Floats, Floats, Floats, Floats] | None:
    """LDH, liver, CRS and CRS of grade >= 2 where LDH is significant by either coding."""
    for log2_ratio, liver, crs, grade2 in zip(
        patients.ldh, patients.liver, patients.any_grade, patients.grade2, strict=True
    ):
        ldh = np.round(ULN * 2.0**log2_ratio)
        above = (ldh > ULN).astype(float)
        mix = ((liver, LIVER), (above, ABOVE_LIMIT), (grade2, GRADE_2))
        if ldh.max() > HIGHEST_LDH or ldh.min() < 100 or not all(_within(*each) for each in mix):
            continue
        codings = (np.log2(ldh / ULN), above)
        if all(_significant(crs, x, liver) and _significant(grade2, x) for x in codings):
            return ldh, liver, crs, grade2
    return None


def _icans(patients: IcansPatients) -> tuple[Floats, Floats, Floats] | None:
    for diabetes, cvd, icans in zip(patients.diabetes, patients.cvd, patients.icans, strict=True):
        if _within(diabetes, DIABETES) and _within(cvd, CVD) and _significant(icans, diabetes, cvd):
            return diabetes, cvd, icans
    return None


def _within(column: Floats, span: tuple[int, int]) -> bool:
    return span[0] <= int(column.sum()) <= span[1]


def _significant(outcome: Floats, *covariates: Floats) -> bool:
    """Whether every covariate raises the risk significantly in a Firth regression with one maximum, not separated."""
    fitted = fit(np.column_stack([np.ones(len(outcome)), *covariates]), outcome)
    clear = not (fitted.several_maxima or fitted.separation)
    return bool(clear and (fitted.coef[1:] > 0).all() and (fitted.pvalues[1:] < SIGNIFICANT).all())
