"""Entries of one source, population, setting and definition under one heading, so that nothing is said forty times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from handlers.evidence.entries import Record, details, entry
from handlers.evidence.markup import MRKDWN, PLAIN, Markup, capital, sentence
from handlers.evidence.wording import how_seen, short_name
from knowledge.evidence import Evidence, Fact

# Longer sections are hard to read; Slack itself takes 3,000 characters.
SECTION_TARGET = 1_500
# What a heading may say for all of its entries.
_SHAREABLE = ("window", "coding", "adjusted", "model", "note", "cohort")


@dataclass(frozen=True)
class Piece:
    """A part of a page that is never divided; ``heading`` is the part of the topic it stands in.

    ``records`` are the ids it quotes, ``sources`` those it cites, ``entries`` the plain lines of its entries.
    """

    heading: str
    mrkdwn: str
    plain: str
    records: tuple[str, ...]
    sources: tuple[str, ...]


def grouped(evidence: Evidence, records: Iterable[Record], heading: str, today: str) -> Iterator[Piece]:
    """The records as pieces, those of one source together, in the order in which sources first occur."""
    by_source: dict[tuple[str, ...], dict[tuple[str, ...], list[Record]]] = {}
    for record in records:
        source = (record.source, *evidence.marks(record, today))
        group = (type(record).__name__, record.population, _place(record), _definition(record))
        by_source.setdefault(source, {}).setdefault(group, []).append(record)
    for groups in by_source.values():
        yield from _pieces(evidence, list(groups.values()), heading, today)


def _pieces(evidence: Evidence, groups: Sequence[Sequence[Record]], heading: str, today: str) -> Iterator[Piece]:
    source = groups[0][0].source
    sections: list[tuple[list[Record], list[str], list[str]]] = []
    above: list[str] = []
    for members in groups:
        shared = _shared(members)
        levels, plain_levels = (_levels(evidence, members[0], shared, today, m) for m in (MRKDWN, PLAIN))
        for record in members:
            text = entry(record, MRKDWN, frozenset(shared))
            if not sections or sum(map(len, (*sections[-1][1], text))) > SECTION_TARGET:
                sections.append(([], [], []))
                above = []
            quoted, lines, plain_lines = sections[-1]
            start = _first_new(above, levels, _definition(record))
            apart = [""] if above and above != levels else []
            quoted.append(record)
            lines += [*apart, *levels[start:], text]
            plain_lines += [*apart, *plain_levels[start:], entry(record, PLAIN, frozenset(shared))]
            above = levels
    for quoted, lines, plain_lines in sections:
        ids = tuple(record.id for record in quoted)
        yield Piece(heading, "\n".join(lines), "\n".join(plain_lines), ids, (source,))


def _first_new(above: Sequence[str], levels: Sequence[str], definition: str) -> int:
    """From which heading on a group must be told apart from the one above it in the same section.

    The source stands once. A population stands again unless a definition follows, which takes the place of the last.
    """
    if above == levels:
        return len(levels)
    if not above:
        return 0
    return 2 if definition and above[1] == levels[1] else 1


def _levels(evidence: Evidence, first: Record, shared: dict[str, str], today: str, m: Markup) -> list[str]:
    """Source; population and setting; definition and what else the entries share: each a heading of the next."""
    source = evidence.source_of(first)
    name = f"{m.bold(short_name(source))} {m.name(source.id)} {m.text('· ' + how_seen(source))}"
    if warning := marks_text(evidence, first, today, m):
        name += f" · {warning}"
    levels = [name, m.text(" · ".join((capital(first.population), _place(first))))]
    if definition := _definition(first):
        levels.append(m.text(definition_text(definition)))
    if shared:
        levels.append(m.text("All of these: ") + " ".join(m.text(sentence(text)) for text in shared.values()))
    return levels


def definition_text(definition: str) -> str:
    """A definition, said to be one."""
    return capital(definition) if definition.startswith("definition") else f"Definition: {definition}"


def marks_text(evidence: Evidence, record: Record, today: str, m: Markup) -> str:
    """What to be wary of in a record, in bold; empty when all is well."""
    source = evidence.source_of(record)
    said = []
    for mark in evidence.marks(record, today):
        successor = {"superseded label": source.superseded_by, "newer label reported": source.newer_version_reported}
        name = successor.get(mark)
        said.append(m.bold(mark) + (f" {m.name(name)}" if name else ""))
    return " · ".join(said)


def _place(record: Record) -> str:
    return record.setting if isinstance(record, Fact) else record.scope


def _definition(record: Record) -> str:
    return (record.definition or "") if isinstance(record, Fact) else ""


def _shared(members: Sequence[Record]) -> dict[str, str]:
    """Details that are the same for every one of several entries."""
    if len(members) < 2:
        return {}
    every = [details(record) for record in members]
    return {
        name: text
        for name, text in every[0].items()
        if name in _SHAREABLE and all(other.get(name) == text for other in every)
    }
