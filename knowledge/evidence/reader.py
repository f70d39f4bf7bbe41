"""Reading the evidence files: all of them, whole and consistent, or an error that names the place."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from knowledge.evidence.days import check_day
from knowledge.evidence.fields import TOPICS, Topic
from knowledge.evidence.marks import Mark, check_successors, marks_of, review_due
from knowledge.evidence.records import Association, CentreTerm, Fact, LeftOut
from knowledge.evidence.sources import Source

_SOURCES_FILE = "sources.toml"


class EvidenceError(Exception):
    """The evidence files contradict themselves or are incomplete; says where and how."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known, by stable id. Iterating gives the facts, then the associations.

    ``compiled`` is the day (ISO 8601) on which the evidence was last looked through. ``centre_terms``
    says of every rate of CRS and ICANS whether it informs the risk at a new centre, and why or why not.
    """

    compiled: str
    sources: Mapping[str, Source]
    facts: Mapping[str, Fact]
    associations: Mapping[str, Association]
    centre_terms: Mapping[str, CentreTerm]

    @property
    def version(self) -> str:
        """The name of this state of knowledge: the day it was compiled."""
        return self.compiled

    def __iter__(self) -> Iterator[Fact | Association]:
        yield from self.facts.values()
        yield from self.associations.values()

    def source(self, source_id: str) -> Source:
        """A source by id.

        Raises:
            KeyError: there is none of this id.
        """
        return self.sources[source_id]

    def fact(self, fact_id: str) -> Fact:
        """A fact by id.

        Raises:
            KeyError: there is none of this id.
        """
        return self.facts[fact_id]

    def association(self, association_id: str) -> Association:
        """An association by id.

        Raises:
            KeyError: there is none of this id.
        """
        return self.associations[association_id]

    def source_of(self, record: Fact | Association | Source) -> Source:
        """The source a record rests on; a source rests on itself.

        Raises:
            KeyError: the record is of another evidence.
        """
        return record if isinstance(record, Source) else self.sources[record.source]

    def is_primary(self, record: Fact | Association | Source) -> bool:
        """Whether the text that says so was read itself, not only a report of it."""
        return self.source_of(record).primary

    def review_due(self, record: Fact | Association | Source) -> str:
        """The last day (ISO 8601) before a record is past its review: as set, else six months after ``compiled``."""
        return review_due(record, self.source_of(record), self.compiled)

    def marks(self, record: Fact | Association | Source, today: str) -> tuple[Mark, ...]:
        """What to be wary of in a record on the day ``today`` (ISO 8601): closed words, none when all is well.

        Raises:
            ValueError: ``today`` is no day such as 2026-11-22.
        """
        return marks_of(self.source_of(record), self.review_due(record), today)

    def facts_on(self, topic: Topic) -> tuple[Fact, ...]:
        """The facts of one topic, in the order of its file."""
        return tuple(fact for fact in self.facts.values() if fact.topic == topic)

    def associations_with(self, endpoint: str) -> tuple[Association, ...]:
        """The associations with one outcome, in the order of the file: the founding study comes first."""
        return tuple(link for link in self.associations.values() if link.endpoint == endpoint)

    def centre_cohorts(self, endpoint: str) -> tuple[Fact, ...]:
        """The cohorts that inform the risk of ``endpoint`` at a centre not yet seen; each has counts."""
        return tuple(
            fact
            for fact in self.facts.values()
            if fact.endpoint == endpoint and fact.centre_term and fact.centre_term.use
        )

    def facts_hash(self, ids: Iterable[str]) -> str:
        """SHA-256 (hex) over the canonical JSON of the named facts and associations.

        The order and repetition of ``ids`` do not matter. Fields at their default
        are left out, so that a new optional field changes no hash.

        Raises:
            KeyError: an id is unknown.
            ValueError: no id is given.
        """
        named = sorted(set(ids))
        if not named:
            raise ValueError("a hash over no facts binds nothing")
        records = [
            (self.facts.get(name) or self.associations[name]).model_dump(exclude_defaults=True) for name in named
        ]
        text = json.dumps(records, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


@cache
def load() -> Evidence:
    """The evidence that ships with the package, read once.

    Raises:
        EvidenceError: the files are inconsistent or incomplete.
    """
    return load_from(files("knowledge") / "data" / "evidence")


def load_from(directory: Traversable) -> Evidence:
    """Read ``sources.toml`` and one file for each topic from a directory.

    Raises:
        EvidenceError: a file is missing, unreadable or not expected; a record has an unknown or missing
            key; an id occurs twice; a source or fact referred to does not exist; figures disagree.
    """
    expected = {_SOURCES_FILE, *(f"{topic}.toml" for topic in TOPICS)}
    for entry in directory.iterdir():
        if entry.name.endswith(".toml") and entry.name not in expected:
            raise EvidenceError(f"{entry.name}: not a file of the evidence")

    table = _read(directory, _SOURCES_FILE, {"compiled", "source"})
    compiled: Any = table.get("compiled")
    try:
        check_day(compiled if isinstance(compiled, str) else "")
    except ValueError:
        raise EvidenceError(
            f"{_SOURCES_FILE}: compiled must be a date such as '2026-11-22', not {compiled!r}"
        ) from None
    sources: dict[str, Source] = {}
    for raw in _tables(table, "source", _SOURCES_FILE):
        _add(sources, Source, raw, _SOURCES_FILE)

    facts: dict[str, Fact] = {}
    associations: dict[str, Association] = {}
    left_out: list[LeftOut] = []
    for topic in TOPICS:
        name = f"{topic}.toml"
        table = _read(directory, name, {"fact", "association", "left_out"})
        for raw in _tables(table, "fact", name):
            _add(facts, Fact, raw, name, topic)
        for raw in _tables(table, "association", name):
            _add(associations, Association, raw, name, topic)
        left_out += [_record(LeftOut, raw, f"{name}: left_out") for raw in _tables(table, "left_out", name)]
    evidence = Evidence(
        compiled,
        MappingProxyType(sources),
        MappingProxyType(facts),
        MappingProxyType(associations),
        MappingProxyType(_centre_terms(facts, left_out)),
    )
    _check_references(evidence)
    return evidence


def _read(directory: Traversable, name: str, keys: set[str]) -> dict[str, Any]:
    try:
        table = tomllib.loads((directory / name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise EvidenceError(f"{name}: cannot be read: {error}") from error
    if unknown := sorted(table.keys() - keys):
        raise EvidenceError(f"{name}: unknown key {unknown[0]!r}")
    return table


def _tables(table: dict[str, Any], key: str, name: str) -> list[dict[str, Any]]:
    found = table.get(key, [])
    if not isinstance(found, list) or not all(isinstance(raw, dict) for raw in found):
        raise EvidenceError(f"{name}: {key} must be an array of tables, written [[{key}]]")
    return found


_R = TypeVar("_R", Source, Fact, Association)
_Any = TypeVar("_Any", Source, Fact, Association, LeftOut)


def _add(records: dict[str, _R], kind: type[_R], raw: dict[str, Any], name: str, topic: Topic | None = None) -> None:
    where = f"{name}: {kind.__name__.lower()} {raw.get('id', '(without id)')!r}"
    if "topic" in raw:
        raise EvidenceError(f"{where}: unknown key 'topic': the file is the topic")
    record = _record(kind, raw if topic is None else {**raw, "topic": topic}, where)
    if record.id in records:
        raise EvidenceError(f"{where}: id occurs twice")
    records[record.id] = record


def _record(kind: type[_Any], raw: dict[str, Any], where: str) -> _Any:
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        problems = "; ".join(_explain(problem) for problem in error.errors(include_url=False))
        raise EvidenceError(f"{where}: {problems}") from error


def _centre_terms(facts: Mapping[str, Fact], left_out: Iterable[LeftOut]) -> dict[str, CentreTerm]:
    """What each rate of CRS or ICANS says of the centre term: on its own record, or among those left out together."""
    terms = {fact.id: fact.centre_term for fact in facts.values() if fact.centre_term is not None}
    for group in left_out:
        for name in group.facts:
            if name not in facts:
                raise EvidenceError(f"left_out: unknown fact {name!r}")
            if name in terms:
                raise EvidenceError(f"left_out: {name!r} already says whether it informs the centre term")
            terms[name] = CentreTerm(use=False, reason=group.reason)
    rates = {fact.id for fact in facts.values() if fact.is_toxicity_rate}
    if silent := sorted(rates - terms.keys()):
        raise EvidenceError(f"{silent[0]!r} does not say whether it informs the centre term, and why or why not")
    if stray := sorted(terms.keys() - rates):
        raise EvidenceError(f"{stray[0]!r} is no rate of CRS or ICANS, yet it speaks of the centre term")
    return {name: terms[name] for name in facts if name in rates}


def _explain(problem: ErrorDetails) -> str:
    """One problem of a record as ``field: what is wrong``; a problem of the whole record has no field."""
    message = problem["msg"].removeprefix("Value error, ")
    return ": ".join([*map(str, problem["loc"]), message])


def _check_references(evidence: Evidence) -> None:
    if wrong := check_successors(evidence.sources):
        raise EvidenceError(f"{_SOURCES_FILE}: {wrong}")
    for record in evidence:
        where = f"{record.topic}.toml: {type(record).__name__.lower()} {record.id!r}"
        if record.source not in evidence.sources:
            raise EvidenceError(f"{where}: unknown source {record.source!r}")
        if isinstance(record, Association) and record.id in evidence.facts:
            raise EvidenceError(f"{where}: id occurs twice")
        if isinstance(record, Fact):
            for basis in record.based_on:
                if basis not in evidence.facts or basis == record.id:
                    raise EvidenceError(f"{where}: based on unknown fact {basis!r}")
