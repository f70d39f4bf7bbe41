"""What was read, in a few counts."""

from __future__ import annotations

from dataclasses import dataclass

from knowledge.cohort.file.columns import COLUMNS
from knowledge.cohort.file.ldh import LDH_COLUMNS
from knowledge.cohort.file.writing import Digest
from knowledge.cohort.record import CohortRow
from knowledge.factors import Presence

# One line for LDH in whatever form; and ``simulated`` is always known.
SUMMARISED = tuple(
    column for column in COLUMNS if column.name == "ldh" or column.name not in {*LDH_COLUMNS, "simulated"}
)
_OF_CRS = frozenset({"crs_onset_hours", "crs_duration_hours"})
_OF_ICANS = frozenset({"icans_onset_hours", "icans_duration_hours", "icans_treatment"})


@dataclass(frozen=True)
class Known:
    """In how many patients a column is known, ``of`` those whom it concerns: hours of CRS, those who had it."""

    known: int
    of: int


@dataclass(frozen=True)
class Summary:
    """Patients, by prophylaxis; what is known by column; ``sha256`` of the patients as the file writes them.

    ``repeated`` are the same as an earlier one in every column.
    """

    patients: int
    simulated: bool
    with_prophylaxis: int
    without_prophylaxis: int
    repeated: int
    columns: dict[str, Known]
    sha256: str


class Tally:
    """Counts patients one after the other."""

    def __init__(self) -> None:
        self._digest = Digest()
        self._patients = 0
        self._simulated = False
        self._prophylaxis = dict.fromkeys(Presence, 0)
        self._known = {column.name: 0 for column in SUMMARISED}
        self._of = dict(self._known)

    def add(self, row: CohortRow) -> None:
        """The next patient."""
        self._digest.add(row)
        self._patients += 1
        self._simulated |= row.simulated
        self._prophylaxis[row.tocilizumab_prophylaxis] += 1
        crs = bool(row.crs_grade_dose1)
        later = bool(row.crs_grade_dose2 or row.crs_grade_dose3)
        for column in SUMMARISED:
            if column.name == "crs_treatment":
                concerned = crs or later
            elif column.name in _OF_CRS:
                concerned = crs
            else:
                concerned = column.name not in _OF_ICANS or bool(row.icans_grade)
            self._of[column.name] += concerned
            value = getattr(row, column.field or column.name)
            self._known[column.name] += concerned and value is not None and value is not Presence.UNKNOWN

    @property
    def summary(self) -> Summary:
        """Of the patients so far."""
        return Summary(
            self._patients,
            self._simulated,
            self._prophylaxis[Presence.YES],
            self._prophylaxis[Presence.NO],
            self._digest.repeated,
            {name: Known(known, self._of[name]) for name, known in self._known.items()},
            self._digest.hex,
        )
