"""A look-up as blocks and as plain words, from the same lines: each line carries the ids of the records it quotes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from handlers.blockkit import Block, context, escape, section
from handlers.lookup.reply import LookUp
from handlers.ports import Json
from knowledge.label import Label, Statement, Version

CLOSING = (
    "Label look-up, not for time-critical decisions; follow the current label and your local protocol. "
    "No risk estimate is in it."
)
# The record of the newer US label whose text was not seen; it goes with every US monitoring time.
NEWER_LABEL = "lab.us.update_2026_09"
SUPERSEDED = "possibly superseded"


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


def quoted(statement: Statement, prefix: str = "") -> list[Line]:
    """The lines of a statement, its note included."""
    texts = [*statement.text, *([statement.note] if statement.note else [])]
    return [Line(f"{prefix}{text}", (statement.id,)) for text in texts]


def build(  # noqa: PLR0913 - the parts of one page, each named where it is called
    code: str,
    title: str,
    parts: Iterable[Part],
    label: Label,
    today: str,
    *,
    versions: Sequence[str] = ("lab.us.version", "lab.eu.version"),
    arguments: Mapping[str, Json] | None = None,
    about_patient: bool = False,
) -> LookUp:
    """The look-up: title, parts in order, then the label versions and the closing words."""
    body = list(parts)
    foot = [*_version_lines(label, versions), *_age(label, today)]
    blocks: list[Block] = [_section(body[0], title), *(_section(each) for each in body[1:])]
    small = [_mrkdwn(each, bullet="") for each in foot]
    blocks.append(context("\n".join([*small, escape(CLOSING)])))
    text = "\n".join(
        [
            title,
            *(text for each in body for text in _plain(each)),
            *(_plain_line(each) for each in foot),
            CLOSING,
        ]
    )
    lines = [*(each for some in body for each in some.lines), *foot]
    records = tuple(dict.fromkeys(record for each in lines for record in each.records))
    return LookUp(code, text, tuple(blocks), records, dict(arguments or {}), about_patient)


def _version_lines(label: Label, versions: Sequence[str]) -> list[Line]:
    lines = []
    for name in versions:
        version = label.get(Version, name)
        number = f", version {version.number}" if version.number else ""
        lines.append(line(f"{version.product}, {version.document}: {version.date_says}{number}", version.id))
        if version.superseded_by:
            newer = label.get(Statement, version.superseded_by)
            lines.append(line(newer.text[0], newer.id))
    return lines


def _age(label: Label, today: str) -> list[Line]:
    compiled = label.compiled
    looked = f"Looked through on {compiled.date}"
    if label.is_old(today):
        return [line(f"{looked}: past its review date of {compiled.review_by}, check before use", compiled.id)]
    return [line(f"{looked}, to be reviewed by {compiled.review_by}", compiled.id)]


def _section(each: Part, title: str = "") -> Block:
    heads = [f"*{escape(head)}*" for head in (title, each.heading) if head]
    return section("\n".join([*heads, *(_mrkdwn(one) for one in each.lines)]))


def _mrkdwn(each: Line, bullet: str = "• ") -> str:
    command = f" `{escape(each.command)}`" if each.command else ""
    ids = "".join(f" `{record}`" for record in each.records)
    return f"{bullet}{escape(each.text)}{command}{ids}"


def _plain(each: Part) -> list[str]:
    return [*([each.heading] if each.heading else []), *(f"- {_plain_line(one)}" for one in each.lines)]


def _plain_line(each: Line) -> str:
    command = f" {each.command}" if each.command else ""
    ids = f" [{', '.join(each.records)}]" if each.records else ""
    return f"{each.text}{command}{ids}"
