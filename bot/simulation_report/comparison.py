"""The engine against its rivals: in short, under its own prior, and truth by truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from bot.simulation_report.counting import counting
from bot.simulation_report.words import (
    CENTRE_NAMES,
    KINDS,
    NAMES,
    OUTCOMES,
    REGRESSIONS,
    RIVALS,
    joined,
    number,
    other_rows,
    percent,
    points,
    scenario_of,
    with_error,
    with_outcome,
)
from knowledge.assessment import Outcome
from knowledge.simulation.results import METHODS, Centre, Method, Performance, StudyResults
from knowledge.simulation.scenarios import OWN_PRIOR

HIGHER_LIMIT = "ldh_2uln"

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
}


def in_short(study: StudyResults) -> str:
    regressions, excess = [], []
    for outcome, label in OUTCOMES.items():
        for centre, where in CENTRE_NAMES.items():
            start = f"{label}, {where}"
            cells = [
                _own_and_range(study, outcome, centre, method, name, shown)
                for name, shown in SHOWN.items()
                for method in REGRESSIONS
            ]
            regressions.append(f"| {start} | {' | '.join(cells)} |")
            cells = [
                _own_and_range(study, outcome, centre, method, "brier_excess", lambda value: f"{value:.3f}")
                for method in ("engine", *RIVALS)
            ]
            excess.append(f"| {start} | {' | '.join(cells)} |")
    heads = " | ".join(NAMES[method] for method in ("engine", *RIVALS))
    return f"""\
## In short

Each figure under the engine's own prior and, in brackets, from the least to the largest under the other truths: one
tau of its mixture alone, wrong priors and wrong structures. a: Firth calculator, b: FLIC, c: engine. Slope 1 is right,
below 1 predictions are too far apart; coverage should be 95.

| outcome | slope a | b | c | coverage, % a | b | c |
|---|---|---|---|---|---|---|
{joined(regressions)}

Excess Brier score, above that of a forecaster who knows every true risk (0 is best). The pooled rate knows no
predictor and nothing of the founding study; "counts only" is the engine that knows the study's counts, but not which
predictors were significant: without that, an effect may as well be protective as harmful, so it says nearly the same
for everybody. Where these two are as near as the engine, the published significances earn nothing.

| outcome | {heads} |
|---|{"---|" * (1 + len(RIVALS))}
{joined(excess)}

{counting(study)}

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
  tells which is the case.
- The significances earn much where effects are as large as the priors expect. Where they are a good deal smaller, one
  rate for everybody can be nearer the true risks: predictors told by significance in 30 patients then do harm.
- The wrong structures are few and of one step each. {_higher_limit(study)}
  Not tried: predictors picked among many that were screened, findings recorded wrongly, other forms of the effects,
  several faults at once.
- All of this is listed under "Where the engine falls short"."""


def _own_and_range(
    study: StudyResults, outcome: Outcome, centre: Centre, method: Method, name: str, shown: Callable[[float], str]
) -> str:
    own = getattr(scenario_of(study, OWN_PRIOR, outcome).of(outcome, centre, method).measures, name).value
    others = [getattr(row.measures, name).value for _, row in other_rows(study, outcome, centre, method)]
    found = [value for value in others if value is not None]
    return f"{shown(own)} ({shown(min(found))} to {shown(max(found))})"


def _higher_limit(study: StudyResults) -> str:
    scenario = study.scenario(HIGHER_LIMIT, "crs")
    any_grade, grade2 = (
        scenario.of(outcome, "study", "engine").measures for outcome in (Outcome.CRS_ANY, Outcome.CRS_GRADE2PLUS)
    )
    return (
        "Where LDH acts only above 2 x ULN, the engine's slope at the\n  study's own centre is "
        f"{number(any_grade.slope, 2)} for CRS of any grade and {number(grade2.slope, 2)} for grade >= 2, with "
        f"coverage {percent(any_grade.coverage, error=False)} and {percent(grade2.coverage, error=False)} %."
    )


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
        again = scenario.of(outcome, centre, "engine").own_prior_again
        cells = [scenario.title, "own prior again" if again else KINDS[scenario.kind]]
        cells += [number(rows[method].slope, 2) for method in REGRESSIONS]
        cells += [points(rows[method].mean_difference, error=False) for method in REGRESSIONS]
        cells += [percent(rows[method].coverage, error=False) for method in METHODS]
        cells += [number(rows[method].brier_excess, 3) for method in METHODS]
        lines.append(f"| {' | '.join(cells)} |")
    largest = largest_errors(scenario.of(outcome, centre, method) for scenario in with_outcome(study, outcome)
                              for method in METHODS)  # fmt: skip
    picture = f"\n\n{COVERAGE_PICTURE}" if (outcome, centre) == (Outcome.ICANS_ANY, "new") else ""
    return f"""\
### {OUTCOMES[outcome]}, at {CENTRE_NAMES[centre]}

a: Firth, b: FLIC, c: engine, d: plain rate, e: pooled rate, f: counts only. {largest}

| truth | kind | slope a | b | c | in the large a | b | c | coverage a | b | c | d | e | f \
| excess Brier a | b | c | d | e | f |
|---|---|{"---|" * 18}
{joined(lines)}{picture}"""


def largest_errors(rows: Iterable[Performance]) -> str:
    found = list(rows)

    def largest(name: str, of: Sequence[Performance]) -> float:
        return max((getattr(row.measures, name).se or 0.0) for row in of)

    regressions = [row for row in found if row.method in REGRESSIONS]
    return (
        f"Largest Monte Carlo standard error: slope {largest('slope', regressions):.2f}, in the large "
        f"{100 * largest('mean_difference', found):.1f}, coverage {100 * largest('coverage', found):.1f} points, "
        f"excess Brier {largest('brier_excess', found):.4f}."
    )
