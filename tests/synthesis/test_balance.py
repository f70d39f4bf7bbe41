"""Ordered resampling: proportional, unbiased, and nearer to the full sample than independent lots."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from knowledge.synthesis.balance import neighbours_together, take_in_proportion
from knowledge.synthesis.parameters import CRS_COLUMNS, ICANS_COLUMNS, prior_draws
from knowledge.synthesis.reference import reference_risks
from knowledge.synthesis.spec import CODINGS
from tests.support.engine_plain import sorted_quantile

Floats = NDArray[np.float64]


def sample(seed: int, size: int = 2_000) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(3, size)), rng.gamma(0.5, size=size) + 1e-6


@given(st.integers(0, 10_000), st.integers(1, 400), st.integers(1, 300))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_each_is_taken_as_often_as_it_deserves_to_within_one(seed: int, size: int, taken: int) -> None:
    position, weight = sample(seed, size)
    unit = float(weight.sum()) / taken
    copies = take_in_proportion(position, weight, unit, np.random.default_rng(seed))
    assert (np.abs(copies - weight / unit) < 1.0 + 1e-9).all()
    assert abs(int(copies.sum()) - taken) <= 1


def test_over_many_starts_each_is_taken_exactly_as_often_as_it_deserves() -> None:
    position, weight = sample(1, 40)
    unit = float(weight.sum()) / 15
    counts = np.mean(
        [take_in_proportion(position, weight, unit, np.random.default_rng(s)) for s in range(4_000)], axis=0
    )
    assert counts == pytest.approx(weight / unit, abs=4 * 0.5 / np.sqrt(4_000))


def test_the_order_is_a_permutation_in_which_neighbours_are_near() -> None:
    position, weight = sample(2)
    order = neighbours_together(position, weight, float(weight.sum()) / 500)
    assert sorted(order) == list(range(2_000))
    steps = np.linalg.norm(np.diff(position[:, order], axis=1), axis=0)
    at_random = np.linalg.norm(np.diff(position, axis=1), axis=0)
    assert np.median(steps) < 0.35 * np.median(at_random)


def test_means_and_tails_are_nearer_to_the_full_sample_than_by_independent_lots() -> None:
    """Limits of a risk that no coordinate is: error a half at most of that of as many independent draws."""
    position, weight = sample(3, 20_000)
    risk = 1 / (1 + np.exp(-(position[0] + 0.6 * position[1] - 0.4 * position[2])))
    full = [sorted_quantile(risk, weight, q) for q in (0.025, 0.975)]
    share = weight / weight.sum()
    balanced, by_lot = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        copies = take_in_proportion(position, weight, float(weight.sum()) / 1_000, rng)
        lots = np.bincount(rng.choice(len(weight), 1_000, p=share), minlength=len(weight))
        for errors, times in ((balanced, copies), (by_lot, lots)):
            kept = np.flatnonzero(times)
            found = [sorted_quantile(risk[kept], times[kept].astype(float), q) for q in (0.025, 0.975)]
            errors.append([a - b for a, b in zip(found, full, strict=True)])
    assert np.std(balanced) < 0.5 * np.std(by_lot)


def test_one_draw_or_none_deserved() -> None:
    one = np.zeros((2, 1))
    assert take_in_proportion(one, np.ones(1), 1.0, np.random.default_rng(0)).tolist() == [1]
    same = np.zeros((2, 5))  # nothing tells them apart
    assert take_in_proportion(same, np.ones(5), 1.0, np.random.default_rng(0)).sum() == 5


def test_reference_risks_are_those_of_the_patients() -> None:
    """By hand for one draw of each kind."""
    icans = dict.fromkeys(ICANS_COLUMNS, np.zeros(1)) | {"b_cvd": np.array([2.0]), "cvd_prevalence": np.array([0.25])}
    risks = reference_risks("icans", "none", icans)[:, 0]
    low, high = 1 / (1 + np.exp(0.5)), 1 / (1 + np.exp(-1.5))
    assert risks == pytest.approx([low, high, low, high, low, high])
    crs = dict.fromkeys(CRS_COLUMNS, np.zeros(1)) | {"ldh_sd": np.ones(1), "b_ldh": np.array([1.0])}
    up, down = (1 / (1 + np.exp(-x)) for x in (0.5, -0.5))
    # Half are above the limit; liver metastases do nothing; grade >= 2 has even odds.
    assert reference_risks("crs", "elevated", crs)[:, 0] == pytest.approx([down, down, up, up, down, up, 0.5, 0.5])


@pytest.mark.parametrize("coding", [*CODINGS, None])
def test_reference_risks_are_risks(coding: str | None) -> None:
    from knowledge.evidence import load as load_evidence
    from knowledge.synthesis.centre import centre_posterior
    from knowledge.synthesis.facts import published_spec

    spec = published_spec(load_evidence())
    pool = "icans" if coding is None else "crs"
    centre = centre_posterior(spec.centres(pool), spec.centre_mean_sd, spec.centre_sd_scale)
    draws = prior_draws(spec, centre, 1.0, coding, 500, np.random.default_rng(1))  # type: ignore[arg-type]  # a coding
    risks = reference_risks(pool, coding or "none", draws)
    assert ((risks > 0) & (risks < 1)).all()
