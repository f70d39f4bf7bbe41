"""One patient's outcome, as the ledger keeps it: grades, prophylaxis and the last day looked at. No identity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from handlers.ports import Json, Kind, PastEvent, Recorded
from handlers.requests import Asker
from knowledge.factors import Presence

PAYLOAD_VERSION = 1
GRADING = "ASTCT 2019"
# ASTCT 2019, and CTCAE, which has the same numbers: 0 none, 5 death.
WORST_GRADE = 5
# Day 1 is the day of the first infusion. An outcome later than this says little of the first dose.
FIRST_DAY, LAST_DAY = 1, 90


@dataclass(frozen=True, slots=True)
class PatientOutcome:
    """What was seen after the first dose; None is not known. ``day`` is the last one looked at, the infusion's being 1.

    Raises:
        ValueError: a grade is not 0 to 5, or the day not 1 to 90.
    """

    crs_grade: int | None
    icans_grade: int | None
    prophylaxis: Presence
    day: int

    def __post_init__(self) -> None:
        for grade in (self.crs_grade, self.icans_grade):
            if grade is not None and not 0 <= grade <= WORST_GRADE:
                raise ValueError("a grade is 0 to 5")
        if not FIRST_DAY <= self.day <= LAST_DAY:
            raise ValueError("a day is 1 to 90")

    @property
    def tells_nothing(self) -> bool:
        """Whether neither grade is known: as a first outcome nothing, later the way to take one back."""
        return self.crs_grade is None and self.icans_grade is None


@dataclass(frozen=True, slots=True)
class Standing:
    """The outcome that stands for an answer; ``outcome`` is None where its payload was pruned."""

    recorded: Recorded
    outcome: PatientOutcome | None
    replaces: int | None = None


def outcome_payload(
    receipt: str, outcome: PatientOutcome, replaces: int | None, asker: Asker, code_version: str
) -> dict[str, Json]:
    """The payload of an ``outcome_recorded`` event; its ``ref`` is the answer, ``replaces`` the outcome before it."""
    return {
        "version": PAYLOAD_VERSION,
        "asker": asker.record(),
        "receipt": receipt,
        "grading": GRADING,
        "crs_grade": outcome.crs_grade,
        "icans_grade": outcome.icans_grade,
        "tocilizumab_prophylaxis": outcome.prophylaxis.value,
        "day": outcome.day,
        "replaces": replaces,
        "code": code_version,
    }


def outcome_from_payload(payload: Mapping[str, Json]) -> PatientOutcome:
    """The outcome that ``outcome_payload`` wrote down.

    Raises:
        KeyError, TypeError, ValueError: it was not written by it.
    """
    return PatientOutcome(
        _grade(payload["crs_grade"]),
        _grade(payload["icans_grade"]),
        Presence(str(payload["tocilizumab_prophylaxis"])),
        _whole(payload["day"]),
    )


def standing_outcome(event: PastEvent) -> Standing:
    """The outcome in an event.

    Raises:
        KeyError, TypeError, ValueError: it is no ``outcome_recorded`` event that this program can read.
    """
    if event.kind != Kind.OUTCOME:
        raise ValueError("the event is no outcome")
    if event.payload is None:
        return Standing(event.recorded, None)
    replaces = event.payload["replaces"]
    outcome = outcome_from_payload(event.payload)
    return Standing(event.recorded, outcome, None if replaces is None else _whole(replaces))


def in_words(outcome: PatientOutcome) -> str:
    """In a line: ``CRS grade 1, ICANS none, no prophylactic tocilizumab, seen to day 8``."""
    if outcome.tells_nothing:
        return "taken back: neither grade known"
    given = {
        Presence.YES: "prophylactic tocilizumab given",
        Presence.NO: "no prophylactic tocilizumab",
        Presence.UNKNOWN: "prophylactic tocilizumab not known",
    }[outcome.prophylaxis]
    crs, icans = graded("CRS", outcome.crs_grade), graded("ICANS", outcome.icans_grade)
    return f"{crs}, {icans}, {given}, seen to day {outcome.day}"


def graded(name: str, grade: int | None) -> str:
    """A toxicity and its grade in words."""
    if grade is None:
        return f"{name} not known"
    return f"{name} none" if grade == 0 else f"{name} grade {grade}{' (death)' if grade == WORST_GRADE else ''}"


def _grade(value: Json) -> int | None:
    return None if value is None else _whole(value)


def _whole(value: Json) -> int:
    if type(value) is not int:
        raise TypeError("a whole number is kept as one")
    return value
