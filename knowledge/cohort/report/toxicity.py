"""CRS after each of the first doses and ICANS, by grade."""

from __future__ import annotations

from knowledge.cohort.record import CohortRow
from knowledge.cohort.report.groups import ByGroup, Rows, by_group
from knowledge.cohort.report.proportions import Proportion, proportion
from knowledge.frozen import FrozenModel

GRADES = range(6)


class Grades(FrozenModel):
    """Patients by worst grade. ``counts`` runs from grade 0 to 5; ``not_known`` had none recorded.

    The shares are of those whose grade is known.
    """

    counts: tuple[int, int, int, int, int, int]
    not_known: int
    any_grade: Proportion
    grade2plus: Proportion
    grade3plus: Proportion


class Toxicity(FrozenModel):
    """One toxicity in one window of time."""

    key: str
    label: str
    groups: ByGroup[Grades]


COLUMNS = {
    "crs_grade_dose1": "CRS after dose 1",
    "crs_grade_dose2": "CRS after dose 2",
    "crs_grade_dose3": "CRS after dose 3",
    "icans_grade": "ICANS after cycle 1 day 1",
}


def toxicities(rows: Rows) -> tuple[Toxicity, ...]:
    """Each toxicity by grade."""
    return tuple(Toxicity(key=key, label=label, groups=_grades(rows, key)) for key, label in COLUMNS.items())


def _grades(rows: Rows, column: str) -> ByGroup[Grades]:
    return by_group(rows, lambda group: grades(group, column))


def grades(rows: Rows, column: str) -> Grades:
    """The grades in one column of the cohort."""
    found = [grade for row in rows if (grade := getattr(row, column)) is not None]
    counts = [sum(grade == each for grade in found) for each in GRADES]
    at_least = [proportion(sum(counts[least:]), len(found)) for least in (1, 2, 3)]
    return Grades(
        counts=(counts[0], counts[1], counts[2], counts[3], counts[4], counts[5]),
        not_known=len(rows) - len(found),
        any_grade=at_least[0],
        grade2plus=at_least[1],
        grade3plus=at_least[2],
    )


def had_crs(row: CohortRow) -> bool:
    """Whether CRS was recorded after any of the first three doses."""
    return any((grade or 0) >= 1 for grade in (row.crs_grade_dose1, row.crs_grade_dose2, row.crs_grade_dose3))


def had_icans(row: CohortRow) -> bool:
    """Whether ICANS was recorded."""
    return (row.icans_grade or 0) >= 1
