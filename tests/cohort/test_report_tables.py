"""What the report says of a cohort small enough to count by hand, and of cohorts that can say little."""

from __future__ import annotations

import html
import re

import pytest

from bot.cohort.report.page import report_page
from knowledge.assessment import Outcome
from knowledge.cohort.file.summary import Tally
from knowledge.cohort.record import CohortRow, Death, Histology, Sex, Treatment
from knowledge.cohort.report.model_parts import model_parts
from knowledge.cohort.report.study import StudyReport
from knowledge.factors import LdhCategory, LdhMeasured, LdhMultiple, LdhUnit, Presence, UpperLimit
from tests.support.centre import Truth, simulated_centre
from tests.support.report_pages import report_of, visible, without_origin

YES, NO, UNKNOWN = Presence.YES, Presence.NO, Presence.UNKNOWN

SIX = [
    CohortRow(
        age=60,
        sex=Sex.MALE,
        histology=Histology.SCLC,
        ecog=0,
        prior_lines=1,
        ldh=LdhMeasured(value=500, uln=UpperLimit(value=250)),
        liver_metastases=YES,
        tocilizumab_prophylaxis=NO,
        crs_grade_dose1=2,
        crs_grade_dose2=0,
        crs_onset_hours=10,
        crs_duration_hours=20,
        crs_treatment=(Treatment.TOCILIZUMAB, Treatment.OXYGEN),
        icans_grade=0,
        discontinued=NO,
        death=Death.NONE,
        follow_up_days=100,
    ),
    CohortRow(
        age=70,
        sex=Sex.FEMALE,
        histology=Histology.HIGH_GRADE_NEC,
        ecog=2,
        ldh=LdhMultiple(multiple=1.0),
        liver_metastases=NO,
        tocilizumab_prophylaxis=NO,
        crs_grade_dose1=0,
        crs_grade_dose2=1,
        crs_treatment=(),
        icans_grade=3,
        icans_onset_hours=40,
        discontinued=YES,
        death=Death.TREATMENT_RELATED,
        follow_up_days=20,
    ),
    CohortRow(tocilizumab_prophylaxis=NO, ldh=LdhCategory(category="high"), crs_grade_dose1=1, crs_onset_hours=30),
    CohortRow(tocilizumab_prophylaxis=NO, death=Death.OTHER),
    CohortRow(
        age=80,
        sex=Sex.MALE,
        histology=Histology.SCLC,
        ecog=1,
        ldh=LdhMeasured(value=5.0, unit=LdhUnit.MICROKATAL_PER_L, uln=UpperLimit(value=250)),
        tocilizumab_prophylaxis=YES,
        crs_grade_dose1=0,
        icans_grade=0,
    ),
    CohortRow(age=50, crs_grade_dose1=3, icans_grade=None),
]


@pytest.fixture(scope="module")
def six() -> StudyReport:
    return report_of(SIX)


def test_flow(six):
    """Whoever is not known to be in a group is in none, and whoever's outcome is not known is in no denominator."""
    patients = six.flow.patients
    assert (patients.without, patients.given, patients.not_known, patients.everyone) == (4, 1, 1, 6)
    known = {each.outcome: each.known for each in six.flow.outcomes}
    assert set(known) == set(Outcome)
    assert (known[Outcome.CRS_ANY].without, known[Outcome.CRS_ANY].everyone) == (3, 5)
    assert (known[Outcome.ICANS_ANY].without, known[Outcome.ICANS_ANY].everyone) == (2, 3)
    follow = six.flow.follow_up_days.without
    assert (follow.n, follow.known, follow.median, follow.low, follow.high) == (4, 2, 60, 20, 100)


def test_toxicity_by_grade(six):
    by = {each.key: each.groups for each in six.toxicity}
    assert by["crs_grade_dose1"].without.counts == (1, 1, 1, 0, 0, 0)
    assert by["crs_grade_dose1"].without.not_known == 1
    assert by["crs_grade_dose1"].everyone.counts == (2, 1, 1, 1, 0, 0)
    assert by["crs_grade_dose1"].everyone.grade2plus.events == 2
    assert by["crs_grade_dose2"].everyone.counts == (1, 1, 0, 0, 0, 0)
    assert by["crs_grade_dose3"].everyone.any_grade.share is None
    assert by["icans_grade"].without.grade3plus.events == 1


def test_baseline(six):
    found = six.baseline
    assert found.summary_of("age").without.median == 65
    assert found.summary_of("age").everyone.known == 4
    assert (found.share_of("male").everyone.events, found.share_of("male").everyone.n) == (2, 3)
    assert (found.share_of("ecog01").everyone.events, found.share_of("ecog01").everyone.n) == (2, 3)
    # 500/250, 1.0 and 300/250; "high" is no number. 5 µkat/L are 300 U/L.
    assert found.summary_of("ldh_ratio").everyone.median == 1.2
    assert found.summary_of("ldh").everyone.mean == 400
    # Strictly above the upper limit: 1.0 is not.
    high = found.share_of("ldh_high").everyone
    assert (high.events, high.n) == (3, 4)
    assert next(each.difference.why for each in found.variables if each.key == "age")


def test_course(six):
    """CRS after any dose counts; a duration that nobody wrote down does not."""
    crs, icans = six.course
    assert (crs.patients.without, crs.patients.everyone) == (3, 4)
    onset = crs.onset_hours.without
    assert (onset.n, onset.known, onset.median) == (
        2,
        2,
        20,
    )  # the third had CRS after dose 2, of which no hours are asked
    assert (crs.duration_hours.without.known, crs.duration_hours.without.median) == (1, 20)
    treated = crs.treatment.without
    assert (treated.any_treatment.events, treated.any_treatment.n) == (1, 2)
    assert treated.each[Treatment.OXYGEN].events == 1
    assert treated.each[Treatment.ANAKINRA].events == 0
    assert (icans.patients.everyone, icans.onset_hours.everyone.median) == (1, 40)
    fate = six.fate
    assert (fate.discontinued.without.events, fate.discontinued.without.n) == (1, 2)
    assert (fate.died_of_treatment.everyone.events, fate.died_of_treatment.everyone.n) == (1, 3)
    assert fate.died_otherwise.everyone.events == 1


def test_a_grade_5_is_a_death_also_where_the_column_is_blank():
    """The form in Slack asks for grades and not for death."""
    found = report_of([*SIX, CohortRow(tocilizumab_prophylaxis=NO, crs_grade_dose1=1, icans_grade=5)])
    assert (found.fate.died_of_treatment.everyone.events, found.fate.died_of_treatment.everyone.n) == (2, 4)
    assert {each.column: each.missing.events for each in found.missing.columns}["death"] == 3


def test_missing_hours_are_counted_as_tarla_study_check_counts_them():
    rows = simulated_centre(60, 4)
    rows += [
        row.model_copy(update={"crs_grade_dose1": 0, "crs_grade_dose2": 1, "crs_onset_hours": None}) for row in rows
    ]
    tally = Tally()
    for row in rows:
        tally.add(row)
    checked = tally.summary.columns
    for each in report_of(rows).missing.columns:
        if each.column.endswith(("_hours", "_treatment")):
            assert checked[each.column].of == each.missing.n


def test_missing(six):
    columns = {each.column: (each.missing.events, each.missing.n) for each in six.missing.columns}
    assert set(columns) == set(CohortRow.model_fields) - {"simulated"}
    assert columns["ldh"] == (2, 6)
    assert columns["tocilizumab_prophylaxis"] == (1, 6)
    assert columns["crs_onset_hours"] == (1, 3)  # of those who had CRS after the first dose
    assert columns["crs_treatment"] == (2, 4)  # of those who had CRS after any
    assert columns["icans_treatment"] == (1, 1)
    assert sum(each.patients for each in six.missing.patterns) + six.missing.other_patients == 6
    assert six.missing.complete == 0


def test_missing_patterns_beyond_those_shown_are_counted():
    found = report_of(simulated_centre(300, 5, missing=0.5)).missing
    assert found.other_patterns >= 1
    assert sum(each.patients for each in found.patterns) + found.other_patients == 300
    patients = [each.patients for each in found.patterns]
    assert patients == sorted(patients, reverse=True)


def test_strobe_has_its_22_items_and_says_what_is_left(six):
    assert [each.number for each in six.strobe] == list(range(1, 23))
    for each in six.strobe:
        assert (each.where is None) == (each.status == "for you to write")
        assert (each.to_write is None) == (each.status == "answered")


CENTRE = simulated_centre(40, 1, prophylaxis=0.25, missing=0.1)
DEGENERATE = {
    "nobody": [],
    "one patient": CENTRE[:1],
    "one patient of whom nothing is known": [CohortRow()],
    "twelve": CENTRE[:12],
    "all with prophylaxis": simulated_centre(12, 2, prophylaxis=1.0),
    "none with prophylaxis": simulated_centre(12, 2),
    "prophylaxis never known": [row.model_copy(update={"tocilizumab_prophylaxis": UNKNOWN}) for row in CENTRE],
    "no events": [
        row.model_copy(update={"crs_grade_dose1": 0, "crs_onset_hours": None, "icans_grade": 0}) for row in CENTRE
    ],
    "all events": [row.model_copy(update={"crs_grade_dose1": 3, "icans_grade": 4}) for row in CENTRE],
    "events with prophylaxis alone": [
        row.model_copy(
            update={"crs_grade_dose1": 2 if row.tocilizumab_prophylaxis is YES else 0, "crs_onset_hours": None}
        )
        for row in CENTRE
    ],
    "nothing known": [CohortRow(simulated=True) for _ in range(30)],
    "outcome unknown for some": [
        row.model_copy(update={"crs_grade_dose1": None, "icans_grade": None, "crs_onset_hours": None})
        if place % 3 == 0
        else row
        for place, row in enumerate(CENTRE)
    ],
    "everyone alike": [CENTRE[0]] * 20,
    "real and simulated": [*SIX, *CENTRE],
    "forty": CENTRE,
    "six": SIX,
    "three hundred, much missing": simulated_centre(300, 5, missing=0.5, prophylaxis=0.3),
}


@pytest.mark.parametrize("rows", DEGENERATE.values(), ids=DEGENERATE)
def test_every_cohort_gets_an_honest_page(rows):
    """No crash and no NaN; the page is made of the JSON alone; every number on it stands there."""
    report = report_of(rows)
    text = report.model_dump_json()
    again = StudyReport.model_validate_json(text)
    page = report_page(report)
    assert report_page(again) == page
    assert without_origin(page, report.model_dump(mode="json")) == set()
    assert not re.search(r"\b(nan|inf|infinity|None)\b|Outcome\.|Presence\.", visible(page))
    assert (report.notice is not None) == report.simulated == any(row.simulated for row in rows)


def test_a_wrong_figure_on_the_page_would_be_seen():
    """The check above does fail: a figure that is in no place of the JSON is named."""
    report = report_of(CENTRE)
    page = report_page(report).replace("</main>", "<p>47.13 %</p></main>")
    assert without_origin(page, report.model_dump(mode="json")) == {"47.13"}


@pytest.mark.parametrize(("name", "words"), [
    ("all with prophylaxis", "No comparison: no patient of this cohort is known to have gone without prophylaxis."),
    ("none with prophylaxis", "No comparison: no patient of this cohort is known to have had prophylaxis."),
    ("prophylaxis never known", "No comparison: of no patient is it known whether prophylaxis was given."),
])  # fmt: skip
def test_a_comparison_that_cannot_be_made_is_said_to_be_none(name, words):
    report = report_of(DEGENERATE[name])
    assert words in visible(report_page(report))
    assert all(each.contrast is None for each in report.comparison)


def test_simulated_is_said_first_and_everywhere():
    report = report_of(CENTRE)
    page = report_page(report)
    assert "<title>SIMULATED: " in page
    head = visible(page.split("</h1>")[1])[:300]
    assert "no such people exist" in head
    assert "40 of 40 patients are simulated" in head
    assert report.simulated
    assert "simulated" in (report.strobe[0].to_write or "")
    real = report_page(report_of(SIX))
    assert "SIMULATED" not in real
    assert "<title>Tarlatamab cohort study" in real


def test_confounding_is_said_before_the_figures():
    page = report_page(report_of(CENTRE))
    section = page[page.index("<h2>Prophylaxis against none</h2>") :]
    warning, table = section.index("NOT A TRIAL: confounding by indication"), section.index("Fisher p")
    assert warning < table
    assert 'class="verdict wrong"' in section[:warning]
    assert "largest standardised differences" in section[:table]


def test_no_p_values_in_table_1():
    page = report_page(report_of(CENTRE))
    first = page[page.index("<h2>Table 1") : page.index("<h2>Onset")]
    assert "No p values" in first
    assert "Fisher" not in first


def test_the_same_cohort_gives_the_same_bytes():
    rows = simulated_centre(60, 9, Truth(), missing=0.2, prophylaxis=0.4)
    assert report_page(report_of(rows)) == report_page(report_of(tuple(rows)))


def sections_named(report: StudyReport) -> set[str]:
    """What the checklist says where something is found, apart from the title and remarks."""
    named = {part for each in report.strobe if each.where for part in re.split(", |; ", each.where)}
    return {re.sub(r" (gives the numbers|\(known in .*|names confounding.*)$", "", part) for part in named}


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_the_checklist_names_sections_that_are_there_and_analyses_that_were_done(missing):
    rows = simulated_centre(60, 1, prophylaxis=0.2, missing=missing)
    found = report_of(rows, models=model_parts(rows, seed=1, resamples=20))
    page = report_page(found)
    headings = [html.unescape(each) for each in re.findall(r"<h2>([^<]*)", page)]
    remarks = {"The title names the design", "The title", "LDH is taken by its own laboratory's upper limit"}
    remarks |= {"The result", "at the top", "Definitions"}
    for name in sections_named(found) - remarks:
        assert any(heading.startswith(name.removesuffix(" of each outcome")) for heading in headings), name
    other = next(each for each in found.strobe if each.topic == "Other analyses")
    assert (other.where is not None) == (missing > 0) == any(each.effects for each in found.models.imputation)


def test_follow_up_that_is_not_known_is_left_to_write(six):
    descriptive = next(each for each in six.strobe if each.topic == "Descriptive data")
    assert "known in 2 of 6" in (descriptive.where or "")
    assert descriptive.status == "partly"
