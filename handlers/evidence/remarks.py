"""Conflicts and gaps as pieces of a page: what is said, which figure to trust, and where it rests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from handlers.evidence.groups import Piece
from handlers.evidence.markup import MRKDWN, PLAIN, Markup, sentence
from handlers.evidence.wording import short_name
from knowledge.evidence import Conflict, Evidence, Gap

CONFLICTS = "Conflicts, and which figure to trust"
GAPS = "What is missing"


def conflict_pieces(evidence: Evidence, conflicts: Iterable[Conflict]) -> Iterator[Piece]:
    """One piece for each conflict."""
    for each in conflicts:
        mrkdwn, plain = (_conflict(evidence, each, m) for m in (MRKDWN, PLAIN))
        yield Piece(CONFLICTS, mrkdwn, plain, (each.id,), each.sources)


def gap_pieces(evidence: Evidence, gaps: Iterable[Gap]) -> Iterator[Piece]:
    """One piece for each gap."""
    for each in gaps:
        mrkdwn, plain = (_gap(evidence, each, m) for m in (MRKDWN, PLAIN))
        yield Piece(GAPS, mrkdwn, plain, (each.id,), each.sources)


def _conflict(evidence: Evidence, conflict: Conflict, m: Markup) -> str:
    lines = [
        f"{m.bold(conflict.title)} {m.name(conflict.id)}",
        m.text(conflict.statement),
        f"{m.bold('Trust:')} {m.text(conflict.trust)}",
    ]
    if conflict.working:
        lines.append(m.text(f"Our arithmetic: {sentence(conflict.working)}"))
    return "\n".join([*lines, *_rests_on(evidence, conflict, m)])


def _gap(evidence: Evidence, gap: Gap, m: Markup) -> str:
    lines = [f"{m.bold(gap.title)} {m.name(gap.id)}", m.text(gap.statement)]
    return "\n".join([*lines, *_rests_on(evidence, gap, m)])


def _rests_on(evidence: Evidence, remark: Conflict | Gap, m: Markup) -> list[str]:
    names = [f"{m.text(short_name(evidence.source(name)))} {m.name(name)}" for name in remark.sources]
    return [m.text("From: ") + ", ".join(names)] if names else []
