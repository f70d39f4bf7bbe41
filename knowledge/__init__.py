"""Tarla's shared risk engine, usable alone: ``from knowledge import assess, PatientFactors``."""

from knowledge.assessment import Assessment, Outcome
from knowledge.engine import assess
from knowledge.factors import (
    LdhCategory,
    LdhMeasured,
    LdhMultiple,
    LdhUnit,
    PatientFactors,
    Presence,
    UpperLimit,
)
from knowledge.model import ModelError

__all__ = [
    "Assessment",
    "LdhCategory",
    "LdhMeasured",
    "LdhMultiple",
    "LdhUnit",
    "ModelError",
    "Outcome",
    "PatientFactors",
    "Presence",
    "UpperLimit",
    "assess",
]
