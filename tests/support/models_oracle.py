"""What R found of the cohort report's regressions (tests/oracle/models.R), and its patients as rows."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from knowledge.assessment import Outcome
from knowledge.cohort.record import CohortRow
from knowledge.cohort.report.predictors import Predictor
from knowledge.cohort.report.specification import Specification
from knowledge.factors import LdhMultiple, Presence

FILE = Path(__file__).parents[1] / "data" / "oracle" / "models.json"


@cache
def oracle() -> dict[str, Any]:
    """Everything in the file."""
    found: dict[str, Any] = json.loads(FILE.read_text())
    return found


@cache
def rows_of(name: str) -> tuple[CohortRow, ...]:
    """The patients of ``cohort`` or ``large``, all without prophylaxis."""
    return tuple(
        CohortRow(
            age=None if each["age"] is None else int(each["age"]),
            ldh=None if each["ratio"] is None else LdhMultiple(multiple=each["ratio"]),
            liver_metastases=_presence(each["liver"]),
            diabetes=_presence(each["diabetes"]),
            cardiovascular_disease=_presence(each["cvd"]),
            tocilizumab_prophylaxis=Presence.NO,
            crs_grade_dose1=each["crs"],
            icans_grade=each["icans"],
            simulated=True,
        )
        for each in oracle()[name]
    )


def specification_of(outcome: str, predictors: list[str]) -> Specification:
    """The model of that outcome and those predictors."""
    chosen = tuple(Predictor(each) for each in predictors)
    return Specification(outcome=Outcome(outcome), predictors=chosen, standing="exploratory")


def _presence(value: int | None) -> Presence:
    return Presence.UNKNOWN if value is None else Presence.YES if value else Presence.NO
