"""Reading tables of the evidence files into records; whatever is wrong is named with its place."""

from __future__ import annotations

import tomllib
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

from pydantic import ValidationError

from knowledge.evidence.conflicts import Conflict, Gap
from knowledge.evidence.fields import Record, Topic
from knowledge.evidence.records import Association, Fact
from knowledge.evidence.sources import Source
from knowledge.evidence.subjects import Subject
from knowledge.validation import problems_of

_Named = TypeVar("_Named", Source, Fact, Association, Subject, Conflict, Gap)
_Any = TypeVar("_Any", bound=Record)


class EvidenceError(Exception):
    """The evidence files contradict themselves or are incomplete; says where and how."""


def read_table(directory: Traversable, name: str, keys: set[str]) -> dict[str, Any]:
    """The table of one file, with no other than the given keys.

    Raises:
        EvidenceError: the file is missing or unreadable, or has another key.
    """
    try:
        table = tomllib.loads((directory / name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise EvidenceError(f"{name}: cannot be read: {error}") from error
    if unknown := sorted(table.keys() - keys):
        raise EvidenceError(f"{name}: unknown key {unknown[0]!r}")
    return table


def tables_of(table: dict[str, Any], key: str, name: str) -> list[dict[str, Any]]:
    """The array of tables under a key; empty when it is missing.

    Raises:
        EvidenceError: it is something else.
    """
    found = table.get(key, [])
    if not isinstance(found, list) or not all(isinstance(raw, dict) for raw in found):
        raise EvidenceError(f"{name}: {key} must be an array of tables, written [[{key}]]")
    return found


def add_record(
    records: dict[str, _Named], kind: type[_Named], raw: dict[str, Any], name: str, topic: Topic | None = None
) -> None:
    """Read one record and put it among those of its kind.

    Raises:
        EvidenceError: the record is not right, or its id is taken.
    """
    where = f"{name}: {kind.__name__.lower()} {raw.get('id', '(without id)')!r}"
    if "topic" in raw:
        raise EvidenceError(f"{where}: unknown key 'topic': the file is the topic")
    record = read_record(kind, raw if topic is None else {**raw, "topic": topic}, where)
    if record.id in records:
        raise EvidenceError(f"{where}: id occurs twice")
    records[record.id] = record


def read_record(kind: type[_Any], raw: dict[str, Any], where: str) -> _Any:
    """One record of a kind.

    Raises:
        EvidenceError: the record is not right.
    """
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        raise EvidenceError(f"{where}: {problems_of(error)}") from error
