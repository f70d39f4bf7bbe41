"""What stands under one topic, in reading order: conflicts, texts that were read, second-hand reports, gaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from handlers.evidence.citation import citation
from handlers.evidence.entries import Record
from handlers.evidence.groups import Piece, grouped
from handlers.evidence.markup import MRKDWN, PLAIN, Markup, sentence
from handlers.evidence.remarks import conflict_pieces, gap_pieces
from handlers.evidence.topics import Topic
from knowledge.evidence import Association, Evidence, Fact, Source

READ_ITSELF = "From texts that were read"
SECOND_HAND = "Second-hand: read in a report, the text itself not seen"
# Topics where what was linked with the finding comes before how common the finding is.
_LINKS_FIRST = frozenset({"ldh", "liver", "diabetes", "cvd", "tumour", "brain", "age", "sex", "fitness"})


def records_on(evidence: Evidence, topic: Topic) -> tuple[Record, ...]:
    """The facts and associations of a topic, in the order of the data."""
    if topic.id in evidence.subjects:
        return evidence.on(topic.id)
    if topic.id == "covariates":
        return evidence.facts_on("covariates")
    if topic.id == "gaps":
        return tuple(fact for fact in evidence.facts.values() if fact.absent)
    return ()


def conflicts_on(evidence: Evidence, topic: Topic) -> tuple[str, ...]:
    """The ids of the conflicts that matter for a topic."""
    if topic.id == "conflicts":
        return tuple(evidence.conflicts)
    return tuple(each.id for each in evidence.conflicts_on(topic.id)) if topic.id in evidence.subjects else ()


def gaps_on(evidence: Evidence, topic: Topic) -> tuple[str, ...]:
    """The ids of what was looked for on a topic and not found."""
    if topic.id == "gaps":
        return tuple(evidence.gaps)
    return tuple(each.id for each in evidence.gaps_on(topic.id)) if topic.id in evidence.subjects else ()


def pieces_of(evidence: Evidence, topic: Topic, today: str) -> Iterator[Piece]:
    """Everything of a topic, each part once."""
    if topic.id == "sources":
        yield from _source_pieces(evidence, today)
        return
    yield from conflict_pieces(evidence, (evidence.conflicts[name] for name in conflicts_on(evidence, topic)))
    gaps = tuple(gap_pieces(evidence, (evidence.gaps[name] for name in gaps_on(evidence, topic))))
    if topic.id == "gaps":
        yield from gaps
    yield from record_pieces(evidence, records_on(evidence, topic), today, links_first=topic.id in _LINKS_FIRST)
    if topic.id != "gaps":
        yield from gaps


def record_pieces(evidence: Evidence, records: Iterable[Record], today: str, *, links_first: bool) -> Iterator[Piece]:
    """Entries: first from texts that were read, then second-hand; null and contrary results among the others."""
    kinds = (Association, Fact) if links_first else (Fact, Association)
    ordered = [record for kind in kinds for record in records if isinstance(record, kind)]
    for primary, heading in ((True, READ_ITSELF), (False, SECOND_HAND)):
        yield from grouped(
            evidence, [record for record in ordered if evidence.is_primary(record) is primary], heading, today
        )


def _source_pieces(evidence: Evidence, today: str) -> Iterator[Piece]:
    for primary, heading in ((True, READ_ITSELF), (False, SECOND_HAND)):
        for source in evidence.sources.values():
            if source.primary is primary:
                mrkdwn, plain = (source_text(evidence, source, today, m) for m in (MRKDWN, PLAIN))
                yield Piece(heading, mrkdwn, plain, (source.id,), ())


def source_text(evidence: Evidence, source: Source, today: str, m: Markup) -> str:
    """A source with its citation, what kind of study it is, and what to be wary of."""
    kind = f"{source.study_type}, n = {source.n}" if source.n is not None else source.study_type
    marks = " ".join(m.bold(sentence(mark)) for mark in evidence.marks(source, today))
    said = [m.text(sentence(kind)), m.text(sentence(source.note)) if source.note else "", marks]
    return "\n".join([citation(source, m), " ".join(text for text in said if text)])
