"""Which column each heading means. A heading that identifies patients is refused, an unknown one never ignored."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches

from knowledge.cohort.file.cells import plain
from knowledge.cohort.file.columns import BY_HEADING, COLUMNS, Column
from knowledge.cohort.file.problems import Problem, UnreadableError

_CRS_GRADE = re.compile(r"((max|worst|any|highest)_)?crs(_(max|worst|any|highest))?(_grade)?(_(max|worst|highest))?")
# A unit in brackets after the name, as spreadsheets like it.
_WITH_UNIT = re.compile(r"([^(\[]{1,40}?)\s*[(\[]([^)\]]{1,10})[)\]]")
# Words, and parts of words, of headings over what identifies a person.
_DATE = re.compile(
    r"(^|_)(date|dates|datum|time|timestamp|month|year)(_|$)|(dose|infusion|start|end|visit|death|crs)date"
)
_IDENTITY = (
    "name names surname forename lastname firstname mrn dob birth birthday birthdate born ssn nhs address street "
    "city zip zipcode postcode postal phone telephone tel mobile fax email mail initials id ids identifier pid "
    "uid hospital insurance passport account url ip photo doctor physician patient subject chi nino ehr fin"
)
_WORDS = frozenset(_IDENTITY.split())
_PARTS = ("patient", "surname", "phone", "email", "address", "hospital", "postcode", "medicalrecord")


@dataclass(frozen=True)
class Headings:
    """``columns`` in their order, None where one cannot be used. ``doubtful`` are those that it may mean, or that miss.

    Of those nothing more is told row by row.
    """

    columns: tuple[Column | None, ...]
    doubtful: frozenset[str | None]


def read_headings(row: int, headings: list[str], tell: Callable[[Problem], None]) -> Headings:
    """The column under each heading; those that cannot be used are told.

    Raises:
        UnreadableError: not one heading is known.
    """
    found = [column_of(heading) for heading in headings]
    if not any(found):
        raise UnreadableError(
            Problem(row, None, "the first row must hold the names of the columns; tarla study columns lists them")
        )
    seen: set[str] = set()
    doubtful: set[str | None] = set()
    for index, (heading, column) in enumerate(zip(headings, found, strict=True)):
        if column is None:
            near, expected = _refused(heading)
            doubtful.add(near)
            tell(Problem(row, f"column {letters(index)}", expected))
        elif column.name in seen:
            tell(Problem(row, column.name, "one column of this meaning; this is another: remove it"))
            found[index] = None
        else:
            seen.add(column.name)
    for column in COLUMNS:
        if column.required and column.name not in seen | doubtful:
            tell(Problem(row, column.name, f"this column, which is required ({column.meaning})"))
            doubtful.add(column.name)
    return Headings(tuple(found), frozenset(doubtful))


def column_of(heading: str) -> Column | None:
    """The column that a heading names, in any capitals, with any sign for blanks, its unit in brackets or not."""
    if column := BY_HEADING.get(plain(heading)):
        return column
    if (match := _WITH_UNIT.fullmatch(heading)) and (column := BY_HEADING.get(plain(match[1]))):
        units = {"u_l", "iu_l"} if column.name in ("ldh", "ldh_uln") else {column.unit}
        return column if plain(match[2]) in units else None
    return None


def letters(index: int) -> str:
    """How a spreadsheet names a column: 0 is A, 26 is AA."""
    name, index = "", index + 1
    while index:
        index, digit = divmod(index - 1, 26)
        name = chr(ord("A") + digit) + name
    return name


def _refused(heading: str) -> tuple[str | None, str]:
    """Of a heading that is none of the columns: the column that may be meant, and what is expected instead."""
    word = plain(heading)
    words = set(word.split("_"))
    if "dob" in words or "birth" in word:
        return None, "no heading that speaks of a birth: remove the column; age goes in whole years, 90 for 90 or more"
    if _DATE.search(word):
        return (
            None,
            "no heading that speaks of a date: remove the column; dose_day counts from the first patient's dose",
        )
    if words & _WORDS or any(part in word.replace("_", "") for part in _PARTS):
        return None, "no heading that speaks of who a patient is: remove the column; a row needs no name and no number"
    if _CRS_GRADE.fullmatch(word):  # the worst of all doses would be taken for that of the first
        return (
            "crs_grade_dose1",
            "crs_grade_dose1, crs_grade_dose2 or crs_grade_dose3: after which dose was this grade?",
        )
    if not heading:
        return None, "a heading: name the column, or remove it"
    near = get_close_matches(word, BY_HEADING, n=1, cutoff=0.75)
    name = BY_HEADING[near[0]].name if near else None
    advice = f"{name} is one" if name else "tarla study columns lists them"
    return name, f"one of the documented names ({advice}): correct the heading or remove the column"
