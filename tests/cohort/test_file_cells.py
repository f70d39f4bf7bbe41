"""What spreadsheets make of cells: what is read, what is asked about, and what is said instead of the cell."""

from __future__ import annotations

from typing import Any

import pytest

from knowledge.cohort.file import COLUMNS, Problem, ProblemsError, read_cohort
from knowledge.cohort.file.cells import Number, Whole
from knowledge.cohort.file.columns import BY_NAME
from knowledge.cohort.record import CohortRow, Death, Histology, Sex, Treatment
from knowledge.factors import LdhCategory, LdhMeasured, LdhMultiple, LdhUnit, Presence, UpperLimit

YES, NO, UNKNOWN = Presence.YES, Presence.NO, Presence.UNKNOWN
TOCI, STEROID = Treatment.TOCILIZUMAB, Treatment.CORTICOSTEROID
GRADES = {"tocilizumab_prophylaxis": "no", "crs_grade_dose1": "1", "icans_grade": "1"}


def file_of(cells: dict[str, str], separator: str = ",") -> bytes:
    """One patient with these cells."""
    whole = GRADES | cells
    quoted = [[f'"{cell}"' for cell in each] for each in (whole.keys(), whole.values())]
    return "\n".join(separator.join(each) for each in quoted).encode()


def patient(separator: str = ",", **cells: str) -> CohortRow:
    return read_cohort(file_of(cells, separator)).rows[0]


def problems(separator: str = ",", **cells: str) -> tuple[Problem, ...]:
    with pytest.raises(ProblemsError) as caught:
        read_cohort(file_of(cells, separator))
    return caught.value.problems


def problem(column: str, cell: str, separator: str = ",", **others: str) -> str:
    """What is expected, where this cell is the only problem."""
    (only,) = problems(separator, **{column: cell}, **others)
    assert (only.row, only.column) == (2, column)
    return only.expected


def column_words(column: str) -> str:
    """The vocabulary, which a message may hold."""
    return BY_NAME[column].kind.accepted


READ: list[tuple[str, str, Any]] = [
    ("dose_day", "0", 0),
    ("dose_day", "35.0", 35),
    ("age", "66", 66),
    ("age", "66,0", 66),
    ("age", "90", 90),
    ("sex", "F", Sex.FEMALE),
    ("sex", "Male", Sex.MALE),
    ("histology", "SCLC", Histology.SCLC),
    ("histology", "small cell", Histology.SCLC),
    ("histology", "High-grade NEC", Histology.HIGH_GRADE_NEC),
    ("histology", "other", Histology.OTHER),
    ("ecog", "1.0", 1),
    ("prior_lines", "2", 2),
    *[("diabetes", word, YES) for word in ("yes", "Yes", "YES", "Y", "1", "1.0", "TRUE", "true", "+")],
    *[("diabetes", word, NO) for word in ("no", "No", "N", "0", "0,0", "FALSE", "false")],
    *[("diabetes", word, UNKNOWN) for word in ("", " ", "\u00a0", "NA", "N/A", "n/a", "unknown", "Unknown", "?")],
    *[("age", word, None) for word in ("", "NA", "unknown", "?")],
    *[
        ("crs_grade_dose2", word, 2)
        for word in ("2", "2.0", "2,0", "G2", "g2", "Grade 2", "grade_2", "Gr. 2", "\u00a02 ")
    ],
    *[("crs_grade_dose2", word, 0) for word in ("0", "none", "None", "G0")],
    ("crs_onset_hours", "16", 16.0),
    ("crs_onset_hours", "15,9", 15.9),
    ("crs_onset_hours", "15.9", 15.9),
    ("crs_onset_hours", "0,234", 0.234),
    ("crs_onset_hours", "1234", 1_234.0),
    ("crs_onset_hours", "1.2340", 1.234),
    ("crs_onset_hours", "1,2340", 1.234),
    ("crs_treatment", "none", ()),
    ("crs_treatment", "Tocilizumab", (TOCI,)),
    ("crs_treatment", "steroids; toci", (TOCI, STEROID)),
    ("crs_treatment", "toci + dexamethasone", (TOCI, STEROID)),
    ("crs_treatment", "tocilizumab and corticosteroid", (TOCI, STEROID)),
    ("crs_treatment", "toci/toci", (TOCI,)),
    ("death", "none", Death.NONE),
    ("death", "treatment-related", Death.TREATMENT_RELATED),
    ("simulated", "yes", True),
    ("simulated", "", False),
]


@pytest.mark.parametrize(("column", "cell", "value"), READ)
def test_read(column: str, cell: str, value: object) -> None:
    assert getattr(patient(**{column: cell}), column) == value


UPPER = UpperLimit(value=250.0)


@pytest.mark.parametrize(
    ("cells", "ldh"),
    [
        ({"ldh": "480", "ldh_uln": "250"}, LdhMeasured(value=480.0, uln=UPPER)),
        ({"ldh": "480", "ldh_uln": "250", "ldh_unit": "u/l"}, LdhMeasured(value=480.0, uln=UPPER)),
        (
            {"ldh": "8,1", "ldh_unit": "ukat/L", "ldh_uln": "4.1"},
            LdhMeasured(
                value=8.1,
                unit=LdhUnit.MICROKATAL_PER_L,
                uln=UpperLimit(value=4.1, unit=LdhUnit.MICROKATAL_PER_L),
            ),
        ),
        (
            {"ldh": "8.1", "ldh_unit": "µkat/L", "ldh_uln": "250", "ldh_uln_unit": "U/L"},
            LdhMeasured(value=8.1, unit=LdhUnit.MICROKATAL_PER_L, uln=UPPER),
        ),
        ({"ldh": "480", "ldh_uln": "250", "ldh_multiple": "1.9"}, LdhMeasured(value=480.0, uln=UPPER)),
        ({"ldh": "480", "ldh_uln": "250", "ldh_category": "high"}, LdhMeasured(value=480.0, uln=UPPER)),
        ({"ldh": "250", "ldh_uln": "250", "ldh_category": "normal"}, LdhMeasured(value=250.0, uln=UPPER)),
        ({"ldh_multiple": "1.9"}, LdhMultiple(multiple=1.9)),
        ({"ldh_category": "High"}, LdhCategory(category="high")),
        ({"ldh_category": "elevated"}, LdhCategory(category="high")),
        ({"ldh": "480", "ldh_category": "high"}, LdhCategory(category="high")),
        ({"ldh_uln": "250"}, None),
        ({}, None),
    ],
)
def test_ldh(cells: dict[str, str], ldh: object) -> None:
    assert patient(**cells).ldh == ldh


DATE, FORMULA, TWO_WAYS = "looks like a date", "a formula of the spreadsheet failed", "can be read in two ways"
REFUSED: list[tuple[str, str, str]] = [
    ("age", "91", "write 90"),
    ("age", "17", "from 18 to 90"),
    ("age", "66.5", "a whole number"),
    ("age", "sixty", "a whole number"),
    ("age", "-5", "a whole number"),
    ("age", "066", "a whole number"),
    ("age", "6e1", "a whole number"),
    ("age", "٦٦", "a whole number"),
    ("age", "120", "write 90"),
    ("age", "1958", "from 18 to 90"),
    ("age", "19580412", "looks like the number of a person"),
    ("sex", "1", "female or male"),
    ("ecog", "02-Jan", DATE),
    ("ecog", "2. Mrz", DATE),
    ("ecog", "2/1/2025", DATE),
    ("prior_lines", "Jan-25", DATE),
    ("dose_day", "45678", "days since the cohort's first patient"),
    ("dose_day", "2025-01-02", DATE),
    ("dose_day", "02.01.2025 12:00", DATE),
    ("crs_grade_dose2", "6", "a grade from 0 (none) to 5"),
    ("crs_grade_dose2", "yes", "a grade from 0 (none) to 5"),
    ("crs_grade_dose2", "1-2", "a grade from 0 (none) to 5"),
    ("crs_grade_dose2", "#N/A", FORMULA),
    ("diabetes", "#REF!", FORMULA),
    ("diabetes", "ja", "yes or no"),
    ("diabetes", "2", "yes or no"),
    ("diabetes", "-", "a dash can mean no or not known"),
    ("diabetes", "–", "a dash can mean no or not known"),
    ("diabetes", "someone@example.org", "looks like an address"),
    ("diabetes", "943 476 5919", "looks like the number of a person"),
    ("ldh_multiple", "1,234", TWO_WAYS),
    ("crs_onset_hours", "1,234", TWO_WAYS),
    ("crs_onset_hours", "1 234", "a number from 0 to 2,000"),
    ("crs_onset_hours", "16 h", "a number from 0 to 2,000"),
    ("crs_onset_hours", ">24", "a number from 0 to 2,000"),
    ("crs_onset_hours", "inf", "a number from 0 to 2,000"),
    ("crs_onset_hours", "nan", "a number from 0 to 2,000"),
    ("crs_treatment", "aspirin", "tocilizumab, corticosteroid"),
    ("crs_treatment", "tocilizumab+", "tocilizumab, corticosteroid"),
    ("death", "yes", "treatment_related or other"),
    ("simulated", "maybe", "yes or no"),
    # A sign that turns or doubts a word is not dropped.
    ("sex", "F?", "female or male"),
    ("histology", "sclc?", "sclc, high_grade_nec or other"),
    ("ldh_category", "high?", "high or normal"),
    ("ldh_category", "≠high", "high or normal"),
    ("ldh_category", "<normal", "high or normal"),
    ("crs_treatment", "tocilizumab?", "tocilizumab, corticosteroid"),
    ("death", "none?", "none, treatment_related or other"),
    # Half a cell, whose whole number is lost: grade 3 is not meant.
    ("crs_grade_dose2", ".3", "a grade from 0 (none) to 5"),
]


@pytest.mark.parametrize(("column", "cell", "told"), REFUSED)
def test_refused(column: str, cell: str, told: str) -> None:
    expected = problem(column, cell)
    assert told in expected
    assert len(cell) < 3 or cell.rstrip("+") in column_words(column) or cell not in expected


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        *((cell, "without a sign for thousands") for cell in ("1.234,5", "1,234.5", "1'234", "1 234,5")),
        *((cell, "without < or >") for cell in (">1000", "< 250", ">=1000", "≤ 250,5")),
    ],
)
def test_a_number_with_a_sign_is_told_what_is_wrong_with_it(cell: str, told: str) -> None:
    """The range alone, itself written with a comma, would not say it."""
    expected = problem("ldh", cell, ";", ldh_uln="250")
    assert told in expected
    assert cell not in expected


def test_thousands_and_fractions_where_the_file_leaves_the_comma_to_numbers() -> None:
    """With semicolons 1.234 may be German for 1234: asked about where both are in range."""
    assert TWO_WAYS in problem("crs_onset_hours", "1.234", ";")
    assert patient(";", ldh_multiple="1.234").factors.ldh_ratio == 1.234
    assert patient(",", crs_onset_hours="1.234").crs_onset_hours == 1.234
    assert TWO_WAYS in problem("ldh", "1,234", ";", ldh_uln="250")


@pytest.mark.parametrize(
    ("cells", "column", "told"),
    [
        ({"ldh": "480"}, "ldh_uln", "the laboratory's upper limit"),
        ({"ldh": "8.1", "ldh_uln": "250"}, "ldh", "where ldh_unit is blank, U/L is meant"),
        ({"ldh": "480", "ldh_uln": "4.1"}, "ldh_uln", "from 100 to 600 U/L"),
        ({"ldh": "480", "ldh_uln": "250", "ldh_multiple": "3"}, "ldh_multiple", "divided by"),
        ({"ldh": "480", "ldh_uln": "250", "ldh_category": "normal"}, "ldh_category", "high where"),
        ({"ldh_multiple": "0.8", "ldh_category": "high"}, "ldh_category", "high where"),
        ({"ldh": "9999", "ldh_uln": "100"}, "ldh", "40 times its upper limit"),
        ({"crs_grade_dose1": "0", "crs_onset_hours": "16"}, "crs_onset_hours", "crs_grade_dose1 says none"),
        ({"crs_grade_dose1": "", "crs_duration_hours": "16"}, "crs_duration_hours", "or is not known"),
        ({"crs_grade_dose1": "0", "crs_treatment": "toci"}, "crs_treatment", "none, or not known"),
        ({"icans_grade": "0", "icans_onset_hours": "16"}, "icans_onset_hours", "icans_grade says none"),
        ({"icans_grade": "0", "icans_treatment": "steroid"}, "icans_treatment", "none, or not known"),
        ({"icans_grade": "5", "death": "none"}, "death", "grade 5 is death"),
        ({"icans_grade": "5", "death": "other"}, "death", "grade 5 is death"),
    ],
)
def test_cells_that_speak_against_each_other(cells: dict[str, str], column: str, told: str) -> None:
    (only,) = problems(**cells)
    assert (only.row, only.column) == (2, column)
    assert told in only.expected


def test_treatment_of_a_later_crs() -> None:
    row = patient(crs_grade_dose1="0", crs_grade_dose2="1", crs_treatment="toci")
    assert row.crs_treatment == (TOCI,)


def test_a_grade_that_cannot_be_read_is_told_once() -> None:
    """And not again as hours without a grade."""
    assert [each.column for each in problems(crs_grade_dose1="bad", crs_onset_hours="16")] == ["crs_grade_dose1"]


def test_what_no_rule_names_is_a_problem_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The record refuses more than the rules tell: the row is named, and not its cells."""
    monkeypatch.setattr("knowledge.cohort.file.patient.contradictions", lambda _row: ())
    (only,) = problems(icans_grade="0", icans_onset_hours="16")
    assert only == Problem(2, None, "values that agree with each other")


def test_every_problem_of_a_row_is_found_at_once() -> None:
    found = problems(age="95", ecog="9", ldh="480", diabetes="-", icans_grade="0", icans_onset_hours="1")
    assert {each.column for each in found} == {"age", "ecog", "ldh_uln", "diabetes", "icans_onset_hours"}


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_every_documented_example_is_read(column: Any) -> None:
    """And every example that a message gives."""
    assert column.kind.write(column.kind.read(column.example, commas=False)) == column.example
    if isinstance(column.kind, Number | Whole):
        column.kind.read(column.kind.example, commas=False)


@pytest.mark.parametrize("alias", [alias for column in COLUMNS for alias in column.aliases])
def test_aliases(alias: str) -> None:
    meant = next(column for column in COLUMNS if alias in column.aliases)
    cells = [column.example if column is meant else "1" for column in COLUMNS if column.required or column is meant]
    names = [alias if column is meant else column.name for column in COLUMNS if column.required or column is meant]
    if meant.name == "ldh_uln":
        names, cells = [*names, "ldh"], [*cells, "480"]
    row = read_cohort("\n".join([",".join(names), ",".join(cells)]).encode()).rows[0]
    field = BY_NAME[meant.name].field
    assert field is None or getattr(row, field) == meant.kind.read(meant.example, commas=False)


@pytest.mark.parametrize("total", ["18,,,,", ",,,66,", "0,,,,"])
def test_a_total_below_the_table_is_no_patient(total: str) -> None:
    """Read as one of whom nothing is known, it would be counted in the flow of patients."""
    head = "prior_lines,tocilizumab_prophylaxis,crs_grade_dose1,follow_up_days,icans_grade"
    with pytest.raises(ProblemsError) as caught:
        read_cohort(f"{head}\n1,no,0,30,0\n{total}\n".encode())
    (problem,) = caught.value.problems
    assert (problem.row, problem.column) == (3, None)
    assert "delete it" in problem.expected
