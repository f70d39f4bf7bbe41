"""One patient's risks with their intervals, against the founding study's rates and those elsewhere."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.text import Annotation
from matplotlib.ticker import FixedLocator, FuncFormatter

from bot.pictures.drawing import ACCENT, FAINT, HUGE, INK, LARGE, NORMAL, SMALL, SOFT
from bot.pictures.rates import Rate, rates_elsewhere, study_rate
from handlers.answer import figures
from handlers.answer.view import LABELS
from knowledge.assessment import Assessment, Outcome
from knowledge.evidence import Evidence

ESTIMATED = (Outcome.CRS_ANY, Outcome.CRS_GRADE2PLUS, Outcome.ICANS_ANY)
# Heights of rows, in units of an ordinary row.
_HEADING, _PATIENT, _ROW, _GAP = 1.25, 1.45, 1.0, 0.45
# What must be said of a whole block, beside its heading.
_CAUTION = {Outcome.ICANS_ANY: "definitions differ or are not stated"}
# Where the figures stand, in widths of the axes.
_FIGURES_AT = 1.06


def rows_height(evidence: Evidence) -> float:
    """Height of the panel, in rows."""
    blocks = [_HEADING + _PATIENT + (1 + len(rates_elsewhere(each, evidence))) * _ROW for each in ESTIMATED]
    return sum(blocks) + _GAP * (len(blocks) - 1)


def draw_patient(axes: Axes, assessment: Assessment, evidence: Evidence, labels_at: float) -> dict[str, object]:
    """Draw the panel into ``axes``; returns every number drawn, by outcome and row.

    ``labels_at`` is where the rows' labels begin, in widths of the axes from their left edge.
    """
    height = rows_height(evidence)
    axes.set(xlim=(0, 1), ylim=(height, 0))
    axes.yaxis.set_visible(False)
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(FixedLocator([0, 0.25, 0.5, 0.75, 1]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda fraction, _: f"{100 * fraction:.0f} %"))
    axes.grid(axis="x", color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    drawn: dict[str, object] = {}
    top = 0.0
    for outcome in ESTIMATED:
        drawn[outcome.value], top = _block(axes, assessment, evidence, outcome, top, labels_at)
        top += _GAP
    return drawn


def _block(
    axes: Axes, assessment: Assessment, evidence: Evidence, outcome: Outcome, top: float, labels_at: float
) -> tuple[dict[str, object], float]:
    middle = top + _HEADING / 2
    heading = _text(axes, labels_at, middle, LABELS[outcome], size=LARGE, weight="bold")
    if outcome in _CAUTION:
        axes.annotate(
            _CAUTION[outcome],
            xy=(1, 0),
            xycoords=heading,
            xytext=(7, 1),
            textcoords="offset points",
            va="bottom",
            fontsize=SMALL,
            color=SOFT,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
            annotation_clip=False,
        )
    top += _HEADING
    risk = assessment.risk_of(outcome)
    middle, top = top + _PATIENT / 2, top + _PATIENT
    name = f"{outcome.value}.patient"
    axes.plot(risk.interval, (middle, middle), color=ACCENT, linewidth=5, solid_capstyle="butt", gid=f"{name}.interval")
    axes.plot([risk.risk], [middle], "o", color=ACCENT, markersize=12, markeredgecolor="white", gid=name)
    _text(axes, labels_at, middle, "this patient, 95 % interval", size=NORMAL + 1, weight="bold", color=ACCENT)
    number = _text(axes, _FIGURES_AT, middle, figures.percent(risk.risk), size=HUGE, weight="bold", color=ACCENT)
    axes.annotate(
        f"({figures.bare_percent(risk.interval[0])} to {figures.bare_percent(risk.interval[1])})",
        xy=(1, 0.5),
        xycoords=number,
        xytext=(5, 0),
        textcoords="offset points",
        va="center_baseline",
        fontsize=LARGE - 1,
        color=ACCENT,
        annotation_clip=False,
    )
    drawn: dict[str, object] = {"patient": {"risk": risk.risk, "interval": list(risk.interval)}}
    for rate in (study_rate(assessment, outcome), *rates_elsewhere(outcome, evidence)):
        _rate(axes, rate, f"{outcome.value}.{rate.name}", top + _ROW / 2, labels_at)
        drawn[rate.name] = {"values": list(rate.values), "interval": rate.interval and list(rate.interval)}
        top += _ROW
    return drawn, top


def _rate(axes: Axes, rate: Rate, name: str, middle: float, labels_at: float) -> None:
    study = rate.name == "study"
    _text(axes, labels_at, middle, rate.label, color=INK)
    _text(axes, _FIGURES_AT, middle, rate.figure, color=INK)
    if rate.interval is not None:
        axes.plot(rate.interval, (middle, middle), color=SOFT, linewidth=1.2, gid=f"{name}.interval")
    if rate.values:
        axes.plot(
            rate.values,
            [middle] * len(rate.values),
            marker="s" if study else "o",
            linestyle=":",
            color=SOFT,
            linewidth=1.2,
            markersize=6,
            markerfacecolor=INK if study else "white",
            markeredgecolor=INK,
            gid=name,
        )


def _text(
    axes: Axes, x: float, y: float, text: str, *, size: float = NORMAL, color: str = INK, weight: str = "normal"
) -> Annotation:
    return axes.annotate(
        text,
        xy=(x, y),
        xycoords=axes.get_yaxis_transform(),
        va="center",
        fontsize=size,
        color=color,
        fontweight=weight,
        annotation_clip=False,
    )
