"""The engine against its rivals: in short, under its own prior, and truth by truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from bot.study_report.words import (
    CENTRE_NAMES,
    CERTAIN,
    NAMES,
    OUTCOMES,
    REGRESSIONS,
    RIVALS,
    joined,
    number,
    percent,
    points,
    scenario_of,
    surely_above,
    surely_below,
    with_error,
    with_outcome,
)
from knowledge.assessment import Outcome
from knowledge.study.results import METHODS, Centre, Method, Performance, ScenarioResult, StudyResults
from knowledge.study.scenarios import OWN_PRIOR

CALIBRATION_PICTURE = (
    "![Mean true risk against mean predicted risk in tenths of the patients, for Firth calculator, FLIC and engine, "
    "under three truths](pictures/study-calibration.svg)"
)


COVERAGE_PICTURE = (
    "![Coverage of the 95 % interval for a patient's true risk in every truth, by method, outcome and centre]"
    "(pictures/study-coverage.svg)"
)


# The measures of the summary, and how each is written.
SHOWN: dict[str, Callable[[float], str]] = {
    "slope": lambda value: f"{value:.2f}",
    "coverage": lambda value: f"{100 * value:.0f}",
    "brier_excess": lambda value: f"{value:.3f}",
}


def in_short(study: StudyResults) -> str:
    lines = []
    for outcome, label in OUTCOMES.items():
        for centre, where in CENTRE_NAMES.items():
            cells = [f"{label}, {where}"]
            for name, shown in SHOWN.items():
                for method in REGRESSIONS:
                    own = scenario_of(study, OWN_PRIOR, outcome).of(outcome, centre, method).measures
                    wrong = [each.of(outcome, centre, method).measures for each in wrong_truths(study, outcome)]
                    found = [value for each in wrong if (value := getattr(each, name).value) is not None]
                    value = getattr(own, name).value
                    cells.append(f"{shown(value)} ({shown(min(found))} to {shown(max(found))})")
            lines.append(f"| {' | '.join(cells)} |")
    duels = [f"| {NAMES[rival]} | {' | '.join(map(str, duel(study, rival)))} |" for rival in RIVALS]
    return f"""\
## In short

Each figure under the engine's own prior and, in brackets, from the least to the largest under the wrong truths. a:
Firth calculator, b: FLIC, c: engine. Slope 1 is right, below 1 predictions are too far apart; coverage should be 95.

| outcome | slope a | b | c | coverage, % a | b | c | excess Brier a | b | c |
|---|---|---|---|---|---|---|---|---|---|
{joined(lines)}

In how many comparisons (wrong truth, outcome, centre) is the engine nearer the true risks, by excess Brier score and
more than {CERTAIN:g} Monte Carlo standard errors?

| engine against | nearer | no clear difference | farther |
|---|---|---|---|
{joined(duels)}

What lies behind it:

- A regression is published because its predictors are significant, and 30 patients show significance when chance has
  made the effect look large. Firth's penalty does not undo that: the calculator's slope is far below 1.
- FLIC makes the mean prediction the cohort's observed rate. It keeps Firth's slopes, so it does not mend them.
- Under the engine's own prior and at the study's own centre the calculator's Wald intervals are about as wide as the
  engine's or wider, and for CRS of any grade and ICANS they hold the true risk about as often as they promise: honest
  about their width, wrong about their middle. They know nothing of other centres, and for CRS of grade >= 2 they miss
  that liver metastases matter.
- tau 0.75, 1 and 1.5 for CRS, and 0.5, 0.75 and 1 for ICANS, are parts of the engine's own mixture, taken alone; tau
  0.5 for CRS and 1.5 for ICANS lie outside it.
- The engine is as good as its priors. Where the true effects are much larger than these expect, its slope rises above 1
  and a calculator can be nearer the truth; where they are much smaller, its slope falls below 1 too. Nothing published
  tells which is the case. All of this is listed under "Where the engine falls short"."""


def wrong_truths(study: StudyResults, outcome: Outcome) -> list[ScenarioResult]:
    return [scenario for scenario in with_outcome(study, outcome) if scenario.id != OWN_PRIOR]


def duel(study: StudyResults, rival: Method) -> tuple[int, int, int]:
    """How often the engine's excess Brier score is surely smaller than the rival's, neither, surely larger."""
    differences = [
        scenario.of(outcome, centre, rival).measures.brier_excess_over_engine
        for outcome in OUTCOMES
        for scenario in wrong_truths(study, outcome)
        for centre in CENTRE_NAMES
    ]
    nearer = sum(surely_above(each, 0.0) for each in differences)
    farther = sum(surely_below(each, 0.0) for each in differences)
    return nearer, len(differences) - nearer - farther, farther


def headline(study: StudyResults) -> str:
    lines = []
    for outcome, label in OUTCOMES.items():
        scenario = scenario_of(study, OWN_PRIOR, outcome)
        for centre, where in CENTRE_NAMES.items():
            for method in METHODS:
                m = scenario.of(outcome, centre, method).measures
                lines.append(
                    f"| {label}, {where} | {NAMES[method]} | {with_error(m.slope)} | {with_error(m.slope_median)} "
                    f"| {points(m.mean_difference)} | {percent(m.coverage)} | {percent(m.width)} "
                    f"| {with_error(m.brier, 4)} | {with_error(m.brier_excess, 4)} | {points(m.absolute_error)} |"
                )
    return f"""\
## Under the engine's own prior (self-consistency)

Each figure with its Monte Carlo standard error. Slope: over all cohorts, and the median of those within cohorts.
In the large, coverage, width and mean absolute error in percentage points. Exactly 95 % is promised for a fixed
patient; here patients come from the cohort's own mix, which the engine does not know, so its coverage may differ by a
little. Both codings of LDH are pooled by their evidence; each alone is in the JSON file.

| outcome | method | slope | median slope | in the large | coverage | width | Brier | excess Brier | error |
|---|---|---|---|---|---|---|---|---|---|
{joined(lines)}

{CALIBRATION_PICTURE}"""


def table(study: StudyResults, outcome: Outcome, centre: Centre) -> str:
    """All truths for one outcome and centre, one line each."""
    lines = []
    for scenario in with_outcome(study, outcome):
        rows = {method: scenario.of(outcome, centre, method).measures for method in METHODS}
        cells = [scenario.title]
        cells += [number(rows[method].slope, 2) for method in ("firth", "flic", "engine")]
        cells += [points(rows[method].mean_difference, error=False) for method in ("firth", "flic", "engine")]
        cells += [percent(rows[method].coverage, error=False) for method in METHODS]
        cells += [number(rows[method].brier_excess, 3) for method in METHODS]
        lines.append(f"| {' | '.join(cells)} |")
    largest = largest_errors(scenario.of(outcome, centre, method) for scenario in with_outcome(study, outcome)
                              for method in METHODS)  # fmt: skip
    picture = f"\n\n{COVERAGE_PICTURE}" if (outcome, centre) == (Outcome.ICANS_ANY, "new") else ""
    return f"""\
### {OUTCOMES[outcome]}, at {CENTRE_NAMES[centre]}

a: Firth, b: FLIC, c: engine, d: plain rate. {largest}

| truth | slope a | b | c | in the large a | b | c | coverage a | b | c | d | excess Brier a | b | c | d |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
{joined(lines)}{picture}"""


def largest_errors(rows: Iterable[Performance]) -> str:
    found = list(rows)

    def largest(name: str, of: Sequence[Performance]) -> float:
        return max((getattr(row.measures, name).se or 0.0) for row in of)

    regressions = [row for row in found if row.method != "rate"]
    return (
        f"Largest Monte Carlo standard error: slope {largest('slope', regressions):.2f}, in the large "
        f"{100 * largest('mean_difference', found):.1f}, coverage {100 * largest('coverage', found):.1f} points, "
        f"excess Brier {largest('brier_excess', found):.4f}."
    )
