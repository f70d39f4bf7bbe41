"""Subjects: what one may ask the evidence about, and which records answer. One table of patterns says which."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from knowledge.evidence.fields import Record, Text
from knowledge.evidence.records import Association, Fact

Patterns = Annotated[tuple[Text, ...], Field(strict=False)]


class Subject(Record):
    """One subject, by a word that can be asked for, and the patterns that say what belongs to it.

    Each pattern is a regular expression found anywhere in the record's field of that name.
    """

    id: Annotated[str, Field(pattern=r"^[a-z]+(_[a-z]+)*$")]
    title: Text
    ids: Patterns = ()
    endpoints: Patterns = ()
    factors: Patterns = ()
    windows: Patterns = ()

    @field_validator("ids", "endpoints", "factors", "windows")
    @classmethod
    def _compile(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"not a regular expression: {pattern!r}") from error
        return patterns

    @model_validator(mode="after")
    def _has_patterns(self) -> Subject:
        if not (self.ids or self.endpoints or self.factors or self.windows):
            raise ValueError("no pattern says what belongs to it")
        return self

    def covers(self, record: Fact | Association) -> bool:
        """Whether the record belongs to this subject."""
        factor = record.factor if isinstance(record, Association) else ""
        fields = (
            (self.ids, record.id),
            (self.endpoints, record.endpoint),
            (self.factors, factor),
            (self.windows, record.window),
        )
        return any(patterns and _joined(patterns).search(text) for patterns, text in fields)


@cache
def _joined(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


def sort_by_subject(
    subjects: Mapping[str, Subject], records: Iterable[Fact | Association]
) -> dict[str, tuple[Fact | Association, ...]]:
    """The records of each subject, in the order given.

    Raises:
        ValueError: a record belongs to no subject, or to a subject no record.
    """
    records = tuple(records)
    found = {name: tuple(record for record in records if subject.covers(record)) for name, subject in subjects.items()}
    if empty := [name for name, members in found.items() if not members]:
        raise ValueError(f"subject {empty[0]!r}: no record belongs to it")
    placed = {record.id for members in found.values() for record in members}
    if stray := [record.id for record in records if record.id not in placed]:
        raise ValueError(f"{stray[0]!r} belongs to no subject")
    return found
