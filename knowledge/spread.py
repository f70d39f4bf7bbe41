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
    if len(effect) == 1:  # one branch: everything is known
        mean, findings = effect[0], 0.0
    else:
        mean = np.einsum("kn,kn->n", weight, effect) / draws.weight
        # Mean of squares less square of the mean: both are of the order of one, and no large array more is made.
        squares = float(np.einsum("kn,kn,kn->", weight, effect, effect)) / float(draws.weight.sum())
        findings = max(0.0, squares - _average(draws, mean * mean))
    level = _level(draws)
    off_mean = mean - _average(draws, mean)
    shared = _average(draws, off_mean * level)
    # Where nothing is known the effect averages out, and the covariance left is Monte Carlo error of either sign.
    study = max(0.0, _average(draws, off_mean * off_mean) + shared)
    centre = max(0.0, _average(draws, level * level) + shared)
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
    centred: Floats = level - _average(draws, level)
    return centred


def _average(draws: Draws, values: Floats) -> float:
    # Summed, not multiplied as vectors: BLAS would start threads, and add up in another order on another machine.
    return float(np.einsum("n,n->", draws.weight, values)) / float(draws.weight.sum())
