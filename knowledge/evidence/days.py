"""Days as ISO 8601 texts, and the arithmetic on them: the evidence has no clock, so today is always given to it."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_DAYS_IN_MONTH = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def check_day(text: str) -> str:
    """The same text, if it is a day of the Gregorian calendar such as ``2026-11-22``.

    Raises:
        ValueError: it is none.
    """
    _parts(text)
    return text


def add_months(day: str, months: int) -> str:
    """The day ``months`` (0 or more) calendar months later; the last day of that month if it is shorter.

    Raises:
        ValueError: ``day`` is no day, ``months`` is negative, or the result is past the year 9999.
    """
    year, month, number = _parts(day)
    if months < 0:
        raise ValueError("months must not be negative")
    later, month = divmod(month - 1 + months, 12)
    year, month = year + later, month + 1
    if year > 9999:
        raise ValueError(f"no day {months} months after {day}")
    return f"{year:04}-{month:02}-{min(number, _days_in(year, month)):02}"


def _parts(text: str) -> tuple[int, int, int]:
    match = _DAY.fullmatch(text) if text.isascii() else None
    if match is None:
        raise ValueError(f"not a day such as 2026-11-22: {text!r}")
    year, month, number = (int(part) for part in match.groups())
    if year < 1 or not 1 <= month <= 12 or not 1 <= number <= _days_in(year, month):
        raise ValueError(f"not a day of the calendar: {text!r}")
    return year, month, number


def _days_in(year: int, month: int) -> int:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if month == 2 and leap else _DAYS_IN_MONTH[month - 1]


Day = Annotated[str, AfterValidator(check_day)]
