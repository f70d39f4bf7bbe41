"""Where the engine falls short, found by rule, and whether it is consistent with itself."""

from __future__ import annotations

from bot.simulation_report.words import (
    CENTRE_NAMES,
    CERTAIN,
    NAMES,
    OUTCOMES,
    bullets,
    percent,
    surely_above,
    surely_below,
    with_error,
)
from knowledge.simulation.results import StudyResults

WANTED_COVERAGE = 0.95


WANTED_SLOPES = (0.8, 1.25)


LEAST_PVALUE = 0.05


RANKS_PICTURE = (
    "![Rank histograms of the true risk within the engine's posterior, for four patients and each outcome, with the "
    "band that chance allows](pictures/study-ranks.svg)"
)


def shortcomings(study: StudyResults) -> str:
    """Everything the engine does badly, found in the figures, not chosen."""
    coverage: list[tuple[float, str]] = []
    slope: list[tuple[float, str]] = []
    beaten: list[tuple[float, str]] = []
    for scenario in study.scenarios:
        for row in scenario.performance:
            if row.coding not in ("both", "none") or row.own_prior_again:
                continue
            where = f"{OUTCOMES[row.outcome]}, {CENTRE_NAMES[row.centre]}, {scenario.title}"
            if row.method == "engine":
                m = row.measures
                if surely_below(m.coverage, WANTED_COVERAGE):
                    coverage.append((m.coverage.value or 0.0, f"{where}: {percent(m.coverage)} %"))
                if surely_below(m.slope, WANTED_SLOPES[0]) or surely_above(m.slope, WANTED_SLOPES[1]):
                    slope.append((m.slope.value or 0.0, f"{where}: {with_error(m.slope)}"))
            elif surely_below(row.measures.brier_excess_over_engine, 0.0):
                less = -(row.measures.brier_excess_over_engine.value or 0.0)
                beaten.append((-less, f"{where}: {NAMES[row.method]} by {less:.4f}"))
    return f"""\
## Where the engine falls short

Found by rule in all truths: coverage below 95 %, a slope outside {WANTED_SLOPES[0]:g} to {WANTED_SLOPES[1]:g}, or a
rival with a smaller excess Brier score, each by more than {CERTAIN:g} Monte Carlo standard errors. The smallest
figure, or the largest lead of a rival, stands first.

Coverage of the engine's 95 % interval below 95 %:

{bullets(coverage)}

Slope too flat or too steep (above 1: the engine's differences between patients are too small):

{bullets(slope)}

A rival is nearer the true risks:

{bullets(beaten)}"""


def ranks(study: StudyResults) -> str:
    smallest = min(study.ranks, key=lambda rank: rank.pvalue)
    low = sum(rank.pvalue < LEAST_PVALUE for rank in study.ranks)
    bound = min(1.0, smallest.pvalue * len(study.ranks))
    return f"""\
## Rank histograms

Under the engine's own prior the true risk of a fixed patient, over cohorts that show the facts, must be uniform within
the engine's posterior. For {len(study.ranks)} combinations of patient, outcome and centre, chi-square tests on
{smallest.degrees} degrees of freedom (with a covariance that allows for the weights of both samples) give {low}
p-values below {LEAST_PVALUE:g} where {LEAST_PVALUE * len(study.ranks):.1f} are expected; the smallest is
{smallest.pvalue:.4f} ({OUTCOMES[smallest.outcome]}, {CENTRE_NAMES[smallest.centre]}, {smallest.patient};
{bound:.2f} after Bonferroni). A test of the repository repeats this on a small scale and shows that a wrong engine is
rejected.

This checks pooling, prediction and intervals. It cannot see a fault in the sampler, since truths and engine come from
the same one; the sampler is checked by a plain second implementation (`tests/synthesis/test_agreement.py`,
`make synthesis-check`).

{RANKS_PICTURE}"""
