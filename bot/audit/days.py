"""A span of days, UTC, both ends included."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class DayError(ValueError):
    """Not a day, or a span that ends before it begins."""


@dataclass(frozen=True, slots=True)
class Days:
    """From ``since`` to ``until``, ISO 8601 dates; None where there is no limit."""

    since: str | None = None
    until: str | None = None

    def __post_init__(self) -> None:
        for day in (self.since, self.until):
            if day is not None and not _is_day(day):
                raise DayError("write a day as 2026-11-24")
        if self.since is not None and self.until is not None and self.until < self.since:
            raise DayError("the last day lies before the first")

    def covers(self, time: str) -> bool:
        """Whether a moment (RFC 3339, UTC) lies on one of the days."""
        day = time[:10]
        return (self.since is None or day >= self.since) and (self.until is None or day <= self.until)

    def __str__(self) -> str:
        if self.since is None and self.until is None:
            return "all days"
        return f"{self.since or 'the first day'} to {self.until or 'the last day'}"


def _is_day(text: str) -> bool:
    if not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
