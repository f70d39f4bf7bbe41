"""Pictures of the evidence study, drawn from its committed results alone."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bot.pictures.drawing import ACCENT, FAINT, INK, NORMAL, SMALL, SOFT, Drawing, settings
from knowledge.assessment import Outcome
from knowledge.simulation.results import Centre, Method, Performance, ScenarioResult, StudyResults
from knowledge.simulation.scenarios import OWN_PRIOR

OUTCOMES: dict[Outcome, str] = {
    Outcome.CRS_ANY: "CRS, any grade",
    Outcome.CRS_GRADE2PLUS: "CRS, grade ≥ 2",
    Outcome.ICANS_ANY: "ICANS, any grade",
}
NAMES: dict[Method, str] = {
    "firth": "Firth calculator",
    "flic": "FLIC",
    "engine": "engine",
    "rate": "plain rate",
    "counts": "counts only",
}
# Lightness and marker both tell the methods apart.
STYLES: dict[Method, tuple[str, str]] = {
    "firth": (SOFT, "s"),
    "flic": ("#a8a8a8", "^"),
    "engine": (ACCENT, "o"),
    "rate": ("#c77d0a", "x"),
    "counts": ("#7b3f98", "+"),
}
DRAWN: tuple[Method, ...] = ("firth", "flic", "engine")
COVERAGE_DRAWN: tuple[Method, ...] = ("counts", "rate", "flic", "firth", "engine")  # the last on top
CURVE_SCENARIOS = (OWN_PRIOR, "half_null", "tau_0.5")
COVERAGE_WANTED = 95.0


def calibration_picture(study: StudyResults) -> Drawing:
    """Mean true against mean predicted risk by tenths of the prediction, at the study's own centre."""
    drawn: list[dict[str, object]] = []
    with settings():
        figure = Figure(figsize=(8.27, 8.4))
        grid = figure.subplots(len(CURVE_SCENARIOS), len(OUTCOMES), sharex=True, sharey=True)
        for row, scenario_id in enumerate(CURVE_SCENARIOS):
            for column, outcome in enumerate(OUTCOMES):
                axes: Axes = grid[row][column]
                scenario = _scenario(study, scenario_id, outcome)
                _frame(axes)
                for method in DRAWN:
                    performance = scenario.of(outcome, "study", method)
                    _curve(axes, performance)
                    drawn.append(_curve_data(scenario, performance))
                if row == 0:
                    axes.set_title(OUTCOMES[outcome], size=NORMAL, weight="bold")
                if column == 0:
                    axes.set_ylabel(f"{_sentence(scenario.title)}\nmean true risk, %", size=SMALL)
                if row == len(CURVE_SCENARIOS) - 1:
                    axes.set_xlabel("mean predicted risk, %", size=SMALL)
        handles, labels = grid[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="upper center", ncol=len(DRAWN), frameon=False, fontsize=NORMAL)
        _note(
            figure,
            "Tenths of patients by predicted risk, equal predictions together, at the study's own centre; bars: ± 2 "
            "Monte Carlo\nerrors. On the dotted line prediction is right; flatter means predictions too far apart. "
            f"First row: self-consistency, not evidence. Model {study.model.id}.",
        )
        figure.subplots_adjust(left=0.1, right=0.98, top=0.91, bottom=0.11, hspace=0.12, wspace=0.08)
    return Drawing(figure, "Calibration of engine, Firth calculator and FLIC", {"curves": drawn})


def coverage_picture(study: StudyResults) -> Drawing:
    """Coverage of the 95 % interval in every truth, by outcome and centre."""
    drawn: list[dict[str, object]] = []
    with settings():
        figure = Figure(figsize=(8.27, 11.2))
        titles = [scenario.title for scenario in _distinct(study)]
        rows = {title: len(titles) - 1 - place for place, title in enumerate(titles)}
        structures = [rows[scenario.title] for scenario in study.scenarios if scenario.kind == "structure"]
        centres: tuple[tuple[Centre, str], ...] = (("study", "study's own centre"), ("new", "a new centre"))
        grid = figure.subplots(len(centres), len(OUTCOMES), sharex=True, sharey=True)
        for line, (centre, where) in enumerate(centres):
            for column, outcome in enumerate(OUTCOMES):
                axes: Axes = grid[line][column]
                axes.axvline(COVERAGE_WANTED, color=INK, linewidth=0.8, linestyle=":")
                axes.axhline(max(structures, default=-1) + 0.5, color=SOFT, linewidth=0.8)
                pool = "icans" if outcome is Outcome.ICANS_ANY else "crs"
                found = [scenario for scenario in study.scenarios if scenario.pool == pool]
                places = [rows[scenario.title] for scenario in found]
                for method in COVERAGE_DRAWN:
                    points = [scenario.of(outcome, centre, method) for scenario in found]
                    _coverage(axes, places, points)
                    drawn += [_coverage_data(scenario, row) for scenario, row in zip(found, points, strict=True)]
                axes.set_yticks(list(rows.values()), [_sentence(title) for title in rows])
                axes.tick_params(axis="y", left=False)
                axes.set_ylim(-0.6, len(titles) - 0.4)
                axes.set_xlim(20, 101)
                axes.set_xticks([25, 50, 75, 95])
                axes.grid(axis="y", color=FAINT, linewidth=0.5, clip_on=False)  # nothing to clip: a smaller file
                axes.set_axisbelow(True)
                axes.set_title(f"{OUTCOMES[outcome]}\n{where}", size=NORMAL, weight="bold")
                if line == len(centres) - 1:
                    axes.set_xlabel("coverage, %", size=SMALL)
        handles, labels = grid[0][0].get_legend_handles_labels()
        legend = dict(zip(labels, handles, strict=True))
        order = [NAMES[method] for method in ("engine", "firth", "flic", "rate", "counts")]
        figure.legend([legend[name] for name in order], order, loc="upper center", ncol=5, frameon=False)
        _note(
            figure,
            "Share of patients whose true risk lies within the 95 % interval; bars: ± 2 Monte Carlo standard errors, "
            "dotted: 95 %. Below the\nline: wrong structures. Truths that concern one outcome only stand in its "
            f"column. Counts only: the engine without the\nsignificances. Model {study.model.id}.",
        )
        figure.subplots_adjust(left=0.215, right=0.98, top=0.92, bottom=0.09, hspace=0.16, wspace=0.06)
    return Drawing(figure, "Coverage of 95 % intervals", {"coverage": drawn})


def ranks_picture(study: StudyResults) -> Drawing:
    """Rank histograms of the true risk within the engine's posterior under its own prior."""
    patients = list(dict.fromkeys((rank.outcome, rank.patient) for rank in study.ranks))
    by_outcome = {outcome: [patient for found, patient in patients if found is outcome] for outcome in OUTCOMES}
    drawn: list[dict[str, object]] = []
    with settings():
        figure = Figure(figsize=(8.27, 6.6))
        grid = figure.subplots(len(by_outcome), max(map(len, by_outcome.values())), sharex=True, sharey=True)
        for row, (outcome, names) in enumerate(by_outcome.items()):
            for column, name in enumerate(names):
                axes: Axes = grid[row][column]
                for rank in study.ranks:
                    if (rank.outcome, rank.patient) != (outcome, name):
                        continue
                    edges = [100 * place / len(rank.shares) for place in range(len(rank.shares) + 1)]
                    color, width = (ACCENT, 1.4) if rank.centre == "study" else (SOFT, 0.9)
                    label = "study's own centre" if rank.centre == "study" else "a new centre"
                    axes.stairs(
                        [100 * share for share in rank.shares], edges, color=color, linewidth=width, label=label
                    )
                    drawn.append(rank.model_dump(mode="json"))
                expected = 100 / len(rank.shares)
                spread = 200 * max(
                    each.share_se for each in study.ranks if (each.outcome, each.patient) == (outcome, name)
                )
                axes.axhspan(expected - spread, expected + spread, color=FAINT, zorder=0, linewidth=0)
                axes.axhline(expected, color=INK, linewidth=0.6, linestyle=":")
                axes.set_title(_broken(name), size=SMALL)
                axes.set_ylim(0, 2 * expected)
                if column == 0:
                    axes.set_ylabel(f"{OUTCOMES[outcome]}\n% of truths", size=SMALL)
                if row == len(by_outcome) - 1:
                    axes.set_xlabel("place in the posterior, %", size=SMALL)
        handles, labels = grid[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="upper center", ncol=2, frameon=False, fontsize=NORMAL)
        _note(
            figure,
            "Where the true risk of a fixed patient lies within the engine's posterior, truths drawn from the engine's "
            "own prior: even when\nsimulation and engine agree. Grey band: ± 2 Monte Carlo standard errors of one bar. "
            f"Self-consistency, not evidence. Model {study.model.id}.",
        )
        figure.subplots_adjust(left=0.1, right=0.98, top=0.88, bottom=0.14, hspace=0.35, wspace=0.08)
    return Drawing(figure, "Rank histograms", {"ranks": drawn})


def _frame(axes: Axes) -> None:
    axes.plot([0, 100], [0, 100], color=INK, linewidth=0.8, linestyle=":")
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    axes.set_aspect("equal")
    axes.grid(color=FAINT, linewidth=0.4)
    axes.set_axisbelow(True)


def _curve(axes: Axes, row: Performance) -> None:
    color, marker = STYLES[row.method]
    x = [100 * point.predicted for point in row.curve]
    y = [100 * (point.true.value or 0.0) for point in row.curve]
    error = [200 * (point.true.se or 0.0) for point in row.curve]
    axes.errorbar(
        x,
        y,
        yerr=error,
        color=color,
        marker=marker,
        markersize=4,
        linewidth=1.1,
        elinewidth=0.7,
        label=NAMES[row.method],
    )


def _curve_data(scenario: ScenarioResult, row: Performance) -> dict[str, object]:
    points = [[point.predicted, point.true.value, point.true.se] for point in row.curve]
    return {"scenario": scenario.id, "outcome": row.outcome.value, "method": row.method, "points": points}


def _coverage(axes: Axes, places: list[int], rows: list[Performance]) -> None:
    """One method's coverage in every truth."""
    color, marker = STYLES[rows[0].method]
    axes.errorbar(
        [100 * (row.measures.coverage.value or 0.0) for row in rows],
        places,
        xerr=[200 * (row.measures.coverage.se or 0.0) for row in rows],
        color=color,
        marker=marker,
        markersize=4.5,
        linestyle="none",
        elinewidth=0.8,
        clip_on=False,
        label=NAMES[rows[0].method],
    )


def _coverage_data(scenario: ScenarioResult, row: Performance) -> dict[str, object]:
    return {
        "scenario": scenario.id,
        "outcome": row.outcome.value,
        "centre": row.centre,
        "method": row.method,
        "coverage": row.measures.coverage.value,
        "se": row.measures.coverage.se,
    }


def _distinct(study: StudyResults) -> list[ScenarioResult]:
    return list({scenario.id: scenario for scenario in study.scenarios}.values())


def _scenario(study: StudyResults, scenario_id: str, outcome: Outcome) -> ScenarioResult:
    return study.scenario(scenario_id, "icans" if outcome is Outcome.ICANS_ANY else "crs")


def _sentence(title: str) -> str:
    return title[:1].upper() + title[1:]


def _broken(name: str) -> str:
    return name.replace(", ", ",\n", 1)


def _note(figure: Figure, text: str) -> None:
    figure.text(0.02, 0.012, text, size=SMALL, color=SOFT, va="bottom")
