"""In how many comparisons the engine is nearer the true risks, by outcome and by kind of truth."""

from __future__ import annotations

from bot.simulation_report.words import (
    CENTRE_NAMES,
    CERTAIN,
    KINDS,
    NAMES,
    OUTCOMES,
    RIVALS,
    joined,
    other_rows,
    surely_above,
    surely_below,
)
from knowledge.assessment import Outcome
from knowledge.simulation.results import Kind, Method, StudyResults


def duel(study: StudyResults, outcome: Outcome, kind: Kind, rival: Method) -> tuple[int, int, int]:
    """How often the engine's excess Brier score is surely smaller than the rival's, neither, surely larger."""
    differences = [
        row.measures.brier_excess_over_engine
        for centre in CENTRE_NAMES
        for found, row in other_rows(study, outcome, centre, rival)
        if found == kind
    ]
    nearer = sum(surely_above(each, 0.0) for each in differences)
    farther = sum(surely_below(each, 0.0) for each in differences)
    return nearer, len(differences) - nearer - farther, farther


def counting(study: StudyResults) -> str:
    lines = []
    for outcome, label in OUTCOMES.items():
        for kind, words in KINDS.items():
            if kind != "own":
                duels = [" / ".join(map(str, duel(study, outcome, kind, rival))) for rival in RIVALS]
                lines.append(f"| {label} | {words} | {' | '.join(duels)} |")
    heads = " | ".join(NAMES[rival] for rival in RIVALS)
    return f"""\
In how many comparisons (truth, centre) is the engine nearer the true risks than each rival / not clearly either /
farther, by excess Brier score and more than {CERTAIN:g} Monte Carlo standard errors?

| outcome | truth | {heads} |
|---|---|{"---|" * len(RIVALS)}
{joined(lines)}

These counts are no score. The two centres, and CRS of any grade and of grade >= 2, share their cohorts; the truths were
chosen, not sampled, and nobody knows how plausible each is. One tau of the own prior is a part of what the engine
assumes. A comparison that is the own prior again is not counted ("severity differs by centre" differs from it for CRS
of grade >= 2 at a new centre alone)."""
