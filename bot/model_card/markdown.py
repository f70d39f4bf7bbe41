"""The card as Markdown, for a referee and for a hospital's governance officer."""

from __future__ import annotations

from collections import Counter

from bot.model_card.building import build_section, size_section
from bot.model_card.results import performance_section, sensitivity_section
from bot.model_card.tables import bullets, ids, paragraphs, percent, span, table
from knowledge.card.records import Absence, CitedSource, Cohort, ModelCard, Reference

GENERATED = (
    "<!-- Made by `tarla model card --out docs/model-card.md`. Do not edit: change the data, and make it again. -->"
)


def markdown(card: ModelCard) -> str:
    """The whole card; ends with a line end."""
    parts = [
        f"# Model card: Tarla {card.identity.model}",
        GENERATED,
        "## In short",
        paragraphs(card.summary),
        *_identity(card),
        *_use(card),
        *_data(card),
        *_assumptions(card),
        *build_section(card.build, card.notes),
        *size_section(card.sample_size, card.notes),
        *performance_section(card.performance, card.notes),
        *sensitivity_section(card.sensitivity, card.notes),
        "## Risks and limits",
        bullets(card.risks),
        "## Fairness",
        bullets(card.fairness),
        "## Maintenance and updates",
        bullets(card.maintenance),
        *_trust(card),
        *_attributes(card),
        *_checklist(card),
        "## References",
        bullets(_reference(each) for each in _references(card)),
    ]
    return "\n\n".join(parts) + "\n"


def _identity(card: ModelCard) -> list[str]:
    identity = card.identity
    rows = [
        ("Model", f"`{identity.model}`"),
        ("SHA-256 of its file", f"`{identity.sha256}`"),
        ("SHA-256 of its facts", f"`{identity.facts_sha256}` ({len(identity.facts)} entries of the evidence)"),
        ("Seed", str(identity.seed)),
        ("Evidence looked through", identity.evidence),
        ("Program", identity.program),
        ("Stage", card.release.stage),
        ("Release date", card.release.date),
        ("Availability", card.release.availability),
        ("Connection to health records", card.release.ehr_compatibility),
        ("Regulatory approval", card.release.regulatory_approval),
    ]
    return ["## Identity", table(("", ""), rows)]


def _use(card: ModelCard) -> list[str]:
    return ["## Use", "### Intended", bullets(card.use.intended), "### Not for", bullets(card.use.excluded)]


def _data(card: ModelCard) -> list[str]:
    data = card.data
    return [
        "## Data",
        "No patient's data were used: only published figures, each an entry of the evidence with its source.",
        "### The founding study",
        f"{data.study} Setting: {data.study_period}.",
        table(("Published", "Figure", "Evidence"), ((f.what, f.value, ids([f.fact])) for f in data.published)),
        "Looked for, and no figure found:",
        bullets(_absence(each) for each in data.not_published),
        "### Cohorts behind the centre term",
        "They say how often any CRS or ICANS occurs elsewhere, and so how much the study's centre may differ. "
        f"{data.cohorts_excluded} other published figures on CRS and ICANS were considered and not used, each for a "
        "reason: [centre.md](centre.md) lists them all, with forest plots.",
        table(
            ("Outcome", ">Events", "95 % interval", "Setting and window", "Evidence", "Count worked out"),
            (_cohort(each) for each in data.cohorts),
        ),
        "### Sources",
        "Every source the model rests on, and what of it was read.",
        table(("Source", "Read"), ((_source(each), each.read) for each in data.sources)),
    ]


def _absence(absence: Absence) -> str:
    return f"{absence.text.rstrip('.')} ({ids(absence.facts)})."


def _cohort(cohort: Cohort) -> tuple[str, ...]:
    return (
        cohort.outcome,
        f"{cohort.events}/{cohort.n} = {percent(cohort.events / cohort.n)}",
        span(cohort.interval),
        f"{cohort.setting}; {cohort.window}",
        ids([cohort.fact]),
        cohort.worked_out or "as printed",
    )


def _source(source: CitedSource) -> str:
    return f"{source.citation} `{source.id}`"


def _assumptions(card: ModelCard) -> list[str]:
    assumed = card.assumptions
    return [
        "## Assumptions",
        "The facts it is conditioned on:",
        bullets(f"{each.text} ({ids(each.facts)})." for each in assumed.conditions),
        "What is taken for granted:",
        bullets((*assumed.structure, *(each.text for each in assumed.choices))),
        "What is assumed before the facts. N takes mean and sd, U its limits; ranges in words are 95 %.",
        table(
            ("Quantity", "Prior", "In other words", "Why", "Evidence"),
            ((p.quantity, p.prior, p.meaning, p.reason, ids(p.facts) or "none") for p in assumed.priors),
        ),
    ]


def _trust(card: ModelCard) -> list[str]:
    names = {
        "model_type": "Kind of model",
        "foundation_models": "Foundation models",
        "input_data_source": "Where inputs come from",
        "data_types": "Inputs and outputs",
        "security": "Security",
        "clinical_risk_level": "Clinical risk level",
        "stakeholders_consulted": "Stakeholders consulted",
        "third_parties": "Third parties",
        "clinical_trial": "Clinical trial",
        "peer_reviewed_publications": "Peer-reviewed publications",
        "reimbursement": "Reimbursement",
        "consent": "Patients' consent or information",
    }
    rows = [(names[name], value) for name, value in card.trust]
    return ["## System and surroundings", table(("", ""), rows)]


def _attributes(card: ModelCard) -> list[str]:
    listed = card.source_attributes
    counts = Counter(each.status for each in listed.attributes)
    rows = [(str(each.number), each.group, each.label, each.status, each.text) for each in listed.attributes]
    return [
        "## Source attributes",
        f"{listed.source.citation} {listed.source.read}",
        listed.source.note or "",
        f"Stated: {counts['stated']} (the text says what is the case, be it that there is none). "
        f"Unknown: {counts['unknown']}. Not applicable: {counts['not applicable']}.",
        table(("", "Group", "Attribute", "Status", "What can be said"), rows),
    ]


def _checklist(card: ModelCard) -> list[str]:
    listed = card.tripod_ai
    counts = Counter(each.status for each in listed.items)
    rows = [
        (
            each.id,
            each.section,
            each.label,
            each.status,
            "; ".join(_place(place) for place in each.places),
            each.text or "",
        )
        for each in listed.items
    ]
    return [
        "## TRIPOD+AI checklist",
        f"{listed.source.citation} {listed.source.read}",
        listed.source.note or "",
        f"Answered: {counts['answered']}. Partly: {counts['partly']}. Not answered: {counts['not answered']}. "
        f"Not applicable: {counts['not applicable']}.",
        table(("", "Section", "Item", "Status", "Where", "Remark"), rows),
    ]


def _place(place: str) -> str:
    file, _, heading = place.partition("#")
    if file == "docs/model-card.md":
        return f"*{heading}*, above"
    return f"`{file}`, *{heading}*" if heading else f"`{file}`"


def _references(card: ModelCard) -> tuple[Reference, ...]:
    return (card.tripod_ai.source, card.source_attributes.source, *card.references)


def _reference(reference: Reference) -> str:
    doi = f" doi {reference.doi}." if reference.doi else ""
    return f"{reference.citation}{doi} {reference.read}"
