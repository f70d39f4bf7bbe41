"""The report of the example cohort shows every figure that the founding study published, as the evidence holds it.

``test_example`` proves the same of the file's rows; this is what a reader of the report sees.
"""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from bot.cohort.report.page import report_page
from bot.cohort.report.words import rate
from knowledge.assessment import Outcome
from knowledge.cohort.file import read_cohort
from knowledge.cohort.report.founding import GIVEN, WITHOUT
from knowledge.cohort.report.study import StudyReport
from knowledge.evidence.printed import agrees, parse_percent
from tests.support.report_pages import known, report_of, visible, without_origin


@pytest.fixture(scope="module")
def example() -> StudyReport:
    content = files("knowledge").joinpath("data/example_cohort.csv").read_bytes()
    return report_of(read_cohort(content).rows)


@pytest.fixture(scope="module")
def page(example) -> str:
    return visible(report_page(example))


def published(outcome: Outcome, group: str) -> str:
    return (WITHOUT if group == "without" else GIVEN)[outcome]


@pytest.mark.parametrize(
    ("outcome", "group", "printed"),
    [
        (Outcome.CRS_ANY, "without", "16/30 = 53.3 % (34.3 to 71.7 %)"),
        (Outcome.CRS_GRADE3PLUS, "without", "3/30 = 10.0 % (2.1 to 26.5 %)"),
        (Outcome.ICANS_ANY, "without", "7/30 = 23.3 % (9.9 to 42.3 %)"),
        (Outcome.ICANS_GRADE3PLUS, "without", "3/30 = 10.0 % (2.1 to 26.5 %)"),
        (Outcome.CRS_ANY, "given", "1/10 = 10.0 % (0.3 to 44.5 %)"),
        (Outcome.ICANS_ANY, "given", "0/10 = 0.0 % (0.0 to 30.8 %)"),
    ],
)
def test_rates_are_the_published_ones(example, page, outcome, group, printed):
    """Counts from the evidence entry; limits as scipy and R give them for these counts; both stand on the page."""
    fact = known().fact(published(outcome, group))
    found = next(each.groups for each in example.comparison if each.outcome is outcome)
    here = getattr(found, group)
    assert (here.events, here.n) == (fact.count, fact.denominator)
    assert fact.percent is None or agrees(parse_percent(fact.percent), here.events, here.n)
    assert rate(here) == printed
    assert page.count(printed) >= 2  # here and, from the evidence, for the study
    assert fact.id in page


def test_the_patients(example, page):
    evidence, baseline = known(), example.baseline
    assert example.provenance.patients == evidence.fact("inc.joshi.n").n
    split = evidence.fact("inc.joshi.n").value
    patients = example.flow.patients
    assert split == f"{patients.without} without and {patients.given} with prophylactic tocilizumab"
    assert baseline.summary_of("age").everyone.median == evidence.fact("inc.joshi.age").value
    for key, fact in (("male", "inc.joshi.male"), ("ecog01", "inc.joshi.ecog01")):
        here, there = baseline.share_of(key).everyone, evidence.fact(fact)
        assert (here.events, here.n) == (there.count, there.denominator)
        assert agrees(parse_percent(there.percent), here.events, here.n)
    for shown in ("66.5 years, n 40", "22/40 = 55.0 %", "35/40 = 87.5 %"):
        assert page.count(shown) >= 2


def test_fisher_s_tests(example, page):
    """As the evidence has them: "CRS p = 0.026; ICANS p = 0.16"."""
    derived = known().fact("pro.joshi.compare").derived
    contrasts = {each.outcome: each.contrast for each in example.comparison}
    crs, icans = contrasts[Outcome.CRS_ANY].fisher_p, contrasts[Outcome.ICANS_ANY].fisher_p
    assert derived.value == f"CRS p = {crs:.2g}; ICANS p = {icans:.2g}"
    assert contrasts[Outcome.CRS_ANY] == example.founding.comparison[Outcome.CRS_ANY]
    assert contrasts[Outcome.ICANS_ANY] == example.founding.comparison[Outcome.ICANS_ANY]
    assert page.count("0.026") >= 2


def test_the_event_with_prophylaxis_was_of_grade_2(example):
    grades = next(each.groups.given for each in example.toxicity if each.key == "crs_grade_dose1")
    assert grades.counts == (9, 0, 1, 0, 0, 0)
    assert "grade 2" in known().fact("inc.joshi.toci_crs").note


def test_discontinuation_and_death(example):
    """Two died of the treatment, and three ended it, those two among them."""
    fate = example.fate
    assert fate.discontinued.without.events == known().fact("inc.joshi.discontinued").count
    assert fate.died_of_treatment.without.events == known().fact("inc.joshi.deaths").count


def test_it_is_said_to_be_simulated_and_every_number_is_in_the_data(example):
    assert example.provenance.simulated_patients == example.provenance.patients
    whole = report_page(example)
    assert "<title>SIMULATED" in whole
    assert without_origin(whole, example.model_dump(mode="json")) == set()


def test_the_contents_lead_to_every_section(example):
    page = report_page(example)
    links = re.findall(r'<a href="#([^"]+)">([^<]+)</a>', page)
    headings = re.findall(r'<section id="([^"]+)">\n<h2>([^<]+)</h2>', page)
    assert links == headings
    assert len(headings) > 8
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
