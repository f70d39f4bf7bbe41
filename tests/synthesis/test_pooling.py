"""Pooling of strata: what each prior and each coding weighs, and that thinning by lot is unbiased."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge.synthesis.cohorts import Batch
from knowledge.synthesis.pooling import THIN_SHARE, Stratum, effective_size, effective_size_of, pool_strata

Floats = NDArray[np.float64]

NAMES = ("effect", "centre")


def stratum(seed: int, accepted: int = 300, simulated: int = 10_000, scale: float = 1.0) -> Stratum:
    """Accepted cohorts with uneven weights, in two batches; the effect goes with the weight."""
    rng = np.random.default_rng(seed)
    batches = []
    for _ in range(2):
        weight = scale * rng.gamma(0.5, size=accepted // 2)
        effect = rng.normal(size=accepted // 2) + np.log(weight / scale)
        columns = {"effect": effect, "centre": rng.normal(size=accepted // 2)}
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
    # Weights of 1/100 (50 of them) and 2/200 (25) are equal; thinning halves each stratum, and so the size.
    one = Stratum(1.0, "elevated", [Batch(100, {}, np.ones(50), {}, {})])
    two = Stratum(1.0, "log2_ratio", [Batch(200, {}, np.full(25, 2.0), {}, {})])
    assert THIN_SHARE == 2.0
    assert effective_size_of([one, two]) == pytest.approx(75.0 / 2)
    assert effective_size_of([one, Stratum(1.0, "log2_ratio")]) == 0.0


def test_a_stratum_counts_every_batch() -> None:
    both = stratum(1)
    assert both.simulated == 10_000
    assert both.passed() == {"first": 600, "second": 300}
    assert both.matrix(NAMES).shape == (2, 300)
    assert both.probability_of_facts == pytest.approx(both.weight.sum() / 10_000)
    assert both.probabilities()["first"] == pytest.approx(4.0 / 10_000)
    assert both.probabilities()["second"] == pytest.approx(both.probability_of_facts)
    every = np.append(both.weight, np.zeros(10_000 - 300))  # with those that met no condition
    assert both.standard_error == pytest.approx(every.std() / 100)


def test_the_expected_size_after_thinning_is_that_of_the_lots() -> None:
    full = stratum(8)
    sizes = [effective_size(pool_strata([[full]], NAMES, np.random.default_rng(seed))[1]) for seed in range(300)]
    assert effective_size_of([full]) == pytest.approx(np.mean(sizes), rel=0.02)
    assert effective_size_of([full]) < effective_size(full.weight)


def test_each_tau_weighs_the_same_however_probable_its_facts() -> None:
    by_tau = [[stratum(2, scale=1e-6)], [stratum(3, scale=1.0)], [stratum(4, accepted=30)]]
    _, weight, tau, _ = pool_strata(by_tau, NAMES, np.random.default_rng(0))
    for index in range(3):
        assert weight[tau == index].sum() == pytest.approx(1 / 3, abs=1e-15)
    assert (np.diff(tau) >= 0).all()  # draws of one tau stand together


def test_codings_share_a_tau_by_their_evidence() -> None:
    """Weights three times as high on half as many simulated: six times the evidence, on average over the lots."""
    weak, strong = stratum(5, simulated=20_000), stratum(5, simulated=10_000, scale=3.0)
    strong.coding = "log2_ratio"
    shares = []
    for seed in range(200):
        _, weight, _, coding = pool_strata([[weak, strong]], NAMES, np.random.default_rng(seed))
        shares.append(weight[coding == 1].sum())
    assert np.mean(shares) == pytest.approx(6 / 7, abs=0.003)


def test_thinning_is_unbiased() -> None:
    """Over many lots the unnormalised sums, total weight and weighted effect, are those of the full sample."""
    full = stratum(6)
    weight, effect = full.weight, full.matrix(NAMES)[0]
    floor = THIN_SHARE * weight.mean()
    totals, sums = [], []
    for seed in range(3_000):
        matrix, pooled, _, _ = pool_strata([[full]], NAMES, np.random.default_rng(seed))
        # The lightest kept draw carries exactly the floor, which gives the scale back.
        scale = floor / pooled.min()
        totals.append(scale * pooled.sum())
        sums.append(scale * (pooled * matrix[0]).sum())
    for found, expected in ((totals, weight.sum()), (sums, (weight * effect).sum())):
        standard_error = np.std(found) / np.sqrt(len(found))
        assert abs(np.mean(found) - expected) < 4 * standard_error
    assert np.std(totals) > 0


def test_thinning_keeps_every_heavy_draw_and_drops_most_light_ones() -> None:
    full = stratum(7)
    weight, effect = full.weight, full.matrix(NAMES)[0]
    matrix, pooled, _, _ = pool_strata([[full]], NAMES, np.random.default_rng(0))
    floor = THIN_SHARE * weight.mean()
    heavy = weight >= floor
    assert set(effect[heavy]) <= set(matrix[0])
    assert len(pooled) < len(weight)
    kept = dict(zip(effect, np.maximum(weight, floor), strict=True))
    ratio = pooled / np.array([kept[value] for value in matrix[0]])
    assert ratio == pytest.approx(np.full(len(ratio), ratio[0]))  # relative weights are kept, light ones raised
    # The price in effective sample size is a fifth at most.
    assert effective_size(pooled) > 0.8 * effective_size(weight)
