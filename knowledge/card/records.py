"""The shape of the model card. Every figure in it is taken from the model, the evidence or the study."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from knowledge.card.found import BuildFindings, SampleSize, SensitivityTable, Simulation
from knowledge.card.types import Count, Probability, Text, Texts
from knowledge.frozen import FrozenModel

AttributeStatus = Literal["stated", "unknown", "not applicable"]
ItemStatus = Literal["answered", "partly", "not answered", "not applicable"]


class Reference(FrozenModel):
    """A guideline or method paper, and how much of it was read."""

    citation: Text
    read: Text
    doi: Annotated[str, Field(pattern=r"^10\.[0-9]{4,9}/\S+$")] | None = None
    note: Text | None = None


class Attribute(FrozenModel):
    """One of the 31 source attributes."""

    number: int
    group: Text
    label: Text
    status: AttributeStatus
    text: Text


class Item(FrozenModel):
    """One item of TRIPOD+AI; a place is ``file`` or ``file#heading``."""

    id: Text
    section: Text
    label: Text
    status: ItemStatus
    places: Texts = ()
    text: Text | None = None


class Identity(FrozenModel):
    """Which model, and from what it was built."""

    model: Text
    sha256: Text
    facts_sha256: Text
    facts: Texts
    seed: int
    evidence: Text
    program: Text


class Finding(FrozenModel):
    """A figure of the founding study, or its absence."""

    fact: Text
    what: Text
    value: Text


class Absence(FrozenModel):
    """What was looked for and not found, with the evidence that says so."""

    facts: Texts
    text: Text


class Cohort(FrozenModel):
    """A published cohort behind the centre term."""

    outcome: Literal["CRS, any grade", "ICANS, any grade"]
    fact: Text
    events: Count
    n: Annotated[int, Field(ge=1)]
    interval: tuple[Probability, Probability]
    setting: Text
    window: Text
    source: Text
    worked_out: Text | None


class CitedSource(FrozenModel):
    """A source of the evidence and what of it was read."""

    id: Text
    citation: Text
    read: Text
    doi: Text | None
    pmid: Text | None
    url: Text | None


class Data(FrozenModel):
    """What the model rests on."""

    study: Text
    study_period: Text
    published: tuple[Finding, ...]
    not_published: tuple[Absence, ...]
    cohorts: tuple[Cohort, ...]
    cohorts_excluded: Count
    sources: tuple[CitedSource, ...]


class Prior(FrozenModel):
    """One prior of the specification: as the statistician writes it, and in plain words."""

    field: Text
    quantity: Text
    prior: Text
    meaning: Text
    reason: Text
    facts: Texts


class Condition(FrozenModel):
    """What a simulated cohort must show to be kept."""

    text: Text
    facts: Texts


class Choice(FrozenModel):
    """A choice that is no prior: one field of the specification and what its value means."""

    field: Text
    text: Text


class Assumptions(FrozenModel):
    """All that the model takes for granted."""

    structure: Texts
    choices: tuple[Choice, ...]
    priors: tuple[Prior, ...]
    conditions: tuple[Condition, ...]


class Notes(FrozenModel):
    """How to read the figures from build and simulation."""

    build: Text
    reached: Text
    parameters: Text
    size: Texts
    performance: Texts
    own_prior: Text
    measures: Texts
    wrong_priors: Text
    ranks: Text
    sensitivity: Text


class Use(FrozenModel):
    """Intended and excluded use."""

    intended: Texts
    excluded: Texts


class Release(FrozenModel):
    """CHAI fields on the release."""

    stage: Text
    date: Text
    availability: Text
    ehr_compatibility: Text
    regulatory_approval: Text


class Trust(FrozenModel):
    """CHAI fields on the system and its surroundings."""

    model_type: Text
    foundation_models: Text
    input_data_source: Text
    data_types: Text
    security: Text
    clinical_risk_level: Text
    stakeholders_consulted: Text
    third_parties: Text
    clinical_trial: Text
    peer_reviewed_publications: Text
    reimbursement: Text
    consent: Text


class Attributes(FrozenModel):
    """The source attributes and where the list comes from."""

    source: Reference
    attributes: tuple[Attribute, ...]


class Checklist(FrozenModel):
    """The TRIPOD+AI items and where the list comes from."""

    source: Reference
    items: tuple[Item, ...]


class ModelCard(FrozenModel):
    """The whole card."""

    schema_version: Literal[1] = 1
    identity: Identity
    summary: Texts
    release: Release
    use: Use
    data: Data
    assumptions: Assumptions
    build: BuildFindings
    sample_size: SampleSize
    performance: Simulation
    sensitivity: SensitivityTable
    notes: Notes
    risks: Texts
    fairness: Texts
    maintenance: Texts
    trust: Trust
    source_attributes: Attributes
    tripod_ai: Checklist
    references: tuple[Reference, ...]
