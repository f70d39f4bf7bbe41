"""Batches of simulated cohorts against cohorts judged one at a time."""

from __future__ import annotations

import numpy as np
import pytest

from knowledge import firth
from knowledge.evidence import load as load_evidence
from knowledge.synthesis.centre import CentrePosterior, centre_posterior
from knowledge.synthesis.cohorts import (
    Batch,
    CrsPatients,
    IcansPatients,
    crs_batch,
    icans_batch,
)
from knowledge.synthesis.facts import published_spec
from knowledge.synthesis.parameters import CRS_COLUMNS, ICANS_COLUMNS
from knowledge.synthesis.proposal import SHIFTED
from knowledge.synthesis.spec import CODINGS, POOLS, Coding, Pool
from tests.support.engine_cohorts import Accepted, crs_cohorts, icans_cohorts

SPEC = published_spec(load_evidence())
WIDE = 2.5  # so wide a prior that some of twenty cohorts are accepted
COHORTS = 20


@pytest.fixture(scope="module")
def centres() -> dict[Pool, CentrePosterior]:
    return {pool: centre_posterior(SPEC.centres(pool), SPEC.centre_mean_sd, SPEC.centre_sd_scale) for pool in POOLS}


def check(batch: Batch, alone: list[Accepted]) -> None:
    slope = batch.columns["d_ldh" if "d_ldh" in batch.columns else "b_cvd"]
    assert batch.columns["a_study"] == pytest.approx([cohort.a_study for cohort in alone], rel=1e-12)
    assert slope == pytest.approx([cohort.slope for cohort in alone], rel=1e-12)
    # Three of grade >= 3: the batch averages over a grid of the prior, the check by quadrature.
    assert batch.weight == pytest.approx([cohort.weight for cohort in alone], rel=1e-5)
    assert batch.simulated == COHORTS


@pytest.mark.parametrize("coding", CODINGS)
def test_crs_cohorts_are_accepted_as_one_at_a_time(centres: dict[Pool, CentrePosterior], coding: Coding) -> None:
    # A lower threshold lets more through, so that every condition decides about some cohorts.
    spec = SPEC.model_copy(update={"lr_threshold": 1.5})
    batch = crs_batch(spec, centres["crs"], WIDE, coding, COHORTS, np.random.default_rng(21))
    alone = list(crs_cohorts(spec, centres["crs"], WIDE, coding, COHORTS, np.random.default_rng(21), SHIFTED))
    check(batch, alone)
    assert 3 <= len(alone) <= batch.passed["crs_any"] < COHORTS


def test_icans_cohorts_are_accepted_as_one_at_a_time(centres: dict[Pool, CentrePosterior]) -> None:
    batch = icans_batch(SPEC, centres["icans"], WIDE, COHORTS, np.random.default_rng(22))
    alone = list(icans_cohorts(SPEC, centres["icans"], WIDE, COHORTS, np.random.default_rng(22), SHIFTED))
    check(batch, alone)
    assert len(alone) >= 3


@pytest.mark.parametrize("coding", CODINGS)
def test_crs_batch_is_in_order(centres: dict[Pool, CentrePosterior], coding: Coding) -> None:
    batch = crs_batch(SPEC, centres["crs"], WIDE, coding, 1_000, np.random.default_rng(23))
    accepted = len(batch.weight)
    assert accepted > 10
    assert tuple(batch.columns) == CRS_COLUMNS
    assert all(column.shape == (accepted,) for column in batch.columns.values())
    assert (batch.weight > 0).all()
    names = ["crs_count", "crs_any", "crs_grade2_count", "crs_grade2", "crs_grade3_count"]
    assert list(batch.passed) == list(batch.reached) == names
    assert batch.passed["crs_count"] == batch.simulated
    assert batch.passed["crs_grade3_count"] == accepted
    for by_condition in (batch.passed, batch.reached):
        assert list(by_condition.values()) == sorted(by_condition.values(), reverse=True)
    assert batch.reached["crs_grade3_count"] == pytest.approx(batch.weight.sum())


def test_icans_batch_is_in_order(centres: dict[Pool, CentrePosterior]) -> None:
    batch = icans_batch(SPEC, centres["icans"], WIDE, 4_000, np.random.default_rng(24))
    assert tuple(batch.columns) == ICANS_COLUMNS
    assert (batch.weight > 0).all()
    assert batch.passed == {"icans_count": batch.simulated, "icans_any": len(batch.weight)}
    assert batch.reached["icans_any"] == pytest.approx(batch.weight.sum())
    assert 10 < len(batch.weight) < batch.simulated


@pytest.mark.parametrize("coding", CODINGS)
def test_kept_crs_patients_show_the_published_facts(centres: dict[Pool, CentrePosterior], coding: Coding) -> None:
    """One regression after the other on the patients handed out; keeping them changes no draw."""
    batch, bare = (
        crs_batch(SPEC, centres["crs"], WIDE, coding, 150, np.random.default_rng(27), keep_data=keep)
        for keep in (True, False)
    )
    assert bare.patients is None
    assert (batch.weight == bare.weight).all()
    kept = batch.patients
    assert isinstance(kept, CrsPatients)
    assert kept.ldh.shape == kept.liver.shape == kept.any_grade.shape == kept.grade2.shape == (len(batch.weight), 30)
    assert len(batch.weight) > 3
    assert set(np.unique(kept.ldh)) == {0.0, 1.0} if coding == "elevated" else len(np.unique(kept.ldh)) > 30
    for ldh, liver, any_grade, grade2 in zip(kept.ldh, kept.liver, kept.any_grade, kept.grade2, strict=True):
        assert any_grade.sum() == SPEC.crs_any
        assert SPEC.crs_grade2_least <= grade2.sum()
        assert (grade2 <= any_grade).all()
        for covariates, outcome in (((ldh, liver), any_grade), ((ldh,), grade2)):
            found = firth.fit(np.column_stack([np.ones(30), *covariates]), outcome)
            assert (found.coef[1:] > 0).all()
            assert (found.lr[1:] >= SPEC.lr_threshold).all()


def test_kept_icans_patients_show_the_published_facts(centres: dict[Pool, CentrePosterior]) -> None:
    batch = icans_batch(SPEC, centres["icans"], WIDE, 150, np.random.default_rng(28), keep_data=True)
    kept = batch.patients
    assert isinstance(kept, IcansPatients)
    assert len(kept.icans) == len(batch.weight) > 3
    for diabetes, cvd, icans in zip(kept.diabetes, kept.cvd, kept.icans, strict=True):
        assert icans.sum() == SPEC.icans_any
        found = firth.fit(np.column_stack([np.ones(30), diabetes, cvd]), icans)
        assert (found.coef[1:] > 0).all()
        assert (found.lr[1:] >= SPEC.lr_threshold).all()


def test_the_slope_per_doubling_is_scaled_by_the_spread_of_the_ldh(centres: dict[Pool, CentrePosterior]) -> None:
    """tau is the scale of a 2-sd difference. With no condition to meet, the prior itself comes out."""
    spec = SPEC.model_copy(update={"significances": False, "crs_grade2_least": 0, "crs_grade3": 0})
    batch = crs_batch(spec, centres["crs"], 1.0, "log2_ratio", 20_000, np.random.default_rng(25))
    standardised = batch.columns["b_ldh"] * 2 * batch.columns["ldh_sd"]
    narrow, wide = (standardised[batch.columns["ldh_sd"] < 1.0], standardised[batch.columns["ldh_sd"] > 1.2])
    assert narrow.std() == pytest.approx(1.0, rel=0.06)
    assert wide.std() == pytest.approx(1.0, rel=0.06)
    assert batch.columns["ldh_sd"].min() >= 0.8
    assert batch.columns["ldh_sd"].max() <= 1.4


def test_wider_priors_meet_the_facts_more_often(centres: dict[Pool, CentrePosterior]) -> None:
    """Which is why the thirds of tau are weighted equally and never by their evidence."""
    weights = [
        icans_batch(SPEC, centres["icans"], tau, 10_000, np.random.default_rng(26)).weight.sum()
        for tau in (0.5, 1.0, 2.0)
    ]
    assert weights == sorted(weights)
