"""The variants of the sensitivity analysis: each option of the specification does what it says, and no more."""

from __future__ import annotations

import numpy as np
import pytest

from knowledge import PatientFactors, assess, firth
from knowledge.evidence import load as load_evidence
from knowledge.model import decode, encode
from knowledge.synthesis.build import build_model
from knowledge.synthesis.centre import CentrePosterior, centre_posterior
from knowledge.synthesis.cohorts import Batch, CrsPatients, IcansPatients, crs_batch, icans_batch
from knowledge.synthesis.facts import published_spec
from knowledge.synthesis.significance import Criterion, judge_binary, judge_continuous
from knowledge.synthesis.spec import CODINGS, POOLS, Coding, Pool, Spec

SPEC = published_spec(load_evidence())
WIDE = 2.5


@pytest.fixture(scope="module")
def centres() -> dict[Pool, CentrePosterior]:
    return {pool: centre_posterior(SPEC.centres(pool), SPEC.centre_mean_sd, SPEC.centre_sd_scale) for pool in POOLS}


def crs(spec: Spec, centre: CentrePosterior, coding: Coding = "elevated", size: int = 150) -> tuple[Batch, CrsPatients]:
    batch = crs_batch(spec, centre, WIDE, coding, size, np.random.default_rng(51), keep_data=True)
    assert isinstance(batch.patients, CrsPatients)
    return batch, batch.patients


def test_the_defaults_are_the_model_that_ships() -> None:
    assert Spec.model_validate(SPEC.model_dump(exclude_unset=True)) == SPEC
    assert (SPEC.codings, SPEC.significances, SPEC.grade2_significance) == (CODINGS, True, True)
    assert (SPEC.test, SPEC.other_covariates) == ("penalised_likelihood_ratio", False)


def test_counts_alone_let_every_cohort_pass(centres: dict[Pool, CentrePosterior]) -> None:
    spec = SPEC.model_copy(update={"significances": False})
    batch, patients = crs(spec, centres["crs"])
    assert list(batch.passed) == ["crs_count", "crs_grade2_count", "crs_grade3_count"]
    assert len(batch.weight) == batch.simulated == 150
    assert (patients.any_grade.sum(axis=1) == 16).all()
    assert (patients.grade2.sum(axis=1) >= 3).all()
    icans = icans_batch(spec, centres["icans"], 1.0, 4_000, np.random.default_rng(52))
    assert icans.passed == {"icans_count": 4_000}
    # Counts without significances say nothing of the sign of an effect, only that large ones are less likely.
    share = icans.weight / icans.weight.sum()
    assert abs((share * icans.columns["b_cvd"]).sum()) < 0.1


def test_without_the_condition_on_grade_two_its_regression_may_show_anything(
    centres: dict[Pool, CentrePosterior],
) -> None:
    batch, patients = crs(SPEC.model_copy(update={"grade2_significance": False}), centres["crs"])
    assert list(batch.passed) == ["crs_count", "crs_any", "crs_grade2_count", "crs_grade3_count"]
    fits = [
        firth.fit(np.column_stack([np.ones(30), ldh]), grade2)
        for ldh, grade2 in zip(patients.ldh, patients.grade2, strict=True)
    ]
    assert 0 < sum(fit.lr[1] >= SPEC.lr_threshold for fit in fits) < len(fits)


@pytest.mark.parametrize("coding", CODINGS)
def test_wald_is_what_the_kept_cohorts_pass(centres: dict[Pool, CentrePosterior], coding: Coding) -> None:
    _, patients = crs(SPEC.model_copy(update={"test": "wald"}), centres["crs"], coding, 100)
    assert len(patients.ldh) > 3
    for ldh, liver, any_grade, grade2 in zip(
        patients.ldh, patients.liver, patients.any_grade, patients.grade2, strict=True
    ):
        for covariates, outcome in (((ldh, liver), any_grade), ((ldh,), grade2)):
            found = firth.fit(np.column_stack([np.ones(30), *covariates]), outcome)
            assert (found.coef[1:] / np.sqrt(np.diag(found.cov)[1:]) >= 1.9599).all()


def test_wald_is_stricter_in_sparse_data(centres: dict[Pool, CentrePosterior]) -> None:
    found = [
        icans_batch(SPEC.model_copy(update={"test": test}), centres["icans"], 1.0, 3_000, np.random.default_rng(53))
        for test in ("penalised_likelihood_ratio", "wald")
    ]
    assert 0 < found[1].reached["icans_any"] < found[0].reached["icans_any"]


def test_the_larger_analysis_groups_as_it_fits_patients() -> None:
    rng = np.random.default_rng(54)
    x = tuple((rng.random((60, 30)) < 0.4).astype(float) for _ in range(4))
    eta = 3.0 * (x[0] + x[1]) - 2.5
    y = (rng.random((60, 30)) < 1 / (1 + np.exp(-eta))).astype(float)
    criterion = Criterion(SPEC.lr_threshold, "penalised_likelihood_ratio", 2)
    grouped, single = judge_binary(x, y, criterion), judge_continuous(x, y, criterion)
    assert (grouped == single).all()
    assert 5 < grouped.sum() < 55


def test_the_larger_analysis_is_another_filter(centres: dict[Pool, CentrePosterior]) -> None:
    larger = SPEC.model_copy(update={"other_covariates": True})
    batch = icans_batch(larger, centres["icans"], WIDE, 150, np.random.default_rng(55), keep_data=True)
    assert isinstance(batch.patients, IcansPatients)
    alone = [
        firth.fit(np.column_stack([np.ones(30), diabetes, cvd]), icans)
        for diabetes, cvd, icans in zip(batch.patients.diabetes, batch.patients.cvd, batch.patients.icans, strict=True)
    ]
    assert len(alone) > 10
    # Adjusted for more, some are significant that would not be by themselves.
    assert any((fit.lr[1:] < SPEC.lr_threshold).any() for fit in alone)
    some, _ = crs(larger, centres["crs"], size=60)
    assert 0 < some.passed["crs_any"] < 60


def test_a_model_of_one_coding_one_tau_and_no_correlation_answers() -> None:
    spec = SPEC.model_copy(
        update={
            "codings": ("log2_ratio",),
            "tau_crs": (2.5,),
            "tau_icans": (2.0,),
            "ldh_liver_correlation": (0.0, 0.0),
            "diabetes_cvd_correlation": (0.0, 0.0),
            "cvd_prevalence": (4.5, 25.5),
        }
    )
    model = decode(encode(build_model(spec, 3, effective_draws=60, workers=1), "variant"))
    crs_draws, icans_draws = model.draws("crs"), model.draws("icans")
    assert (crs_draws.coding == CODINGS.index("log2_ratio")).all()
    assert model.content.diagnostics["crs"]["coding_share"] == {"log2_ratio": 1.0}  # type: ignore[index]  # JSON
    assert (crs_draws["ldh_liver_correlation"] == 0).all()
    assert (icans_draws["diabetes_cvd_correlation"] == 0).all()
    assert (icans_draws.weight * icans_draws["cvd_prevalence"]).sum() < 0.2
    for outcome in assess(PatientFactors(), model).outcomes:
        assert outcome.risk_by_prior[0] == outcome.risk_by_prior[1]
        assert 0 < outcome.interval[0] < outcome.risk < outcome.interval[1] < 1
