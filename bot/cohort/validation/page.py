"""The page of a validation: verdicts first, then each outcome with its pictures and figures, then how to read them."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from bot.cohort.inline_svg import inline_svg
from bot.cohort.validation.plots import calibration_picture, decision_picture
from bot.cohort.validation.words import (
    ABOUT,
    HEADINGS,
    NOT_A_REASON,
    SIMULATED,
    decision_in_words,
    left_out,
    of_site_model,
    rows_of,
    still_needed,
    unknown,
)
from bot.html_page import SWIPE, page, pair, section, table, words
from bot.pictures.drawing import Drawing
from knowledge.cohort.validation.needed import Needed
from knowledge.cohort.validation.results import OutcomeValidation, Validation

TITLE = "Tarla's estimates against what happened"
# Thresholds in the table of the decision curve, percent.
TABLED = (5, 10, 15, 20, 30, 40, 50, 60)
READING = (
    (
        "Observed/expected (O/E)",
        "Patients who had it over the sum of the estimates. 1 is right, 0.5 means half as many as expected. Interval: "
        "Clopper and Pearson's of the share, exact, also without any event.",
    ),
    (
        "Calibration in the large",
        "By how much all estimates would have to move on the scale of log odds. 0 is right; −0.7 halves the odds.",
    ),
    (
        "Calibration slope",
        "1 is right. Below 1 high estimates are too high and low ones too low; above 1 they lie too close together. "
        "The intercept belongs to it.",
    ),
    (
        "Calibration curve",
        "The same without supposing a straight line: a restricted cubic spline. The band holds at each point by "
        "itself, not for the whole curve at once.",
    ),
    (
        "c-statistic",
        "Of two patients, one who had it and one who had not, the chance that the first had the higher estimate. It "
        "says nothing of whether the estimates are high or low.",
    ),
    (
        "Brier score",
        "Mean squared distance of estimate and outcome; scaled, how much less that is than with one figure for all. "
        "Intervals by bootstrap.",
    ),
    (
        "Decision curve",
        "At a threshold of 20 % one gives prophylaxis where the risk is 20 % or more: one patient who would have had "
        "it and goes without is held to be as bad as 4 given it for nothing (harm : benefit 1 : 4); at 50 %, as bad as "
        "1. Net benefit is the share rightly given it, less the share given it for nothing at that rate.",
    ),
    (
        "95 %",
        "Of many such cohorts, 95 in 100 intervals would hold the truth. One in 20 misses it by chance, and there are "
        "many figures on this page.",
    ),
)


def validation_page(found: Validation) -> str:
    """The whole page, which needs nothing else."""
    title = f"{TITLE} (simulated patients)" if found.simulated else TITLE
    if found.of_its_own_patients:
        title += ": in-sample, no validation"
    body = [f"<h1>{escape(title)}</h1>"]
    if found.simulated:
        body.append(f'<p class="verdict wrong">{escape(SIMULATED)}</p>')
    body += [f'<p class="verdict wrong">{escape(told)}</p>' for told in of_site_model(found)]
    body += [words(left_out(found.flow)), *_verdicts(found), _source(found), SWIPE]
    for place, each in enumerate(found.outcomes):
        body.append(section(HEADINGS[each.outcome], *_outcome(each, f"o{place}", simulated=found.simulated)))
    body.append(_reading())
    return page(title, body, simulated=found.simulated)


def _verdicts(found: Validation) -> Iterator[str]:
    for each in found.outcomes:
        yield f"<p><b>{escape(HEADINGS[each.outcome])}.</b> {escape(each.verdict)}</p>"


def _source(found: Validation) -> str:
    cohort = f", cohort SHA-256 <code>{found.cohort_sha256}</code>" if found.cohort_sha256 else ""
    model = f"Model <code>{escape(found.model.id)}</code>, SHA-256 <code>{found.model.sha256}</code>"
    return (
        f'<p class="small">{model}{cohort}; '
        f"bootstrap: {found.resamples:,} resamples, seed {found.seed}. Estimates are those an answer "
        "shows; outcomes are those after the first dose.</p>"
    )


def _outcome(found: OutcomeValidation, key: str, *, simulated: bool) -> Iterator[str]:
    if said := unknown(found):
        yield words(said, small=True)
    if found.n:
        drawn = _fitting(
            calibration_picture(found, simulated=simulated), f"{key}-calibration",
            "Observed share against estimate, in groups of patients whose figures stand in the table of groups; the "
            "dotted line is where both agree.",
        )  # fmt: skip
        curve = words(f"No flexible curve: {found.curve.note}.", small=True) if found.curve.note else ""
        yield pair(drawn + curve, _figures(found))
        yield _groups(found)
        yield "<h3>Giving prophylaxis by the estimate</h3>"
        yield words(decision_in_words(found))
        decision = decision_picture(found, simulated=simulated)
        if decision is not None:
            about = "Net benefit by threshold of deciding by the estimate, of treating all and of treating none."
            yield pair(_fitting(decision, f"{key}-decision", about), _decision_table(found))
        yield words(NOT_A_REASON, small=True)
    yield "<h3>How many more patients</h3>"
    yield words(still_needed(found.outcome, found.needed))
    if found.needed.criteria:
        yield _needed_table(found.needed)


def _fitting(drawing: Drawing, key: str, description: str) -> str:
    """The picture as wide as its column, on a phone too: its letters are large enough for that."""
    return inline_svg(drawing, key, description).replace('<div class="scroll" tabindex="0" role="region"', "<div", 1)


def _figures(found: OutcomeValidation) -> str:
    items = "".join(
        f'<p><b>{escape(name)}</b>: {escape(value)}<br><span class="small">{escape(how)}</span></p>'
        for name, value, how in rows_of(found)
    )
    return f"<h3>Figures, with 95 % intervals</h3>{items}"


def _groups(found: OutcomeValidation) -> str:
    rows = [
        (
            _percent(each.estimate),
            f"{each.n:,}",
            f"{each.events:,}",
            f"{100 * each.observed:.0f} ({100 * each.low:.0f} to {100 * each.high:.0f})",
        )
        for each in found.groups
    ]
    return table(
        "Groups by mean estimate, exact 95 % intervals", ("estimate", "patients", "had it", "observed, %"), rows
    )


def _decision_table(found: OutcomeValidation) -> str:
    rows = []
    for point in found.decision.points:
        if round(100 * point.threshold) in TABLED:
            rows.append(
                (
                    f"{100 * point.threshold:.0f} %",
                    _percent(point.treated),
                    f"{_net(point.by_estimate)} ({_net(point.low)} to {_net(point.high)})",
                    _net(point.of_all),
                )
            )
    return table("Net benefit (of none: 0)", ("threshold", "given to", "by estimate", "to all"), rows)


def _needed_table(needed: Needed) -> str:
    rows = [
        (
            ABOUT[row.name].rstrip(","),
            "not known" if row.firm is None else f"{row.firm:,}",
            "not known" if row.rough is None else f"{row.rough:,}",
        )
        for row in needed.criteria
    ]
    caption = f"Patients without prophylaxis needed in all; there are {needed.have:,}"
    return table(caption, ("for a firm answer on", "firm", "half as firm"), rows)


def _reading() -> str:
    items = [f"<p><b>{escape(name)}.</b> {escape(text)}</p>" for name, text in READING]
    sources = (
        "Sources: Van Calster et al., J Clin Epidemiol 2016;74:167-176 (calibration); DeLong et al., Biometrics 1988;"
        "44:837-845; Newcombe, Stat Med 2006;25:559-573; Vickers and Elkin, Med Decis Making 2006;26:565-574; Riley et "
        "al., Stat Med 2021;40:4230-4251 (patients needed; widths as in their program pmvalsampsize)."
    )
    return section("How to read this", *items, words(sources, small=True))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _net(value: float) -> str:
    rounded = f"{abs(value):.3f}"
    return f"−{rounded}" if value < 0 and float(rounded) else rounded
