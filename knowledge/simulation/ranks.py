"""Rank histograms: where true risks fall within the engine's posterior.

If the engine draws from the posterior that its own prior and the published
facts imply, the true risk of a fixed patient, over truths drawn from the prior
that show the facts, is uniform in the engine's posterior (Cook, Gelman and
Rubin, J Comput Graph Stat 2006; Talts et al. 2018). Patients are fixed, not
drawn from the cohort: a patient drawn there would tell of its covariates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from knowledge.assessment import Outcome
from knowledge.factors import LdhMultiple, Presence
from knowledge.logistic import expit_of_any
from knowledge.mixture import crs_branches, icans_branches
from knowledge.model import Draws, Model
from knowledge.simulation.results import CENTRES, Centre, RankResult

Floats = NDArray[np.float64]

BINS = 10


@dataclass(frozen=True)
class Known:
    """Risks of one fixed patient, one value a weighted draw (N,)."""

    outcome: Outcome
    centre: Centre
    patient: str
    risk: Floats


# Multiples well inside the range of nearly every draw, so that nothing is held.
CRS_PATIENTS = ((0.6, Presence.NO), (0.6, Presence.YES), (1.5, Presence.NO), (2.5, Presence.YES))
ICANS_PATIENTS = tuple((dm, cvd) for dm in (Presence.NO, Presence.YES) for cvd in (Presence.NO, Presence.YES))


def crs_known(draws: Draws, hold: float) -> list[Known]:
    """Risks of the fixed patients for CRS, as the engine computes them."""
    found = []
    for multiple, liver in CRS_PATIENTS:
        branches = crs_branches(draws, LdhMultiple(multiple=multiple), liver, hold)
        effect = (draws["b_ldh"] * branches.ldh + draws["b_liver"] * branches.liver)[0]
        severe = expit_of_any((draws["c_grade2"] + draws["d_ldh"] * branches.ldh)[0])
        name = f"LDH {multiple:g} x ULN, liver metastases {liver.value}"
        for centre in CENTRES:
            any_grade = expit_of_any(draws[f"a_{centre}"] + effect)
            found.append(Known(Outcome.CRS_ANY, centre, name, any_grade))
            found.append(Known(Outcome.CRS_GRADE2PLUS, centre, name, any_grade * severe))
    return found


def icans_known(draws: Draws) -> list[Known]:
    """Risks of the fixed patients for ICANS."""
    found = []
    for diabetes, cvd in ICANS_PATIENTS:
        branches = icans_branches(draws, diabetes, cvd)
        effect = (draws["b_diabetes"] * branches.diabetes + draws["b_cvd"] * branches.cvd)[0]
        name = f"diabetes {diabetes.value}, CVD {cvd.value}"
        found += [
            Known(Outcome.ICANS_ANY, centre, name, expit_of_any(draws[f"a_{centre}"] + effect)) for centre in CENTRES
        ]
    return found


def rank_results(model: Model, crs_truth: Draws | None, icans_truth: Draws | None) -> list[RankResult]:
    """One histogram a patient, outcome and centre, for the pools whose true draws are given."""
    results = []
    if crs_truth is not None:
        engine, hold = model.draws("crs"), model.spec.ldh_hold
        pairs = zip(crs_known(crs_truth, hold), crs_known(engine, hold), strict=True)
        results += [_result(truth, crs_truth.weight, known, engine.weight) for truth, known in pairs]
    if icans_truth is not None:
        engine = model.draws("icans")
        pairs = zip(icans_known(icans_truth), icans_known(engine), strict=True)
        results += [_result(truth, icans_truth.weight, known, engine.weight) for truth, known in pairs]
    return results


def _result(truth: Known, truth_weight: Floats, engine: Known, engine_weight: Floats) -> RankResult:
    shares, se, statistic, pvalue = rank_test(truth.risk, truth_weight, engine.risk, engine_weight)
    return RankResult(
        outcome=truth.outcome,
        centre=truth.centre,
        patient=truth.patient,
        shares=tuple(round(float(share), 6) for share in shares),
        share_se=round(se, 6),
        statistic=round(statistic, 4),
        degrees=BINS - 1,
        pvalue=round(pvalue, 6),
    )


def rank_test(
    true: Floats, true_weight: Floats, posterior: Floats, posterior_weight: Floats
) -> tuple[Floats, float, float, float]:
    """Shares of ``true`` in bins that hold a tenth of the posterior each, their standard error, chi-square and p.

    Both samples are weighted. The covariance of the shares is estimated from the weights of the true
    draws and of the posterior's (whose quantiles set the bins), so neither counts for more than it is worth.
    """
    order = np.argsort(posterior, kind="stable")
    cumulative = np.cumsum(posterior_weight[order])
    places = np.searchsorted(cumulative, cumulative[-1] * np.arange(1, BINS) / BINS)
    edges = posterior[order][places]
    true_bin, posterior_bin = (np.searchsorted(edges, each, side="left") for each in (true, posterior))
    shares, covariance = _shares(true_bin, true_weight)
    expected, covariance_of_bins = _shares(posterior_bin, posterior_weight)
    difference = (shares - expected)[:-1]
    total = (covariance + covariance_of_bins)[:-1, :-1]
    statistic = float(difference @ np.linalg.solve(total, difference))
    se = float(np.sqrt(np.trace(covariance + covariance_of_bins) / BINS))
    return shares, se, statistic, float(stats.chi2.sf(statistic, BINS - 1))


def _shares(bins: NDArray[np.int64], weight: Floats) -> tuple[Floats, Floats]:
    """Weighted shares of the bins (BINS,) and their covariance (BINS, BINS)."""
    share = weight / weight.sum()
    shares = np.bincount(bins, weights=share, minlength=BINS)
    squares = np.bincount(bins, weights=share**2, minlength=BINS)
    # Sum of w^2 (e - p)(e - p)' over the draws, e being the unit vector of a draw's bin.
    cross = np.outer(squares, shares)
    covariance = np.diag(squares) - cross - cross.T + squares.sum() * np.outer(shares, shares)
    return np.asarray(shares, dtype=np.float64), np.asarray(covariance, dtype=np.float64)
