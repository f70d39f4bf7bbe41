"""Pictures of the cohort's regressions: odds ratios, predicted against observed, LDH by outcome. Loads matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log2

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from bot.pictures.drawing import ACCENT, FAINT, INK, NORMAL, SMALL, SOFT, Drawing, settings
from knowledge.assessment import Outcome
from knowledge.cohort.report.model_parts import ModelParts
from knowledge.cohort.report.models import Effect, Regression
from knowledge.cohort.report.optimism import Performance
from knowledge.cohort.report.predictors import LDH_CODINGS, MEANINGS, Predictor
from knowledge.cohort.report.specification import NAMES, OUTCOMES

WIDTH = 6.0  # inches; small enough that a letter can be read where the page is 390 pixels wide
ROW, BELOW = 0.36, 0.48
# Odds ratios further out are beyond the axis: an arrow says so.
FURTHEST = 200.0
TICKS = (0.01, 0.1, 0.5, 1.0, 2.0, 10.0, 100.0)
CLOSE = 10.0  # percentage points within which labels would run into each other
GOLDEN = 0.6180339887498949
ORANGE = "#b34700"  # darker than SOFT, lighter than ACCENT, and of another shape
# How a predictor stands in the study's models, by the coding of LDH there (None: no LDH in it): marker and colour.
_STYLES: dict[Predictor | None, tuple[str, str, str]] = {
    Predictor.LDH_ELEVATED: ("o", ACCENT, "together, LDH above or not above its limit"),
    Predictor.LDH_DOUBLINGS: ("D", ORANGE, "together, LDH per doubling"),
    None: ("o", ACCENT, "together"),
}
_ALONE = "by itself"


def forest(parts: ModelParts, outcome: Outcome) -> Drawing | None:
    """Odds ratios with profile limits: each predictor by itself, and in the models with several; None if there is none.

    A model with LDH alone, as the founding study has it for grade 2 or more, is the predictor by itself.
    """
    alone = [each for each in parts.univariable if each.specification.outcome is outcome and each.effects]
    together = [
        each
        for each in parts.study
        if each.specification.outcome is outcome and each.effects and len(each.specification.predictors) > 1
    ]
    rows = [each for each in Predictor if any(each in model.specification.predictors for model in (*alone, *together))]
    if not rows:
        return None
    with settings():
        above = 0.2 + 0.18 * (1 + len(together))  # inches, for the legend
        height = ROW * len(rows) + above + BELOW
        figure = Figure(figsize=(WIDTH, height))
        axes = figure.add_axes((0.37, BELOW / height, 0.6, ROW * len(rows) / height))
        _odds_frame(axes, [*alone, *together], rows)
        drawn = [_drawn(axes, model, rows, 0.22 if together else 0.0, "s", SOFT, hollow=True) for model in alone]
        legend = [_handle("s", SOFT, _ALONE, hollow=True)]
        for place, model in enumerate(together):
            coding = next((each for each in model.specification.predictors if each in LDH_CODINGS), None)
            marker, colour, name = _STYLES[coding]
            # The lines of one predictor stand below each other in the order of the legend.
            offset = -0.02 - 0.24 * place if len(together) > 1 else -0.2
            drawn.append(_drawn(axes, model, rows, offset, marker, colour))
            legend.append(_handle(marker, colour, name))
        figure.legend(
            handles=legend, loc="upper left", bbox_to_anchor=(0.0, 1.0), frameon=False, fontsize=SMALL, ncol=1
        )
    return Drawing(
        figure,
        _titled(parts, f"Odds ratios for {NAMES[outcome]}"),
        {"effects": [each for model in drawn for each in model]},
    )


def _odds_frame(axes: Axes, models: Sequence[Regression], rows: Sequence[Predictor]) -> None:
    values = [1.0 / 3.0, 3.0]
    for model in models:
        for effect in model.effects:
            values += [effect.odds_ratio, *(limit for limit in effect.odds_ratio_limits if limit is not None)]
    low, high = max(1.0 / FURTHEST, min(values) / 1.25), min(FURTHEST, max(values) * 1.25)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in TICKS if low <= tick <= high]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda ratio, _: f"{ratio:g}"))
    axes.axvline(1.0, color=INK, linewidth=0.9)
    axes.grid(axis="x", color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_ylim(-len(rows) + 0.45, 0.55)
    axes.set_yticks([-place for place in range(len(rows))], [_row_label(each) for each in rows])
    axes.tick_params(axis="y", left=False)
    axes.spines["left"].set_visible(False)
    for place in range(1, len(rows)):
        axes.axhline(-place + 0.5, color=FAINT, linewidth=0.5)
    axes.set_xlabel("odds ratio, 95 % profile interval (arrow: goes on)", fontsize=SMALL)


def _row_label(predictor: Predictor) -> str:
    meaning = MEANINGS[predictor]
    return {
        Predictor.LDH_ELEVATED: "LDH above v not above limit",
        Predictor.CVD: "cardiovascular disease",
        Predictor.ECOG: "ECOG 2 or more v 0 or 1",
    }.get(predictor, meaning.label if meaning.step == "yes v no" else f"{meaning.label}, {meaning.step}")


def _drawn(
    axes: Axes,
    model: Regression,
    rows: Sequence[Predictor],
    offset: float,
    marker: str,
    colour: str,
    *,
    hollow: bool = False,
) -> list[dict[str, object]]:
    for effect in model.effects:
        _effect(axes, effect, -rows.index(effect.predictor) + offset, marker, colour, hollow=hollow)
    return [{"model": model.specification.id, **effect.model_dump(mode="json")} for effect in model.effects]


def _effect(axes: Axes, effect: Effect, y: float, marker: str, colour: str, *, hollow: bool) -> None:
    low, high = axes.get_xlim()
    lower, upper = effect.odds_ratio_limits
    ends = (low if lower is None or lower < low else lower, high if upper is None or upper > high else upper)
    axes.plot(ends, (y, y), color=colour, linewidth=1.3, solid_capstyle="butt")
    # An interval that goes on beyond the axis, or has no limit, ends in an arrow.
    if lower is None or lower < low:
        axes.plot([low], [y], marker="<", color=colour, markersize=6, clip_on=False)
    if upper is None or upper > high:
        axes.plot([high], [y], marker=">", color=colour, markersize=6, clip_on=False)
    if low <= effect.odds_ratio <= high:
        face = "white" if hollow else colour
        axes.plot([effect.odds_ratio], [y], marker=marker, color=colour, markerfacecolor=face, markersize=5)


def _handle(marker: str, colour: str, label: str, *, hollow: bool = False) -> Line2D:
    face = "white" if hollow else colour
    return Line2D([], [], marker=marker, color=colour, markerfacecolor=face, markersize=5, linewidth=1.3, label=label)


def predicted_against_observed(parts: ModelParts, outcome: Outcome) -> Drawing | None:
    """Groups of patients with like predictions: observed share with its exact interval; and every patient, a dot."""
    shown = [
        each
        for each in parts.performance
        if each.specification.outcome is outcome and each.specification.standing == "published"
    ]
    if not shown:
        return None
    with settings():
        figure = Figure(figsize=(WIDTH, 3.6))
        panels = figure.subplots(1, 2, sharey=True, squeeze=False)[0]
        for axes, each in zip(panels, shown, strict=False):
            _calibration(axes, each)
        panels[0].set_ylabel("observed, %", fontsize=SMALL)
        for axes in panels[len(shown) :]:
            axes.set_visible(False)
        figure.subplots_adjust(left=0.1, right=0.98, top=0.84, bottom=0.15, wspace=0.12)
    data = {each.specification.id: [group.model_dump(mode="json") for group in each.groups] for each in shown}
    return Drawing(figure, _titled(parts, f"Predicted against observed: {NAMES[outcome]}"), data)


def _calibration(axes: Axes, found: Performance) -> None:
    axes.plot((0, 100), (0, 100), color=SOFT, linewidth=0.9, linestyle=":")
    last: tuple[float, float] | None = None
    for group in found.groups:
        x = 100 * group.predicted
        axes.plot((x, x), [100 * limit for limit in group.observed_interval], color=INK, linewidth=1.3)
        axes.plot([x], [100 * group.observed], "o", color=INK, markersize=5, zorder=4)
        # Labels of groups that nearly coincide stand above and below their points, and none leaves the panel.
        y = 100 * group.observed
        crowded = last is not None and abs(x - last[0]) < CLOSE and abs(y - last[1]) < CLOSE
        last = (x, y)
        aside, side = (-5, "right") if x > 100 - CLOSE else (5, "left")
        axes.annotate(
            f"{group.events}/{group.n}",
            (x, y),
            (aside, -10 if crowded else 3),
            textcoords="offset points",
            size=7,
            ha=side,
        )
    # Patients without the outcome below the axis' zero, those with it above its hundred; the height has no meaning.
    for place, point in enumerate(found.points):
        lift = 3 + 9 * _spread(place)
        y = 100 + lift if point.observed else -lift
        face = ACCENT if point.observed else "white"
        colour = ACCENT if point.observed else SOFT
        axes.plot(
            [100 * point.predicted], [y], "o", color=colour, markerfacecolor=face, markersize=3.2, markeredgewidth=0.8
        )
    axes.axhline(0, color=FAINT, linewidth=0.8)
    axes.axhline(100, color=FAINT, linewidth=0.8)
    axes.set_xlim(-3, 103)
    axes.set_ylim(-15, 115)
    axes.set_xticks([0, 25, 50, 75, 100])
    axes.set_yticks([0, 25, 50, 75, 100])
    axes.set_xlabel("predicted (FLIC), %", fontsize=SMALL)
    predictors = "\nand ".join(_row_label(each) for each in found.specification.predictors)
    axes.set_title(predictors, loc="left", fontsize=SMALL)


def ldh_by_outcome(parts: ModelParts) -> Drawing | None:
    """LDH as a multiple of its upper limit, every patient a dot, with and without each outcome; None without LDH."""
    if not parts.dots:
        return None
    ratios = [dot.ratio for dot in parts.dots]
    low, high = floor(log2(min([*ratios, 0.7]))), ceil(log2(max([*ratios, 1.4])))
    drawn: dict[str, object] = {}
    with settings():
        figure = Figure(figsize=(WIDTH, 4.4))
        panels = figure.subplots(len(OUTCOMES), 1, sharex=True)
        for axes, outcome in zip(panels, OUTCOMES, strict=True):
            drawn[outcome.value] = _dots(axes, parts, outcome)
        last: Axes = panels[-1]
        last.set_xscale("log", base=2)
        last.set_xlim(2.0**low, 2.0**high)
        last.xaxis.set_major_locator(FixedLocator([2.0**each for each in range(low, high + 1)]))
        last.xaxis.set_minor_locator(NullLocator())
        last.xaxis.set_major_formatter(FuncFormatter(lambda ratio, _: f"{ratio:g}"))
        last.set_xlabel("LDH, × upper limit of normal (dotted: the limit)", fontsize=SMALL)
        figure.subplots_adjust(left=0.16, right=0.97, top=0.93, bottom=0.12, hspace=0.42)
    return Drawing(figure, _titled(parts, "LDH before the first dose, by outcome"), drawn)


def _dots(axes: Axes, parts: ModelParts, outcome: Outcome) -> dict[str, list[float]]:
    by_event: dict[bool, list[float]] = {True: [], False: []}
    for dot in parts.dots:
        event = getattr(dot, outcome.value)
        if event is not None:
            by_event[event].append(dot.ratio)
    axes.axvline(1.0, color=SOFT, linewidth=1.0, linestyle=":")
    for event, ratios in by_event.items():
        # Neighbours in LDH stand at different heights; the height has no meaning.
        ordered = sorted(ratios)
        heights = [float(event) + 0.62 * (_spread(place) - 0.5) for place in range(len(ordered))]
        colour = ACCENT if event else SOFT
        face = ACCENT if event else "white"
        axes.plot(ordered, heights, "o", color=colour, markerfacecolor=face, markersize=4, markeredgewidth=0.9)
        if ordered:
            middle = float(np.median(ordered))
            axes.plot((middle, middle), (event - 0.38, event + 0.38), color=INK, linewidth=1.6)
    axes.set_ylim(-0.5, 1.5)
    axes.set_yticks([0, 1], [f"no ({len(by_event[False]):,})", f"yes ({len(by_event[True]):,})"])
    axes.tick_params(axis="y", left=False)
    axes.set_title(NAMES[outcome], loc="left", fontsize=NORMAL, fontweight="bold")
    return {"yes": by_event[True], "no": by_event[False]}


def _spread(place: int) -> float:
    """Numbers in 0..1 that fill it evenly: the same each time."""
    return ((place + 1) * GOLDEN) % 1.0


def _titled(parts: ModelParts, title: str) -> str:
    return f"{title} (simulated patients)" if parts.population.simulated else title
