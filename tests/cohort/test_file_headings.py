"""Headings: what is understood, what would identify a patient, what is unknown; and files that are no table at all."""

from __future__ import annotations

import io
import zipfile

import pytest

from knowledge.cohort.file import COLUMNS, CohortFileError, Problem, ProblemsError, UnreadableError, read_cohort
from knowledge.cohort.file.headings import column_of, letters
from knowledge.cohort.file.lines import LONGEST_LINE
from knowledge.cohort.file.records import MOST_COLUMNS, MOST_LINES

REQUIRED = "tocilizumab_prophylaxis,crs_grade_dose1,icans_grade"
ROW = "no,1,0"


def problems(content: str) -> tuple[Problem, ...]:
    with pytest.raises(ProblemsError) as caught:
        read_cohort(content.encode())
    return caught.value.problems


def unreadable(content: bytes) -> Problem:
    with pytest.raises(UnreadableError) as caught:
        read_cohort(content)
    return caught.value.problem


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("age", "age"),
        (" AGE ", "age"),
        ("Age (years)", "age"),
        ("CRS onset (hours)", "crs_onset_hours"),
        ("crs_onset_hours [hours]", "crs_onset_hours"),
        ("CRS onset hours", "crs_onset_hours"),
        ("LDH (U/L)", "ldh"),
        ("LDH [IU/L]", "ldh"),
        ("ULN (U/L)", "ldh_uln"),
        ("Liver mets", "liver_metastases"),
        ("ECOG-PS", "ecog"),
        ("DM", "diabetes"),
    ],
)
def test_understood(heading: str, name: str) -> None:
    column = column_of(heading)
    assert column is not None
    assert column.name == name


@pytest.mark.parametrize(
    "heading", ["LDH (µkat/L)", "LDH (mkat/L)", "age (months)", "crs_onset_hours (days)", "LDH (x ULN)"]
)
def test_another_unit_is_another_heading(heading: str) -> None:
    assert column_of(heading) is None


@pytest.mark.parametrize(
    "heading",
    [
        *(
            "Name",
            "Patient",
            "Patient name",
            "First name",
            "Surname",
            "MRN",
            "mrn_number",
            "SSN",
            "NHS number",
            "NHS No.",
        ),
        *("Address", "Phone", "telephone", "e-mail", "Email address", "ZIP", "zip code", "Postcode", "Initials"),
        *("patient_id", "PatientID", "study_id", "ID", "Hospital number", "subject", "Medical record number"),
    ],
)
def test_identifiers_are_refused(heading: str) -> None:
    (only,) = problems(f"{REQUIRED},{heading}\n{ROW},x\n")
    assert (only.row, only.column) == (1, "column D")
    assert "who a patient is: remove the column" in only.expected


@pytest.mark.parametrize("heading", ["DOB", "date of birth", "Birth year", "birthdate"])
def test_births_are_refused(heading: str) -> None:
    (only,) = problems(f"{REQUIRED},{heading}\n{ROW},x\n")
    assert "age goes in whole years" in only.expected


@pytest.mark.parametrize(
    "heading", ["dose_date", "Date of first dose", "infusion date", "dosedate", "Datum", "crs date"]
)
def test_dates_are_refused(heading: str) -> None:
    (only,) = problems(f"{REQUIRED},{heading}\n{ROW},x\n")
    assert "dose_day" in only.expected


@pytest.mark.parametrize(
    ("heading", "near"),
    [("diabets", "diabetes"), ("ldhuln", "ldh_uln"), ("crs_onset_hour", "crs_onset_hours"), ("histolgy", "histology")],
)
def test_near_misses_get_a_suggestion(heading: str, near: str) -> None:
    (only,) = problems(f"{REQUIRED},{heading}\n{ROW},1\n")
    assert f"({near} is one)" in only.expected
    assert heading not in only.expected.replace(near, "")


@pytest.mark.parametrize("heading", ["CRS", "crs_grade", "Max CRS grade", "worst CRS", "CRS grade (max)"])
def test_a_grade_of_crs_says_after_which_dose(heading: str) -> None:
    """The worst of all doses is not the worst after the first."""
    (only,) = problems(f"tocilizumab_prophylaxis,{heading},icans_grade\n{ROW}\n")
    assert (only.column, only.expected.split(": ")[1]) == ("column B", "after which dose was this grade?")


def test_unknown_headings_are_never_ignored() -> None:
    (only,) = problems(f"{REQUIRED},favourite colour\n{ROW},blue\n")
    assert only == Problem(
        1,
        "column D",
        "one of the documented names (tarla study columns lists them): correct the heading or remove the column",
    )


def test_a_blank_heading_over_cells() -> None:
    (only,) = problems(f"{REQUIRED},,age\n{ROW},x,66\n")
    assert (only.column, only.expected) == ("column D", "a heading: name the column, or remove it")


def test_cells_beyond_the_headings() -> None:
    (only,) = problems(f"{REQUIRED}\n{ROW},x\n")
    assert only == Problem(2, None, "no cells beyond the last heading")


def test_doubled_columns() -> None:
    (only,) = problems(f"{REQUIRED},age,AGE\n{ROW},66,67\n")
    assert (only.row, only.column) == (1, "age")


def test_missing_required_columns_are_told_once() -> None:
    found = problems("age,crs_onset_hours\n66,16\n67,17\n")
    assert [(each.row, each.column) for each in found] == [(1, column.name) for column in COLUMNS if column.required]


def test_a_heading_that_may_be_meant_is_not_told_twice() -> None:
    """The LDH has no limit in any row, because the limit's heading is misspelt; and the grade's is not missing."""
    found = problems("tocilizumab_prophylaxis,crs_grade_dos1,icans_grade,ldh,ldhuln\nno,1,0,480,250\nno,1,0,480,250\n")
    assert [each.column for each in found] == ["column B", "column E"]


def test_rows_are_numbered_as_the_spreadsheet_does() -> None:
    """Blank rows count, a cell with a line end is within one row, and the line that names the separator is none."""
    body = f'\n{REQUIRED};"age\n(years)"\n\nno;1;0;"6\n6"\n;;;\nno;1;0;95\n'.replace(",", ";")
    for begin, before in (("", 1), ("sep=;\n", 1)):
        found = problems(begin + body)
        assert [(each.row, each.column) for each in found] == [(before + 3, "age"), (before + 5, "age")]


def test_rows_that_end_early_are_blank_at_their_end() -> None:
    row = read_cohort(f"{REQUIRED},age,sex\n{ROW}\n".encode()).rows[0]
    assert (row.age, row.sex) == (None, None)


def test_real_and_simulated_patients_do_not_go_together() -> None:
    (only,) = problems(f"{REQUIRED},simulated\n{ROW},yes\n{ROW},no\n")
    assert (only.row, only.column) == (3, "simulated")


def test_no_patients() -> None:
    (only,) = problems(f"{REQUIRED}\n\n")
    assert only == Problem(2, None, "one row a patient below the headings; there is none")


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n\n\n", b" ,,,\n;;\n", b"\xff\xfe", b"sep=;\n"])
def test_empty(content: bytes) -> None:
    assert "empty" in unreadable(content).expected


def workbook() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (workbook(), "Save As, CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Save As, CSV UTF-8"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\x1f\x8b\x08\x00", "unpack it"),
        (b"SQLite format 3\x00", "from-ledger"),
        (b"PAR1 and no more", "damaged"),
        (b"\x7fELF\x02\x01\x01\x00", "NUL byte"),
        (f"{REQUIRED}\nno,1\x00,0\n".encode(), "NUL byte"),
        (b"a,b,c\n1,2,3\n", "names of the columns"),
        (b"no,1,0\n", "names of the columns"),
        (b"<html><body>", "names of the columns"),
        (b"x" * (LONGEST_LINE + 1), "too long"),
        (f"{REQUIRED}\n{ROW}\n{'y' * (LONGEST_LINE + 1)}".encode(), "line 3"),
        ((REQUIRED + ",x" * MOST_COLUMNS).encode(), f"at most {MOST_COLUMNS} columns"),
        (f'{REQUIRED},age\n{ROW},"66\n'.encode() + b"no,1,0,66\n" * (2 * MOST_LINES), "quotation mark"),
        (b"\n" * 1_000 + REQUIRED.encode(), "headings within"),
    ],
)
def test_no_table(content: bytes, told: str) -> None:
    assert told in unreadable(content).expected


def test_an_endless_line_is_given_up_early() -> None:
    """Two gigabytes without a line end are not read."""

    class Endless(io.RawIOBase):
        taken = 0

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            self.taken += size
            return b"a" * size

    stream = Endless()
    with pytest.raises(UnreadableError):
        read_cohort(stream)  # type: ignore[arg-type]  # raw, and read like any other
    assert stream.taken < 10 * LONGEST_LINE


def test_columns_of_a_spreadsheet() -> None:
    assert [letters(index) for index in (0, 25, 26, 27, 51, 52, 701, 702)] == [
        *("A", "Z", "AA", "AB", "AZ", "BA", "ZZ", "AAA")
    ]


def test_every_error_is_one_to_catch() -> None:
    assert issubclass(UnreadableError, CohortFileError)
    assert issubclass(ProblemsError, CohortFileError)
