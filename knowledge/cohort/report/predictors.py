"""Predictors of the cohort study's regressions: what each counts, and one patient's value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import log2

from knowledge.cohort.record import CohortRow, Sex
from knowledge.factors import LdhCategory, Presence


class Predictor(StrEnum):
    """A column of a regression. LDH has two codings, since the founding study does not say which it used."""

    LDH_ELEVATED = "ldh_elevated"
    LDH_DOUBLINGS = "ldh_doublings"
    LIVER = "liver_metastases"
    DIABETES = "diabetes"
    CVD = "cardiovascular_disease"
    AGE = "age"
    SEX = "sex"
    ECOG = "ecog"
    PRIOR_LINES = "prior_lines"
    BRAIN = "brain_metastases"


@dataclass(frozen=True)
class Meaning:
    """``label`` in running text, ``step`` what an odds ratio compares, ``value`` of a patient or None if not known."""

    label: str
    step: str
    value: Callable[[CohortRow], float | None]
    binary: bool


def _present(presence: Presence) -> float | None:
    return None if presence is Presence.UNKNOWN else float(presence is Presence.YES)


def _doublings(row: CohortRow) -> float | None:
    ratio = row.factors.ldh_ratio
    return None if ratio is None else log2(ratio)


def _elevated(row: CohortRow) -> float | None:
    if isinstance(row.ldh, LdhCategory):
        return float(row.ldh.category == "high")
    ratio = row.factors.ldh_ratio
    return None if ratio is None else float(ratio > 1.0)


def _number(value: int | None, divisor: float = 1.0) -> float | None:
    return None if value is None else value / divisor


MEANINGS: dict[Predictor, Meaning] = {
    Predictor.LDH_ELEVATED: Meaning("LDH above its upper limit", "above v not above the upper limit", _elevated, True),
    Predictor.LDH_DOUBLINGS: Meaning("LDH / upper limit", "per doubling", _doublings, False),
    Predictor.LIVER: Meaning("liver metastases", "yes v no", lambda row: _present(row.liver_metastases), True),
    Predictor.DIABETES: Meaning("diabetes", "yes v no", lambda row: _present(row.diabetes), True),
    Predictor.CVD: Meaning(
        "cardiovascular disease", "yes v no", lambda row: _present(row.cardiovascular_disease), True
    ),
    Predictor.AGE: Meaning("age", "per 10 years", lambda row: _number(row.age, 10.0), False),
    Predictor.SEX: Meaning(
        "sex", "male v female", lambda row: None if row.sex is None else float(row.sex is Sex.MALE), True
    ),
    Predictor.ECOG: Meaning(
        "ECOG", "2 or more v 0 or 1", lambda row: None if row.ecog is None else float(row.ecog >= 2), True
    ),
    Predictor.PRIOR_LINES: Meaning("prior lines", "per line", lambda row: _number(row.prior_lines), False),
    Predictor.BRAIN: Meaning("brain metastases", "yes v no", lambda row: _present(row.brain_metastases), True),
}
LDH_CODINGS = (Predictor.LDH_ELEVATED, Predictor.LDH_DOUBLINGS)


def value_of(row: CohortRow, predictor: Predictor) -> float | None:
    """One patient's value; None where it is not known."""
    return MEANINGS[predictor].value(row)
