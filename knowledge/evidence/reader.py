"""Reading the evidence files: all of them, whole and consistent, or an error that names the place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

from knowledge.evidence.collection import Evidence
from knowledge.evidence.conflicts import Conflict, Gap
from knowledge.evidence.days import check_day
from knowledge.evidence.fields import TOPICS
from knowledge.evidence.marks import check_successors
from knowledge.evidence.records import Association, CentreTerm, Fact, LeftOut
from knowledge.evidence.sources import Source
from knowledge.evidence.subjects import Subject, sort_by_subject
from knowledge.evidence.tables import EvidenceError, add_record, read_record, read_table, tables_of

_SOURCES_FILE = "sources.toml"
_SUBJECTS_FILE = "subjects.toml"
_CONFLICTS_FILE = "conflicts.toml"


@cache
def load() -> Evidence:
    """The evidence that ships with the package, read once.

    Raises:
        EvidenceError: the files are inconsistent or incomplete.
    """
    return load_from(files("knowledge") / "data" / "evidence")


def load_from(directory: Traversable) -> Evidence:
    """Read sources, subjects, conflicts and one file for each topic from a directory.

    Raises:
        EvidenceError: a file is missing, unreadable or not expected; a record has an unknown or missing
            key; an id occurs twice; a source, fact or subject referred to does not exist; figures disagree;
            a record belongs to no subject, or to a subject no record.
    """
    expected = {_SOURCES_FILE, _SUBJECTS_FILE, _CONFLICTS_FILE, *(f"{topic}.toml" for topic in TOPICS)}
    for entry in directory.iterdir():
        if entry.name.endswith(".toml") and entry.name not in expected:
            raise EvidenceError(f"{entry.name}: not a file of the evidence")

    table = read_table(directory, _SOURCES_FILE, {"compiled", "source"})
    compiled: Any = table.get("compiled")
    try:
        check_day(compiled if isinstance(compiled, str) else "")
    except ValueError:
        raise EvidenceError(
            f"{_SOURCES_FILE}: compiled must be a date such as '2026-11-22', not {compiled!r}"
        ) from None
    sources: dict[str, Source] = {}
    for raw in tables_of(table, "source", _SOURCES_FILE):
        add_record(sources, Source, raw, _SOURCES_FILE)

    facts: dict[str, Fact] = {}
    associations: dict[str, Association] = {}
    left_out: list[LeftOut] = []
    for topic in TOPICS:
        name = f"{topic}.toml"
        table = read_table(directory, name, {"fact", "association", "left_out"})
        for raw in tables_of(table, "fact", name):
            add_record(facts, Fact, raw, name, topic)
        for raw in tables_of(table, "association", name):
            add_record(associations, Association, raw, name, topic)
        left_out += [read_record(LeftOut, raw, f"{name}: left_out") for raw in tables_of(table, "left_out", name)]
    subjects = _subjects(directory)
    conflicts, gaps, order_of_trust = _conflicts(directory)
    _check_references(sources, facts, associations)
    _check_remarks({**conflicts, **gaps}, subjects, {**facts, **associations}, sources)
    try:
        by_subject = sort_by_subject(subjects, [*facts.values(), *associations.values()])
    except ValueError as error:
        raise EvidenceError(f"{_SUBJECTS_FILE}: {error}") from error
    return Evidence(
        compiled=compiled,
        sources=MappingProxyType(sources),
        facts=MappingProxyType(facts),
        associations=MappingProxyType(associations),
        centre_terms=MappingProxyType(_centre_terms(facts, left_out)),
        subjects=MappingProxyType(subjects),
        by_subject=MappingProxyType(by_subject),
        conflicts=MappingProxyType(conflicts),
        gaps=MappingProxyType(gaps),
        order_of_trust=order_of_trust,
    )


def _subjects(directory: Traversable) -> dict[str, Subject]:
    subjects: dict[str, Subject] = {}
    for raw in tables_of(read_table(directory, _SUBJECTS_FILE, {"subject"}), "subject", _SUBJECTS_FILE):
        add_record(subjects, Subject, raw, _SUBJECTS_FILE)
    return subjects


def _conflicts(directory: Traversable) -> tuple[dict[str, Conflict], dict[str, Gap], str]:
    table = read_table(directory, _CONFLICTS_FILE, {"order_of_trust", "conflict", "gap"})
    order = table.get("order_of_trust")
    if not isinstance(order, str) or not order.strip():
        raise EvidenceError(f"{_CONFLICTS_FILE}: order_of_trust must be a text, not {order!r}")
    conflicts: dict[str, Conflict] = {}
    for raw in tables_of(table, "conflict", _CONFLICTS_FILE):
        add_record(conflicts, Conflict, raw, _CONFLICTS_FILE)
    gaps: dict[str, Gap] = {}
    for raw in tables_of(table, "gap", _CONFLICTS_FILE):
        add_record(gaps, Gap, raw, _CONFLICTS_FILE)
    return conflicts, gaps, order


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


def _check_references(
    sources: Mapping[str, Source], facts: Mapping[str, Fact], associations: Mapping[str, Association]
) -> None:
    if wrong := check_successors(sources):
        raise EvidenceError(f"{_SOURCES_FILE}: {wrong}")
    for record in (*facts.values(), *associations.values()):
        where = f"{record.topic}.toml: {type(record).__name__.lower()} {record.id!r}"
        if record.source not in sources:
            raise EvidenceError(f"{where}: unknown source {record.source!r}")
        if isinstance(record, Association) and record.id in facts:
            raise EvidenceError(f"{where}: id occurs twice")
        if isinstance(record, Fact):
            for basis in record.based_on:
                if basis not in facts or basis == record.id:
                    raise EvidenceError(f"{where}: based on unknown fact {basis!r}")


def _check_remarks(
    remarks: Mapping[str, Conflict | Gap],
    subjects: Mapping[str, Subject],
    records: Mapping[str, Fact | Association],
    sources: Mapping[str, Source],
) -> None:
    """Conflicts and gaps name only what exists."""
    for remark in remarks.values():
        where = f"{_CONFLICTS_FILE}: {type(remark).__name__.lower()} {remark.id!r}"
        known: tuple[tuple[str, tuple[str, ...], Mapping[str, object]], ...] = (
            ("subject", remark.subjects, subjects),
            ("fact", remark.facts, records),
            ("source", remark.sources, sources),
        )
        for kind, names, existing in known:
            for name in names:
                if name not in existing:
                    raise EvidenceError(f"{where}: unknown {kind} {name!r}")
