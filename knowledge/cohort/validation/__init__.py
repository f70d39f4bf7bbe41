"""Tarla's estimates against what happened in a centre's own patients."""

from __future__ import annotations

from knowledge.cohort.validation.results import OutcomeValidation, Validation
from knowledge.cohort.validation.run import DEFAULT_SEED, validate

__all__ = ["DEFAULT_SEED", "OutcomeValidation", "Validation", "validate"]
