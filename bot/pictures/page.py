"""Whole pictures: what ``tarla ask --plot`` writes, and the same parts alone for the documents.

``--plot`` gives one A4 page, the patient's risks above and the patient on the LDH curves below: one file to print
or to send, in which neither half can be shown without the findings, the cautions and the receipt.
"""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bot.pictures import ldh, patient
from bot.pictures.drawing import INK, LARGE, NORMAL, SMALL, SOFT, Drawing, render, settings
from handlers.answer import figures
from handlers.answer.elsewhere import elsewhere
from handlers.answer.figures import NO_BREAK_SPACE
from handlers.answer.findings import describe
from handlers.answer.own_patients import SIMULATED, counts
from handlers.answer.plain import wrapped
from handlers.answer.view import LABELS, PURPOSE, TITLE, model_named
from handlers.outcomes import Answered
from knowledge.assessment import Assessment, Outcome
from knowledge.evidence import Evidence
from knowledge.evidence import load as load_evidence
from knowledge.factors import LdhCategory
from knowledge.model import Model

WIDTH = 8.27  # inches: A4
MARGIN = 0.4
_ROW = 0.205
_CHARACTERS = {SMALL: 124, NORMAL: 105, LARGE: 62}  # in a line of that size
_AXES_LEFT, _AXES_WIDTH = 3.6, 2.4
_CURVES_HEIGHT = 1.75


class _Page:
    """A figure filled from the top; lengths in inches."""

    def __init__(self, height: float) -> None:
        self.height, self.top = height, MARGIN
        self.figure = Figure(figsize=(WIDTH, height))

    def text(self, text: str, size: float = NORMAL, *, weight: str = "normal", color: str = INK) -> None:
        """A paragraph at the margin, wrapped."""
        for line in wrapped(text, _CHARACTERS[size]):
            self.figure.text(
                MARGIN / WIDTH, 1 - self.top / self.height, line, size=size, weight=weight, color=color, va="top"
            )
            self.top += 1.4 * size / 72

    def small(self, text: str, color: str = SOFT) -> None:
        """A paragraph of small print."""
        self.text(text, SMALL, color=color)
        self.top += 0.05

    def axes(self, left: float, width: float, height: float) -> Axes:
        """Axes whose upper edge is where the page is filled to."""
        bottom = 1 - (self.top + height) / self.height
        return self.figure.add_axes((left / WIDTH, bottom, width / WIDTH, height / self.height))


def picture_of(answered: Answered, format_: str, day: str) -> bytes:
    """The picture of an answer given on ``day`` (ISO 8601, UTC), drawn from the very assessment that was recorded."""
    assessment, assumed = answered.assessment, answered.view.assumed
    page = answer_page(assessment, load_evidence(), answered.model, answered.receipt, assumed, day)
    return render(page, format_)


def answer_page(
    assessment: Assessment, evidence: Evidence, model: Model, receipt: str, assumed: str, day: str
) -> Drawing:
    """The page for one answer of ``day`` that stands in the ledger under ``receipt``; ``assumed`` as in its text."""
    ratio = assessment.factors.ldh_ratio
    curves = ldh.ldh_curves(model, min(ldh.LOWEST, ratio or 1.0), max(ldh.HIGHEST, ratio or 1.0))
    last = f"calculated {day} (UTC) · {_versions(assessment, evidence)} · receipt #{receipt}"
    drawn: dict[str, object] = {}

    def fill(page: _Page) -> None:
        _head(page, assessment, assumed)
        drawn["patient"] = _risks(page, assessment, evidence)
        page.top += 0.06
        _curves(page, curves, assessment, _mark(assessment))
        _foot(page, assessment, last)

    return _drawn(fill, drawn, curves, f"Tarla: {describe(assessment.factors)}")


def patient_picture(assessment: Assessment, evidence: Evidence) -> Drawing:
    """The risks alone, for the documents: an example, in no ledger."""
    drawn: dict[str, object] = {}

    def fill(page: _Page) -> None:
        _head(page, assessment, "")
        drawn["patient"] = _risks(page, assessment, evidence)
        _foot(page, assessment, f"{_versions(assessment, evidence)} · example, in no ledger")

    return _drawn(fill, drawn, (), f"Tarla: {describe(assessment.factors)}")


def ldh_picture(assessment: Assessment, evidence: Evidence, model: Model) -> Drawing:
    """The LDH curves alone, for the documents, with the example on them."""
    curves = ldh.ldh_curves(model)

    def fill(page: _Page) -> None:
        _curves(page, curves, assessment, f"Diamond: {describe(assessment.factors)}; 95 % interval")
        _foot(page, assessment, f"{_versions(assessment, evidence)} · example, in no ledger")

    drawn: dict[str, object] = {
        "mark": {each.value: assessment.risk_of(each).model_dump(mode="json") for each in ldh.OUTCOMES}
    }
    return _drawn(fill, drawn, curves, "Tarla: risk of CRS by LDH and liver metastases")


def _drawn(
    fill: Callable[[_Page], None], drawn: dict[str, object], curves: tuple[ldh.Curve, ...], title: str
) -> Drawing:
    with settings():
        measured = _Page(2 * WIDTH)  # filled once to see how high it becomes
        fill(measured)
        page = _Page(measured.top + MARGIN / 2)
        fill(page)
    return Drawing(page.figure, title, drawn | ({"ldh": ldh.data_of(curves)} if curves else {}))


def _head(page: _Page, assessment: Assessment, assumed: str) -> None:
    if assessment.site is not None and assessment.site.simulated:
        page.text(SIMULATED, LARGE, weight="bold")
    page.text(_findings(assessment), LARGE, weight="bold")
    page.text(TITLE, NORMAL)
    page.top += 0.04
    if assumed:
        page.small(f"Assumed: {assumed}", INK)


def _findings(assessment: Assessment) -> str:
    """The findings as understood, where a line may end only between two of them."""
    unparted = describe(assessment.factors).replace(" ", NO_BREAK_SPACE)
    return unparted.replace(f"·{NO_BREAK_SPACE}", "· ")


def _unparted(text: str) -> str:
    return text.replace("grade ", f"grade{NO_BREAK_SPACE}")


def _risks(page: _Page, assessment: Assessment, evidence: Evidence) -> dict[str, object]:
    height = _ROW * patient.rows_height(evidence)
    labels_at = (MARGIN - _AXES_LEFT) / _AXES_WIDTH
    drawn = patient.draw_patient(page.axes(_AXES_LEFT, _AXES_WIDTH, height), assessment, evidence, labels_at)
    page.top += height + 0.3
    page.text("Grade ≥ 3: counts only, no estimate (too few events to carry a predictor)", NORMAL, weight="bold")
    for outcome in (Outcome.CRS_GRADE3PLUS, Outcome.ICANS_GRADE3PLUS):
        count = figures.count_and_interval(assessment.observed_of(outcome))
        page.text(f"{LABELS[outcome]}: founding study {count}; elsewhere {_unparted(elsewhere(outcome, evidence))}")
        drawn[outcome.value] = count
    page.small("Bars beside the founding study and elsewhere: exact 95 % intervals, where counts are published.")
    return drawn


def _curves(page: _Page, curves: tuple[ldh.Curve, ...], assessment: Assessment, mark: str) -> None:
    page.text("CRS by LDH, with and without liver metastases", LARGE, weight="bold")
    page.text(mark)
    page.top += 0.27
    for left, outcome in ((MARGIN + 0.4, ldh.OUTCOMES[0]), (MARGIN + 4.2, ldh.OUTCOMES[1])):
        ldh.draw_ldh(page.axes(left, 2.55, _CURVES_HEIGHT), outcome, curves, assessment)
    page.top += _CURVES_HEIGHT + 0.5
    page.small(ldh.CAPTION)


def _mark(assessment: Assessment) -> str:
    known = assessment.factors.ldh
    if known is None:
        return "This patient is not marked: LDH not known"
    if isinstance(known, LdhCategory):
        return f"This patient is not marked: LDH {known.category}, without a figure"
    return "Diamond: this patient, with the 95 % interval"


def _foot(page: _Page, assessment: Assessment, last: str) -> None:
    page.top += 0.03
    page.text(f"{PURPOSE}.", NORMAL, weight="bold")
    n, site = assessment.observed[0].n, assessment.site
    if site is None:
        page.small(
            f"Estimates for a centre not in the evidence. They rest on {n} patients of one centre and were never "
            "validated elsewhere."
        )
    else:
        whose = "nobody: simulated patients" if site.simulated else "this centre: its own patients"
        page.small(
            f"Estimates for {whose} updated {site.parent_id} ({counts(site)}). Behind them are {n} patients of one "
            "other centre; they were never validated on other patients."
        )
    page.text(last, SMALL, color=SOFT)


def _versions(assessment: Assessment, evidence: Evidence) -> str:
    return f"{model_named(assessment)} · evidence {evidence.version}"
