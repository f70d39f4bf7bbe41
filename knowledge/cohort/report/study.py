"""The whole report as one record: what the page shows is made of it and of nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from knowledge.assessment import ModelVersion
from knowledge.cohort.record import CohortRow
from knowledge.cohort.report.baseline import Baseline, baseline
from knowledge.cohort.report.comparison import Comparison, comparisons
from knowledge.cohort.report.course import Course, Fate, courses, fate
from knowledge.cohort.report.definitions import DEFINITIONS, METHODS, MODEL_METHODS
from knowledge.cohort.report.flow import Flow, flow
from knowledge.cohort.report.founding import Founding, founding
from knowledge.cohort.report.missing import Missing, missing
from knowledge.cohort.report.model_parts import ModelParts
from knowledge.cohort.report.strobe import Known, StrobeItem, strobe
from knowledge.cohort.report.toxicity import Toxicity, toxicities
from knowledge.evidence import Evidence
from knowledge.frozen import FrozenModel

SIMULATED = "Simulated patients: no such people exist, and nothing here may guide treatment."
PARTLY_SIMULATED = "Some of these patients are simulated: no such people exist, and nothing here may guide treatment."


class Provenance(FrozenModel):
    """What the report was made from. ``made_on`` is a day (ISO 8601) only where one was given."""

    cohort_sha256: str
    patients: int
    simulated_patients: int
    program: str
    model: ModelVersion
    evidence: str
    seed: int
    made_on: str | None


class StudyReport(FrozenModel):
    """``report.json``: shares and differences are fractions of 1, what is not known is null.

    ``models`` is null where the tables alone were asked for. ``notice`` stands exactly where patients are simulated,
    and heads every page made of this.
    """

    format: Literal["tarla-study-report/1"] = "tarla-study-report/1"
    simulated: bool
    notice: str | None
    provenance: Provenance
    flow: Flow
    toxicity: tuple[Toxicity, ...]
    comparison: tuple[Comparison, ...]
    baseline: Baseline
    course: tuple[Course, ...]
    fate: Fate
    models: ModelParts | None
    missing: Missing
    founding: Founding
    strobe: tuple[StrobeItem, ...]
    definitions: dict[str, str]
    methods: dict[str, str]


def study_report(
    rows: Sequence[CohortRow],
    *,
    cohort_sha256: str,
    program: str,
    model: ModelVersion,
    evidence: Evidence,
    seed: int,
    models: ModelParts | None = None,
    made_on: str | None = None,
) -> StudyReport:
    """Everything that is said of a cohort, in one record; the same input gives the same record.

    ``models`` are the regressions of the same rows with the same seed (``model_parts``), or None for the tables alone.
    """
    imagined = sum(row.simulated for row in rows)
    patients = flow(rows)
    return StudyReport(
        simulated=imagined > 0,
        notice=None if not imagined else SIMULATED if imagined == len(rows) else PARTLY_SIMULATED,
        provenance=Provenance(
            cohort_sha256=cohort_sha256,
            patients=len(rows),
            simulated_patients=imagined,
            program=program,
            model=model,
            evidence=evidence.version,
            seed=seed,
            made_on=made_on,
        ),
        flow=patients,
        toxicity=toxicities(rows),
        comparison=comparisons(rows),
        baseline=baseline(rows),
        course=courses(rows),
        fate=fate(rows),
        models=models,
        missing=missing(rows),
        founding=founding(evidence),
        strobe=strobe(
            Known(
                patients=len(rows),
                simulated=imagined > 0,
                follow_up_known=patients.follow_up_days.everyone.known,
                models=models is not None,
                imputed=models is not None and any(each.effects for each in models.imputation),
            )
        ),
        definitions=DEFINITIONS,
        methods=METHODS if models is None else METHODS | MODEL_METHODS,
    )
