"""What is written is read again, and the same patients are the same hash however they are written."""

from __future__ import annotations

import csv
import hashlib
import io
from itertools import chain

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.cohort.example import example_cohort, example_csv
from knowledge.cohort.file import COLUMNS, ProblemsError, UnreadableError, read_cohort, write_csv
from knowledge.cohort.file.records import MOST_COLUMNS
from knowledge.cohort.record import CohortRow, Treatment
from tests.support.centre import simulated_centre
from tests.support.cohort_rows import FRAME, parquet, rows

COHORTS = st.booleans().flatmap(
    lambda simulated: st.lists(rows(simulated=simulated), min_size=1, max_size=4).map(
        lambda patients: (simulated, patients)
    )
)
DECIMALS = {"ldh", "ldh_uln", "ldh_multiple", "crs_onset_hours", "crs_duration_hours", "icans_onset_hours"}


@given(COHORTS)
@settings(max_examples=60, deadline=None)
def test_written_patients_are_read_again(cohort: tuple[bool, list[CohortRow]]) -> None:
    simulated, patients = cohort
    read = read_cohort(write_csv(patients))
    assert list(read.rows) == patients
    assert read.simulated is simulated
    head, *lines = write_csv(patients).decode().splitlines(keepends=True)
    assert read.sha256 == hashlib.sha256("".join([head, *sorted(lines)]).encode()).hexdigest()


@given(COHORTS)
@settings(max_examples=60, deadline=None)
def test_no_cell_is_a_formula(cohort: tuple[bool, list[CohortRow]]) -> None:
    """The vocabulary is closed: nothing begins with what makes a spreadsheet calculate, and nothing needs quoting."""
    lines = write_csv(cohort[1]).decode().splitlines()
    for cell in chain.from_iterable(csv.reader(lines)):
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert not set(cell) & set("\"'\n")


def test_every_patient_of_a_simulated_centre() -> None:
    patients = simulated_centre(50, 1, missing=0.2, prophylaxis=0.2)
    assert list(read_cohort(write_csv(patients)).rows) == patients


def dressed(table: list[list[str]], separator: str, *, comma: bool = False, quoting: int = csv.QUOTE_MINIMAL) -> str:
    """The same table in another dialect."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, quoting=quoting, lineterminator="\r\n")
    header = table[0]
    for number, row in enumerate(table):
        cells = row
        if comma and number:
            cells = [
                cell.replace(".", ",") if name in DECIMALS else cell for name, cell in zip(header, row, strict=True)
            ]
        writer.writerow(cells)
    return out.getvalue()


TABLE = list(csv.reader(example_csv().decode().splitlines()))


def capitals(table: list[list[str]]) -> list[list[str]]:
    return [[f"  {cell.upper().replace('_', ' ')}\u00a0" for cell in row] for row in table]


def shuffled(table: list[list[str]]) -> list[list[str]]:
    order = np.random.default_rng(1).permutation(len(table[0])).tolist()
    return [[row[index] for index in order] for row in table]


def padded(table: list[list[str]]) -> list[list[str]]:
    """Blank rows and columns, and rows that end early, as Excel leaves them."""
    blank: list[str] = [""] * 40
    return [blank, [], *([*row, "", "  ", "\u00a0"] for row in table), blank, ["\t"], []]


def worded(table: list[list[str]]) -> list[list[str]]:
    words = {"yes": "Y", "no": "0", "female": "F", "male": "m", "0": "0.0", "": "N/A", "1": "1,0", "sclc": "SCLC"}
    return [table[0], *([words.get(cell, cell) for cell in row] for row in table[1:])]


DIALECTS = {
    "as written": example_csv(),
    "byte order mark": b"\xef\xbb\xbf" + example_csv(),
    "utf-16": example_csv().decode().encode("utf-16"),
    "utf-16-be with mark": b"\xfe\xff" + example_csv().decode().encode("utf-16-be"),
    "utf-16-le without mark": example_csv().decode().encode("utf-16-le"),
    "utf-16-be without mark": example_csv().decode().encode("utf-16-be"),
    "cr lf": example_csv().replace(b"\n", b"\r\n"),
    "cr": example_csv().replace(b"\n", b"\r"),
    "no end": example_csv().rstrip(b"\n"),
    "semicolons": dressed(TABLE, ";").encode(),
    "decimal commas": dressed(TABLE, ";", comma=True).encode(),
    "decimal commas in quotes": dressed(TABLE, ",", comma=True, quoting=csv.QUOTE_ALL).encode(),
    "tabs": dressed(TABLE, "\t").encode(),
    "sep": b"sep=;\r\n" + dressed(TABLE, ";").encode(),
    "sep with a tab": b"\xef\xbb\xbfSEP=\t\r\n" + dressed(TABLE, "\t").encode(),
    "capitals and blanks that do not break": dressed(capitals(TABLE), ",").encode(),
    "the same in windows-1252": dressed(capitals(TABLE), ";").encode("cp1252"),
    "another order": dressed(shuffled(TABLE), ",").encode(),
    "padded": dressed(padded(TABLE), ";").encode(),
    "other words": dressed(worded(TABLE), ";").encode(),
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_same_patients_are_the_same_hash(dialect: str) -> None:
    assert read_cohort(DIALECTS[dialect]) == example_cohort()


def test_columns_that_are_blank_need_not_be_there() -> None:
    kept = [index for index in range(len(TABLE[0])) if any(row[index] for row in TABLE[1:])]
    assert len(kept) < len(COLUMNS)
    assert read_cohort(dressed([[row[index] for index in kept] for row in TABLE], ",").encode()) == example_cohort()


def test_the_order_of_the_patients_makes_no_other_hash_and_one_twice_does() -> None:
    patients = example_cohort().rows
    assert read_cohort(write_csv(patients[::-1])).sha256 == example_cohort().sha256
    assert read_cohort(write_csv([*patients, patients[0]])).sha256 != example_cohort().sha256


def test_another_patient_is_another_hash() -> None:
    changed = example_csv().replace(b"0,67,male", b"0,68,male", 1)
    assert read_cohort(changed).sha256 != example_cohort().sha256


@pytest.mark.parametrize(
    "frame",
    [
        FRAME,
        pd.read_csv(io.BytesIO(example_csv()), dtype=str),
        FRAME.astype({"ldh": "float32", "sex": "category"}),
        FRAME.replace({"yes": True, "no": False}).infer_objects(),
        FRAME[FRAME.columns[::-1]].set_index(pd.Index(range(100, 140))),
    ],
    ids=["as pandas reads it", "text", "single precision and categories", "truth values", "another order and index"],
)
def test_parquet_is_the_same_hash(frame: pd.DataFrame) -> None:
    assert read_cohort(parquet(frame)) == example_cohort()


def test_single_precision_is_read_as_printed() -> None:
    frame = pd.DataFrame(
        {"tocilizumab_prophylaxis": ["no"], "crs_grade_dose1": [0], "icans_grade": [0], "ldh_multiple": [1.9]}
    ).astype({"ldh_multiple": "float32"})
    assert read_cohort(parquet(frame)).rows[0].factors.ldh_ratio == 1.9


def test_row_numbers_of_pandas_are_no_column() -> None:
    frame = FRAME.set_index(pd.Index([7 * number % 41 for number in range(40)]))
    assert b"__index_level_0__" in parquet(frame)
    assert read_cohort(parquet(frame)) == example_cohort()


def test_other_names_of_an_index_are_columns_like_any() -> None:
    frame = FRAME.set_index(pd.Index([f"{number}" for number in range(40)], name="mrn"))
    with pytest.raises(ProblemsError) as caught:
        read_cohort(parquet(frame))
    (only,) = caught.value.problems
    assert "who a patient is" in only.expected


def test_lists_of_treatments() -> None:
    frame = FRAME.head(2)[["tocilizumab_prophylaxis", "icans_grade"]].assign(
        crs_grade_dose1=[1, 0], crs_treatment=[["tocilizumab", "corticosteroid"], []]
    )
    first, second = read_cohort(parquet(frame)).rows
    assert first.crs_treatment == (Treatment.TOCILIZUMAB, Treatment.CORTICOSTEROID)
    assert second.crs_treatment == ()


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("dose_day", pd.to_datetime(["2025-01-02", "2025-01-03"])),
        ("age", [float("inf"), 95.0]),
        ("age", [b"66", b"66"]),
        ("ecog", [1.5, -1.0]),
    ],
)
def test_parquet_meets_the_same_refusals(column: str, values: list[object]) -> None:
    frame = FRAME.head(2).assign(**{column: values})
    with pytest.raises(ProblemsError) as caught:
        read_cohort(parquet(frame))
    assert [(each.row, each.column) for each in caught.value.problems] == [(2, column), (3, column)]


def test_too_many_columns_of_parquet() -> None:
    frame = pd.DataFrame({f"column {number}": [1] for number in range(MOST_COLUMNS + 1)})
    with pytest.raises(UnreadableError, match="at most"):
        read_cohort(parquet(frame))


def test_a_pipe_gives_csv_only() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    assert read_cohort(Pipe(example_csv())) == example_cohort()
    with pytest.raises(UnreadableError, match="not a pipe"):
        read_cohort(Pipe(parquet(FRAME)))
