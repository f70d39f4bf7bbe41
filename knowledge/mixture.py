"""What is known of a patient, as covariate values for every draw.

A known factor has one value; an unknown one is averaged over by its
probability given the other factors, draw by draw. Arrays are (K, N): K
branches of the mixture, N draws; a column of ``weight`` sums to the draw's own weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from knowledge.factors import Ldh, LdhCategory, Presence
from knowledge.model import Draws
from knowledge.normal import bivariate_upper, cdf, quantile
from knowledge.synthesis.spec import CODINGS

Floats = NDArray[np.float64]

# Points that stand for the distribution of an LDH that is not known as a number.
LDH_POINTS = 16
_MID = (np.arange(LDH_POINTS)[:, None] + 0.5) / LDH_POINTS
_LOG2_RATIO_CODING = CODINGS.index("log2_ratio")


@dataclass(frozen=True)
class CrsBranches:
    """Centred LDH, centred liver metastases (0 or 1) and weight, each (K, N).

    ``held_share`` is the weight of the draws at whose limit the LDH is held: where the multiple itself
    enters, and in every draw where it tells how likely liver metastases are.
    """

    ldh: Floats
    liver: Floats
    weight: Floats
    held_share: float


def crs_branches(draws: Draws, ldh: Ldh | None, liver: Presence, hold: float) -> CrsBranches:
    """Branches for the CRS outcomes; ``hold`` is the range of the log2 ratio in sds of each draw."""
    mean, sd, prevalence = draws["ldh_mean"], draws["ldh_sd"], draws["liver_prevalence"]
    by_ratio = draws.coding == _LOG2_RATIO_CODING
    held_share = 0.0
    if ldh is not None and not isinstance(ldh, LdhCategory):
        log2_ratio = np.log2(ldh.ratio)
        free = (log2_ratio - mean) / sd
        z = np.clip(free, -hold, hold)[None, :]
        held_share = float(draws.weight[np.abs(free) > hold].sum())
        elevated = np.full((1, len(mean)), float(ldh.ratio > 1.0))
    else:
        z = _latent_points(mean, sd, ldh)
        elevated = (mean + sd * z > 0).astype(float)
    value = np.where(by_ratio, sd * z, elevated - _share_elevated(draws))
    if liver is Presence.UNKNOWN:
        probability = _liver_probability(draws, z)
        weight = np.concatenate([probability, 1.0 - probability]) / len(z)
        value = np.concatenate([value, value])
        present = np.repeat([[1.0], [0.0]], len(z), axis=0)
    else:
        present = np.array([[1.0 if liver is Presence.YES else 0.0]])
        weight = np.ones_like(value)
        if len(z) > 1:
            probability = _liver_probability(draws, z)
            weight = probability if liver is Presence.YES else 1.0 - probability
            weight = weight / weight.sum(axis=0)
    return CrsBranches(value, present - prevalence, weight * draws.weight, held_share)


@lru_cache(maxsize=4)
def _share_elevated(draws: Draws) -> Floats:
    """P(LDH above its limit) in each draw's population (N,)."""
    return cdf(draws["ldh_mean"] / draws["ldh_sd"])


def _latent_points(mean: Floats, sd: Floats, ldh: LdhCategory | None) -> Floats:
    """Mid-quantile points of the latent LDH (K, N), truncated at the upper limit when high or normal."""
    if ldh is None:
        return np.broadcast_to(quantile(_MID), (LDH_POINTS, len(mean)))
    below = cdf(-mean / sd)
    if ldh.category == "high":
        return quantile(below + (1.0 - below) * _MID)
    return quantile(below * _MID)


def _liver_probability(draws: Draws, z: Floats) -> Floats:
    """P(liver metastases | latent LDH z) for each point and draw (K, N)."""
    slope, threshold = _liver_given_ldh(draws)
    return cdf(slope * z - threshold)


@lru_cache(maxsize=4)
def _liver_given_ldh(draws: Draws) -> tuple[Floats, Floats]:
    """P(liver metastases | z) = cdf(slope z - threshold) in each draw's population; both (N,)."""
    rho = draws["ldh_liver_correlation"]
    rest = np.sqrt(1.0 - rho * rho)
    return rho / rest, quantile(1.0 - draws["liver_prevalence"]) / rest


@dataclass(frozen=True)
class IcansBranches:
    """Diabetes and CVD (0 or 1, centred) and weight, each (K, N)."""

    diabetes: Floats
    cvd: Floats
    weight: Floats


def icans_branches(draws: Draws, diabetes: Presence, cvd: Presence) -> IcansBranches:
    """Branches for ICANS."""
    p, q = draws["diabetes_prevalence"], draws["cvd_prevalence"]
    both = bivariate_upper(p, q, draws["diabetes_cvd_correlation"])
    joint = {(True, True): both, (True, False): p - both, (False, True): q - both, (False, False): 1.0 - p - q + both}
    possible = [(d, c) for d, c in joint if diabetes is not _presence(not d) and cvd is not _presence(not c)]
    weight = np.stack([joint[branch] for branch in possible])
    weight = weight / weight.sum(axis=0)
    values = np.array(possible, dtype=float)
    return IcansBranches(values[:, :1] - p, values[:, 1:] - q, weight * draws.weight)


def _presence(present: bool) -> Presence:
    return Presence.YES if present else Presence.NO
