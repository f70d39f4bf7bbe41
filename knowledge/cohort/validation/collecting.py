"""A cohort, one row at a time, into what a validation needs: outcomes by what is known of the patient."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from knowledge.assessment import Outcome
from knowledge.cohort.record import CohortRow
from knowledge.factors import Ldh, LdhCategory, LdhMultiple, Presence

OUTCOMES = (Outcome.CRS_ANY, Outcome.CRS_GRADE2PLUS, Outcome.ICANS_ANY)
# What the engine needs to know for each.
FINDINGS = {
    Outcome.CRS_ANY: ("ldh", "liver_metastases"),
    Outcome.CRS_GRADE2PLUS: ("ldh", "liver_metastases"),
    Outcome.ICANS_ANY: ("diabetes", "cardiovascular_disease"),
}
# Told of progress once in so many rows.
STRIDE = 500

# What is done, how much of it, of how much (None: not known yet).
Progress = Callable[[str, int, int | None], None]
# LDH as a multiple of its limit, as "high" or "normal", or not known; and liver metastases.
CrsKey = tuple[float | str | None, Presence]
# Diabetes and CVD.
IcansKey = tuple[Presence, Presence]


@dataclass
class Collected:
    """Counts of one cohort. ``events`` and ``others``: patients by outcome and by what is known of them."""

    read: int = 0
    included: int = 0
    prophylaxis_given: int = 0
    prophylaxis_unknown: int = 0
    simulated: bool = False
    # Of those included, the same as an earlier one in every column: told by hashes, since no row is kept.
    repeated: int = 0
    seen: set[int] = field(default_factory=set)
    outcome_unknown: Counter[Outcome] = field(default_factory=Counter)
    # Patients whose outcome is known but a finding is not, by outcome and finding; "any": at least one.
    finding_unknown: dict[Outcome, Counter[str]] = field(default_factory=lambda: {each: Counter() for each in OUTCOMES})
    events: dict[Outcome, Counter[Any]] = field(default_factory=lambda: {each: Counter() for each in OUTCOMES})
    others: dict[Outcome, Counter[Any]] = field(default_factory=lambda: {each: Counter() for each in OUTCOMES})


def collect(rows: Iterable[CohortRow], progress: Progress | None = None) -> Collected:
    """Read the rows once, keeping counts alone: memory grows with the different patients, not with the rows."""
    found = Collected()
    for row in rows:
        found.read += 1
        _add(found, row)
        if progress and found.read % STRIDE == 0:
            progress("patients read", found.read, None)
    if progress:
        progress("patients read", found.read, found.read)
    return found


def ldh_of(known: float | str | None) -> Ldh | None:
    """An LDH that the engine takes for the same as the patient's."""
    if known is None:
        return None
    if isinstance(known, float):
        return LdhMultiple(multiple=known)
    return LdhCategory(category="high" if known == "high" else "normal")


def _add(found: Collected, row: CohortRow) -> None:
    found.simulated = found.simulated or row.simulated
    if row.tocilizumab_prophylaxis is Presence.YES:
        found.prophylaxis_given += 1
        return
    if row.tocilizumab_prophylaxis is Presence.UNKNOWN:
        found.prophylaxis_unknown += 1
        return
    found.included += 1
    mark = hash(row)
    found.repeated += mark in found.seen
    found.seen.add(mark)
    crs: CrsKey = (_ldh_key(row.ldh), row.liver_metastases)
    icans: IcansKey = (row.diabetes, row.cardiovascular_disease)
    for outcome in OUTCOMES:
        had = row.had(outcome)
        if had is None:
            found.outcome_unknown[outcome] += 1
            continue
        key = icans if outcome is Outcome.ICANS_ANY else crs
        (found.events if had else found.others)[outcome][key] += 1
        lacking = [name for name, value in zip(FINDINGS[outcome], key, strict=True) if _unknown(value)]
        if lacking:
            found.finding_unknown[outcome].update([*lacking, "any"])


def _ldh_key(ldh: Ldh | None) -> float | str | None:
    if ldh is None:
        return None
    return ldh.category if isinstance(ldh, LdhCategory) else float(ldh.ratio)


def _unknown(value: float | str | Presence | None) -> bool:
    return value is None or value is Presence.UNKNOWN
