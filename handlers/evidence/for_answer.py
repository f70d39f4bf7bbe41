"""The evidence behind one answer: first the very figures it shows, then what to read on with these findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from handlers.answer.view import LABELS
from handlers.blockkit import Block, context
from handlers.evidence.drawing import LEGEND, age, citation_blocks, piece_blocks, whole
from handlers.evidence.groups import Piece, grouped
from handlers.evidence.listing import topic_line
from handlers.evidence.markup import MRKDWN
from handlers.evidence.topics import TOPICS
from knowledge import comparators
from knowledge.evidence import Evidence, load
from knowledge.factors import PatientFactors, Presence

ANSWER = "answer"
STUDY_LINKS = "What was linked with these findings, and what contradicts it"
# What an answer quotes beside its estimates, by outcome as its rows have it: the founding study, then elsewhere.
QUOTED: tuple[tuple[str, tuple[str, ...]], ...] = (
    *((LABELS[outcome], (comparators.STUDY[outcome], *comparators.ELSEWHERE[outcome])) for outcome in LABELS),
    ("With prophylactic tocilizumab", (comparators.TOCILIZUMAB_CRS, comparators.TOCILIZUMAB_ICANS)),
)
# What links a finding with an outcome, and what was found elsewhere on the same.
_LINKS = {
    "ldh": ("rf.joshi.ldh.crs", "rf.joshi.ldh.crs_g2", "rf.guo.ldh.crs_g2"),
    "liver": ("rf.joshi.liver.crs", "rf.multi102.liver.crs", "rf.guo.liver6.crs_g2"),
    "diabetes": ("rf.joshi.diabetes.icans", "rf.guo.null.icans"),
    "cvd": ("rf.joshi.cvd.icans", "rf.guo.null.icans"),
}
_ALWAYS = ("crs", "icans", "tocilizumab", "conflicts", "gaps")


@dataclass(frozen=True)
class AnswerEvidence:
    """What matters for an answer: ids of the topics to read on, findings first, and of the records behind it."""

    topics: tuple[str, ...]
    records: tuple[str, ...]


def evidence_for_answer(factors: PatientFactors, today: str) -> AnswerEvidence:
    """What matters for an answer with these findings; one known to be absent needs no topic of its own."""
    findings = (
        ("ldh", True),
        ("liver", factors.liver_metastases is not Presence.NO),
        ("diabetes", factors.diabetes is not Presence.NO),
        ("cvd", factors.cardiovascular_disease is not Presence.NO),
    )
    topics = (*(name for name, matters in findings if matters), *_ALWAYS)
    pieces = _pieces(load(), topics, today)
    return AnswerEvidence(topics, tuple(dict.fromkeys(name for piece in pieces for name in piece.records)))


def answer_blocks(evidence: Evidence, topics: Sequence[str], today: str) -> list[Block]:
    """The evidence behind an answer whose findings lead to these topics."""
    m = MRKDWN
    pieces = tuple(_pieces(evidence, topics, today))
    head = [
        f"{m.bold('Behind the figures of the answer')} {m.name('evidence')}",
        m.text("The figures that stand beside the estimates, row by row, and what was linked with the findings."),
        age(evidence, today, m),
    ]
    lines = [m.bold("Read on, in the list above")]
    lines += [topic_line(evidence, topic, m) for topic in TOPICS if topic.id in topics]
    cited = tuple(dict.fromkeys(name for piece in pieces for name in piece.sources))
    return [
        whole("\n".join(head)),
        *piece_blocks(pieces),
        {"type": "divider"},
        whole("\n".join(lines)),
        *citation_blocks(evidence, cited),
        context(m.text(LEGEND)),
    ]


def _pieces(evidence: Evidence, topics: Sequence[str], today: str) -> Iterator[Piece]:
    links = dict.fromkeys(name for topic in topics for name in _LINKS.get(topic, ()))
    parts = (*QUOTED, (STUDY_LINKS, tuple(dict.fromkeys((*links, *comparators.CONTRADICTING)))))
    for heading, names in parts:
        records = [evidence.facts.get(name) or evidence.associations[name] for name in names]
        yield from grouped(evidence, records, heading, today)
