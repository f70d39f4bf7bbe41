"""The sources behind the figures that stand beside an estimate, as a modal."""

from __future__ import annotations

from typing import Any

from handlers.answer.view import LABELS
from handlers.blockkit import Block, context, escape, modal, section
from knowledge import comparators
from knowledge.evidence import Evidence, Fact, Source

SEEN = {
    "secondary_report": "read in a secondary report; the text itself not seen",
    "abstract": "abstract read",
    "label_text": "label text read",
}
INTRODUCTION = (
    "Every published figure that stands beside the estimates, by its record. Rates of different definitions or time "
    "windows must not be compared. The estimates themselves come from the model. More: `/tarla evidence icans`"
)


def evidence_modal(evidence: Evidence) -> dict[str, Any]:
    """Facts by outcome, each with its population, n, window and definition; then their sources."""
    blocks: list[Block] = [section(INTRODUCTION)]
    used: dict[str, Source] = {}
    for heading, ids in _figures():
        blocks.append(section(f"*{escape(heading)}*"))
        for fact in map(evidence.fact, ids):
            blocks.append(section(_fact(fact)))
            used[fact.source] = evidence.source(fact.source)
    blocks.append(section("*Sources*"))
    blocks += [section(_source(source)) for source in used.values()]
    blocks.append(context(f"evidence {evidence.version}"))
    return modal("Evidence", blocks)


def _figures() -> list[tuple[str, tuple[str, ...]]]:
    beside = [
        (label, (comparators.STUDY[outcome], *comparators.ELSEWHERE[outcome])) for outcome, label in LABELS.items()
    ]
    return [*beside, ("With prophylactic tocilizumab", (comparators.TOCILIZUMAB_CRS, comparators.TOCILIZUMAB_ICANS))]


def _fact(fact: Fact) -> str:
    lines = [
        f"`{fact.id}`  *{escape(figure(fact))}*",
        escape(f"{fact.population}; {fact.setting}"),
        escape(f"Window: {fact.window}. Definition: {fact.definition or 'not stated'}."),
    ]
    if fact.derived is not None:
        lines.append(escape(f"Worked out here: {fact.derived.how}."))
    if fact.discrepancy is not None:
        lines.append(escape(f"The source disagrees with itself: {fact.discrepancy}."))
    return "\n".join([*lines, f"Source: `{fact.source}`"])


def figure(fact: Fact) -> str:
    """What a fact says in figures: counts, and the percentage as printed; or that none was found."""
    if fact.absent:
        return "no figure found"
    parts = []
    if fact.count is not None and fact.denominator is not None:
        parts.append(f"{fact.count}/{fact.denominator}")
    elif fact.denominator is not None:
        parts.append(f"n = {fact.denominator}")
    if fact.percent is not None:
        parts.append(f"{fact.percent} as printed")
    return ", ".join(parts)


def _source(source: Source) -> str:
    where = [f"doi {source.doi}" if source.doi else "", f"PMID {source.pmid}" if source.pmid else ""]
    if source.url and not any(where):
        where.append(source.url)
    seen = SEEN.get(source.seen, f"{source.seen.replace('_', ' ')} read")
    part = "" if source.seen_complete else "; only a part of it"
    found = " · ".join(each for each in where if each)
    lines = [
        f"`{source.id}`  {escape(source.citation)}",
        escape(f"{found} · {seen}{part}" if found else f"{seen}{part}"),
    ]
    return "\n".join(lines)
