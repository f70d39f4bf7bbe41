"""From a cell's text to a value, and back. What is refused is told by what was expected, never by what stood there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from knowledge.factors import Presence

# What stands for "not known", in any capitals.
NOT_KNOWN = ("", "na", "n/a", "unknown", "?")
YES, NO = ("yes", "y", "1", "true", "+"), ("no", "n", "0", "false")
_FORMULA_ERRORS = re.compile(r"#(n/a|ref!|value!|div/0!|name\?|null!|num!|spill!|calc!)", re.IGNORECASE)
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mrz|mai|okt|dez)[a-z]*\.?"
_DATE = re.compile(
    rf"(\d{{1,4}}[-/.]\d{{1,2}}[-/.]\d{{1,4}}.*|\d{{1,2}}[-/. ]+{_MONTH}([-/., ]+\d{{2,4}})?"
    rf"|{_MONTH}[-/., ]+\d{{1,4}}.*"
    rf"|\d{{1,2}}/\d{{4}}|\d{{4}}-\d{{2}})",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(0|[1-9][0-9]{0,9})([.,][0-9]+)?")
# One to three digits, a sign, three digits: a fraction in one country and thousands in another.
_TWO_MEANINGS = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")
# Both signs, or one twice: thousands.
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(([.' \u00a0\u2019\u202f][0-9]{3})+(,[0-9]+)?|(,[0-9]{3})+\.[0-9]+)")
_COMPARED = re.compile(r"[<>≤≥~]=? ?[0-9.,]+")
_LONG_NUMBER = re.compile(r"(\D?\d){7,}")
_DASHES = "-‐‑‒–—−"
_GRADE = re.compile(r"((?:grade|gr|g)[ ._]*)?([0-5])([.,]0+)?", re.IGNORECASE)
# A word of the vocabulary may hold these beside letters and digits; any other sign may turn or doubt what it says.
_PLAIN_WORD = re.compile(r"[^\W_][\w \t./,()µμ·-]*")
_MANY = re.compile(r"\s*(?:[+;,/&]|\band\b)\s*", re.IGNORECASE)


class CellError(Exception):
    """The cell cannot be read; the message is what was expected."""


class Kind(Protocol):
    """How cells of a column are read and written."""

    @property
    def accepted(self) -> str:
        """What a cell may hold, for people."""
        ...

    def read(self, cell: str, *, commas: bool) -> object:
        """The value; ``cell`` is trimmed and not one of NOT_KNOWN. ``commas``: the file parts its columns otherwise.

        Raises:
            CellError: it cannot be read.
        """
        ...

    def write(self, value: object) -> str:
        """The cell of a value."""
        ...


@dataclass(frozen=True)
class Number:
    """A number from ``low`` to ``high``."""

    low: float
    high: float
    example: str
    said: str = ""

    @property
    def accepted(self) -> str:
        return self.said or f"a number from {self.low:,g} to {self.high:,.15g}"

    def read(self, cell: str, *, commas: bool) -> float:
        return _number(cell, self.low, self.high, f"{self.accepted}, such as {self.example}", commas=commas)

    def write(self, value: object) -> str:
        # Never 1e-05: what is written is read again, by us and by spreadsheets.
        text = format(Decimal(repr(value)), "f").removeprefix(
            "-"
        )  # of minus zero: every column begins at zero or above
        return text.removesuffix(".0")


@dataclass(frozen=True)
class Whole:
    """A whole number from ``low`` to ``high``; ``above`` is told where it is larger, but for what is above ``far``."""

    low: int
    high: int
    example: str
    above: str = ""
    far: float = float("inf")

    @property
    def accepted(self) -> str:
        return f"a whole number from {self.low:,} to {self.high:,}"

    def read(self, cell: str, *, commas: bool) -> int:
        expected = f"{self.accepted}, such as {self.example}"
        value = _number(cell, self.low, float("inf"), expected, commas=commas)
        if value != int(value):
            raise CellError(expected)
        if value > self.high:
            raise CellError(self.above if self.above and value <= self.far else _told(cell, expected))
        return int(value)

    def write(self, value: object) -> str:
        return str(value)


@dataclass(frozen=True)
class Grade:
    """A grade from 0 (none) to 5."""

    @property
    def accepted(self) -> str:
        return "a grade from 0 (none) to 5, also as G2"

    def read(self, cell: str, *, commas: bool) -> int:
        del commas
        if cell.casefold() == "none":
            return 0
        if (match := _GRADE.fullmatch(cell)) is None:
            raise CellError(_told(cell, "a grade from 0 (none) to 5, such as 2; blank where it is not known"))
        return int(match[2])

    def write(self, value: object) -> str:
        return str(value)


@dataclass(frozen=True)
class YesNo:
    """Yes, no or not known."""

    @property
    def accepted(self) -> str:
        return "yes or no, also as y, n, 1, 0, true, false, +"

    def read(self, cell: str, *, commas: bool) -> Presence:
        del commas
        word = cell.casefold()
        if word in YES or word in ("1.0", "1,0"):
            return Presence.YES
        if word in NO or word in ("0.0", "0,0"):
            return Presence.NO
        if cell in _DASHES:
            raise CellError("a dash can mean no or not known: write no, or leave the cell blank")
        raise CellError(_told(cell, "yes or no; blank where it is not known"))

    def write(self, value: object) -> str:
        return "" if value is Presence.UNKNOWN else str(value)


@dataclass(frozen=True)
class Choice:
    """One of few words; ``also`` are further spellings."""

    words: type[StrEnum]
    also: Mapping[str, str]

    @property
    def accepted(self) -> str:
        return _alternatives(self.words)

    def read(self, cell: str, *, commas: bool) -> StrEnum:
        del commas
        if (found := self.find(cell)) is None:
            raise CellError(_told(cell, f"{self.accepted}; blank where it is not known"))
        return found

    def find(self, cell: str) -> StrEnum | None:
        """The word meant, if there is one; none where a sign (``?``, ``<``, ``≠``) may say something else."""
        if _PLAIN_WORD.fullmatch(cell) is None:
            return None
        word = plain(cell)
        word = self.also.get(word, word)
        return next((each for each in self.words if plain(str(each)) == word), None)

    def write(self, value: object) -> str:
        return str(value)


@dataclass(frozen=True)
class Several:
    """None, or some of few words."""

    one: Choice

    @property
    def accepted(self) -> str:
        return f"none, or one or more of {', '.join(self.one.words)}, joined by +"

    def read(self, cell: str, *, commas: bool) -> tuple[StrEnum, ...]:
        del commas
        if plain(cell) in ("none", "no"):
            return ()
        found = [self.one.find(part) for part in _MANY.split(cell)]
        if None in found:
            raise CellError(_told(cell, f"{self.accepted}, such as tocilizumab+corticosteroid"))
        return tuple(each for each in self.one.words if each in found)

    def write(self, value: object) -> str:
        assert isinstance(value, tuple)  # noqa: S101 - the columns pair kinds with fields
        return "+".join(str(each) for each in self.one.words if each in value) or "none"


def plain(text: str) -> str:
    """A word in small letters, one underscore for whatever is neither letter nor digit, u for both kinds of µ."""
    return re.sub(r"[^0-9a-z]+", "_", text.casefold().replace("μ", "u")).strip("_")


def trimmed(cell: str) -> str:
    """A cell without the blanks around it, those that do not break and have no width included."""
    return cell.replace("\u200b", "").replace("\ufeff", "").strip()


def _alternatives(words: type[StrEnum]) -> str:
    *rest, last = words
    return f"{', '.join(rest)} or {last}"


def _number(cell: str, low: float, high: float, expected: str, *, commas: bool) -> float:
    if _NUMBER.fullmatch(cell) is None:
        raise CellError(_told(cell, expected))
    value = float(cell.replace(",", "."))
    if _TWO_MEANINGS.fullmatch(cell):
        thousands = float(cell.replace(",", "").replace(".", ""))
        both = low <= value <= high and low <= thousands <= high
        if "," in cell or (commas and both):
            raise CellError(
                f"{expected}; this can be read in two ways, as thousands or as a fraction: write 1234 for the one, "
                "1.2340 for the other"
            )
    if not low <= value <= high:
        raise CellError(_told(cell, expected))
    return value


def _told(cell: str, expected: str) -> str:
    """What was expected, and what happened to the cell where that can be told without showing it."""
    if _FORMULA_ERRORS.fullmatch(cell):
        return f"{expected}; a formula of the spreadsheet failed here"
    if _DATE.fullmatch(cell):
        return (
            f"{expected}; this looks like a date: dates are not taken, and a number that the spreadsheet turned into "
            "one must be typed again in cells formatted as text"
        )
    if "@" in cell:
        return f"{expected}; this looks like an address: the file must not identify anyone"
    if _COMPARED.fullmatch(cell):
        return f"{expected}; without < or >: leave the cell blank where only a limit is known"
    if _LONG_NUMBER.fullmatch(cell):
        return f"{expected}; this looks like the number of a person: the file must not identify anyone"
    if _THOUSANDS.fullmatch(cell):
        return f"{expected}; without a sign for thousands: 1234.5 or 1234,5"
    return expected
