"""Reports for tests, and the numbers that a reader of a page sees."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from html import unescape
from typing import Any

from knowledge import evidence
from knowledge.assessment import ModelVersion
from knowledge.cohort.record import CohortRow
from knowledge.cohort.report.study import StudyReport, study_report

MODEL = ModelVersion(id="facts-2", sha256="0" * 64)
_INVISIBLE = re.compile(r"<style>.*?</style>|<text class=.tick.*?</text>|<!doctype[^>]*>|<[^>]*>", re.DOTALL)
_NUMBER = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?")


@cache
def known() -> evidence.Evidence:
    return evidence.load()


def report_of(rows: Sequence[CohortRow], **more: Any) -> StudyReport:
    """A report of ``rows`` with fixed provenance."""
    return study_report(
        rows, **{"cohort_sha256": "f" * 64, "program": "0", "model": MODEL, "evidence": known(), "seed": 7} | more
    )


def visible(page: str) -> str:
    """The text that a reader sees, pictures' labels included, coordinates, ticks of axes and styles left out."""
    return unescape(_INVISIBLE.sub(" ", page))


def numbers(text: str) -> list[str]:
    """Every number of a text, as printed, without the separators of thousands."""
    return [found.replace(",", "") for found in _NUMBER.findall(text)]


def values(data: Any) -> Iterator[Decimal | str]:
    """Every number of a record and every text of it, keys included."""
    if isinstance(data, bool) or data is None:
        return
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield key
            yield from values(value)
    elif isinstance(data, list | tuple):
        yield Decimal(len(data))
        for value in data:
            yield from values(value)
    else:
        yield data if isinstance(data, str) else Decimal(repr(data))


def without_origin(page: str, data: Any) -> set[str]:
    """Numbers on the page that are no rounding of a number in the data, as it is or as a percentage."""
    found = list(values(data))
    texts = {number for each in found if isinstance(each, str) for number in numbers(each)}
    figures = {abs(each) for each in found if isinstance(each, Decimal)}
    return {seen for seen in numbers(visible(page)) if seen not in texts and not _rounds_to(seen, figures)}


def _rounds_to(seen: str, figures: set[Decimal]) -> bool:
    # Half a unit of the last digit, and a little for binary fractions that lie on the half.
    shown = Decimal(seen)
    room = Decimal(10) ** int(shown.as_tuple().exponent) * Decimal("0.5000001")
    return any(abs(shown - each) <= room or abs(shown - 100 * each) <= room for each in figures)
