"""A cohort file to patients: all at once, or one after the other in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import SEEK_END, BytesIO
from typing import BinaryIO

from knowledge.cohort.file.headings import read_headings
from knowledge.cohort.file.lines import Progress, text_lines
from knowledge.cohort.file.parquet import MARK, parquet_records
from knowledge.cohort.file.patient import RowReader
from knowledge.cohort.file.problems import KEPT, Problem, ProblemsError, UnreadableError
from knowledge.cohort.file.records import records
from knowledge.cohort.file.writing import Digest
from knowledge.cohort.record import CohortRow

Rows = Iterator[tuple[int, list[str], str]]


@dataclass(frozen=True)
class Cohort:
    """A centre's own patients. ``sha256`` is of what they are, not of how the file was written."""

    rows: tuple[CohortRow, ...]
    simulated: bool
    sha256: str


def read_cohort(content: bytes | BinaryIO, progress: Progress | None = None) -> Cohort:
    """All patients of a file of CSV or Parquet.

    Args:
        content: the file, or a stream of it.
        progress: told how many more bytes were read.

    Raises:
        UnreadableError: it is not a table of patients.
        ProblemsError: some cells cannot be read; it holds every problem, as far as KEPT.
    """
    return cohort_of(iter_rows(content, progress))


def iter_rows(
    content: bytes | BinaryIO, progress: Progress | None = None, on_problem: Callable[[Problem], None] | None = None
) -> Iterator[CohortRow]:
    """Patient after patient, in memory that does not grow with their number.

    ``on_problem`` is told each problem as it is found, and rows with problems are left out. Without it the whole file
    is read and the problems are raised at its end, so that all of them are known: use nothing made of the patients
    before the iterator ends.

    Raises:
        UnreadableError: as ``read_cohort``.
        ProblemsError: as ``read_cohort``, only without ``on_problem``.
    """
    stream = BytesIO(content) if isinstance(content, bytes) else content
    return patients(_table(stream, progress or (lambda _more: None)), on_problem)


def _table(stream: BinaryIO, progress: Progress) -> Rows:
    """Numbered rows of cells, of Parquet where the stream begins so, else of CSV."""
    if stream.seekable():
        mark = stream.read(len(MARK))
        size = stream.seek(0, SEEK_END)
        stream.seek(0)
        if mark == MARK:
            return parquet_records(stream, size, progress)
    return records(text_lines(stream, progress))


def cohort_of(rows: Iterator[CohortRow]) -> Cohort:
    """The cohort of patients read one after the other."""
    digest, kept = Digest(), []
    for row in rows:
        digest.add(row)
        kept.append(row)
    return Cohort(tuple(kept), any(row.simulated for row in kept), digest.hex)


def patients(table: Rows, on_problem: Callable[[Problem], None] | None) -> Iterator[CohortRow]:
    """Patients of numbered rows of cells, the headings first; as ``iter_rows``."""
    found = _Found()
    tell = on_problem or found.add
    first = next(table, None)
    if first is None:
        raise UnreadableError(Problem(None, None, "the file is empty: a row of headings and one row a patient"))
    headings = read_headings(first[0], first[1], tell)
    reader: RowReader | None = None
    simulated: bool | None = None
    row, any_rows = first[0], False
    for row, cells, separator in table:
        any_rows = True
        reader = reader or RowReader(headings, tell, commas=separator != ",")
        patient = reader.read(row, cells)
        if patient is None:
            continue
        if simulated is not None and patient.simulated is not simulated:
            tell(Problem(row, "simulated", "the same in every row: real and simulated patients do not go together"))
            continue
        simulated = patient.simulated
        yield patient
    if not any_rows:
        tell(Problem(row + 1, None, "one row a patient below the headings; there is none"))
    if found.problems:
        raise ProblemsError(tuple(found.problems), found.more)


class _Found:
    """The first problems, and how many more."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.more = 0

    def add(self, problem: Problem) -> None:
        if len(self.problems) < KEPT:
            self.problems.append(problem)
        else:
            self.more += 1
