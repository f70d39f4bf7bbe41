"""When toxicity began, how long it lasted, what was given for it, and what became of the patients."""

from __future__ import annotations

from collections.abc import Callable

from knowledge.cohort.record import CohortRow, Death, Treatment
from knowledge.cohort.report.groups import ByGroup, Rows, by_group
from knowledge.cohort.report.proportions import Proportion, proportion, share_of
from knowledge.cohort.report.summaries import Summary, summary
from knowledge.cohort.report.toxicity import had_crs, had_icans
from knowledge.factors import Presence
from knowledge.frozen import FrozenModel


class Treated(FrozenModel):
    """What was given to patients with the toxicity whose treatment is known; one may have had several."""

    any_treatment: Proportion
    each: dict[Treatment, Proportion]


class Course(FrozenModel):
    """The course of one toxicity in those who had it (``patients``); hours.

    The file has hours of CRS after the first dose alone: ``n`` of onset and duration are the patients who had that.
    Onset counts from the start of the first infusion, duration from onset to resolution: a duration that is not
    recorded may mean that it was not resolved, or that nobody wrote it down.
    """

    key: str
    label: str
    patients: ByGroup[int]
    onset_hours: ByGroup[Summary]
    duration_hours: ByGroup[Summary]
    treatment: ByGroup[Treated]


class Fate(FrozenModel):
    """Of all patients whose answer is known, whichever toxicity they had."""

    discontinued: ByGroup[Proportion]
    died_of_treatment: ByGroup[Proportion]
    died_otherwise: ByGroup[Proportion]


def courses(rows: Rows) -> tuple[Course, Course]:
    """CRS (after any of the first three doses) and ICANS."""
    return _course(rows, "crs", "CRS", had_crs), _course(rows, "icans", "ICANS", had_icans)


def fate(rows: Rows) -> Fate:
    """Discontinuation and death."""
    return Fate(
        discontinued=by_group(rows, lambda group: share_of(_yes(row.discontinued) for row in group)),
        died_of_treatment=by_group(rows, lambda group: _died(group, Death.TREATMENT_RELATED)),
        died_otherwise=by_group(rows, lambda group: _died(group, Death.OTHER)),
    )


def _course(rows: Rows, name: str, label: str, had: Callable[[CohortRow], bool]) -> Course:
    affected = [row for row in rows if had(row)]
    timed = [row for row in affected if getattr(row, "crs_grade_dose1" if name == "crs" else "icans_grade")]

    def hours(what: str) -> ByGroup[Summary]:
        return by_group(timed, lambda group: summary(getattr(row, f"{name}_{what}_hours") for row in group))

    def treated(group: Rows) -> Treated:
        known = [given for row in group if (given := getattr(row, f"{name}_treatment")) is not None]
        return Treated(
            any_treatment=proportion(sum(bool(given) for given in known), len(known)),
            each={each: proportion(sum(each in given for given in known), len(known)) for each in Treatment},
        )

    return Course(
        key=name,
        label=label,
        patients=by_group(affected, len),
        onset_hours=hours("onset"),
        duration_hours=hours("duration"),
        treatment=by_group(affected, treated),
    )


def _died(rows: Rows, how: Death) -> Proportion:
    return share_of(None if (death := death_of(row)) is None else death is how for row in rows)


def death_of(row: CohortRow) -> Death | None:
    """Whether and of what the patient died; a recorded grade 5 is death of the treatment, whatever is left blank."""
    grades = (row.crs_grade_dose1, row.crs_grade_dose2, row.crs_grade_dose3, row.icans_grade)
    return Death.TREATMENT_RELATED if 5 in grades else row.death


def _yes(presence: Presence) -> bool | None:
    return None if presence is Presence.UNKNOWN else presence is Presence.YES
