"""One patient of a centre's own cohort, as the study's columns have it. No identity: a row is its number, no more."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from knowledge.assessment import Outcome
from knowledge.factors import Ldh, PatientFactors, Presence
from knowledge.frozen import FrozenModel

# CTCAE and ASTCT grades: 0 none, 5 death.
Grade = Annotated[int, Field(ge=0, le=5)]
Hours = Annotated[float, Field(ge=0.0, le=2_000.0)]
# Days since the cohort's first patient was first dosed: order and spacing of patients without a date.
DayOffset = Annotated[int, Field(ge=0, le=20_000)]
# An age over 89 identifies a person (HIPAA Safe Harbor), so 90 stands for 90 or more.
AGE_MIN, AGE_TOP = 18, 90


class Sex(StrEnum):
    """Sex as recorded."""

    FEMALE = "female"
    MALE = "male"


class Histology(StrEnum):
    """Tumour type, as the founding study tells them apart."""

    SCLC = "sclc"
    HIGH_GRADE_NEC = "high_grade_nec"
    OTHER = "other"


class Treatment(StrEnum):
    """What was given for CRS or ICANS."""

    TOCILIZUMAB = "tocilizumab"
    CORTICOSTEROID = "corticosteroid"
    ANAKINRA = "anakinra"
    VASOPRESSOR = "vasopressor"
    OXYGEN = "oxygen"
    OTHER = "other"


class Death(StrEnum):
    """Whether the patient died, and of what."""

    NONE = "none"
    TREATMENT_RELATED = "treatment_related"
    OTHER = "other"


class CohortRow(FrozenModel):
    """One patient; None and ``unknown`` mean not known.

    ``dose_day`` is the day of the first dose, counted from the cohort's first patient (day 0). ``crs_grade_dose1`` to
    ``3`` are the worst grades after that dose and before the next; hours count from the start of the first
    infusion, a duration from onset to resolution. ``icans_grade`` is the worst after cycle 1 day 1.
    ``follow_up_days`` is how long after the first dose the patient was looked at.

    Raises:
        pydantic.ValidationError: a value is out of range, or two contradict each other.
    """

    dose_day: DayOffset | None = None
    age: Annotated[int, Field(ge=AGE_MIN, le=AGE_TOP)] | None = None
    sex: Sex | None = None
    histology: Histology | None = None
    ecog: Annotated[int, Field(ge=0, le=4)] | None = None
    prior_lines: Annotated[int, Field(ge=0, le=20)] | None = None
    ldh: Ldh | None = None
    liver_metastases: Presence = Presence.UNKNOWN
    diabetes: Presence = Presence.UNKNOWN
    cardiovascular_disease: Presence = Presence.UNKNOWN
    brain_metastases: Presence = Presence.UNKNOWN
    tocilizumab_prophylaxis: Presence = Presence.UNKNOWN
    crs_grade_dose1: Grade | None = None
    crs_grade_dose2: Grade | None = None
    crs_grade_dose3: Grade | None = None
    crs_onset_hours: Hours | None = None
    crs_duration_hours: Hours | None = None
    crs_treatment: tuple[Treatment, ...] | None = None
    icans_grade: Grade | None = None
    icans_onset_hours: Hours | None = None
    icans_duration_hours: Hours | None = None
    icans_treatment: tuple[Treatment, ...] | None = None
    discontinued: Presence = Presence.UNKNOWN
    death: Death | None = None
    follow_up_days: Annotated[int, Field(ge=0, le=5_000)] | None = None
    simulated: bool = False

    @property
    def factors(self) -> PatientFactors:
        """What the engine is told of this patient."""
        return PatientFactors(
            ldh=self.ldh,
            liver_metastases=self.liver_metastases,
            diabetes=self.diabetes,
            cardiovascular_disease=self.cardiovascular_disease,
        )

    def had(self, outcome: Outcome) -> bool | None:
        """Whether the patient had the outcome after the first dose; None where that is not known."""
        is_crs = outcome in (Outcome.CRS_ANY, Outcome.CRS_GRADE2PLUS, Outcome.CRS_GRADE3PLUS)
        grade = self.crs_grade_dose1 if is_crs else self.icans_grade
        return None if grade is None else grade >= LEAST_GRADE[outcome]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> CohortRow:
        for field, expected in contradictions(self):
            raise ValueError(f"{field}: {expected}")
        return self


def contradictions(row: CohortRow) -> Iterator[tuple[str, str]]:
    """Fields that the rest of the row speaks against, each with what is expected there instead."""
    crs = (row.crs_grade_dose1, row.crs_grade_dose2, row.crs_grade_dose3)
    for what, first, grades in (("crs", "crs_grade_dose1", crs), ("icans", "icans_grade", (row.icans_grade,))):
        for hours in (f"{what}_onset_hours", f"{what}_duration_hours"):
            if not grades[0] and getattr(row, hours) is not None:
                yield hours, f"no hours, for {first} says none or is not known; or the grade there"
        if not any(grades) and getattr(row, f"{what}_treatment"):
            yield f"{what}_treatment", f"none, or not known, for {first} says none or is not known; or the grade there"
    if row.death in (Death.NONE, Death.OTHER) and 5 in (*crs, row.icans_grade):
        yield "death", "treatment_related, for grade 5 is death of that toxicity"


LEAST_GRADE = {
    Outcome.CRS_ANY: 1,
    Outcome.CRS_GRADE2PLUS: 2,
    Outcome.CRS_GRADE3PLUS: 3,
    Outcome.ICANS_ANY: 1,
    Outcome.ICANS_GRADE3PLUS: 3,
}
