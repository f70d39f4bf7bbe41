"""Forest plots of the centre term: every rate of any grade, used or left out, and what is made of the used ones.

Loads matplotlib: never on the way to an answer.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bot.pictures.drawing import ACCENT, FAINT, INK, NORMAL, SMALL, Drawing, settings
from handlers.answer import figures
from knowledge.evidence import CentreTerm, Evidence, Fact
from knowledge.evidence import load as load_evidence
from knowledge.exact import clopper_pearson
from knowledge.logistic import probability
from knowledge.synthesis.facts import STUDY_CRS_ANY, STUDY_ICANS_ANY, published_spec
from knowledge.synthesis.random_effects import CLASSICAL, posterior_estimate, posterior_of, random_effects
from knowledge.synthesis.spec import Pool

GREY = "#8a8a8a"  # what is left out
ROW, MARGIN, WIDTH = 0.24, 1.15, 10.0  # inches
NAMES = {"crs": "CRS of any grade", "icans": "ICANS of any grade"}
ENDPOINTS = {"crs": "crs_any", "icans": "icans_any"}
FOUNDING = {"crs": STUDY_CRS_ANY, "icans": STUDY_ICANS_ANY}
# By the second part of a fact's id.
COHORTS = {
    "joshi": "Joshi 2025",
    "eu473": "pooled trials, EU text",
    "label473": "pooled trials, US label",
    "d304": "DeLLphi-304",
    "d300301": "DeLLphi-300 and -301",
    "d301": "DeLLphi-301",
    "d300F": "DeLLphi-300",
    "d300": "DeLLphi-300",
    "dellpro300": "DeLLpro-300 (prostate)",
    "multi102": "three US centres",
    "wclc25": "several institutions",
    "guo": "Guo 2026",
    "trinetx643": "TriNetX, first abstract",
    "trinetx658": "TriNetX, second abstract",
}
# By the last part of a fact's id, where a cohort has several rates.
DETAILS = {
    "icans_broad": "broad",
    "icans_pt": "narrow",
    "icans_c1d1": "broad",
    "crs_any_out": "outpatients",
    "crs_any_in": "inpatients",
    "crs_10": "10 mg",
    "crs_100": "100 mg",
    "crs_any_control": "control arm",
    "icans_inelig": "trial-ineligible",
    "icans_elig": "trial-eligible",
}
_LATER_DOSES = re.compile("dose [2-9]")


@dataclass(frozen=True)
class Row:
    """One line: fractions of 1; ``interval`` is exact, and None where no count is known."""

    label: str
    value: float
    interval: tuple[float, float] | None
    figure: str
    kind: str  # used, founding or left out
    reason: str


def forest_picture(pool: Pool) -> Drawing:
    """The picture with every number in it."""
    evidence = load_evidence()
    with settings():
        figure = forest_figure(pool)
    rows = [dataclasses.asdict(row) for row in rows_of(pool, evidence)]
    estimates = [
        {"label": label, "value": probability(middle), "interval": [probability(limit) for limit in interval]}
        for label, middle, interval, _, _ in estimates_of(pool, evidence)
    ]
    return Drawing(figure, title(pool), {"rows": rows, "estimates": estimates})


def title(pool: Pool) -> str:
    """What the picture shows."""
    return f"{NAMES[pool]} after tarlatamab: published rates and what a new centre may expect"


def rows_of(pool: Pool, evidence: Evidence) -> list[Row]:
    """The used cohorts, the founding study, then every other rate of any grade that is not of a later dose."""
    rows = []
    for name, term in evidence.centre_terms.items():
        fact = evidence.fact(name)
        later = _LATER_DOSES.search(fact.window)
        if fact.endpoint == ENDPOINTS[pool] and not later and (fact.percent or fact.rate is not None):
            rows.append(_row(fact, term, name == FOUNDING[pool]))
    order = ("used", "founding", "left out")
    return sorted(rows, key=lambda row: order.index(row.kind))


def _row(fact: Fact, term: CentreTerm, founding: bool) -> Row:
    kind = "used" if term.use else "founding" if founding else "left out"
    # Up to the first comma, colon or semicolon: the reason in short. The document's table has all of it.
    reason = "" if term.use else re.split("[,:;]", term.reason)[0]
    _, cohort, name = fact.id.split(".")
    detail = f" ({DETAILS[name]})" if name in DETAILS else ""
    label = f"{COHORTS[cohort]}{detail}, {_window(fact)}"
    if fact.rate is None or fact.count is None or fact.denominator is None:
        text = str(fact.percent)
        value = float(re.sub("[^0-9.]", "", text)) / 100
        among = f" of {fact.denominator}" if fact.denominator else ""
        return Row(label, value, None, f"{100 * value:.3g} %{among}", kind, reason)
    interval = clopper_pearson(fact.count, fact.denominator)
    figure = f"{fact.count}/{fact.denominator} = {figures.estimate(fact.rate, interval)}"
    return Row(label, fact.rate, interval, figure, kind, reason)


def _window(fact: Fact) -> str:
    window = re.sub(r" \(.*\)", "", fact.window)
    return "window not stated" if window == "not stated" else window


def forest_figure(pool: Pool) -> Figure:
    """The forest plot: cohorts with exact 95 % intervals above, mean and new centre below."""
    evidence = load_evidence()
    rows = rows_of(pool, evidence)
    lines = len(rows) + 4 + 6  # three headings and their gaps; below a heading, four estimates and a gap
    figure = Figure(figsize=(WIDTH, ROW * lines + MARGIN))
    axes = figure.add_axes((0.29, 0.62 / figure.get_figheight(), 0.27, 1 - MARGIN / figure.get_figheight()))
    headings = {
        "used": "Used in the centre term",
        "founding": "The founding study (its counts are conditions of the model)",
        "left out": "Left out, and why (hollow: no count printed, so no interval)",
    }
    y, last = 0.0, ""
    for row in rows:
        if row.kind != last:
            y -= 0.4 if last else 0.0
            _text(axes, -1.05, y, headings[row.kind], INK, weight="bold")
            y, last = y - 1, row.kind
        _draw(axes, row, y)
        y -= 1
    y = _estimates(axes, pool, evidence, y - 0.5)
    axes.set_xlim(0, 100)
    axes.set_ylim(y + 0.4, 0.8)
    axes.set_yticks([])
    axes.set_xlabel("patients with the event, %", fontsize=SMALL)
    axes.tick_params(labelsize=SMALL)
    axes.grid(axis="x", color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    figure.text(0.01, 1 - 0.25 / figure.get_figheight(), title(pool), fontsize=NORMAL + 1, weight="bold", va="center")
    return figure


def _draw(axes: Axes, row: Row, y: float) -> None:
    colour = {"used": INK, "founding": ACCENT, "left out": GREY}[row.kind]
    if row.interval is not None:
        axes.plot([100 * limit for limit in row.interval], [y, y], color=colour, linewidth=1.2)
    face = colour if row.interval is not None else "white"
    marker = "D" if row.kind == "founding" else "s"
    axes.plot([100 * row.value], [y], marker=marker, markersize=4.5, color=colour, markerfacecolor=face)
    _text(axes, -1.05, y, row.label, colour)
    _text(axes, 1.04, y, row.figure, colour)
    _text(axes, 1.75, y, row.reason, colour)


def estimates_of(pool: Pool, evidence: Evidence) -> list[tuple[str, float, tuple[float, float], str, float]]:
    """What the used cohorts say together: label, middle and interval (log odds), colour and width of the line."""
    spec = published_spec(evidence)
    cohorts = spec.centres(pool)
    posterior = posterior_estimate(posterior_of(cohorts, spec.centre_mean_sd, spec.centre_sd_scale))
    rows = [
        ("mean of the centres (posterior)", posterior.mean, posterior.mean_interval, INK, 5.0),
        ("a new centre (posterior, used by the model)", posterior.new, posterior.new_interval, ACCENT, 5.0),
    ]
    for name, method in CLASSICAL.items():
        classical = random_effects(cohorts, method)
        rows.append((f"a new centre ({name})", classical.new, classical.new_interval, GREY, 2.0))
    return rows


def _estimates(axes: Axes, pool: Pool, evidence: Evidence, y: float) -> float:
    _text(axes, -1.05, y, "What the used cohorts say together", INK, weight="bold")
    for label, middle, interval, colour, width in estimates_of(pool, evidence):
        y -= 1
        low, value, high = (100 * probability(each) for each in (interval[0], middle, interval[1]))
        axes.plot([low, high], [y, y], color=colour, linewidth=width, solid_capstyle="butt")
        axes.plot([value], [y], marker="|", markersize=9, color="white" if width > 2 else colour, markeredgewidth=1.4)
        _text(axes, -1.05, y, label, colour)
        _text(axes, 1.04, y, f"{value:.0f} % ({low:.0f} to {high:.0f})", colour)
    return y - 1


def _text(axes: Axes, x: float, y: float, text: str, colour: str, weight: str = "normal") -> None:
    """``x`` in widths of the plot, ``y`` in rows."""
    axes.text(
        x, y, text, transform=axes.get_yaxis_transform(), color=colour, va="center", fontsize=SMALL, weight=weight
    )
