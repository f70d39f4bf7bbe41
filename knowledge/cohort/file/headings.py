"""Which column each heading means. A heading that identifies patients is refused, an unknown one never ignored."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches

from knowledge.cohort.file.cells import plain
from knowledge.cohort.file.columns import BY_HEADING, COLUMNS, Column
from knowledge.cohort.file.problems import Problem, UnreadableError

# Words, and parts of words, of headings over what identifies a person.
_DATE_WORDS = ("date", "datum", "day_of_birth")
_IDENTITY = (
    "name names surname forename lastname firstname mrn dob birth birthday birthdate born ssn nhs address street "
    "city zip zipcode postcode postal phone telephone tel mobile fax email mail initials id ids identifier pid "
    "uid hospital insurance passport account url ip photo doctor physician patient subject chi nino ehr fin"
)
_WORDS = frozenset(_IDENTITY.split())
_PARTS = ("birth", "patient", "surname", "phone", "email", "address", "hospital", "postcode", "medicalrecord")


def columns_of(row: int, headings: list[str], problem: Callable[[Problem], None]) -> list[Column | None]:
    """The column under each heading; None under those that cannot be used, which are told.

    Raises:
        UnreadableError: not one heading is known.
    """
    found = [BY_HEADING.get(plain(heading)) for heading in headings]
    if not any(found):
        raise UnreadableError(
            Problem(row, None, "the first row must hold the names of the columns; tarla study columns lists them")
        )
    seen: set[str] = set()
    for index, (heading, column) in enumerate(zip(headings, found, strict=True)):
        if column is None:
            if told := _refused(heading):
                problem(Problem(row, f"column {letters(index)}", told))
        elif column.name in seen:
            problem(Problem(row, column.name, "one column of this meaning: remove the other"))
            found[index] = None
        else:
            seen.add(column.name)
    for column in COLUMNS:
        if column.required and column.name not in seen:
            problem(Problem(row, column.name, f"this column is required ({column.meaning})"))
    return found


def letters(index: int) -> str:
    """How a spreadsheet names a column: 0 is A, 26 is AA."""
    name, index = "", index + 1
    while index:
        index, digit = divmod(index - 1, 26)
        name = chr(ord("A") + digit) + name
    return name


def _refused(heading: str) -> str:
    """What to say of a heading that is none of the columns; nothing of one that is blank."""
    word = plain(heading)
    words = set(word.split("_"))
    if "dob" in words or "birth" in word:
        return "this heading speaks of a birth: remove the column; write age in whole years, 90 for 90 or more"
    if any(part in word for part in _DATE_WORDS):
        return "this heading speaks of a date: remove the column; write dose_day, days since the cohort's first patient"
    if words & _WORDS or any(part in word for part in _PARTS):
        return (
            "this heading speaks of a person's identity: remove the column; a patient is a row, without number or name"
        )
    if not heading:
        return "this column has no heading: remove it, or give it one of the documented names"
    near = get_close_matches(word, BY_HEADING, n=1, cutoff=0.75)
    advice = f"{BY_HEADING[near[0]].name} is one" if near else "tarla study columns lists them"
    return f"this heading is none of the documented names ({advice}): correct it or remove the column"
