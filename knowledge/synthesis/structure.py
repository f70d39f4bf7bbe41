"""Worlds that are built otherwise than the model: for truths of the simulation study, never for the model that ships.

What the model assumes of the form of its logits is no field of its specification, because nothing but a study
changes it. The default is the model's own form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.normal import cdf
from knowledge.synthesis.spec import Coding

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Structure:
    """How covariates act where that is not as modelled.

    ``ldh_limit``: log2 multiple of the upper limit of normal above which LDH acts, where it acts as elevated.
    ``analysed``: how the study's regressions code LDH (always with the limit at 1 x ULN); None: as it acts.
    ``interaction``: sd of the log odds ratio on the product of a pool's two centred covariates, as a multiple
    of the sd of the log odds ratio on LDH (CRS) or of tau (ICANS); it acts on the outcome of any grade.
    """

    ldh_limit: float = 0.0
    analysed: Coding | None = None
    interaction: float = 0.0


AS_MODELLED = Structure()


def acting_ldh(
    structure: Structure, coding: Coding, log2_ratio: Floats, mean: Floats, sd: Floats
) -> tuple[Floats, Floats]:
    """LDH as it acts (A, n), and its mean in each cohort's population (A,).

    Args:
        structure: of the truth.
        coding: in which LDH acts.
        log2_ratio: log2 multiples of the upper limit of normal (A, n).
        mean: of the log2 ratio in the population (A,).
        sd: of the same (A,).
    """
    if coding == "log2_ratio":
        return log2_ratio, mean
    return (log2_ratio > structure.ldh_limit).astype(float), cdf((mean - structure.ldh_limit) / sd)


def analysed_ldh(coding: Coding, log2_ratio: Floats) -> Floats:
    """LDH as a regression takes it: above its limit (0/1) or its log2 multiple, in the shape of ``log2_ratio``."""
    return (log2_ratio > 0).astype(float) if coding == "elevated" else log2_ratio
