"""Risks of reference patients in every draw: what draws that give similar answers have in common."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from knowledge.logistic import expit
from knowledge.normal import cdf
from knowledge.synthesis.spec import Pool

Floats = NDArray[np.float64]

# A clearly raised and a normal LDH, in sds of its log2 ratio, for the coding by multiples.
RAISED, NORMAL = 1.0, -0.8


def reference_risks(pool: Pool, coding: str, parameters: dict[str, Floats]) -> Floats:
    """Risks (C, N) of patients with and without each predictor, at a new centre and the study's own."""
    if pool == "icans":
        first, second = parameters["diabetes_prevalence"], parameters["cvd_prevalence"]
        effects = [
            parameters["b_diabetes"] * (one - first) + parameters["b_cvd"] * (other - second)
            for one in (0.0, 1.0)
            for other in (0.0, 1.0)
        ]
        return _risks(parameters, effects, [])
    if coding == "elevated":
        share = cdf(parameters["ldh_mean"] / parameters["ldh_sd"])
        values = (-share, 1.0 - share)
    else:
        values = (NORMAL * parameters["ldh_sd"], RAISED * parameters["ldh_sd"])
    effects = [
        parameters["b_ldh"] * value + parameters["b_liver"] * (liver - parameters["liver_prevalence"])
        for value in values
        for liver in (0.0, 1.0)
    ]
    severity = [expit(parameters["c_grade2"] + parameters["d_ldh"] * value) for value in values]
    return _risks(parameters, effects, severity)


def _risks(parameters: dict[str, Floats], effects: list[Floats], severity: list[Floats]) -> Floats:
    new = [expit(parameters["a_new"] + effect) for effect in effects]
    # At the study's own centre the first and the last tell enough.
    study = [expit(parameters["a_study"] + effect) for effect in (effects[0], effects[-1])]
    return np.stack([*new, *study, *severity])
