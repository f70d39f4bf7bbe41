"""Parquet as the same rows of cells as CSV, so that it meets the same checks and gives the same patients and hash."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from decimal import Decimal
from importlib import import_module
from typing import Any, BinaryIO

import numpy as np

from knowledge.cohort.file.cells import trimmed
from knowledge.cohort.file.lines import Progress
from knowledge.cohort.file.problems import Problem, UnreadableError
from knowledge.cohort.file.records import MOST_COLUMNS

MARK = b"PAR1"
ROWS_AT_ONCE = 1_000
# What pandas calls the numbers of its rows.
_ROW_NUMBERS = re.compile(r"__index_level_\d+__")


def parquet_records(stream: BinaryIO, size: int, progress: Progress) -> Iterator[tuple[int, list[str], str]]:
    """Numbered rows as ``records`` gives them; the names of the columns are row 1.

    Raises:
        UnreadableError: pyarrow is not installed, or the file is damaged.
    """
    try:
        arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise UnreadableError(
            Problem(None, None, "reading Parquet needs pyarrow: pip install pyarrow, or save the cohort as CSV")
        ) from None
    try:
        yield from _rows(parquet.ParquetFile(stream), arrow, size, progress)
    except (arrow.ArrowException, OSError, ValueError, OverflowError):
        raise UnreadableError(
            Problem(None, None, "this Parquet file is damaged or holds what Tarla cannot read")
        ) from None


def _rows(file: Any, arrow: Any, size: int, progress: Progress) -> Iterator[tuple[int, list[str], str]]:
    schema = file.schema_arrow
    used = [index for index, name in enumerate(schema.names) if not _ROW_NUMBERS.fullmatch(name)]
    if len(used) > MOST_COLUMNS:
        raise UnreadableError(Problem(1, None, f"at most {MOST_COLUMNS} columns"))
    yield 1, [trimmed(schema.names[index]) for index in used], ","
    row, rows = 1, max(1, file.metadata.num_rows)
    for batch in file.iter_batches(ROWS_AT_ONCE):
        columns = [_cells(batch.column(index), arrow) for index in used]
        for cells in zip(*columns, strict=True):
            row += 1
            if any(cells):
                yield row, list(cells), ","
        progress(size * batch.num_rows // rows)


def _cells(column: Any, arrow: Any) -> list[str]:
    values = column.to_pylist()
    if arrow.types.is_float32(column.type):
        # As printed in that precision: 1.9, not 1.899999976158142.
        values = [None if value is None else float(str(np.float32(value))) for value in values]
    return [_cell(value) for value in values]


def _cell(value: object) -> str:
    """A value as one would write it into a spreadsheet."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "" if math.isnan(value) else str(value) if math.isinf(value) else format(Decimal(repr(value)), "f")
    if isinstance(value, list):
        return "+".join(map(str, value)) or "none"
    return trimmed(str(value))
