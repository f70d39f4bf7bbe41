"""Reading the label files: all of them, whole and consistent, or an error that names the place."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import ValidationError

from knowledge.evidence import load as load_evidence
from knowledge.label.base import Compiled, Record, Statement, Version
from knowledge.label.consensus import CrsGrading, IcansGrading, Ice
from knowledge.label.management import HoldDifferences, Holds, Management
from knowledge.label.schedule import Concomitant, Laboratory, Monitoring, Restart, Schedule
from knowledge.label.tocilizumab import TocilizumabDose, Volume
from knowledge.validation import problems_of

# What each file may hold: key -> kind of record. Lists are written [[key]], single records [key].
_FILES: Mapping[str, Mapping[str, type[Record]]] = {
    "versions.toml": {"version": Version, "statement": Statement},
    "tarlatamab.toml": {
        "statement": Statement,
        "schedule": Schedule,
        "concomitant": Concomitant,
        "monitoring": Monitoring,
        "laboratory": Laboratory,
        "restart": Restart,
    },
    "management.toml": {
        "statement": Statement,
        "management": Management,
        "holds": Holds,
        "hold_differences": HoldDifferences,
    },
    "grading.toml": {"statement": Statement, "crs": CrsGrading, "ice": Ice, "icans": IcansGrading},
    "tocilizumab.toml": {"statement": Statement, "dose": TocilizumabDose, "volume": Volume},
}
_LISTS = frozenset({"version", "statement", "concomitant", "monitoring", "management"})

_R = TypeVar("_R", bound=Record)


class LabelError(Exception):
    """The label files contradict themselves or are incomplete; says where and how."""


@dataclass(frozen=True, slots=True)
class Label:
    """Every label record by its stable id. Iterating gives them in the order of the files."""

    compiled: Compiled
    records: Mapping[str, Record]

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records.values())

    def record(self, record_id: str) -> Record | Compiled:
        """Any record by id, ``lab.compiled`` among them.

        Raises:
            KeyError: there is none of this id.
        """
        return self.compiled if record_id == self.compiled.id else self.records[record_id]

    def get(self, kind: type[_R], record_id: str) -> _R:
        """A record by id, of the kind expected.

        Raises:
            KeyError: there is none of this id and kind.
        """
        found = self.records[record_id]
        if not isinstance(found, kind):
            raise KeyError(record_id)
        return found

    def all(self, kind: type[_R]) -> tuple[_R, ...]:
        """The records of one kind, in the order of the files."""
        return tuple(record for record in self if isinstance(record, kind))

    def statements(self, *topics: str) -> tuple[Statement, ...]:
        """What the labels say in words on the topics, in the order of the files."""
        return tuple(record for record in self.all(Statement) if record.topic in topics)

    def is_old(self, today: str) -> bool:
        """Whether the facts are past their review date on ``today`` (ISO 8601); the day itself is not past."""
        return today > self.compiled.review_by


@cache
def load() -> Label:
    """The label records that ship with the package, read once.

    Raises:
        LabelError: the files are inconsistent or incomplete.
    """
    return load_from(files("knowledge") / "data" / "label")


def load_from(directory: Traversable) -> Label:
    """Read the label files from a directory.

    Raises:
        LabelError: a file is missing, unreadable or not expected; a record has an unknown or missing
            key; an id occurs twice; a source or record referred to does not exist.
    """
    for entry in directory.iterdir():
        if entry.name.endswith(".toml") and entry.name not in _FILES:
            raise LabelError(f"{entry.name}: not a file of the label")
    records: dict[str, Record] = {}
    compiled: Compiled | None = None
    for name, kinds in _FILES.items():
        table = _read(directory, name)
        if name == "versions.toml":
            compiled = _validated(Compiled, table.pop("compiled", None), f"{name}: compiled")
        if unknown := sorted(table.keys() - kinds.keys()):
            raise LabelError(f"{name}: unknown key {unknown[0]!r}")
        if missing := sorted(kinds.keys() - table.keys()):
            raise LabelError(f"{name}: {missing[0]!r} is missing")
        for key, raw in table.items():
            if isinstance(raw, list) != (key in _LISTS):
                raise LabelError(f"{name}: {key} must be written {'[[]]' if key in _LISTS else '[]'}")
            for each in raw if isinstance(raw, list) else [raw]:
                record = _validated(kinds[key], each, f"{name}: {key}")
                if record.id in records:
                    raise LabelError(f"{name}: id {record.id!r} occurs twice")
                records[record.id] = record
    if compiled is None:
        raise LabelError("versions.toml: compiled is missing")
    label = Label(compiled, MappingProxyType(records))
    _check_references(label)
    return label


def _read(directory: Traversable, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads((directory / name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise LabelError(f"{name}: cannot be read: {error}") from error


_V = TypeVar("_V", Compiled, Record)


def _validated(kind: type[_V], raw: Any, where: str) -> _V:
    name = raw.get("id", "(without id)") if isinstance(raw, dict) else "(no table)"
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        raise LabelError(f"{where} {name!r}: {problems_of(error)}") from error


def _check_references(label: Label) -> None:
    known = load_evidence().sources
    for record in label:
        for source in record.sources:
            if source not in known:
                raise LabelError(f"{record.id!r}: unknown source {source!r}")
    for version in label.all(Version):
        if version.superseded_by is not None and version.superseded_by not in label.records:
            raise LabelError(f"{version.id!r}: unknown record {version.superseded_by!r}")
        newer = None if version.superseded_by is None else label.records[version.superseded_by].source
        if newer != known[version.source].newer_version_reported:
            raise LabelError(f"{version.id!r}: a newer version is reported here or by its source, and not by both")
    schedule = label.get(Schedule, "lab.us.schedule")
    for rule in label.get(Restart, "lab.us.restart").rules:
        cycle, day = {"c1d1": (1, 1), "c1d8": (1, 8), "later": (1, 15)}[rule.last]
        if schedule.dose_mg(cycle, day) != rule.last_mg:
            raise LabelError(f"'lab.us.restart': {rule.last} and the schedule give different doses")
