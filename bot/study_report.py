"""``docs/study.md``: the evidence study in words and tables, written from its committed results alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from knowledge.assessment import Outcome
from knowledge.study.results import (
    METHODS,
    Centre,
    Estimate,
    Method,
    Performance,
    ScenarioResult,
    Sensitivity,
    StudyResults,
)
from knowledge.study.scenarios import OWN_PRIOR

OUTCOMES: dict[Outcome, str] = {
    Outcome.CRS_ANY: "CRS, any grade",
    Outcome.CRS_GRADE2PLUS: "CRS, grade >= 2",
    Outcome.ICANS_ANY: "ICANS, any grade",
}
NAMES: dict[Method, str] = {"firth": "Firth", "flic": "FLIC", "engine": "engine", "rate": "plain rate"}
CENTRE_NAMES: dict[Centre, str] = {"study": "the study's own centre", "new": "a new centre"}
RIVALS: tuple[Method, ...] = ("firth", "flic", "rate")
REGRESSIONS: tuple[Method, ...] = ("firth", "flic", "engine")
# The measures of the summary, and how each is written.
_SHOWN: dict[str, Callable[[float], str]] = {
    "slope": lambda value: f"{value:.2f}",
    "coverage": lambda value: f"{100 * value:.0f}",
    "brier_excess": lambda value: f"{value:.3f}",
}
# A finding is reported when it lies this many Monte Carlo standard errors beyond what is wanted.
CERTAIN = 2.0
WANTED_COVERAGE = 0.95
WANTED_SLOPES = (0.8, 1.25)
LEAST_PVALUE = 0.05
CALIBRATION_PICTURE = (
    "![Mean true risk against mean predicted risk in tenths of the patients, for Firth calculator, FLIC and engine, "
    "under three truths](pictures/study-calibration.svg)"
)
RANKS_PICTURE = (
    "![Rank histograms of the true risk within the engine's posterior, for four patients and each outcome, with the "
    "band that chance allows](pictures/study-ranks.svg)"
)
COVERAGE_PICTURE = (
    "![Coverage of the 95 % interval for a patient's true risk in every truth, by method, outcome and centre]"
    "(pictures/study-coverage.svg)"
)


def study_report(study: StudyResults, sensitivity: Sensitivity) -> str:
    """The whole document."""
    parts = [
        _introduction(study),
        _in_short(study),
        _methods(study),
        _headline(study),
        *(_table(study, outcome, centre) for outcome in OUTCOMES for centre in CENTRE_NAMES),
        _shortcomings(study),
        _ranks(study),
        _sensitivity(sensitivity),
        _external(study),
        _repeat(study, sensitivity),
    ]
    return "\n\n".join(parts) + "\n"


def _introduction(study: StudyResults) -> str:
    return f"""\
# Is the engine worth it? A simulation study

Written by `make evidence-study` from `knowledge/data/study/`; not to be edited. Model `{study.model.id}`,
SHA-256 `{study.model.sha256}`.

The founding study reports Firth regressions of 30 patients. The obvious use would be to plug its odds ratios, if one
had them, into a calculator. This study asks how well that would do, and whether the engine does better, in a
world where the true risks are known: simulated cohorts of 30 that show exactly what was published (16 with CRS, 7
with ICANS, three with CRS of grade 3 or higher, and every published significance). Because every cohort shows the
same facts, the engine's answer for a patient is the same throughout; the calculator's differs from cohort to cohort.

**What it cannot show**: that the engine is right about real patients. No patient data are public, and it has never
been validated on any. Under the engine's own prior the engine must do well; that is self-consistency, a check of the
program. The wrong truths say how much of it is left when the assumptions fail, one at a time."""


def _in_short(study: StudyResults) -> str:
    lines = []
    for outcome, label in OUTCOMES.items():
        for centre, where in CENTRE_NAMES.items():
            cells = [f"{label}, {where}"]
            for name, shown in _SHOWN.items():
                for method in REGRESSIONS:
                    own = _scenario(study, OWN_PRIOR, outcome).of(outcome, centre, method).measures
                    wrong = [each.of(outcome, centre, method).measures for each in _wrong(study, outcome)]
                    found = [value for each in wrong if (value := getattr(each, name).value) is not None]
                    value = getattr(own, name).value
                    cells.append(f"{shown(value)} ({shown(min(found))} to {shown(max(found))})")
            lines.append(f"| {' | '.join(cells)} |")
    duels = [f"| {NAMES[rival]} | {' | '.join(map(str, _duel(study, rival)))} |" for rival in RIVALS]
    return f"""\
## In short

Each figure under the engine's own prior and, in brackets, from the least to the largest under the wrong truths. a:
Firth calculator, b: FLIC, c: engine. Slope 1 is right, below 1 predictions are too far apart; coverage should be 95.

| outcome | slope a | b | c | coverage, % a | b | c | excess Brier a | b | c |
|---|---|---|---|---|---|---|---|---|---|
{_joined(lines)}

In how many comparisons (wrong truth, outcome, centre) is the engine nearer the true risks, by excess Brier score and
more than {CERTAIN:g} Monte Carlo standard errors?

| engine against | nearer | no clear difference | farther |
|---|---|---|---|
{_joined(duels)}

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


def _wrong(study: StudyResults, outcome: Outcome) -> list[ScenarioResult]:
    return [scenario for scenario in _with_outcome(study, outcome) if scenario.id != OWN_PRIOR]


def _duel(study: StudyResults, rival: Method) -> tuple[int, int, int]:
    """How often the engine's excess Brier score is surely smaller than the rival's, neither, surely larger."""
    differences = [
        scenario.of(outcome, centre, rival).measures.brier_excess_over_engine
        for outcome in OUTCOMES
        for scenario in _wrong(study, outcome)
        for centre in CENTRE_NAMES
    ]
    nearer = sum(_surely_above(each, 0.0) for each in differences)
    farther = sum(_surely_below(each, 0.0) for each in differences)
    return nearer, len(differences) - nearer - farther, farther


def _methods(study: StudyResults) -> str:
    truths = {scenario.id: scenario for scenario in study.scenarios}
    lines = [f"| {each.title} | {each.truth} | {_pools(study, each.id)} |" for each in truths.values()]
    return f"""\
## How

For each truth, parameters and cohorts are drawn until they are worth at least {study.effective_cohorts_sought:,}
independent cohorts; each cohort gives {study.patients_per_cohort} new patients from its own covariate distribution,
whose true risk is known at the study's own centre and at a new one. Methods:

- **Firth**: the cohort's own Firth regression as a calculator, with the study's coding of LDH; 95 % interval by Wald
  on the link scale.
- **FLIC**: Firth's slopes, intercept set so that the mean prediction is the observed rate (Puhr et al. 2017).
- **engine**: what `assess` answers, at the study's centre and at a new one.
- **plain rate**: the cohort's rate for everybody, with its exact interval.

Firth, FLIC and the plain rate get the cohort's own patients, which the engine never sees. For CRS of grade >= 2 they
regress on LDH alone, as the study did, while in truth liver metastases act on it through CRS of any grade.

Measures: *slope*, logistic recalibration of the true risks on the logit of the prediction (1 is right, below 1 is too
extreme); *in the large*, mean predicted minus mean true risk; *coverage* and *width* of the 95 % interval for a
patient's true risk; *excess Brier score*, above that of a forecaster who knows the true risks. Standard errors are
Monte Carlo errors with cohorts as clusters.

| truth | in which | effective cohorts |
|---|---|---|
{_joined(lines)}"""


def _pools(study: StudyResults, scenario_id: str) -> str:
    found = [scenario for scenario in study.scenarios if scenario.id == scenario_id]
    return ", ".join(f"{each.pool.upper()} {each.effective_cohorts:,.0f}" for each in found)


def _headline(study: StudyResults) -> str:
    lines = []
    for outcome, label in OUTCOMES.items():
        scenario = _scenario(study, OWN_PRIOR, outcome)
        for centre, where in CENTRE_NAMES.items():
            for method in METHODS:
                m = scenario.of(outcome, centre, method).measures
                lines.append(
                    f"| {label}, {where} | {NAMES[method]} | {_with_error(m.slope)} | {_with_error(m.slope_median)} "
                    f"| {_points(m.mean_difference)} | {_percent(m.coverage)} | {_percent(m.width)} "
                    f"| {_with_error(m.brier, 4)} | {_with_error(m.brier_excess, 4)} | {_points(m.absolute_error)} |"
                )
    return f"""\
## Under the engine's own prior (self-consistency)

Each figure with its Monte Carlo standard error. Slope: over all cohorts, and the median of those within cohorts.
In the large, coverage, width and mean absolute error in percentage points. Exactly 95 % is promised for a fixed
patient; here patients come from the cohort's own mix, which the engine does not know, so its coverage may differ by a
little. Both codings of LDH are pooled by their evidence; each alone is in the JSON file.

| outcome | method | slope | median slope | in the large | coverage | width | Brier | excess Brier | error |
|---|---|---|---|---|---|---|---|---|---|
{_joined(lines)}

{CALIBRATION_PICTURE}"""


def _table(study: StudyResults, outcome: Outcome, centre: Centre) -> str:
    """All truths for one outcome and centre, one line each."""
    lines = []
    for scenario in _with_outcome(study, outcome):
        rows = {method: scenario.of(outcome, centre, method).measures for method in METHODS}
        cells = [scenario.title]
        cells += [_number(rows[method].slope, 2) for method in ("firth", "flic", "engine")]
        cells += [_points(rows[method].mean_difference, error=False) for method in ("firth", "flic", "engine")]
        cells += [_percent(rows[method].coverage, error=False) for method in METHODS]
        cells += [_number(rows[method].brier_excess, 3) for method in METHODS]
        lines.append(f"| {' | '.join(cells)} |")
    largest = _largest_errors(scenario.of(outcome, centre, method) for scenario in _with_outcome(study, outcome)
                              for method in METHODS)  # fmt: skip
    picture = f"\n\n{COVERAGE_PICTURE}" if (outcome, centre) == (Outcome.ICANS_ANY, "new") else ""
    return f"""\
### {OUTCOMES[outcome]}, at {CENTRE_NAMES[centre]}

a: Firth, b: FLIC, c: engine, d: plain rate. {largest}

| truth | slope a | b | c | in the large a | b | c | coverage a | b | c | d | excess Brier a | b | c | d |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
{_joined(lines)}{picture}"""


def _largest_errors(rows: Iterable[Performance]) -> str:
    found = list(rows)

    def largest(name: str, of: Sequence[Performance]) -> float:
        return max((getattr(row.measures, name).se or 0.0) for row in of)

    regressions = [row for row in found if row.method != "rate"]
    return (
        f"Largest Monte Carlo standard error: slope {largest('slope', regressions):.2f}, in the large "
        f"{100 * largest('mean_difference', found):.1f}, coverage {100 * largest('coverage', found):.1f} points, "
        f"excess Brier {largest('brier_excess', found):.4f}."
    )


def _shortcomings(study: StudyResults) -> str:
    """Everything the engine does badly, found in the figures, not chosen."""
    coverage: list[tuple[float, str]] = []
    slope: list[tuple[float, str]] = []
    beaten: list[tuple[float, str]] = []
    for scenario in study.scenarios:
        for row in scenario.performance:
            if row.coding not in ("both", "none"):
                continue
            where = f"{OUTCOMES[row.outcome]}, {CENTRE_NAMES[row.centre]}, {scenario.title}"
            if row.method == "engine":
                m = row.measures
                if _surely_below(m.coverage, WANTED_COVERAGE):
                    coverage.append((m.coverage.value or 0.0, f"{where}: {_percent(m.coverage)} %"))
                if _surely_below(m.slope, WANTED_SLOPES[0]) or _surely_above(m.slope, WANTED_SLOPES[1]):
                    slope.append((m.slope.value or 0.0, f"{where}: {_with_error(m.slope)}"))
            elif _surely_below(row.measures.brier_excess_over_engine, 0.0):
                less = -(row.measures.brier_excess_over_engine.value or 0.0)
                beaten.append((-less, f"{where}: {NAMES[row.method]} by {less:.4f}"))
    return f"""\
## Where the engine falls short

Found by rule in all truths: coverage below 95 %, a slope outside {WANTED_SLOPES[0]:g} to {WANTED_SLOPES[1]:g}, or a
rival with a smaller excess Brier score, each by more than {CERTAIN:g} Monte Carlo standard errors. The smallest
figure, or the largest lead of a rival, stands first.

Coverage of the engine's 95 % interval below 95 %:

{_list(coverage)}

Slope too flat or too steep (above 1: the engine's differences between patients are too small):

{_list(slope)}

A rival is nearer the true risks:

{_list(beaten)}"""


def _ranks(study: StudyResults) -> str:
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

{RANKS_PICTURE}"""


def _sensitivity(found: Sensitivity) -> str:
    patients = "\n".join(f"- {patient.id}: {patient.description}" for patient in found.patients)
    lines = []
    for variant in found.variants:
        for move in variant.moves:
            lines.append(
                f"| {variant.title} | {variant.change} | {OUTCOMES[move.outcome]} | {100 * move.largest_risk:.1f} "
                f"({move.largest_risk_patient}) | {100 * move.mean_risk:.1f} | {100 * move.mean_shift:+.1f} "
                f"| {100 * move.largest_limit:.1f} | {100 * move.mean_limit:.1f} |"
            )
    return f"""\
## Sensitivity: how far do the shown figures move?

One thing about the model is changed at a time. Movement of estimate and of the two 95 % limits at a new centre, in
percentage points, over these patients (largest with the patient it belongs to, mean, and mean with its sign):

{patients}

The line "another seed" is what Monte Carlo noise alone does. Each variant's effective draws and every figure are in
`knowledge/data/study/sensitivity.json`.

| variant | change | outcome | estimate: largest | mean | mean with sign | limits: largest | mean |
|---|---|---|---|---|---|---|---|
{_joined(lines)}"""


def _external(study: StudyResults) -> str:
    check = study.external
    lines = []
    for rate in check.rates:
        below, above = rate.interval
        counted = (
            f"{rate.events}/{rate.n} = {100 * rate.events / rate.n:.1f} % ({100 * below:.1f} to {100 * above:.1f})"
        )
        lines.append(f"| {rate.fact} | {rate.population} | {rate.window} | {counted} |")
    low, high = check.interval
    return f"""\
## An external check, of averages only

The engine's CRS of grade >= 2 for a patient of whom nothing is known, at a new centre: {100 * check.risk:.1f} %
({100 * low:.1f} to {100 * high:.1f}; the interval is of one patient's risk and holds the differences between patients).
Published rates, with exact 95 % intervals:

| fact | population | window | rate |
|---|---|---|---|
{_joined(lines)}

This is weak evidence, and not independent: the model's prior for severity given CRS, and much of its average rate of
CRS, come from the same pooled trials as the second rate. The first cohort's centre, grading and time window are not
stated, and its case mix need not be the founding study's. It is a check of averages; it says nothing about single
patients."""


def _repeat(study: StudyResults, sensitivity: Sensitivity) -> str:
    return f"""\
## Repeating it

`make evidence-study` (seed {study.seed}, {study.patients_per_cohort} patients a cohort; sensitivity seed
{sensitivity.seed}) writes the results, the pictures and this page; the number of processes changes nothing. A test
fails when the model that ships is not the one named above, or when this page does not match the results."""


def _scenario(study: StudyResults, scenario_id: str, outcome: Outcome) -> ScenarioResult:
    return study.scenario(scenario_id, "icans" if outcome is Outcome.ICANS_ANY else "crs")


def _with_outcome(study: StudyResults, outcome: Outcome) -> list[ScenarioResult]:
    pool = "icans" if outcome is Outcome.ICANS_ANY else "crs"
    return [scenario for scenario in study.scenarios if scenario.pool == pool]


def _surely_below(figure: Estimate, bound: float) -> bool:
    return figure.value is not None and figure.se is not None and figure.value + CERTAIN * figure.se < bound


def _surely_above(figure: Estimate, bound: float) -> bool:
    return figure.value is not None and figure.se is not None and figure.value - CERTAIN * figure.se > bound


def _number(figure: Estimate, decimals: int) -> str:
    return "–" if figure.value is None else f"{figure.value:.{decimals}f}"


def _with_error(figure: Estimate, decimals: int = 3) -> str:
    return "–" if figure.value is None else f"{figure.value:.{decimals}f} ± {figure.se:.{decimals}f}"


def _percent(figure: Estimate, *, error: bool = True) -> str:
    if figure.value is None or figure.se is None:
        return "–"
    return f"{100 * figure.value:.1f} ± {100 * figure.se:.1f}" if error else f"{100 * figure.value:.0f}"


def _points(figure: Estimate, *, error: bool = True) -> str:
    if figure.value is None or figure.se is None:
        return "–"
    return f"{100 * figure.value:+.1f} ± {100 * figure.se:.1f}" if error else f"{100 * figure.value:+.1f}"


def _list(lines: list[tuple[float, str]]) -> str:
    return "\n".join(f"- {line}" for _, line in sorted(lines)) or "- none"


def _joined(lines: list[str]) -> str:
    return "\n".join(lines)
