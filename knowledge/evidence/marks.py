"""Marks on what may be out of date: past its review date, or from a label that is not the newest known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from knowledge.evidence.days import add_months, check_day
from knowledge.evidence.records import Association, Fact
from knowledge.evidence.sources import Source

Mark = Literal["past review date", "newer label reported", "superseded label"]

# The evidence is looked through again half a year after it was compiled, unless a record sets its own day.
REVIEW_MONTHS = 6


def review_due(record: Fact | Association | Source, source: Source, compiled: str) -> str:
    """The last day (ISO 8601) on which a record counts as reviewed: its own, its source's, else six months on."""
    return record.review_by or source.review_by or add_months(compiled, REVIEW_MONTHS)


def marks_of(source: Source, due: str, today: str) -> tuple[Mark, ...]:
    """The marks of what rests on ``source`` and is due for review on ``due``; the day itself is not past.

    Raises:
        ValueError: ``today`` is no day such as 2026-11-22.
    """
    marks: list[Mark] = ["past review date"] if check_day(today) > due else []
    if source.superseded_by is not None:
        marks.append("superseded label")
    if source.newer_version_reported is not None:
        marks.append("newer label reported")
    return tuple(marks)


def check_successors(sources: Mapping[str, Source]) -> str | None:
    """What is wrong with the references between sources, or None: an unknown id, or a circle."""
    for source in sources.values():
        for name in (source.superseded_by, source.newer_version_reported):
            if name is not None and name not in sources:
                return f"source {source.id!r}: unknown source {name!r}"
        seen = {source.id}
        later = source.superseded_by
        while later is not None:
            if later in seen:
                return f"source {source.id!r}: superseded in a circle"
            seen.add(later)
            successor = sources.get(later)
            later = None if successor is None else successor.superseded_by
    return None
