"""Risk of CRS by LDH, with and without liver metastases, with 95 % bands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor, log2

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import NDArray

from bot.pictures.drawing import ACCENT, FAINT, INK, LARGE, NORMAL, SMALL, SOFT
from handlers.answer.view import LABELS
from knowledge.assessment import Assessment, Outcome, OutcomeRisk
from knowledge.engine import JUST_ABOVE_LIMIT
from knowledge.factors import LdhMultiple, Presence
from knowledge.model import Model
from knowledge.predict import crs_risks

Floats = NDArray[np.float64]

OUTCOMES = (Outcome.CRS_ANY, Outcome.CRS_GRADE2PLUS)
LOWEST, HIGHEST = 0.25, 16.0
POINTS_PER_DOUBLING = 8
# An LDH counts as held where it is so in more than this share of the draws.
HELD_FROM = 0.5
# Labels at the ends of the lines are kept so far apart.
_APART = 0.12
# Room beside the ends of the lines, as a share of the axis.
_BESIDE = 0.03
_COLOURS = {Presence.YES: ACCENT, Presence.NO: SOFT}
_NAMES = {Presence.YES: "with liver\nmetastases", Presence.NO: "without"}
CAPTION = (
    "Line: estimate; band: 95 % interval. Step at 1 × ULN: the study may have counted LDH only as above its limit or "
    "not (filled: at the limit, open: just above). Dashed: beyond what most of the model covers; kept level."
)


@dataclass(frozen=True)
class Curve:
    """Risk by LDH on one side of its upper limit, all (N,): multiple, estimate, interval, share of draws that hold."""

    outcome: Outcome
    liver: Presence
    side: str
    multiple: Floats
    risk: Floats
    low: Floats
    high: Floats
    held: Floats


def ldh_curves(model: Model, lowest: float = LOWEST, highest: float = HIGHEST) -> tuple[Curve, ...]:
    """Curves of both outcomes, both liver statuses and both sides of the limit, where the estimate jumps."""
    steps = POINTS_PER_DOUBLING
    below = 2.0 ** (np.arange(floor(steps * log2(lowest)), 1) / steps)
    above = 2.0 ** (np.arange(1, ceil(steps * log2(highest)) + 1) / steps)
    sides = {"below": np.clip(below, lowest, None), "above": np.clip([JUST_ABOVE_LIMIT, *above], None, highest)}
    return tuple(_curves(model, sides))


def _curves(model: Model, sides: dict[str, Floats]) -> Iterator[Curve]:
    for liver in (Presence.YES, Presence.NO):
        for side, multiples in sides.items():
            risks = [crs_risks(model, LdhMultiple(multiple=float(each)), liver) for each in multiples]
            held = np.array([each.held_share for each in risks])
            for outcome in OUTCOMES:
                found = [each.any_grade if outcome is Outcome.CRS_ANY else each.grade2plus for each in risks]
                yield Curve(outcome, liver, side, multiples, *_columns(found), held)


def _columns(risks: list[OutcomeRisk]) -> tuple[Floats, Floats, Floats]:
    low, high = np.array([each.interval for each in risks]).T
    return np.array([each.risk for each in risks]), low, high


def draw_ldh(axes: Axes, outcome: Outcome, curves: tuple[Curve, ...], assessment: Assessment | None) -> None:
    """Draw one outcome's curves into ``axes``, and the patient on them where the LDH is known as a number."""
    own = [each for each in curves if each.outcome is outcome]
    _frame(axes, outcome, min(each.multiple[0] for each in own), max(each.multiple[-1] for each in own))
    for curve in own:
        name = f"{outcome.value}.liver_{curve.liver.value}.{curve.side}"
        colour = _COLOURS[curve.liver]
        axes.fill_between(
            curve.multiple, curve.low, curve.high, color=colour, alpha=0.16, linewidth=0, gid=f"{name}.band"
        )
        for limit in (curve.low, curve.high):
            axes.plot(curve.multiple, limit, color=colour, linewidth=0.6, alpha=0.8)
        _line(axes, curve, colour, name)
    _end_labels(axes, [each for each in own if each.side == "above"])
    if assessment is not None:
        _mark(axes, outcome, assessment)


def data_of(curves: tuple[Curve, ...]) -> dict[str, object]:
    """Every number drawn, by outcome, liver status and side of the limit."""
    return {
        f"{each.outcome.value}.liver_{each.liver.value}.{each.side}": {
            name: getattr(each, name).tolist() for name in ("multiple", "risk", "low", "high", "held")
        }
        for each in curves
    }


def _frame(axes: Axes, outcome: Outcome, lowest: float, highest: float) -> None:
    axes.set_xscale("log", base=2)
    beside = (highest / lowest) ** _BESIDE  # a patient at either end is not cut in half
    axes.set(xlim=(lowest / beside, highest * beside), ylim=(0, 1))
    axes.xaxis.set_major_locator(FixedLocator([2.0**k for k in range(ceil(log2(lowest)), floor(log2(highest)) + 1)]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda multiple, _: f"{multiple:g}"))
    axes.yaxis.set_major_locator(FixedLocator([0, 0.25, 0.5, 0.75, 1]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda fraction, _: f"{100 * fraction:.0f} %"))
    axes.grid(axis="y", color=FAINT, linewidth=0.8)
    axes.axvline(1.0, color=SOFT, linewidth=0.8, linestyle=":")
    axes.set_axisbelow(True)
    axes.set_xlabel("LDH, × upper limit of normal (ULN)", fontsize=NORMAL)
    axes.set_title(LABELS[outcome], loc="left", fontsize=LARGE, fontweight="bold", color=INK)


def _line(axes: Axes, curve: Curve, colour: str, name: str) -> None:
    """Solid where the LDH counts as it is, dashed where it is held; the two meet in a point."""
    held = curve.held > HELD_FROM
    axes.plot(curve.multiple, np.where(held, np.nan, curve.risk), color=colour, linewidth=2.2, gid=name)
    if held.any():
        joined = held | np.roll(held, -1) | np.roll(held, 1)
        joined[0], joined[-1] = held[0] or held[1], held[-1] or held[-2]
        dashed = np.where(joined, curve.risk, np.nan)
        axes.plot(curve.multiple, dashed, color=colour, linewidth=2.2, linestyle=(0, (2, 1.2)), gid=f"{name}.held")
    end, filled = (-1, True) if curve.side == "below" else (0, False)
    axes.plot(
        [curve.multiple[end]],
        [curve.risk[end]],
        "o",
        markersize=5,
        color=colour,
        markerfacecolor=colour if filled else "white",
        gid=f"{name}.limit",
    )


def _end_labels(axes: Axes, ends: list[Curve]) -> None:
    upper, lower = sorted(ends, key=lambda curve: -curve.risk[-1])
    lack = max(0.0, _APART - (upper.risk[-1] - lower.risk[-1])) / 2
    for curve, shift in ((upper, lack), (lower, -lack)):
        axes.annotate(
            _NAMES[curve.liver],
            xy=(1.02, float(curve.risk[-1]) + shift),
            xycoords=axes.get_yaxis_transform(),
            va="center",
            fontsize=SMALL,
            fontweight="bold",
            color=_COLOURS[curve.liver],
            annotation_clip=False,
        )


def _mark(axes: Axes, outcome: Outcome, assessment: Assessment) -> None:
    ratio = assessment.factors.ldh_ratio
    if ratio is None:
        return
    risk = assessment.risk_of(outcome)
    name = f"{outcome.value}.patient_on_curve"
    axes.plot(
        (ratio, ratio),
        risk.interval,
        color=INK,
        linewidth=1.4,
        marker="_",
        markersize=7,
        clip_on=False,
        gid=f"{name}.interval",
    )
    axes.plot([ratio], [risk.risk], "D", color=INK, markersize=8, markeredgecolor="white", gid=name, zorder=5)
