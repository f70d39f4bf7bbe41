"""The answer as plain data: first the figures, then the reasons. Pure; every figure from engine or evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from handlers.answer import figures, own_patients
from handlers.answer.elsewhere import elsewhere
from handlers.answer.findings import describe, presences
from knowledge import comparators
from knowledge.assessment import Assessment, Outcome
from knowledge.evidence import Evidence
from knowledge.exact import fisher_exact
from knowledge.factors import LdhCategory, PatientFactors, Presence
from knowledge.model import Model
from knowledge.spread import IntervalSources, interval_sources

LABELS: dict[Outcome, str] = {
    Outcome.CRS_ANY: "CRS, any grade",
    Outcome.CRS_GRADE2PLUS: "CRS, grade ≥ 2",
    Outcome.ICANS_ANY: "ICANS, any grade",
    Outcome.CRS_GRADE3PLUS: "CRS, grade ≥ 3",
    Outcome.ICANS_GRADE3PLUS: "ICANS, grade ≥ 3",
}
# Outcomes whose width the reasons explain.
EXPLAINED = (Outcome.CRS_ANY, Outcome.ICANS_ANY)
ASSUMED = "Assumed"
TITLE = "Tarlatamab, before cycle 1 day 1, without tocilizumab prophylaxis"
_STUDY_WINDOW = (
    "The study counts events “following cycle 1 day 1”: after the first dose or at any time since, what was read does "
    "not say."
)
WINDOW = (
    f"{_STUDY_WINDOW} The level for a new centre comes from rates after dose 1 (CRS) and of unstated window (ICANS)."
)
SITE_WINDOW = (
    f"{_STUDY_WINDOW} The level for this centre comes from rates elsewhere after dose 1 (CRS) and of unstated window "
    "(ICANS), and from {whose}: CRS after dose 1, ICANS after cycle 1 day 1."
)
PURPOSE = "Planning aid before infusion, not for a patient with symptoms; it informs, you decide"


@dataclass(frozen=True)
class Row:
    """One outcome: this patient, the founding study, and elsewhere."""

    outcome: str
    patient: str
    study: str
    elsewhere: str


@dataclass(frozen=True)
class Paragraph:
    """A reason, with its heading."""

    heading: str
    text: str


@dataclass(frozen=True)
class AnswerView:
    """Everything an answer says, in reading order; text only, no markup."""

    title: str
    patient: str
    head: Row
    rows: tuple[Row, ...]
    paragraphs: tuple[Paragraph, ...]
    footer: tuple[str, ...]
    summary: str

    @property
    def assumed(self) -> str:
        """What was assumed where the input was silent, coarse or extreme; empty when nothing was."""
        return next((paragraph.text for paragraph in self.paragraphs if paragraph.heading == ASSUMED), "")


def build_view(
    assessment: Assessment, evidence: Evidence, receipt: str, notes: tuple[str, ...] = (), *, model: Model
) -> AnswerView:
    """The answer for one assessment that stands in the ledger under ``receipt``.

    ``notes`` say how the patient was read; ``model`` is that which gave the assessment.

    Raises:
        ValueError: another model gave it.
    """
    if assessment.model != model.version:
        raise ValueError("only the model that answered can say what its intervals owe their width to")
    n = assessment.observed[0].n
    rows = tuple(_row(assessment, outcome, evidence) for outcome in LABELS)
    own = [] if assessment.site is None else [model_named(assessment)]
    return AnswerView(
        title=title(assessment),
        patient=describe(assessment.factors),
        head=Row("outcome", "this patient (95 %)", f"study (n = {n})", "elsewhere"),
        rows=rows,
        paragraphs=tuple(_paragraphs(assessment, evidence, notes, model)),
        footer=(
            PURPOSE,
            f"{model_named(assessment)} · evidence {evidence.version} · receipt #{receipt}",
        ),
        summary="; ".join([*(f"{row.outcome}: {row.patient}" for row in rows[:3]), *own, f"receipt #{receipt}"]),
    )


def title(assessment: Assessment) -> str:
    """What an answer is about; before all, where the model comes from simulated patients, that it does."""
    return own_patients.marked(TITLE, assessment.site)


def model_named(assessment: Assessment) -> str:
    """The model that answered, for the small print."""
    return f"model {own_patients.named(assessment.model.id, assessment.site)}"


def _row(assessment: Assessment, outcome: Outcome, evidence: Evidence) -> Row:
    count = assessment.observed_of(outcome)
    beside = elsewhere(outcome, evidence)
    if outcome in (Outcome.CRS_GRADE3PLUS, Outcome.ICANS_GRADE3PLUS):
        return Row(LABELS[outcome], "no estimate", figures.count_and_interval(count), beside)
    risk = assessment.risk_of(outcome)
    return Row(LABELS[outcome], figures.risk_estimate(risk), figures.count_and_rate(count), beside)


def _paragraphs(
    assessment: Assessment, evidence: Evidence, notes: tuple[str, ...], model: Model
) -> Iterator[Paragraph]:
    if assessment.site is not None:
        yield Paragraph(own_patients.heading(assessment.site), own_patients.told(assessment.site))
    yield Paragraph("Time window", _window(assessment))
    yield Paragraph("Study predictors present", _predictors(assessment, evidence))
    if assessment.assumptions or notes:
        yield Paragraph(ASSUMED, " ".join((*(_sentence(note) for note in notes), *assessment.assumptions)))
    yield Paragraph("Prophylactic tocilizumab", _tocilizumab(assessment, evidence))
    yield Paragraph("Why so wide", _why_wide(assessment, model))
    yield Paragraph("Evidence", _evidence(evidence))


def _window(assessment: Assessment) -> str:
    site = assessment.site
    return WINDOW if site is None else SITE_WINDOW.format(whose=own_patients.whose(site))


def _sentence(note: str) -> str:
    return f"{note[0].upper()}{note[1:].removesuffix('.')}."


def _predictors(assessment: Assessment, evidence: Evidence) -> str:
    factors = assessment.factors
    elevated = _elevated(factors)
    crs = [
        name
        for name, present in (
            ("LDH above its limit", elevated is True),
            ("liver metastases", factors.liver_metastases is Presence.YES),
        )
        if present
    ]
    icans = [
        name
        for name, presence in (("diabetes", factors.diabetes), ("CVD", factors.cardiovascular_disease))
        if presence is Presence.YES
    ]
    parts = []
    if crs:
        parts.append(f"{' and '.join(crs)} (CRS)")
    if icans:
        events = assessment.observed_of(Outcome.ICANS_ANY).events
        parts.append(f"{' and '.join(icans)} (ICANS: one study, {events} events, not replicated)")
    unknown = [name for name, presence in presences(factors) if presence is Presence.UNKNOWN]
    if elevated is None:
        unknown.insert(0, "LDH")
    text = "; ".join(parts) if parts else "none among those known"
    if unknown:
        text += f"; not known: {', '.join(unknown)}"
    guo = evidence.association("rf.guo.ldh.icans")
    return (
        f"{text}. Against the ICANS link: another cohort (Guo 2026, n = {guo.n}) links ICANS to LDH, ECOG and number "
        "of metastatic sites; comorbidity was no input. For the CRS link: two other cohorts also link liver metastases "
        "to CRS, one of them LDH as well."
    )


def _elevated(factors: PatientFactors) -> bool | None:
    if factors.ldh is None:
        return None
    if isinstance(factors.ldh, LdhCategory):
        return factors.ldh.category == "high"
    return factors.ldh.ratio > 1.0


def _tocilizumab(assessment: Assessment, evidence: Evidence) -> str:
    parts = []
    for name, outcome, fact_id in (
        ("CRS", Outcome.CRS_ANY, comparators.TOCILIZUMAB_CRS),
        ("ICANS", Outcome.ICANS_ANY, comparators.TOCILIZUMAB_ICANS),
    ):
        treated, untreated = evidence.fact(fact_id), assessment.observed_of(outcome)
        if treated.count is None or treated.denominator is None or untreated.events is None:
            raise ValueError(f"{fact_id} and the study's own count of {outcome} are needed")
        p = fisher_exact(
            treated.count,
            treated.denominator - treated.count,
            untreated.events,
            untreated.n - untreated.events,
        )
        verdict = ", compatible with chance" if p > 0.05 else ""
        parts.append(
            f"{name} {figures.fact_count_and_interval(treated)} v {untreated.events}/{untreated.n} "
            f"(our Fisher test p = {p:.2g}{verdict})"
        )
    return (
        "; ".join(parts)
        + ". Not randomised, ten patients, how they were chosen is not stated, off label. The authors: "
        "it may lessen toxicity in high-risk patients and should be considered for protocols. There is no model for it "
        "here."
    )


def _why_wide(assessment: Assessment, model: Model) -> str:
    crs, icans = (figures.risk_ranges(assessment.risk_of(outcome)) for outcome in EXPLAINED)
    n = assessment.observed[0].n
    if assessment.site is None:
        rests_on = f"{n} patients, one centre, odds ratios not seen, never validated elsewhere."
        severity = "and at another centre its interval is rather too narrow"
    else:
        whose = own_patients.whose(assessment.site)
        rests_on = f"{n} patients of the study, odds ratios not seen, and {whose}; never validated on others."
        severity = "and that centres differ in severity is not in the model: its interval is rather too narrow"
    text = (
        f"{rests_on} With effects assumed smaller or larger CRS of any grade is {crs[0]}, ICANS {icans[0]}. "
        f"For CRS grade ≥ 2 the study's rate was not seen, {severity}."
    )
    sources = interval_sources(assessment.factors, model)
    shares = {split.outcome: _shares(split, new=assessment.site is None) for split in sources}
    return (
        f"{text} What makes CRS of any grade uncertain: {shares[Outcome.CRS_ANY]} (at the study's own centre "
        f"the interval is {crs[1]}). ICANS: {shares[Outcome.ICANS_ANY]} ({icans[1]})."
    )


def _shares(split: IntervalSources, *, new: bool) -> str:
    """``67 % the study's size, 33 % the unknown centre``.

    Where findings are not known, what is open is which they are and what they do, and the two are one: without
    the findings a larger study would help little.
    """
    effects = "the study's size" if new else "how few patients there are"
    shares = {effects: split.study, "the unknown centre" if new else "this centre's level": split.centre}
    if split.findings > 0.0:
        shares = {"findings not known and what they do": split.study + split.findings, **shares}
        del shares[effects]
    shown = figures.whole_shares(list(shares.values()))
    return ", ".join(f"{share} {name}" for share, name in zip(shown, shares, strict=True))


def _evidence(evidence: Evidence) -> str:
    study, european, american = (
        evidence.source(name) for name in ("joshi2025_hmp", "smpc_imdylltra_eu_2026", "uspi_imdelltra_2025_11")
    )
    seen = "read in a news summary, the paper itself not seen" if study.seen == "secondary_report" else "read"
    return (
        f"Study (inc.joshi): Joshi et al., Clin Lung Cancer 2025, n = {study.n}, {seen}. "
        f"Trials: EU product information {european.date} (inc.eu473), "
        f"US label {american.date} (inc.label473). Real world: inc.wclc25, inc.multi102, inc.guo."
    )
