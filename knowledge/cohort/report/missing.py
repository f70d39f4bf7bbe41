"""What is not known: by column, and in which combinations."""

from __future__ import annotations

from collections import Counter

from knowledge.cohort.record import CohortRow
from knowledge.cohort.report.course import death_of
from knowledge.cohort.report.groups import Rows
from knowledge.cohort.report.proportions import Proportion, proportion
from knowledge.cohort.report.toxicity import had_crs, had_icans
from knowledge.factors import Presence
from knowledge.frozen import FrozenModel

# What the study's models need of a patient.
NEEDED = (
    "ldh",
    "liver_metastases",
    "diabetes",
    "cardiovascular_disease",
    "tocilizumab_prophylaxis",
    "crs_grade_dose1",
    "icans_grade",
)
# More patterns than these are told as one.
MOST_PATTERNS = 15


class MissingColumn(FrozenModel):
    """Missing among the patients to whom the column applies: hours and treatment only to those affected, hours of CRS
    to those who had it after the first dose. Death is known of whoever has a grade 5."""

    column: str
    missing: Proportion


class MissingPattern(FrozenModel):
    """Patients with exactly these of the needed columns missing; none for complete patients."""

    missing: tuple[str, ...]
    patients: int


class Missing(FrozenModel):
    """``patterns`` from the commonest on, at most fifteen; ``other_patterns`` and their patients are the rest."""

    columns: tuple[MissingColumn, ...]
    needed: tuple[str, ...]
    complete: int
    patterns: tuple[MissingPattern, ...]
    other_patterns: int
    other_patients: int


def missing(rows: Rows) -> Missing:
    """Missing data of the whole cohort."""
    columns = []
    for name in CohortRow.model_fields:
        if name == "simulated":
            continue
        asked = [row for row in rows if _applies(name, row)]
        found = proportion(sum(_unknown(row, name) for row in asked), len(asked))
        columns.append(MissingColumn(column=name, missing=found))
    patterns = Counter(tuple(name for name in NEEDED if _unknown(row, name)) for row in rows)
    ordered = sorted(patterns.items(), key=lambda item: (-item[1], len(item[0]), item[0]))
    rest = ordered[MOST_PATTERNS:]
    return Missing(
        columns=tuple(columns),
        needed=NEEDED,
        complete=patterns[()],
        patterns=tuple(MissingPattern(missing=names, patients=n) for names, n in ordered[:MOST_PATTERNS]),
        other_patterns=len(rest),
        other_patients=sum(n for _names, n in rest),
    )


def _unknown(row: CohortRow, name: str) -> bool:
    value = death_of(row) if name == "death" else getattr(row, name)
    return value is None or value is Presence.UNKNOWN


def _applies(name: str, row: CohortRow) -> bool:
    if name in ("crs_onset_hours", "crs_duration_hours"):  # the file has them of the first dose alone
        return bool(row.crs_grade_dose1)
    if name.endswith(("_hours", "_treatment")):
        return had_crs(row) if name.startswith("crs_") else had_icans(row)
    return True
