"""One record of the label data, whole: every field in order, what to be wary of, and the citation of its sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from handlers.blockkit import Block, context
from handlers.evidence.citation import citation
from handlers.evidence.drawing import citation_blocks, fitting, whole
from handlers.evidence.markup import MRKDWN, PLAIN, Markup
from handlers.lookup.page import CLOSING, NEWER_LABEL, SUPERSEDED
from handlers.lookup.reply import LookUp
from knowledge.evidence import Evidence
from knowledge.label import Compiled, Label, Monitoring, Record
from knowledge.label import load as load_label

# Longer sections are hard to read; Slack itself takes 3,000 characters.
_SECTION_TARGET = 1_500
# What the head, the citations and the marks say already.
_ELSEWHERE = frozenset({"id", "source", "cross_check", "grade5_source", "next_dose_monitoring"})
# Names of fields that do not say by themselves what they mean; an empty one is for the program alone.
_SAID = {
    "go_on": "up to the limit of days",
    "repeat": "beyond the limit of days",
    "no_row": "not in the table",
    "first_full_dose": "",
    "go_on_mg": "",
    "repeat_mg": "",
}
# One of the fields of a part of a record by which it is named before its other fields.
_NAMED_BY = ("name", "grade", "drug", "key", "last", "cycle")


def find_label_record(word: str) -> Record | Compiled | None:
    """The label record of this id, whatever the case of its letters."""
    label = load_label()
    every: tuple[Record | Compiled, ...] = (*label, label.compiled)
    return next((record for record in every if record.id.lower() == word), None)


def label_record_look_up(evidence: Evidence, record: Record | Compiled, today: str) -> LookUp:
    """Every field of the record, with the full citation of each of its sources."""
    label = load_label()
    sources = record.sources if isinstance(record, Record) else ()
    blocks = [whole(part) for part in _sections(record, MRKDWN)]
    small = [_age(label, today, MRKDWN), MRKDWN.text(CLOSING)]
    lines = [
        *_head_and_lines(record, PLAIN),
        *(f"Source: {citation(evidence.source(name), PLAIN)}" for name in sources),
    ]
    lines += [_age(label, today, PLAIN), CLOSING]
    noted = (NEWER_LABEL,) if any(NEWER_LABEL in each for each in _lines(record, PLAIN)) else ()
    body: tuple[Block, ...] = (*blocks, *citation_blocks(evidence, sources), context("\n".join(small)))
    return LookUp(
        code="evidence.record",
        text=fitting(lines, "The rest stands in the message itself."),
        blocks=body,
        records=tuple(dict.fromkeys((record.id, *noted, label.compiled.id, *sources))),
        arguments={"record": record.id},
        long_text="\n".join(lines),
    )


def _sections(record: Record | Compiled, m: Markup) -> Iterator[str]:
    """The lines in parts that Slack takes; each has the id, for no figure stands without it."""
    head, *lines = _head_and_lines(record, m)
    part = [head]
    for each in lines:
        if sum(map(len, part)) + len(each) > _SECTION_TARGET and len(part) > 1:
            yield "\n".join(part)
            part = [f"{head} {m.text('(continued)')}"]
        part.append(each)
    yield "\n".join(part)


def _head_and_lines(record: Record | Compiled, m: Markup) -> list[str]:
    return [f"{m.bold('Label record')} {m.name(record.id)}", *_lines(record, m)]


def _lines(record: Record | Compiled, m: Markup) -> Iterator[str]:
    if isinstance(record, Monitoring):
        yield m.text(f"Time: {record.time}") + (_mark(m) if record.region == "us" else "")
    for name, value in record.model_dump(mode="json").items():
        if name not in _ELSEWHERE and _SAID.get(name, name):
            yield from _field(name, value, m)


def _mark(m: Markup) -> str:
    return f" {m.text(f'({SUPERSEDED})')} {m.name(NEWER_LABEL)}"


def _field(name: str, value: Any, m: Markup) -> Iterator[str]:
    said = _said(name)
    if isinstance(value, Sequence) and not isinstance(value, str):
        for each in value:
            if isinstance(each, Mapping):
                yield m.text(f"• {said}: {_inline(each)}") + (_mark(m) if each.get("next_dose_monitoring") else "")
            elif isinstance(each, str):
                yield m.text(f"• {said}: {each}")
        if value and not isinstance(value[0], str | Mapping):
            yield m.text(f"• {said}: {', '.join(map(str, value))}")
    elif not _empty(value):
        yield m.text(f"• {said}: {'yes' if value is True else value}")


def _inline(part: Mapping[str, Any]) -> str:
    """The fields of a part of a record in one line, the one that names it first."""
    first = next((name for name in _NAMED_BY if part.get(name) is not None), None)
    names = [*([first] if first else []), *(name for name in part if name != first)]
    return "; ".join(
        f"{_said(name)}: {_value(part[name])}"
        for name in names
        if name not in _ELSEWHERE and _said(name) and not _empty(part[name])
    )


def _said(name: str) -> str:
    return _SAID.get(name, name.replace("_", " "))


def _empty(value: Any) -> bool:
    """Not 0, which is a figure: an ICE score, say, or no grade."""
    return value is None or value is False or value == []


def _value(value: Any) -> str:
    if isinstance(value, list):
        apart = " / " if value and isinstance(value[0], str) else ", "
        return apart.join(f"({_inline(each)})" if isinstance(each, Mapping) else str(each) for each in value)
    return "yes" if value is True else str(value)


def _age(label: Label, today: str, m: Markup) -> str:
    compiled = label.compiled
    late = f" · {m.bold('past review date')}" if label.is_old(today) else ""
    said = m.text(f"Looked through on {compiled.date}, to be reviewed by {compiled.review_by}")
    return f"{said}{late} {m.name(compiled.id)}"
