"""The truths: what they change, and the weights that stand for a prior no specification expresses."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from scipy import integrate, stats

from knowledge.assessment import Outcome
from knowledge.evidence import load as load_evidence
from knowledge.normal import cdf
from knowledge.simulation.results import CENTRES
from knowledge.simulation.scenarios import NEAR_ZERO_SD, OWN_PRIOR, Scenario, half_near_zero, scenarios
from knowledge.synthesis.centre import centre_posterior
from knowledge.synthesis.cohorts import Batch, icans_batch
from knowledge.synthesis.facts import published_spec
from knowledge.synthesis.spec import POOLS

SPEC = published_spec(load_evidence())
TRUTHS = {scenario.id: scenario for scenario in scenarios()}


@lru_cache(maxsize=1)
def a_batch() -> Batch:
    centre = centre_posterior(SPEC.icans_centres, SPEC.centre_mean_sd, SPEC.centre_sd_scale)
    return icans_batch(SPEC, centre, 1.0, 2_000, np.random.default_rng(1))


def test_the_published_facts_are_the_same_in_every_truth() -> None:
    """Only then is the engine's answer the same under all of them."""
    conditions = ("n", "crs_any", "crs_grade2_least", "crs_grade3", "icans_any", "lr_threshold")
    for scenario in TRUTHS.values():
        spec = scenario.spec(SPEC)
        assert [getattr(spec, name) for name in conditions] == [getattr(SPEC, name) for name in conditions]
        assert (spec.crs_centres, spec.icans_centres) == (SPEC.crs_centres, SPEC.icans_centres)
    assert TRUTHS[OWN_PRIOR].spec(SPEC) == SPEC
    assert len(TRUTHS) == len(scenarios())


@pytest.mark.parametrize(
    ("scenario", "prior", "share"),
    [("liver_20", "liver_prevalence", 0.20), ("liver_55", "liver_prevalence", 0.55),
     ("diabetes_10", "diabetes_prevalence", 0.10), ("diabetes_35", "diabetes_prevalence", 0.35),
     ("cvd_15", "cvd_prevalence", 0.15), ("cvd_50", "cvd_prevalence", 0.50)],
)  # fmt: skip
def test_prevalences_are_those_that_the_name_says(scenario: str, prior: str, share: float) -> None:
    a, b = getattr(TRUTHS[scenario].spec(SPEC), prior)
    assert a / (a + b) == pytest.approx(share)
    assert a + b == pytest.approx(sum(getattr(SPEC, prior)), rel=0.4)  # about as certain as the engine's own


@pytest.mark.parametrize(("scenario", "share"), [("ldh_35", 0.35), ("ldh_75", 0.75)])
def test_high_ldh_is_as_common_as_the_name_says(scenario: str, share: float) -> None:
    spec = TRUTHS[scenario].spec(SPEC)
    rng = np.random.default_rng(0)
    m, s = rng.normal(*spec.ldh_mean, 100_000), rng.uniform(*spec.ldh_sd, 100_000)
    assert cdf(m / s).mean() == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("tau", [0.5, 1.5])
def test_half_near_zero_turns_one_prior_into_the_other(tau: float) -> None:
    """For a single effect: the weight times N(0, tau) is the mixture's density, so it integrates to one."""
    grid = np.linspace(-8, 8, 20_001)
    batch = replace(a_batch(), columns={"b_cvd": grid}, weight=np.ones(len(grid)))
    density = half_near_zero(batch, tau, per_doubling=False) * stats.norm.pdf(grid, 0, tau)
    mixture = 0.5 * stats.norm.pdf(grid, 0, NEAR_ZERO_SD) + 0.5 * stats.norm.pdf(grid, 0, tau)
    assert density == pytest.approx(mixture, abs=1e-12)
    assert integrate.trapezoid(density, grid) == pytest.approx(1.0, abs=1e-6)


def test_half_near_zero_takes_every_effect_and_nothing_else() -> None:
    """Two effects multiply; a slope per doubling is first brought to a difference of two sds."""
    effect = np.array([0.02, 1.0])
    columns = {"b_diabetes": effect, "b_cvd": effect, "mu": effect, "a_new": effect}
    batch = replace(a_batch(), columns=columns, weight=np.ones(2))
    alone = replace(batch, columns={"b_cvd": effect})
    assert half_near_zero(batch, 1.0, per_doubling=False) == pytest.approx(
        half_near_zero(alone, 1.0, per_doubling=False) ** 2
    )
    slope = replace(batch, columns={"d_ldh": effect / (2 * 1.2), "ldh_sd": np.full(2, 1.2)})
    assert half_near_zero(slope, 1.0, per_doubling=True) == pytest.approx(
        half_near_zero(alone, 1.0, per_doubling=False)
    )


def test_truths_are_called_what_they_are() -> None:
    """The engine's own taus are parts of its mixture; what no prior allows is a structure."""
    kinds = {(identity, pool): truth.kind(SPEC, pool) for identity, truth in TRUTHS.items() for pool in truth.pools}
    by_kind = {kind: {key for key, found in kinds.items() if found == kind} for kind in set(kinds.values())}
    assert by_kind["own"] == {(OWN_PRIOR, "crs"), (OWN_PRIOR, "icans")}
    assert by_kind["part"] == {("tau_0.75", "crs"), ("tau_1", "crs"), ("tau_1.5", "crs"),
                               ("tau_0.5", "icans"), ("tau_0.75", "icans"), ("tau_1", "icans")}  # fmt: skip
    assert by_kind["structure"] == {("ldh_2uln", "crs"), ("ldh_log2_as_high", "crs"), ("ldh_high_as_log2", "crs"),
                                    ("interaction_crs", "crs"), ("interaction_icans", "icans")}  # fmt: skip
    assert {("tau_0.5", "crs"), ("tau_1.5", "icans"), ("half_null", "crs")} <= by_kind["prior"]


def test_severity_by_centre_is_the_own_prior_but_for_one_comparison() -> None:
    again = {
        (identity, outcome, centre)
        for identity, truth in TRUTHS.items()
        for outcome in Outcome
        for centre in CENTRES
        if identity != OWN_PRIOR and truth.is_own_prior(outcome, centre)
    }
    assert {identity for identity, _, _ in again} == {"severity_apart"}
    assert ("severity_apart", Outcome.CRS_ANY, "new") in again
    assert ("severity_apart", Outcome.CRS_GRADE2PLUS, "study") in again
    assert ("severity_apart", Outcome.CRS_GRADE2PLUS, "new") not in again


def test_a_change_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="has no liver_prevalense"):
        Scenario("x", "x", "x", POOLS, {"liver_prevalense": (1.0, 2.0)})
