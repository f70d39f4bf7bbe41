"""docs/cohort.md: the columns are those of the reader, and what it says of cells is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.cohort.columns_document import DOCUMENT, filled
from knowledge.cohort.file import COLUMNS, ProblemsError, read_cohort
from knowledge.cohort.file.lines import LONGEST_LINE
from knowledge.cohort.file.records import MOST_COLUMNS

TEXT = (Path(__file__).parents[2] / DOCUMENT).read_text(encoding="utf-8")
REQUIRED = "tocilizumab_prophylaxis;crs_grade_dose1;icans_grade"


def test_the_table_is_not_stale() -> None:
    assert filled(TEXT) == TEXT, "stale: run make cohort-columns"
    assert len(re.findall("<!-- begin ", TEXT)) == 2


def test_every_column_is_described() -> None:
    for column in COLUMNS:
        assert re.search(rf"^\| `{column.name}`", TEXT, flags=re.MULTILINE)


def test_a_column_edited_by_hand_is_written_over() -> None:
    assert filled(TEXT.replace("tumour type", "type of tumour")) == TEXT


def test_limits_are_those_of_the_reader() -> None:
    assert f"a line over {LONGEST_LINE:,} bytes, more than {MOST_COLUMNS} columns" in TEXT
    assert (
        f"all but {['none', 'one', 'two', 'three'][sum(column.required for column in COLUMNS)]} may be absent" in TEXT
    )


def section(start: str, end: str) -> str:
    return TEXT.split(start)[1].split(end)[0]


@pytest.mark.parametrize("cell", re.findall("`([^`]+)`", section("Yes: ", "Not known")))
def test_words_said_to_be_read(cell: str) -> None:
    assert read_cohort(f"{REQUIRED};diabetes\nno;1;0;{cell}\n".encode()).rows[0].diabetes != "unknown"


CELLS = re.findall("`([^`]+)`", section("Refused, with the reason:", "- Cells of a row"))


@pytest.mark.parametrize("cell", CELLS)
def test_cells_said_to_be_refused(cell: str) -> None:
    assert len(CELLS) >= 6
    with pytest.raises(ProblemsError):
        read_cohort(f"{REQUIRED};crs_onset_hours\nno;1;0;{cell}\n".encode())


@pytest.mark.parametrize("cell", re.findall("`([^`]+)`", section("Asked about", "A heading")))
def test_cells_said_to_be_asked_about(cell: str) -> None:
    with pytest.raises(ProblemsError) as caught:
        read_cohort(f"{REQUIRED};crs_onset_hours\nno;1;0;{cell}\n".encode())
    assert "two ways" in caught.value.problems[0].expected
