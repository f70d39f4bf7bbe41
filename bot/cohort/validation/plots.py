"""Pictures of a validation: calibration with the estimates' spread, and the decision curve. Loads matplotlib."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter

from bot.cohort.validation.words import HEADINGS
from bot.pictures.drawing import ACCENT, FAINT, INK, NORMAL, SMALL, SOFT, Drawing, settings
from knowledge.cohort.validation.results import OutcomeValidation

WIDTH = 4.4  # inches; small enough that a letter can be read where the whole picture is 350 pixels wide
ORANGE = "#b34700"
# Thresholds marked on the axis, and what they say of harm to benefit.
ODDS = {10: "1 : 9", 20: "1 : 4", 30: "3 : 7", 40: "2 : 3", 50: "1 : 1", 60: "3 : 2"}
# How far below none the decision curve is drawn.
BELOW = 0.06
MARK = "SIMULATED PATIENTS"


def calibration_picture(found: OutcomeValidation, *, simulated: bool) -> Drawing:
    """Observed share against estimate: groups with exact intervals, the curve with its band; below, the estimates."""
    with settings():
        figure = Figure(figsize=(WIDTH, 5.2))
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[4.0, 1.0])
        upper.plot([0, 1], [0, 1], color=INK, linewidth=0.9, linestyle=":", label="estimate = observed")
        if found.curve.points:
            columns = np.array([(each.estimate, each.observed, each.low, each.high) for each in found.curve.points]).T
            upper.plot(columns[0], columns[1], color=ACCENT, linewidth=2.0, label="flexible curve")
            upper.fill_between(columns[0], columns[2], columns[3], color=ACCENT, alpha=0.16, linewidth=0,
                               label="its 95 % band, pointwise")  # fmt: skip
        for place, group in enumerate(found.groups):
            upper.plot([group.estimate] * 2, [group.low, group.high], color=ORANGE, linewidth=1.1)
            upper.plot(
                [group.estimate], [group.observed], "s", color=ORANGE, markersize=5, zorder=3,
                label="groups of patients, exact 95 %" if place == 0 else None,
            )  # fmt: skip
        _percent_axes(upper)
        upper.set_ylabel("observed", fontsize=NORMAL)
        upper.legend(loc="upper left", fontsize=SMALL, frameon=False, borderaxespad=0.2)
        _spread(lower, found)
        _mark(figure, simulated=simulated)
        figure.subplots_adjust(left=0.16, right=0.94, top=0.94, bottom=0.1, hspace=0.09)
    title = f"{HEADINGS[found.outcome]}: observed against estimated{', simulated patients' if simulated else ''}"
    data = {
        "curve": [each.model_dump() for each in found.curve.points],
        "groups": [each.model_dump() for each in found.groups],
        "spread": found.spread.model_dump(),
    }
    return Drawing(figure, title, data)


def decision_picture(found: OutcomeValidation, *, simulated: bool) -> Drawing | None:
    """Net benefit by threshold of deciding by the estimate, of all and of none; None where there is no curve."""
    points = found.decision.points
    if not points:
        return None
    x = [100 * each.threshold for each in points]
    with settings():
        figure = Figure(figsize=(WIDTH, 3.6))
        axes = figure.subplots()
        axes.fill_between(x, [each.low for each in points], [each.high for each in points], color=ACCENT, alpha=0.16,
                          linewidth=0)  # fmt: skip
        axes.plot(x, [each.by_estimate for each in points], color=ACCENT, linewidth=2.0, label="by Tarla's estimate")
        axes.plot(x, [each.of_all for each in points], color=ORANGE, linewidth=1.4, linestyle="--", label="to all")
        axes.axhline(0.0, color=INK, linewidth=1.0, linestyle=":", label="to none")
        top = max(*(each.high for each in points), 0.02)
        axes.set(xlim=(5, 60), ylim=(-BELOW, top * 1.12))
        axes.xaxis.set_major_locator(FixedLocator(list(ODDS)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda percent, _: f"{percent:.0f} %\n{ODDS[round(percent)]}"))
        axes.grid(axis="y", color=FAINT, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.set_xlabel("threshold, with harm : benefit", fontsize=NORMAL)
        axes.set_ylabel("net benefit", fontsize=NORMAL)
        axes.legend(loc="upper right", fontsize=SMALL, frameon=False)
        _mark(figure, simulated=simulated)
        figure.subplots_adjust(left=0.16, right=0.94, top=0.92, bottom=0.23)
    title = f"{HEADINGS[found.outcome]}: decision curve{', simulated patients' if simulated else ''}"
    return Drawing(figure, title, {"points": [each.model_dump() for each in points]})


def _spread(axes: Axes, found: OutcomeValidation) -> None:
    """Patients by estimate: with the outcome upwards, without it downwards."""
    edges = np.linspace(0.0, 1.0, len(found.spread.events) + 1)
    middle, width = (edges[:-1] + edges[1:]) / 2, 0.042
    axes.bar(middle, found.spread.events, width, color=ORANGE)
    axes.bar(middle, [-each for each in found.spread.others], width, color=SOFT)
    axes.axhline(0.0, color=INK, linewidth=0.8)
    most = max(*found.spread.events, *found.spread.others, 1)
    axes.set_ylim(-1.15 * most, 1.15 * most)
    axes.yaxis.set_major_locator(FixedLocator([-most, 0, most]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda patients, _: f"{abs(patients):,.0f}"))
    # In a corner where no patient is: estimates of 95 % and more are rare.
    axes.text(0.99, 0.9, "had it", transform=axes.transAxes, ha="right", va="top", fontsize=SMALL, color=ORANGE)
    axes.text(0.99, 0.1, "had it not", transform=axes.transAxes, ha="right", va="bottom", fontsize=SMALL, color=INK)
    axes.set_xlabel("estimate", fontsize=NORMAL)
    axes.set_ylabel("patients", fontsize=NORMAL)


def _percent_axes(axes: Axes) -> None:
    axes.set(xlim=(0, 1), ylim=(0, 1))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(FixedLocator([0, 0.2, 0.4, 0.6, 0.8, 1]))
        axis.set_major_formatter(FuncFormatter(lambda fraction, _: f"{100 * fraction:.0f} %"))
    axes.grid(color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)


def _mark(figure: Figure, *, simulated: bool) -> None:
    if simulated:
        figure.text(0.94, 0.985, MARK, ha="right", va="top", fontsize=SMALL, weight="bold", color=INK)
