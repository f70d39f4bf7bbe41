"""New patients, their true risks and what each method is said to predict, one patient at a time."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

from knowledge import LdhMultiple, Outcome, PatientFactors, Presence, assess
from knowledge import firth as single
from knowledge.model import Draws, Model
from knowledge.model import load as load_model
from knowledge.simulation.cohorts import (
    LDH_STEP,
    Cohorts,
    NewCrsPatients,
    Setting,
    ldh_table,
    new_crs_patients,
    new_icans_patients,
    prepare,
    simulate,
    with_draws,
)
from knowledge.simulation.performance import Judged, Tables, judge_crs, judge_icans, tables_of
from knowledge.simulation.results import CENTRES, METHODS, Centre, StudyResults
from knowledge.simulation.run import Size, mapping, run_study
from knowledge.simulation.scenarios import OWN_PRIOR, Scenario, scenarios
from knowledge.synthesis.cohorts import CrsPatients, IcansPatients
from knowledge.synthesis.spec import POOLS, Pool

Floats = NDArray[np.float64]

SEVERITY_APART = next(scenario for scenario in scenarios() if scenario.id == "severity_apart")
TAU_WIDE = next(scenario for scenario in scenarios() if scenario.id == "tau_1.5")


@lru_cache(maxsize=2)
def cohorts(pool: Pool) -> Cohorts:
    """A few cohorts of a truth whose facts are common; for CRS, one where severity differs between centres."""
    model = load_model()
    wide = TAU_WIDE.changes if pool == "icans" else {**TAU_WIDE.changes, **SEVERITY_APART.changes}
    scenario = Scenario("x", "x", "x", (pool,), wide, severity_sd=SEVERITY_APART.severity_sd)
    setting = Setting(11, (scenario,), model.spec)
    prepare(setting)
    return simulate(setting, 0, pool, effective=8, patients=25, batches_per_round=1, mapper=map)


@lru_cache(maxsize=1)
def tables() -> Tables:
    """The rival "counts only" stood in for by one tau of the model: another engine, in no time."""
    return tables_of(load_model(), other_model())


@lru_cache(maxsize=1)
def other_model() -> Model:
    model = load_model()
    draws: dict[Pool, Draws] = {}
    for pool in POOLS:
        whole = model.draws(pool)
        kept = whole.tau == 0
        weight = whole.weight[kept] / whole.weight[kept].sum()
        matrix = np.ascontiguousarray(whole.matrix[:, kept])
        draws[pool] = Draws(whole.names, matrix, weight, whole.tau[kept], whole.coding[kept])
    return with_draws(model, draws, model.spec.ldh_hold)


@lru_cache(maxsize=1)
def judged() -> dict[Outcome, Judged]:
    found = [*judge_crs(cohorts("crs"), tables()), *judge_icans(cohorts("icans"), tables())]
    return {each.outcome: each for each in found}


def some(pool: Pool) -> list[tuple[int, int]]:
    """A few cohorts and patients to look at."""
    rng = np.random.default_rng(1)
    return [(int(rng.integers(len(cohorts(pool)))), int(rng.integers(25))) for _ in range(40)]


def patient(new: NewCrsPatients, a: int, j: int) -> tuple[float, bool]:
    return float(ldh_table()[new.cell[a, j]]), bool(new.liver[a, j])


def test_true_crs_risks_are_the_models_formula() -> None:
    found = cohorts("crs")
    new = new_crs_patients(found)
    assert set(found.coding) == {0, 1}
    assert found.severity_shift.std() > 0.2
    for a, j in some("crs"):
        p = {name: float(value[a]) for name, value in found.columns.items()}
        log2_ratio, liver = patient(new, a, j)
        if found.coding[a] == 0:
            x = float(log2_ratio > 0) - special.ndtr(p["ldh_mean"] / p["ldh_sd"])
        else:
            x = log2_ratio - p["ldh_mean"]
        effect = p["b_ldh"] * x + p["b_liver"] * (liver - p["liver_prevalence"])
        severe = p["c_grade2"] + p["d_ldh"] * x
        study, elsewhere = special.expit(p["a_study"] + effect), special.expit(p["a_new"] + effect)
        wanted = {
            (Outcome.CRS_ANY, "study"): study,
            (Outcome.CRS_ANY, "new"): elsewhere,
            (Outcome.CRS_GRADE2PLUS, "study"): study * special.expit(severe),
            (Outcome.CRS_GRADE2PLUS, "new"): elsewhere * special.expit(severe + found.severity_shift[a]),
        }
        for outcome in (Outcome.CRS_ANY, Outcome.CRS_GRADE2PLUS):
            for centre in CENTRES:
                assert judged()[outcome].true[centre][a, j] == pytest.approx(wanted[outcome, centre], rel=1e-12)


def test_true_icans_risks_are_the_models_formula() -> None:
    found = cohorts("icans")
    diabetes, cvd = new_icans_patients(found)
    for a, j in some("icans"):
        p = {name: float(value[a]) for name, value in found.columns.items()}
        effect = p["b_diabetes"] * (diabetes[a, j] - p["diabetes_prevalence"])
        effect += p["b_cvd"] * (cvd[a, j] - p["cvd_prevalence"])
        true = judged()[Outcome.ICANS_ANY].true
        wanted = [special.expit(p[f"a_{centre}"] + effect) for centre in CENTRES]
        assert [true[centre][a, j] for centre in CENTRES] == pytest.approx(wanted, rel=1e-12)


def engine_says(
    factors: PatientFactors, outcome: Outcome, centre: Centre, model: Model | None = None
) -> tuple[float, float, float]:
    risk = assess(factors, model).risk_of(outcome)
    if centre == "new":
        return (risk.risk, *risk.interval)
    return (risk.risk_study_centre, *risk.interval_study_centre)


@pytest.mark.parametrize("centre", CENTRES)
def test_the_engine_is_asked_about_the_very_patient(centre: Centre) -> None:
    new = new_crs_patients(cohorts("crs"))
    diabetes, cvd = new_icans_patients(cohorts("icans"))
    for a, j in some("crs")[:10]:
        log2_ratio, liver = patient(new, a, j)
        status = Presence.YES if liver else Presence.NO
        factors = PatientFactors(ldh=LdhMultiple(multiple=2.0**log2_ratio), liver_metastases=status)
        for outcome in (Outcome.CRS_ANY, Outcome.CRS_GRADE2PLUS):
            said = judged()[outcome].predicted["engine", centre]
            assert (said.risk[a, j], said.low[a, j], said.high[a, j]) == engine_says(factors, outcome, centre)
            other = judged()[outcome].predicted["counts", centre]
            wanted = engine_says(factors, outcome, centre, other_model())
            assert (other.risk[a, j], other.low[a, j], other.high[a, j]) == wanted
    for a, j in some("icans")[:10]:
        one, other = (Presence.YES if each[a, j] else Presence.NO for each in (diabetes, cvd))
        factors = PatientFactors(diabetes=one, cardiovascular_disease=other)
        said = judged()[Outcome.ICANS_ANY].predicted["engine", centre]
        assert (said.risk[a, j], said.low[a, j], said.high[a, j]) == engine_says(factors, Outcome.ICANS_ANY, centre)


def test_the_firth_calculator_is_the_cohorts_own_regression() -> None:
    """Of LDH as the cohort codes it, and liver metastases; for grade >= 2 of LDH alone; whatever the centre."""
    found, new = cohorts("crs"), new_crs_patients(cohorts("crs"))
    data = found.patients
    assert isinstance(data, CrsPatients)
    for a, j in some("crs")[:12]:
        log2_ratio, liver = patient(new, a, j)
        x = float(log2_ratio > 0) if found.coding[a] == 0 else log2_ratio
        both = single.fit(np.column_stack([np.ones(30), data.ldh[a], data.liver[a]]), data.any_grade[a])
        alone = single.fit(np.column_stack([np.ones(30), data.ldh[a]]), data.grade2[a])
        for centre in CENTRES:
            any_grade = judged()[Outcome.CRS_ANY].predicted["firth", centre]
            grade2 = judged()[Outcome.CRS_GRADE2PLUS].predicted["firth", centre]
            assert any_grade.risk[a, j] == pytest.approx(both.predict([[1.0, x, liver]])[0], abs=1e-6)
            assert grade2.risk[a, j] == pytest.approx(alone.predict([[1.0, x]])[0], abs=1e-6)


def test_new_patients_are_the_cohorts_own_kind() -> None:
    """Means and correlations over many patients; an LDH never changes sides of its limit by being tabulated."""
    found = cohorts("crs")
    rng = np.random.default_rng(3)
    many = 4_000
    normal = rng.standard_normal((2, len(found), many))
    rho = found.columns["ldh_liver_correlation"][:, None]
    latent = np.stack([normal[0], rho * normal[0] + np.sqrt(1 - rho**2) * normal[1]], axis=2)
    new = new_crs_patients(Cohorts(found.columns, found.weight, found.tau, found.coding, found.patients, latent,
                                   found.severity_shift, found.structure))  # fmt: skip
    log2_ratio = found.columns["ldh_mean"][:, None] + found.columns["ldh_sd"][:, None] * latent[:, :, 0]
    tabulated = ldh_table()[new.cell]
    assert ((tabulated > 0) == (log2_ratio > 0)).all()
    inside = np.abs(log2_ratio) < 3.2
    assert np.abs(tabulated - log2_ratio)[inside].max() <= LDH_STEP / 2 + 1e-12
    assert new.liver.mean(axis=1) == pytest.approx(found.columns["liver_prevalence"], abs=0.04)


def test_cohorts_show_what_was_published() -> None:
    crs, icans = cohorts("crs").patients, cohorts("icans").patients
    assert isinstance(crs, CrsPatients)
    assert isinstance(icans, IcansPatients)
    assert (crs.any_grade.sum(axis=1) == 16).all()
    assert (crs.grade2.sum(axis=1) >= 3).all()
    assert (icans.icans.sum(axis=1) == 7).all()
    assert cohorts("crs").weight.sum() == pytest.approx(1.0)
    assert cohorts("crs").effective >= 8


def test_processes_change_nothing() -> None:
    """The same cohorts and new patients from this process and from two others."""
    own = next(scenario for scenario in scenarios() if scenario.id == OWN_PRIOR)
    setting = Setting(3, (own,), load_model().spec)
    found = []
    for workers in (1, 2):
        with mapping(setting, workers) as mapper:
            found.append(simulate(setting, 0, "icans", effective=10, patients=5, batches_per_round=2, mapper=mapper))
    one, two = found
    assert (one.weight == two.weight).all()
    assert all((one.columns[name] == two.columns[name]).all() for name in one.columns)
    assert (one.latent == two.latent).all()


def test_a_small_study_has_every_row() -> None:
    """From end to end, with cohorts of one outcome only; the ranks come with the engine's own prior."""
    own = Scenario(OWN_PRIOR, "own", "own", ("icans",), {"tau_icans": (1.0,)})
    found = run_study(load_model(), 3, Size(effective=10, own=1, patients=5, counts_only=20), workers=1, chosen=(own,))
    (result,) = found.scenarios
    assert {(row.centre, row.method) for row in result.performance} == set(product(CENTRES, METHODS))
    assert result.effective_cohorts >= 10
    assert result.kind == "own"
    assert len(found.counts_only_draws) == 1  # of ICANS alone
    assert found.counts_only_draws[0] >= 20
    assert {rank.outcome for rank in found.ranks} == {Outcome.ICANS_ANY}
    assert all(math.isclose(sum(rank.shares), 1.0, abs_tol=1e-5) for rank in found.ranks)
    assert StudyResults.model_validate_json(found.model_dump_json(exclude_defaults=True)) == found
