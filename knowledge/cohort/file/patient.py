"""One row's cells to one patient, and what the cells of a row say against each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import ValidationError

from knowledge.cohort.file.cells import NOT_KNOWN, CellError
from knowledge.cohort.file.columns import BY_NAME, Column
from knowledge.cohort.file.headings import Headings
from knowledge.cohort.file.ldh import read_ldh
from knowledge.cohort.file.problems import Problem
from knowledge.cohort.record import CohortRow, contradictions
from knowledge.factors import Presence

# Cells seen before are not read again: most hold one of few words. The values remembered are those accepted.
REMEMBERED = 20_000
# A row in which none of these is known is a total or a note below the table: read as a patient it would be counted.
_PATIENT = ("tocilizumab_prophylaxis", "crs_grade_dose1", "icans_grade")
_NO_PATIENT = "a patient of whom prophylaxis, CRS or ICANS is known; if the row is a total or a note, delete it"
_GRADES = frozenset({"crs_grade_dose1", "crs_grade_dose2", "crs_grade_dose3", "icans_grade"})


class RowReader:
    """Reads the rows under some headings; ``commas``, whether the separator leaves commas to the numbers."""

    def __init__(self, headings: Headings, tell: Callable[[Problem], None], *, commas: bool) -> None:
        self._headings, self._tell, self._commas = headings, tell, commas
        self._seen: dict[tuple[str, str], object] = {}

    def read(self, row: int, cells: Sequence[str]) -> CohortRow | None:
        """The patient of a row, or None after every problem of the row has been told."""
        columns = self._headings.columns
        problems: list[Problem] = []
        values: dict[str, Any] = {}
        if any(cells[len(columns) :]):
            problems.append(Problem(row, None, "no cells beyond the last heading"))
        for cell, column in zip(cells, columns, strict=False):
            if column is None or not cell or cell.casefold() in NOT_KNOWN:
                continue
            try:
                values[column.name] = self._value(column, cell)
            except CellError as error:
                problems.append(Problem(row, column.name, str(error)))
        # What has been told already, or may stand under a heading that was refused, is not told again.
        refused = {problem.column for problem in problems} | self._headings.doubtful

        def against(column: str, expected: str) -> None:
            if column not in refused:
                problems.append(Problem(row, column, expected))

        if not refused.intersection(_PATIENT) and values.keys().isdisjoint(_PATIENT):
            problems.append(Problem(row, None, _NO_PATIENT))
        patient = _patient(values, against, refused)
        if patient is None and not problems and not self._headings.doubtful:
            problems.append(Problem(row, None, "values that agree with each other"))
        for problem in problems:
            self._tell(problem)
        return None if problems else patient

    def _value(self, column: Column, cell: str) -> object:
        key = (column.name, cell)
        if (value := self._seen.get(key)) is None:
            value = column.kind.read(cell, commas=self._commas)
            if len(self._seen) < REMEMBERED:
                self._seen[key] = value
        return value


def _patient(values: dict[str, Any], against: Callable[[str, str], None], refused: set[str | None]) -> CohortRow | None:
    """The patient of what was read, or None where it does not agree with itself."""
    ldh = read_ldh(values, against, refused)
    fields = {field: value for name, value in values.items() if name != "simulated" and (field := BY_NAME[name].field)}
    try:
        return CohortRow(**fields, ldh=ldh, simulated=values.get("simulated") is Presence.YES)
    except ValidationError:  # its own text would hold the cell
        if not refused & _GRADES:
            for name, expected in contradictions(CohortRow.model_construct(None, **fields)):
                against(name, expected)
        return None
