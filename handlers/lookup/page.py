"""A look-up as blocks and as plain words, from the same lines: each line carries the ids of the records it quotes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from handlers.blockkit import Block, context, escape, section
from handlers.lookup.reply import LookUp
from handlers.ports import Json
from knowledge.evidence import load as load_evidence
from knowledge.label import Label, Statement, Version

CLOSING = (
    "Label look-up, not for time-critical decisions; follow the current label and your local protocol. "
    "No risk estimate is in it."
)
# The record of the newer US label whose text was not seen; it goes with every US monitoring time.
NEWER_LABEL = "lab.us.update_2026_09"
SUPERSEDED = "possibly superseded: a newer US label was reported and not seen"


@dataclass(frozen=True)
class Line:
    """One line of plain text; ``command`` is set in code after it, for example ``/tarla monitor``."""

    text: str
    records: tuple[str, ...] = ()
    command: str = ""


@dataclass(frozen=True)
class Part:
    """A heading with its lines; one block."""

    heading: str
    lines: tuple[Line, ...]


def line(text: str, *records: str, command: str = "") -> Line:
    """A line that quotes the named records."""
    return Line(text, records, command)


def part(heading: str, *lines: Line) -> Part:
    """A block of lines under a heading."""
    return Part(heading, lines)


def us_monitoring(text: str, *records: str) -> Line:
    """A line with a US monitoring time: always marked as possibly superseded, with the record that says why."""
    return Line(f"{text} ({SUPERSEDED})", (*records, NEWER_LABEL))


def sentence(text: str) -> str:
    """The text with a capital first letter; abbreviations within keep theirs."""
    return text[:1].upper() + text[1:]


def quoted(statement: Statement, prefix: str = "") -> list[Line]:
    """The lines of a statement, its note included."""
    texts = [*statement.text, *([statement.note] if statement.note else [])]
    return [Line(f"{prefix}{text}", (statement.id,)) for text in texts]


def build(
    code: str,
    title: str,
    parts: Iterable[Part],
    label: Label,
    today: str,
    *,
    versions: Sequence[str] = ("lab.us.version", "lab.eu.version"),
    title_records: Sequence[str] = (),
    arguments: Mapping[str, Json] | None = None,
    about_patient: bool = False,
) -> LookUp:
    """The look-up: title, parts in order, other sources, then the label versions and the closing words.

    The documents of ``versions`` are named at the foot; what a part quotes from any other source has it named.

    ``title_records`` are quoted by the title itself, for a figure in it that the first part's records do not hold.
    """
    body = list(parts)
    body += _other_sources(body, label, versions)
    foot = [*_version_lines(label, versions), *_age(label, today)]
    head = Line(title, tuple(title_records))
    blocks: list[Block] = [_section(body[0], head), *(_section(each) for each in body[1:])]
    small = [_mrkdwn(each, bullet="") for each in foot]
    blocks.append(context("\n".join([*small, escape(CLOSING)])))
    text = "\n".join(
        [
            _plain_line(head),
            *(text for each in body for text in _plain(each)),
            *(_plain_line(each) for each in foot),
            CLOSING,
        ]
    )
    lines = [head, *(each for some in body for each in some.lines), *foot]
    records = tuple(dict.fromkeys(record for each in lines for record in each.records))
    return LookUp(code, text, tuple(blocks), records, dict(arguments or {}), about_patient)


def _other_sources(parts: Sequence[Part], label: Label, versions: Sequence[str]) -> list[Part]:
    """Each source behind a quoted record that is not a document of the foot, with the records that rest on it."""
    named = {label.get(Version, name).source for name in versions}
    quoted_from: dict[str, list[str]] = {}
    for name in dict.fromkeys(record for each in parts for one in each.lines for record in one.records):
        record = label.records.get(name)
        for source in record.sources if record is not None else ():
            if source not in named:
                quoted_from.setdefault(source, []).append(name)
    sources = load_evidence().sources
    lines = [line(sources[name].citation, name, *records) for name, records in quoted_from.items()]
    return [part("Sources other than the documents below", *lines)] if lines else []


def _version_lines(label: Label, versions: Sequence[str]) -> list[Line]:
    lines = []
    for name in versions:
        version = label.get(Version, name)
        number = f", version {version.number}" if version.number else ""
        newer = f"; {version.superseded_says}" if version.superseded_says else ""
        records = [version.id, version.superseded_by] if version.superseded_by else [version.id]
        lines.append(line(f"{version.product}, {version.document}: {version.date_says}{number}{newer}", *records))
    return lines


def _age(label: Label, today: str) -> list[Line]:
    compiled = label.compiled
    looked = f"Looked through on {compiled.date}"
    if label.is_old(today):
        return [line(f"{looked}: past its review date of {compiled.review_by}, check before use", compiled.id)]
    return [line(f"{looked}, to be reviewed by {compiled.review_by}", compiled.id)]


def _section(each: Part, title: Line | None = None) -> Block:
    heads = [_bold(title)] if title else []
    head, lines = _shared(each)
    heads += [_bold(head)] if head.text or head.records else []
    return section("\n".join([*heads, *(_mrkdwn(one) for one in lines)]))


def _shared(each: Part) -> tuple[Line, tuple[Line, ...]]:
    """Heading and lines, with the ids once at the heading where all lines with ids have the same."""
    sets = {one.records for one in each.lines if one.records}
    if len(each.lines) == 1 or len(sets) != 1:
        return Line(each.heading), each.lines
    return Line(each.heading, sets.pop()), tuple(replace(one, records=()) for one in each.lines)


def _bold(head: Line) -> str:
    bold = f"*{escape(head.text)}*" if head.text else ""
    return " ".join([*([bold] if bold else []), *(f"`{record}`" for record in head.records)])


def _mrkdwn(each: Line, bullet: str = "• ") -> str:
    command = f" `{escape(each.command)}`" if each.command else ""
    ids = "".join(f" `{record}`" for record in each.records)
    return f"{bullet}{escape(each.text)}{command}{ids}"


def _plain(each: Part) -> list[str]:
    head, lines = _shared(each)
    heads = [_plain_line(head).strip()] if head.text or head.records else []
    return [*heads, *(f"- {_plain_line(one)}" for one in lines)]


def _plain_line(each: Line) -> str:
    command = f" {each.command}" if each.command else ""
    ids = f" [{', '.join(each.records)}]" if each.records else ""
    return f"{each.text}{command}{ids}"
