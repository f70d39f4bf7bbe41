"""Where the width of an interval comes from: the study's size, the unknown centre, findings not known.

The log odds of the risk shown add up: log odds = level of the centre + effect of
the findings. Over the model's draws (j, weight w_j) and the values of what is not
known of the patient (k, weight w_k given j) its variance therefore splits exactly:

    Var = E_j Var_k(effect)      findings not known
        + Var_j(E_k effect)      what 30 patients leave open about the effects
        + Var_j(level)           a centre not in the evidence: mean of the centres, and how far this one lies off it
        + 2 Cov_j(E_k effect, level)

The covariance, next to nothing because the covariates are centred, is shared
equally between its two sources; so are Shapley values. CRS of grade 2 or higher has no such
sum (its risk is a product of two) and no split.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from knowledge.assessment import Fraction, Outcome
from knowledge.factors import Ldh, PatientFactors, Presence
from knowledge.frozen import FrozenModel
from knowledge.model import Draws, Model
from knowledge.model import load as load_model
from knowledge.predict import crs_effect, icans_effect

Floats = NDArray[np.float64]


class IntervalSources(FrozenModel):
    """Shares of the variance of the log odds of one outcome at a new centre; they sum to one.

    ``study`` is what its 30 patients leave open about the effects of the findings,
    ``centre`` the level of a centre not in the evidence, ``findings`` what is not known of the patient.
    ``variance`` is the whole, in squared log odds.
    """

    outcome: Outcome
    variance: float
    study: Fraction
    centre: Fraction
    findings: Fraction


def interval_sources(factors: PatientFactors, model: Model | None = None) -> tuple[IntervalSources, ...]:
    """The split for CRS and for ICANS of any grade.

    Raises:
        ModelError: as ``assess``.
    """
    chosen = model or load_model()
    return (
        _crs(chosen, factors.ldh, factors.liver_metastases),
        _icans(chosen, factors.diabetes, factors.cardiovascular_disease),
    )


@lru_cache(maxsize=1024)
def _crs(model: Model, ldh: Ldh | None, liver: Presence) -> IntervalSources:
    branches, effect = crs_effect(model, ldh, liver)
    return _split(Outcome.CRS_ANY, model.draws("crs"), branches.weight, effect)


@lru_cache(maxsize=64)
def _icans(model: Model, diabetes: Presence, cvd: Presence) -> IntervalSources:
    branches, effect = icans_effect(model, diabetes, cvd)
    return _split(Outcome.ICANS_ANY, model.draws("icans"), branches.weight, effect)


def _split(outcome: Outcome, draws: Draws, weight: Floats, effect: Floats) -> IntervalSources:
    """``weight`` and ``effect`` (K, N); a column of ``weight`` sums to the draw's own."""
    total = float(draws.weight.sum())
    if len(effect) == 1:  # one branch: everything is known
        mean, findings = effect[0], 0.0
    else:
        product = weight * effect
        mean = product.sum(axis=0) / draws.weight
        # Mean of squares less square of the mean: both are of the order of one, and no large array more is made.
        findings = float(np.einsum("kn,kn->", product, effect) - draws.weight @ mean**2) / total
    level = _level(draws)
    off_mean = mean - float(draws.weight @ mean) / total
    shared = float(draws.weight @ (off_mean * level)) / total
    study = float(draws.weight @ off_mean**2) / total + shared
    centre = float(draws.weight @ level**2) / total + shared
    # Where nothing is known the effect averages out, and the covariance left is Monte Carlo error of either sign.
    study, centre = max(0.0, study), max(0.0, centre)
    variance = study + centre + findings
    return IntervalSources(
        outcome=outcome,
        variance=variance,
        study=study / variance,
        centre=centre / variance,
        findings=findings / variance,
    )


@lru_cache(maxsize=4)
def _level(draws: Draws) -> Floats:
    """The log odds at a new centre, less their mean (N,)."""
    level = draws["a_new"]
    centred: Floats = level - float(draws.weight @ level) / float(draws.weight.sum())
    return centred
