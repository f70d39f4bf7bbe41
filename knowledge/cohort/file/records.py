"""From lines to the cells of numbered rows: separators, quotation marks, blank rows."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain

from knowledge.cohort.file.cells import plain, trimmed
from knowledge.cohort.file.columns import BY_HEADING
from knowledge.cohort.file.problems import Problem, UnreadableError

SEPARATORS = ",;\t|"
_SEP = re.compile(r"sep=([,;\t|])\s*$", re.IGNORECASE)
MOST_COLUMNS = 200
# Lines that one row may take up, where cells hold line ends; more, and a quotation mark was never closed.
MOST_LINES = 50


def records(lines: Iterable[str]) -> Iterator[tuple[int, list[str], str]]:
    """Row number as a spreadsheet gives it, trimmed cells, and the separator; wholly blank rows are left out.

    Raises:
        UnreadableError: a quotation mark is never closed, or there are too many columns.
    """
    counted = _Counted(lines)
    row, begun = 0, []
    try:
        for line in counted:
            begun.append(line)
            if plain(line):  # the first that is not blank holds the headings
                break
        else:
            return
    except csv.Error:
        raise UnreadableError(Problem(None, None, f"headings within the first {MOST_LINES} rows")) from None
    if told := _SEP.match(begun[0]):
        begun, separator = [], told[1]  # a line that spreadsheets obey and do not show
    else:
        separator = _separator(begun[-1])
    counted.taken = 0
    reader = csv.reader(chain(begun, counted), delimiter=separator)
    while True:
        try:
            cells = next(reader, None)
        except csv.Error:
            raise _unclosed(row + 1) from None
        if cells is None:
            return
        row += 1
        counted.taken = 0
        cells = [trimmed(cell) for cell in cells]
        while cells and not cells[-1]:
            cells.pop()
        if len(cells) > MOST_COLUMNS:
            raise UnreadableError(Problem(row, None, f"at most {MOST_COLUMNS} columns"))
        if cells:
            yield row, cells, separator


class _Counted:
    """Lines, of which no row may take too many."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.taken = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.taken += 1
        if self.taken > MOST_LINES:
            raise csv.Error
        return next(self._lines) + "\n"


def _separator(first: str) -> str:
    """The separator that gives most headings which are known, then most cells."""

    def worth(separator: str) -> tuple[int, int]:
        parts = [plain(trimmed(part.strip().strip('"'))) for part in first.split(separator)]
        return sum(part in BY_HEADING for part in parts), len(parts)

    return max(SEPARATORS, key=worth)


def _unclosed(row: int) -> UnreadableError:
    return UnreadableError(Problem(row, None, "a quotation mark is opened here or below and never closed"))
