"""``update.html``: made of the update's record and of nothing else, so that every figure stands in ``update.json``."""

from __future__ import annotations

from html import escape

from bot.cohort.report.charts import BLUE, ORANGE, Mark, shares
from bot.cohort.report.words import OUTCOMES, percent
from bot.html_page import SWIPE, page, pair, section, table, words
from handlers.answer import figures
from knowledge.cohort.update.expected import Calibration
from knowledge.cohort.update.report import Change, PoolChange, Rate, UpdateReport
from knowledge.cohort.update.site import NAMES

TITLE = "Tarla updated by your own patients: before and after"
NOTHING_YET = "Nothing has changed yet: Tarla answers from this model only once it is put in use."


def update_page(report: UpdateReport) -> str:
    """The whole page."""
    title = f"SIMULATED: {TITLE}" if report.simulated else TITLE
    return page(
        title,
        [
            f"<h1>{escape(title)}</h1>",
            *([f'<p class="verdict wrong">{escape(report.notice)}</p>'] if report.notice is not None else []),
            *(words(told) for told in _levels(report)),
            words(_what(report)),
            f'<p class="verdict">{escape(NOTHING_YET)} <code>{escape(use_command(report))}</code></p>',
            *(words(remark) for remark in report.remarks),
            SWIPE,
            _risks(report),
            _centre(report),
            _agreement(report),
            _learnt(report),
            _origin(report),
        ],
        simulated=report.simulated,
    )


def use_command(report: UpdateReport) -> str:
    """What to type to put the model in use."""
    return f"tarla model use {file_name(report)}{' --simulated' if report.simulated else ''}"


def file_name(report: UpdateReport) -> str:
    """The artefact's."""
    return f"{report.model.id}.npz"


def _what(report: UpdateReport) -> str:
    origin = report.origin
    return (
        f"Model {report.parent.id} updated by {origin.crs_patients:,} patients without prophylactic tocilizumab whose "
        f"CRS after the first dose is known ({origin.crs_events:,} had it, {origin.crs_grade2plus_events:,} of grade 2 "
        f"or higher) and {origin.icans_patients:,} whose ICANS is known ({origin.icans_events:,} had it). The result "
        f"is {report.model.id}."
    )


def _levels(report: UpdateReport) -> list[str]:
    """What changed, of each outcome that was updated."""
    return [
        f"{NAMES[each.pool]} at your centre, for a patient with average findings: {_rate(each.centre_before)} before, "
        f"{_rate(each.centre_after)} after."
        for each in report.pools
        if each.khat is not None
    ]


def _risks(report: UpdateReport) -> str:
    outcomes = dict.fromkeys(each.outcome for each in report.changes)
    parts = [words("Estimate and 95 % interval of a patient of your centre, as an answer would give them.", small=True)]
    for outcome in outcomes:
        of_it = [each for each in report.changes if each.outcome is outcome]
        chart = shares(f"{OUTCOMES[outcome]} before and after", [(each.patient, _marks(each)) for each in of_it])
        rows = [[each.patient, figures.risk_estimate(each.before), figures.risk_estimate(each.after)] for each in of_it]
        listed = table(f"{OUTCOMES[outcome]}: risk (95 % interval)", ["patient", "before", "after"], rows)
        parts += [f"<h3>{escape(OUTCOMES[outcome])}</h3>", pair(chart, listed, down=True)]
    return section("Risks before and after", *parts)


def _marks(change: Change) -> list[Mark]:
    before, after = change.before, change.after
    return [
        Mark("before", before.risk, before.interval, figures.percent(before.risk), "square", ORANGE),
        Mark("after", after.risk, after.interval, figures.percent(after.risk), "circle", BLUE),
    ]


def _centre(report: UpdateReport) -> str:
    rows = [[NAMES[each.pool], _rate(each.centre_before), _rate(each.centre_after)] for each in report.pools]
    return section(
        "How often at your centre",
        words(
            "Before: a centre of which nothing is known. After: yours. For a patient whose findings are the average."
        ),
        table("Risk at average findings: median (95 % interval)", ["", "before", "after"], rows),
    )


def _rate(rate: Rate) -> str:
    return f"{percent(rate.median)} ({100 * rate.interval[0]:.1f} to {100 * rate.interval[1]:.1f} %)"


def _agreement(report: UpdateReport) -> str:
    after = {each.outcome: each for each in report.calibration_after}
    rows = []
    for before in report.calibration_before:
        fitted = after[before.outcome]
        observed = f"{before.observed:,}/{before.patients:,}"
        sums = (f"{before.expected:.1f}", f"{fitted.expected:.1f}")
        rows.append([OUTCOMES[before.outcome], observed, *sums, _shift(before), _shift(fitted)])
    expected = [
        [OUTCOMES[each.outcome], f"{each.observed:,}/{each.patients:,}", f"{each.low:,} to {each.high:,}", _p(each.p)]
        for each in report.surprise
    ]
    return section(
        "Your patients and the model",
        table(
            "Calibration in the large, on these same patients",
            ["", "observed", "expected before", "expected after", "intercept before", "intercept after (in-sample)"],
            rows,
        ),
        words(
            "The intercept is the shift in log odds that the risks would need; 0 is right. Before: patients the model "
            "had not seen. After: the very patients it has learnt from, so agreement there proves nothing. Only "
            "patients who come later can test the new model: tarla study validate.",
            small=True,
        ),
        table(
            "What the model expected of such patients at a centre it does not know",
            ["", "observed", "expected in 19 of 20 centres", "p"],
            expected,
        ),
    )


def _shift(calibration: Calibration) -> str:
    if calibration.intercept is None or calibration.interval is None:
        return "none: all or none had it"
    low, high = calibration.interval
    return f"{calibration.intercept:.2f} ({low:.2f} to {high:.2f})"


def _p(p: float) -> str:
    return "below 0.001" if p < 0.001 else f"{p:.2g}"


def _learnt(report: UpdateReport) -> str:
    widths, checks = [], []
    for each in report.pools:
        widths += [
            [f"{NAMES[each.pool]}, {tau:g}", percent(before), percent(after)]
            for tau, before, after in zip(each.tau, each.tau_before, each.tau_after, strict=True)
        ]
        checks.append([NAMES[each.pool], *_check(each)])
    return section(
        "How the update went",
        table("Weight of each width of the prior of effects (tau)", ["", "before", "after"], widths),
        table(
            "Whether the model's draws bear the patients",
            ["", "Pareto k", "at most", "effective sample size"],
            checks,
        ),
        words(
            "The widths start equal, since the published facts are a selection of what was significant; your patients "
            "are none, so they may say which fits.",
            small=True,
        ),
        words(
            "The model is thousands of draws, each a set of effects that fits the published facts; the update gives "
            "those more weight that fit your patients. Pareto k says whether a few draws got nearly all the weight, "
            "which would make the result theirs: the lower the better, also below 0. The effective sample size is "
            "how many equally weighted draws would tell as much. A Pareto k above its bound, or an effective size "
            "below 200, would have been refused.",
            small=True,
        ),
    )


def _check(change: PoolChange) -> list[str]:
    if change.khat is None or change.largest_khat is None or change.effective is None:
        return ["not updated", "", ""]
    return [f"{change.khat:.2f}", f"{change.largest_khat:.2f}", f"{change.effective:,.0f}"]


def _origin(report: UpdateReport) -> str:
    origin = report.origin
    rows = [
        ["patients in the file", f"{origin.patients:,}"],
        ["left out: had prophylactic tocilizumab", f"{origin.with_prophylaxis:,}"],
        ["left out: not known whether", f"{origin.prophylaxis_unknown:,}"],
        ["without, CRS after the first dose not known", f"{origin.crs_unknown:,}"],
        ["without, ICANS not known", f"{origin.icans_unknown:,}"],
    ]
    hashes = [
        ["the new model", report.model.id, report.model.sha256],
        ["its parent", report.parent.id, report.parent.sha256],
        ["the patients", "SIMULATED" if report.simulated else "", origin.data_sha256],
    ]
    return section(
        "What it is made of",
        table("Patients", ["", "number"], rows),
        table("Names and SHA-256", ["", "name", "SHA-256"], hashes, prose=True),
        words(
            "The model must not know these patients already. The founding study and the cohorts behind its level "
            "(docs/centre.md) are in it: whoever treated them gives later patients only, or they count twice."
        ),
        words(
            f"Seed {origin.seed}; Tarla {report.program}. No patient's findings are in the model's file.", small=True
        ),
    )
