"""From patients to a cohort file, in one way only, so that the same patients are the same bytes and the same hash.

Every cell is a number or a word of the closed vocabulary, none begins with =, +, - or @: nothing that a spreadsheet
would run as a formula can stand in it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator

from knowledge.cohort.file.columns import COLUMNS
from knowledge.cohort.record import CohortRow
from knowledge.factors import LdhCategory, LdhMeasured, LdhMultiple, LdhUnit, Presence

HEADER = ",".join(column.name for column in COLUMNS)


def csv_lines(rows: Iterable[CohortRow]) -> Iterator[str]:
    """The lines of the file, headings first, without line ends."""
    yield HEADER
    for row in rows:
        yield csv_line(row)


def write_csv(rows: Iterable[CohortRow]) -> bytes:
    """The file: UTF-8, comma, LF."""
    return "".join(f"{line}\n" for line in csv_lines(rows)).encode()


def csv_line(row: CohortRow) -> str:
    """One patient. The cells need no quotation marks: no word of the vocabulary holds a comma."""
    ldh = _ldh_cells(row)
    cells = []
    for column in COLUMNS:
        if column.name == "simulated":
            value: object = Presence.YES if row.simulated else Presence.NO
        else:
            value = ldh.get(column.name) if column.field is None else getattr(row, column.field)
        cells.append("" if value is None else column.kind.write(value))
    return ",".join(cells)


class Digest:
    """SHA-256 of the file that ``write_csv`` makes of the patients sorted by their lines: the same in whatever order
    and form they were written. Keeps each different line once.
    """

    def __init__(self) -> None:
        self._times: Counter[str] = Counter()

    def add(self, row: CohortRow) -> None:
        """The next patient."""
        self._times[csv_line(row)] += 1

    @property
    def repeated(self) -> int:
        """Patients so far who are the same as an earlier one in every column."""
        return self._times.total() - len(self._times)

    @property
    def hex(self) -> str:
        """Of the patients so far."""
        sha256 = hashlib.sha256(f"{HEADER}\n".encode())
        for line in sorted(self._times):
            sha256.update(f"{line}\n".encode() * self._times[line])
        return sha256.hexdigest()


def _ldh_cells(row: CohortRow) -> dict[str, object]:
    if isinstance(row.ldh, LdhMeasured):
        other = row.ldh.uln.unit if row.ldh.uln.unit is not row.ldh.unit else None
        unit = row.ldh.unit if row.ldh.unit is not LdhUnit.U_PER_L else None
        return {"ldh": row.ldh.value, "ldh_unit": unit, "ldh_uln": row.ldh.uln.value, "ldh_uln_unit": other}
    if isinstance(row.ldh, LdhMultiple):
        return {"ldh_multiple": row.ldh.multiple}
    return {"ldh_category": row.ldh.category} if isinstance(row.ldh, LdhCategory) else {}
