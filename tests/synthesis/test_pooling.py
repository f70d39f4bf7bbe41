"""Pooling of strata: what each prior and each coding weighs, and that the few draws taken stand for the many."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge.synthesis.cohorts import Batch
from knowledge.synthesis.parameters import ICANS_COLUMNS
from knowledge.synthesis.pooling import (
    Stratum,
    effective_size,
    effective_size_of,
    effective_size_of_pool,
    pool_strata,
)

Floats = NDArray[np.float64]


def stratum(seed: int, accepted: int = 300, simulated: int = 10_000, scale: float = 1.0) -> Stratum:
    """Accepted ICANS cohorts with uneven weights, in two batches; the effect of CVD goes with the weight."""
    rng = np.random.default_rng(seed)
    batches = []
    for _ in range(2):
        weight = scale * rng.gamma(0.5, size=accepted // 2)
        columns = {name: rng.normal(size=accepted // 2) for name in ICANS_COLUMNS}
        columns["diabetes_prevalence"], columns["cvd_prevalence"] = rng.beta(8, 32, (2, accepted // 2))
        columns["b_cvd"] = columns["b_cvd"] + np.log(weight / scale)
        batches.append(
            Batch(
                simulated // 2,
                columns,
                weight,
                {"first": accepted, "second": accepted // 2},
                {"first": 2.0, "second": float(weight.sum())},
            )
        )
    return Stratum(1.0, "elevated", batches)


def test_effective_size_by_hand() -> None:
    assert effective_size(np.ones(10)) == pytest.approx(10.0)
    assert effective_size(np.array([3.0, 1.0])) == pytest.approx(16 / 10)
    assert effective_size(np.array([5.0, 0.0, 0.0])) == pytest.approx(1.0)
    assert effective_size(np.array([])) == 0.0


def test_effective_size_of_strata_weighs_by_the_number_simulated() -> None:
    # Weights of 1/100 (50 of them) and 2/200 (25) are equal.
    one = Stratum(1.0, "elevated", [Batch(100, {}, np.ones(50), {}, {})])
    two = Stratum(1.0, "log2_ratio", [Batch(200, {}, np.full(25, 2.0), {}, {})])
    assert effective_size_of([one, two]) == pytest.approx(75.0)
    assert effective_size_of([one, Stratum(1.0, "log2_ratio")]) == 0.0


def test_effective_size_of_a_pool_in_which_each_tau_weighs_the_same() -> None:
    by_tau = [[stratum(2)], [stratum(3, scale=5.0)]]
    halves = [strata[0].weight / strata[0].weight.sum() / 2 for strata in by_tau]
    assert effective_size_of_pool(by_tau) == pytest.approx(effective_size(np.concatenate(halves)))


def test_a_stratum_counts_every_batch() -> None:
    both = stratum(1)
    assert both.simulated == 10_000
    assert both.passed() == {"first": 600, "second": 300}
    assert both.matrix(ICANS_COLUMNS).shape == (len(ICANS_COLUMNS), 300)
    assert both.probability_of_facts == pytest.approx(both.weight.sum() / 10_000)
    assert both.probabilities()["first"] == pytest.approx(4.0 / 10_000)
    assert both.probabilities()["second"] == pytest.approx(both.probability_of_facts)
    every = np.append(both.weight, np.zeros(10_000 - 300))  # with those that met no condition
    assert both.standard_error == pytest.approx(every.std() / 100)


def pooled(by_tau: list[list[Stratum]], draws: int, seed: int) -> tuple[Floats, Floats, Floats, Floats]:
    matrix, weight, tau, coding = pool_strata("icans", by_tau, ICANS_COLUMNS, draws, np.random.default_rng(seed))
    return matrix, weight, tau.astype(float), coding.astype(float)


def test_each_tau_weighs_the_same_however_probable_its_facts() -> None:
    by_tau = [[stratum(2, scale=1e-6)], [stratum(3, scale=1.0)], [stratum(4, accepted=30)]]
    _, weight, tau, _ = pooled(by_tau, 300, 0)
    for index in range(3):
        assert weight[tau == index].sum() == pytest.approx(1 / 3, abs=1e-15)
    assert (np.diff(tau) >= 0).all()  # draws of one tau stand together


def test_codings_share_a_tau_by_their_evidence() -> None:
    """Weights three times as high on half as many simulated: six times the evidence."""
    weak, strong = stratum(5, simulated=20_000), stratum(5, simulated=10_000, scale=3.0)
    strong.coding = "log2_ratio"
    shares = []
    for seed in range(200):
        _, weight, _, coding = pooled([[weak, strong]], 200, seed)
        shares.append(weight[coding == 1].sum())
    assert np.mean(shares) == pytest.approx(6 / 7, abs=0.001)
    assert np.ptp(shares) < 2 / 200  # never off by more than a draw


def test_taking_draws_is_unbiased() -> None:
    """Over many starts, total weight and weighted effect are those of the full sample."""
    full = stratum(6)
    weight = full.weight / full.weight.sum()
    effect = full.matrix(("b_cvd",))[0]
    means = []
    for seed in range(2_000):
        matrix, share, _, _ = pooled([[full]], 60, seed)
        means.append(float(share @ matrix[ICANS_COLUMNS.index("b_cvd")]))
    assert abs(np.mean(means) - weight @ effect) < 4 * np.std(means) / np.sqrt(len(means))


def test_every_draw_is_taken_as_often_as_it_deserves_to_within_one() -> None:
    full = stratum(7)
    deserved = 100 * full.weight / full.weight.sum()
    matrix, share, _, _ = pooled([[full]], 100, 3)
    taken = dict(zip(matrix[0], 100 * share, strict=True))
    own = full.matrix(ICANS_COLUMNS)[0]
    times = np.array([taken.get(value, 0.0) for value in own])
    assert (np.abs(times - deserved) < 1 + 0.02 * deserved).all()  # shares are of the draws taken, 100 or one less
    assert len(share) < 100  # one taken twice weighs twice
