"""The engine's answer as data: what ``assess`` returns and what the ledger keeps."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from knowledge.factors import PatientFactors
from knowledge.frozen import FrozenModel
from knowledge.site_origin import SiteOrigin

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Interval = tuple[Fraction, Fraction]


class Outcome(StrEnum):
    """Outcomes Tarla speaks of. The two of grade 3 or higher get counts, never an estimate."""

    CRS_ANY = "crs_any"
    CRS_GRADE2PLUS = "crs_grade2plus"
    ICANS_ANY = "icans_any"
    CRS_GRADE3PLUS = "crs_grade3plus"
    ICANS_GRADE3PLUS = "icans_grade3plus"


class OutcomeRisk(FrozenModel):
    """Risk of one outcome for one patient; every figure a fraction of 1.

    ``risk`` and ``interval`` (95 %) are for a centre not in the evidence, by a site model for that site;
    ``risk_study_centre`` and its interval for the founding study's own centre.
    ``risk_by_prior`` is the risk under the narrowest and the widest prior.
    """

    outcome: Outcome
    risk: Fraction
    interval: Interval
    risk_study_centre: Fraction
    interval_study_centre: Interval
    risk_by_prior: Interval


class ObservedCount(FrozenModel):
    """Events among ``n`` patients of the founding study with the exact 95 % interval.

    ``events`` and ``interval`` are None where the study reports none.
    """

    outcome: Outcome
    events: int | None
    n: int
    interval: Interval | None


class ModelVersion(FrozenModel):
    """Which model answered: its name and the SHA-256 of its file."""

    id: str
    sha256: str


class Assessment(FrozenModel):
    """Everything the engine says of one patient, and on what it rests.

    ``site`` says whose patients updated the model; None where it is the shipped one.
    """

    factors: PatientFactors
    outcomes: tuple[OutcomeRisk, ...]
    observed: tuple[ObservedCount, ...]
    assumptions: tuple[str, ...]
    evidence: tuple[str, ...]
    model: ModelVersion
    site: SiteOrigin | None = None

    @model_serializer(mode="wrap")
    def _without_no_site(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        """As JSON it names a site only where there is one."""
        fields: dict[str, object] = handler(self)
        if self.site is None:
            fields.pop("site", None)
        return fields

    def risk_of(self, outcome: Outcome) -> OutcomeRisk:
        """The estimate for one outcome.

        Raises:
            KeyError: the outcome has no patient estimate.
        """
        for estimate in self.outcomes:
            if estimate.outcome is outcome:
                return estimate
        raise KeyError(outcome)

    def observed_of(self, outcome: Outcome) -> ObservedCount:
        """What the founding study saw of one outcome."""
        for count in self.observed:
            if count.outcome is outcome:
                return count
        raise KeyError(outcome)
