"""The example cohort shows what was published of the founding study, figure by figure, as the evidence has it."""

from __future__ import annotations

import statistics
import subprocess
import sys

import numpy as np
import pytest

from knowledge.assessment import Outcome
from knowledge.cohort.example import example_cohort, example_csv
from knowledge.cohort.record import CohortRow, Death, Histology, Sex
from knowledge.evidence import load
from knowledge.exact import fisher_exact
from knowledge.factors import LdhMeasured, Presence
from knowledge.firth import FirthFit, fit

EVIDENCE = load()
ROWS = example_cohort().rows
WITH = [row for row in ROWS if row.tocilizumab_prophylaxis is Presence.YES]
WITHOUT = [row for row in ROWS if row.tocilizumab_prophylaxis is Presence.NO]
YES = Presence.YES


def counted(rows: list[CohortRow], outcome: Outcome) -> tuple[int, int]:
    return sum(bool(row.had(outcome)) for row in rows), sum(row.had(outcome) is not None for row in rows)


def published(fact_id: str) -> tuple[int | None, int | None]:
    fact = EVIDENCE.fact(fact_id)
    return fact.count, fact.denominator


def test_every_row_says_that_it_is_simulated() -> None:
    assert example_cohort().simulated
    assert all(row.simulated for row in ROWS)


def test_patients() -> None:
    fact = EVIDENCE.fact("inc.joshi.n")
    assert len(ROWS) == fact.n
    assert fact.value == f"{len(WITHOUT)} without and {len(WITH)} with prophylactic tocilizumab"


def test_median_age() -> None:
    assert statistics.median(row.age or 0 for row in ROWS) == EVIDENCE.fact("inc.joshi.age").value


def test_sex() -> None:
    assert (sum(row.sex is Sex.MALE for row in ROWS), len(ROWS)) == published("inc.joshi.male")


def test_ecog() -> None:
    assert all(row.ecog is not None for row in ROWS)
    assert (sum(row.ecog in (0, 1) for row in ROWS), len(ROWS)) == published("inc.joshi.ecog01")


def test_histology() -> None:
    assert "SCLC or high-grade neuroendocrine carcinoma" in EVIDENCE.fact("inc.joshi.n").population
    assert {row.histology for row in ROWS} == {Histology.SCLC, Histology.HIGH_GRADE_NEC}


@pytest.mark.parametrize(
    ("fact_id", "outcome"),
    [
        ("inc.joshi.crs_any", Outcome.CRS_ANY),
        ("inc.joshi.crs_g3plus", Outcome.CRS_GRADE3PLUS),
        ("inc.joshi.icans_any", Outcome.ICANS_ANY),
        ("inc.joshi.icans_g3plus", Outcome.ICANS_GRADE3PLUS),
    ],
)
def test_toxicity_without_prophylaxis(fact_id: str, outcome: Outcome) -> None:
    assert counted(WITHOUT, outcome) == published(fact_id)


def test_crs_with_prophylaxis() -> None:
    assert counted(WITH, Outcome.CRS_ANY) == published("inc.joshi.toci_crs")
    assert EVIDENCE.fact("inc.joshi.toci_crs").note == "The one event was of grade 2."
    assert max(row.crs_grade_dose1 or 0 for row in WITH) == 2


def test_icans_with_prophylaxis() -> None:
    assert counted(WITH, Outcome.ICANS_ANY) == published("inc.joshi.toci_icans")


def test_prophylaxis_compared() -> None:
    def p_value(outcome: Outcome) -> float:
        (a, n), (c, m) = counted(WITHOUT, outcome), counted(WITH, outcome)
        return fisher_exact(a, n - a, c, m - c)

    crs, icans = p_value(Outcome.CRS_ANY), p_value(Outcome.ICANS_ANY)
    derived = EVIDENCE.fact("pro.joshi.compare").derived
    assert derived is not None
    assert derived.value == f"CRS p = {crs:.2g}; ICANS p = {icans:.2g}"


def test_discontinued() -> None:
    stopped = [row for row in ROWS if row.discontinued is YES]
    assert len(stopped) == EVIDENCE.fact("inc.joshi.discontinued").count
    assert all(row.tocilizumab_prophylaxis is Presence.NO for row in stopped)
    assert all(max(row.crs_grade_dose1 or 0, row.icans_grade or 0) >= 3 for row in stopped)  # for severe CRS or ICANS


def test_treatment_related_deaths() -> None:
    died = [row for row in ROWS if row.death is Death.TREATMENT_RELATED]
    assert len(died) == EVIDENCE.fact("inc.joshi.deaths").count
    assert all(row.discontinued is YES and row.tocilizumab_prophylaxis is Presence.NO for row in died)


def above_limit(row: CohortRow) -> float:
    assert isinstance(row.ldh, LdhMeasured)
    return float(row.ldh.ratio > 1.0)


def doublings(row: CohortRow) -> float:
    assert isinstance(row.ldh, LdhMeasured)
    return float(np.log2(row.ldh.ratio))


CODINGS = pytest.mark.parametrize("ldh", [above_limit, doublings])


def raises_risk(fitted: FirthFit, coefficient: int) -> bool:
    """Significant by the penalised likelihood ratio, at the one maximum there is."""
    assert not fitted.several_maxima
    assert not fitted.separation
    assert np.isfinite(fitted.ci).all()
    return bool(fitted.coef[coefficient] > 0 and fitted.pvalues[coefficient] < 0.05)


@CODINGS
@pytest.mark.parametrize(("association", "coefficient"), [("rf.joshi.ldh.crs", 1), ("rf.joshi.liver.crs", 2)])
def test_predictors_of_crs(ldh, association: str, coefficient: int) -> None:  # type: ignore[no-untyped-def]  # any coding of LDH
    """By either coding of LDH, for the study does not say which it used."""
    design = [[1.0, ldh(row), row.liver_metastases is YES] for row in WITHOUT]
    assert EVIDENCE.association(association).direction == "higher"
    assert raises_risk(fit(design, [bool(row.had(Outcome.CRS_ANY)) for row in WITHOUT]), coefficient)


@CODINGS
def test_predictor_of_crs_of_grade_2(ldh) -> None:  # type: ignore[no-untyped-def]  # any coding of LDH
    outcome = [bool(row.had(Outcome.CRS_GRADE2PLUS)) for row in WITHOUT]
    assert EVIDENCE.association("rf.joshi.ldh.crs_g2").direction == "higher"
    assert raises_risk(fit([[1.0, ldh(row)] for row in WITHOUT], outcome), 1)


@pytest.mark.parametrize(("association", "coefficient"), [("rf.joshi.diabetes.icans", 1), ("rf.joshi.cvd.icans", 2)])
def test_predictors_of_icans(association: str, coefficient: int) -> None:
    design = [[1.0, row.diabetes is YES, row.cardiovascular_disease is YES] for row in WITHOUT]
    assert EVIDENCE.association(association).direction == "higher"
    assert raises_risk(fit(design, [bool(row.had(Outcome.ICANS_ANY)) for row in WITHOUT]), coefficient)


def test_onset_is_near_what_others_report() -> None:
    onset = statistics.median(row.crs_onset_hours for row in ROWS if row.crs_onset_hours is not None)
    reported = EVIDENCE.fact("inc.eu473.crs_onset").value
    assert onset == round(float(reported or 0))


def test_no_covariate_of_the_regressions_is_unknown() -> None:
    unknown = Presence.UNKNOWN
    for row in WITHOUT:
        assert row.ldh is not None
        assert unknown not in (row.liver_metastases, row.diabetes, row.cardiovascular_disease)


def test_the_file_is_what_the_builder_prints() -> None:
    done = subprocess.run([sys.executable, "-m", "knowledge.cohort.example"], capture_output=True, check=True)
    assert done.stdout == example_csv()
