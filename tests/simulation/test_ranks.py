"""Rank histograms: the test of uniformity holds its level, and a wrong engine does not pass it.

The truths here are simulated the plain way, outcome by outcome, and kept when they show what was
published: nothing is shared with the sampler that built the model but the Firth core and the centre prior.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special, stats

from knowledge.firth import fit_many
from knowledge.model import Draws, Model
from knowledge.model import load as load_model
from knowledge.simulation.cohorts import with_draws
from knowledge.simulation.ranks import rank_results, rank_test
from knowledge.synthesis.centre import centre_posterior

Floats = NDArray[np.float64]

COHORTS = 50_000  # of each tau and round
ROUNDS = 3


def shown_significances(diabetes: Floats, cvd: Floats, y: Floats) -> NDArray[np.bool_]:
    """Which cohorts' Firth regressions find both positive and significant; patients alike stand in one row."""
    x = np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]])
    cells = [(diabetes == d) & (cvd == c) for d, c in x[1:].T]
    trials = np.stack([cell.sum(axis=1) for cell in cells], axis=1).astype(float)
    events = np.stack([(cell * y).sum(axis=1) for cell in cells], axis=1)
    columns = np.broadcast_to(x[:, None, :], (3, len(y), 4))
    full = fit_many(columns, events, trials)
    passed = full.converged & (full.coef[:, 1:] > 0).all(axis=1)
    for j in (1, 2):
        rows = np.flatnonzero(passed)
        held = fit_many(columns[:, rows], events[rows], trials[rows], hold=j)
        ratio = 2 * (full.loglik[rows] - held.loglik)
        passed[rows] = held.converged & (ratio >= stats.chi2.ppf(0.95, 1))
    return passed


@lru_cache(maxsize=1)
def plain_icans_truths() -> Draws:
    """Parameters behind simulated cohorts that show seven ICANS among 30 and both significances."""
    spec = load_model().spec
    centre = centre_posterior(spec.icans_centres, 2.5, 0.5)
    rng = np.random.default_rng(2024)
    names = (
        "diabetes_prevalence",
        "cvd_prevalence",
        "diabetes_cvd_correlation",
        "a_study",
        "a_new",
        "b_diabetes",
        "b_cvd",
    )
    found, taus = [], []
    for index, tau in enumerate((0.5, 0.75, 1.0)):
        for _ in range(ROUNDS):
            p, q, rho = rng.beta(8, 32, COHORTS), rng.beta(9, 21, COHORTS), rng.uniform(0, 0.4, COHORTS)
            mu, t = centre.draw(COHORTS, rng)
            study, new = mu + t * rng.standard_normal(COHORTS), mu + t * rng.standard_normal(COHORTS)
            b_diabetes, b_cvd = rng.normal(0, tau, COHORTS), rng.normal(0, tau, COHORTS)
            z = rng.standard_normal((2, COHORTS, 30))
            other = rho[:, None] * z[0] + np.sqrt(1 - rho[:, None] ** 2) * z[1]
            diabetes = (z[0] > special.ndtri(1 - p)[:, None]).astype(float)
            cvd = (other > special.ndtri(1 - q)[:, None]).astype(float)
            eta = study[:, None] + b_diabetes[:, None] * (diabetes - p[:, None]) + b_cvd[:, None] * (cvd - q[:, None])
            y = (rng.random((COHORTS, 30)) < special.expit(eta)).astype(float)
            seven = np.flatnonzero(y.sum(axis=1) == 7)
            kept = seven[shown_significances(diabetes[seven], cvd[seven], y[seven])]
            found.append(np.stack([p, q, rho, study, new, b_diabetes, b_cvd])[:, kept])
            taus.append(np.full(len(kept), index))
    matrix, tau = np.concatenate(found, axis=1), np.concatenate(taus)
    # Each tau weighs the same, however often its cohorts show the facts.
    weight = 1.0 / (3 * np.bincount(tau)[tau])
    return Draws(names, matrix, weight, tau, np.zeros(len(tau), dtype=np.int64))


def smallest_pvalue(model: Model) -> float:
    """Over all fixed patients and both centres, after Bonferroni."""
    results = rank_results(model, None, plain_icans_truths())
    return min(result.pvalue for result in results) * len(results)


def test_the_shipped_engine_is_consistent_with_itself() -> None:
    """Some 230 truths that show the published ICANS facts lie evenly in the engine's posterior."""
    assert len(plain_icans_truths().weight) > 100
    assert smallest_pvalue(load_model()) > 0.01


def wrong_engine(**changes: float) -> Model:
    """The shipped model with some ICANS parameters scaled."""
    model = load_model()
    draws = model.draws("icans")
    matrix = draws.matrix.copy()
    for name, factor in changes.items():
        matrix[draws.names.index(name)] *= factor
    return with_draws(model, {"icans": replace(draws, matrix=matrix)}, model.spec.ldh_hold)


@pytest.mark.parametrize("factor", [0.6, 1.6])
def test_an_engine_with_wrong_effects_is_rejected(factor: float) -> None:
    """The test above can fail: effects shrunk too much or too little do not pass it."""
    assert smallest_pvalue(wrong_engine(b_diabetes=factor, b_cvd=factor)) < 1e-4


def test_level_with_weights_on_both_sides() -> None:
    """Equal distributions, unequal weights that go with the value: p-values are uniform."""
    rng = np.random.default_rng(5)
    pvalues = []
    for _ in range(400):
        true, posterior = rng.normal(size=600), rng.normal(size=2_000)
        # Drawn from N(0, 1), weighted into N(0.3, 1).
        weights = [np.exp(0.3 * value - 0.045) for value in (true, posterior)]
        pvalues.append(rank_test(true, weights[0], posterior, weights[1])[3])
    assert stats.kstest(pvalues, "uniform").pvalue > 0.01


def test_power_against_a_shift_and_a_wrong_spread() -> None:
    rng = np.random.default_rng(6)
    posterior = rng.normal(size=4_000)
    for true in (rng.normal(0.3, 1.0, 600), rng.normal(0.0, 1.3, 600)):
        shares, _, _, pvalue = rank_test(true, np.ones(600), posterior, np.ones(4_000))
        assert pvalue < 0.001
        assert shares.sum() == pytest.approx(1.0)


def test_shares_are_counts_by_hand() -> None:
    posterior = np.arange(1.0, 101.0)
    true = np.array([0.5, 10.0, 10.5, 99.0])
    shares, *_ = rank_test(np.tile(true, 100), np.ones(400), posterior, np.ones(100))
    assert shares[[0, 1, 9]].tolist() == pytest.approx([0.5, 0.25, 0.25])
