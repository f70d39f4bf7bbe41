"""One record of the evidence, whole: every field, what contradicts it, and its citation."""

from __future__ import annotations

from collections.abc import Iterator

from handlers.blockkit import context
from handlers.evidence.citation import citation
from handlers.evidence.contents import record_pieces, source_text
from handlers.evidence.drawing import age, citation_blocks, fitting, whole
from handlers.evidence.entries import Record, entry
from handlers.evidence.groups import Piece, definition_text, marks_text
from handlers.evidence.markup import MRKDWN, PLAIN, Markup, sentence
from handlers.evidence.remarks import conflict_pieces, gap_pieces
from handlers.evidence.wording import how_seen, short_name
from handlers.lookup.reply import LookUp
from knowledge.evidence import Association, Conflict, Evidence, Fact, Gap, Source

# Ids of some thirty characters each, well within a section.
IDS_TOGETHER = 50

AnyRecord = Record | Source | Conflict | Gap


def find_record(evidence: Evidence, word: str) -> AnyRecord | None:
    """The record of this id, whatever the case of its letters."""
    every: tuple[AnyRecord, ...] = (
        *evidence,
        *evidence.sources.values(),
        *evidence.conflicts.values(),
        *evidence.gaps.values(),
    )
    return next((record for record in every if record.id.lower() == word), None)


def record_look_up(evidence: Evidence, record: AnyRecord, today: str) -> LookUp:
    """The record with everything that is known of it."""
    sources, ids = [] if isinstance(record, Source | Conflict | Gap) else [record.source], [record.id]
    blocks, lines = [], []
    for part in _parts(evidence, record, today):
        blocks.append(whole(part.mrkdwn))
        lines += ["", *part.plain.split("\n")]
        sources += part.sources
        ids += part.records
    cited = tuple(dict.fromkeys(sources))
    small = context(f"{age(evidence, today, MRKDWN)} {MRKDWN.name('evidence')}")
    citations = ["", "Sources:", *(f"• {citation(evidence.source(name), PLAIN)}" for name in cited)] if cited else []
    return LookUp(
        code="evidence.record",
        text=fitting(lines[1:], "The rest stands in the message itself."),
        blocks=(*blocks, *citation_blocks(evidence, cited), small),
        records=tuple(dict.fromkeys((*ids, *cited))),
        arguments={"record": record.id},
        long_text="\n".join([*lines[1:], *citations]),
    )


def _parts(evidence: Evidence, record: AnyRecord, today: str) -> Iterator[Piece]:
    if isinstance(record, Source):
        mrkdwn, plain = (source_text(evidence, record, today, m) for m in (MRKDWN, PLAIN))
        yield Piece("", mrkdwn, plain, (record.id,), ())
        yield from _resting_on(evidence, record)
    elif isinstance(record, Conflict | Gap):
        yield from (
            conflict_pieces(evidence, [record]) if isinstance(record, Conflict) else gap_pieces(evidence, [record])
        )
        about = [evidence.facts.get(name) or evidence.associations[name] for name in record.facts]
        yield from record_pieces(evidence, about, today, links_first=False)
    else:
        mrkdwn, plain = ("\n".join(_record_lines(evidence, record, today, m)) for m in (MRKDWN, PLAIN))
        based_on = record.based_on if isinstance(record, Fact) else ()
        yield Piece("", mrkdwn, plain, (record.id, *based_on), (record.source,))
        yield from conflict_pieces(evidence, evidence.conflicts_about(record.id))


def _resting_on(evidence: Evidence, source: Source) -> Iterator[Piece]:
    """The ids of everything that rests on a source, as many to a part as are easily read."""
    names = [each.id for each in evidence if each.source == source.id]
    names += [each.id for each in evidence.conflicts.values() if source.id in each.sources]
    for start in range(0, len(names), IDS_TOGETHER):
        chunk = names[start : start + IDS_TOGETHER]
        head = "What rests on it" + (" (continued)" if start else "")
        mrkdwn, plain = (f"{m.bold(head)}\n{' '.join(map(m.name, chunk))}" for m in (MRKDWN, PLAIN))
        yield Piece("", mrkdwn, plain, tuple(chunk), ())


def _record_lines(evidence: Evidence, record: Record, today: str, m: Markup) -> Iterator[str]:
    source = evidence.source_of(record)
    yield f"{m.bold(short_name(source))} {m.name(source.id)} {m.text('· ' + how_seen(source))}"
    yield entry(record, m)
    yield m.text(f"Population: {sentence(record.population)}")
    if isinstance(record, Association):
        yield m.text(f"Drug or class: {sentence(record.scope)}")
    else:
        yield m.text(f"Setting: {sentence(record.setting)}")
        if record.definition:
            yield m.text(sentence(definition_text(record.definition)))
        if record.based_on:
            yield m.text("Rests on ") + ", ".join(m.name(name) for name in record.based_on)
        if (term := evidence.centre_terms.get(record.id)) is not None:
            use = "informs" if term.use else "does not inform"
            yield m.text(f"In the model: it {use} the risk at a new centre: {term.reason}.")
    yield m.text("Topics: ") + ", ".join(m.name(name) for name in evidence.subjects_of(record))
    marks = marks_text(evidence, record, today, m)
    yield m.text(f"Review due {evidence.review_due(record)}") + (f" · {marks}" if marks else "")
