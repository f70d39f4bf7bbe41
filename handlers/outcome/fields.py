"""The fields of an outcome's form by the names Slack sends back, and what may be chosen in them."""

from __future__ import annotations

from collections.abc import Mapping

from handlers.outcome.record import FIRST_DAY, LAST_DAY, WORST_GRADE
from knowledge.factors import Presence

# The same name for a field's block and for the element in it.
CRS, ICANS, PROPHYLAXIS, DAY = "outcome_crs", "outcome_icans", "outcome_prophylaxis", "outcome_day"
UNKNOWN = "unknown"

GRADES: Mapping[str, int | None] = {
    **{str(grade): grade for grade in range(WORST_GRADE + 1)},
    UNKNOWN: None,
}
GRADE_CHOICES: Mapping[str, str] = {
    "0": "none",
    **{str(grade): f"grade {grade}" for grade in range(1, WORST_GRADE)},
    str(WORST_GRADE): f"grade {WORST_GRADE} (death)",
    UNKNOWN: "not known",
}
PROPHYLAXIS_CHOICES: Mapping[str, str] = {
    Presence.YES.value: "yes",
    Presence.NO.value: "no",
    Presence.UNKNOWN.value: "not known",
}
DAYS = range(FIRST_DAY, LAST_DAY + 1)
DAY_CHOICES: Mapping[str, str] = {str(day): f"day {day}" for day in DAYS}
CHOICES: Mapping[str, Mapping[str, str]] = {
    CRS: GRADE_CHOICES,
    ICANS: GRADE_CHOICES,
    PROPHYLAXIS: PROPHYLAXIS_CHOICES,
    DAY: DAY_CHOICES,
}
