"""Which patients are set side by side: each differs from the one answered in a single finding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.factors import LdhCategory, PatientFactors, Presence

AS_ANSWERED = "as answered"
_HIGH, _NORMAL = LdhCategory(category="high"), LdhCategory(category="normal")
_PRESENCES = (("liver_metastases", "liver mets"), ("diabetes", "diabetes"), ("cardiovascular_disease", "CVD"))


@dataclass(frozen=True, slots=True)
class Variant:
    """One patient of a comparison; ``change`` says in closed vocabulary in what it differs."""

    change: str
    factors: PatientFactors


def variants(factors: PatientFactors) -> tuple[Variant, ...]:
    """The patient answered first, then each unknown finding both ways and each known one the other way.

    An LDH above its upper limit is set beside one known only not to be above it, and the other way round: no other
    figure is made up.
    """
    return (Variant(AS_ANSWERED, factors), *_changes(factors))


def _changes(factors: PatientFactors) -> Iterator[Variant]:
    above = _above(factors)
    for category in (_HIGH, _NORMAL):
        if above is None or above != (category is _HIGH):
            yield Variant(f"LDH {category.category}", factors.model_copy(update={"ldh": category}))
    for field, name in _PRESENCES:
        known = getattr(factors, field)
        for presence in (Presence.YES, Presence.NO):
            if presence is not known:
                yield Variant(f"{name} {presence.value}", factors.model_copy(update={field: presence}))


def _above(factors: PatientFactors) -> bool | None:
    """Whether the LDH is above its upper limit, None where that is not known."""
    if isinstance(factors.ldh, LdhCategory):
        return factors.ldh.category == "high"
    ratio = factors.ldh_ratio
    return None if ratio is None else ratio > 1.0
