"""Whatever a file holds: no crash, no echo of a cell, no memory that grows with the patients."""

from __future__ import annotations

import io
import traceback
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.cohort.example import example_csv
from knowledge.cohort.file import COLUMNS, CohortFileError, ProblemsError, UnreadableError, iter_rows, read_cohort
from knowledge.cohort.file.lines import PIECE
from knowledge.cohort.file.problems import KEPT
from tests.support.cohort_rows import FRAME, parquet

NAMES = [column.name for column in COLUMNS]
MARKER = "zqxjkv"


def said(error: CohortFileError) -> str:
    """All that the error tells, in whatever way it is printed."""
    told = [str(error), repr(error), *traceback.format_exception_only(error)]
    if error.__cause__ is not None or not error.__suppress_context__:
        told += [repr(error.__cause__), repr(error.__context__)]  # a traceback would print them
    if isinstance(error, UnreadableError):
        told.append(repr(error.problem))
    if isinstance(error, ProblemsError):
        told += [repr(problem) + str(problem) for problem in error.problems]
    return "\n".join(told)


def read(content: bytes) -> str:
    """What is told, or nothing."""
    try:
        read_cohort(content)
    except CohortFileError as error:
        return said(error)
    return ""


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_any_bytes(content: bytes) -> None:
    assert read(content)


@given(
    st.lists(st.sampled_from([*NAMES, "", "1", "yes", '"', "\n", ",", ";", "\t", "\r", "G2", "\ufeff"]), max_size=60)
)
@settings(max_examples=200, deadline=None)
def test_pieces_of_files(pieces: list[str]) -> None:
    read("".join(pieces).encode())
    read(",".join(pieces).encode("utf-16"))


CELLS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["", "1", "0", "yes", "2.0", "1,234", "480", "02-Jan", "#REF!", "?", "G3", "none", "toci+steroid"]),
)


@given(st.permutations(NAMES), st.lists(st.lists(CELLS, min_size=31, max_size=33), max_size=3), st.sampled_from(",;\t"))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
def test_any_cells(names: list[str], rows: list[list[str]], separator: str) -> None:
    lines = [names, *([cell.replace('"', "'") for cell in row] for row in rows)]
    read("\n".join(separator.join(f'"{cell}"' for cell in line) for line in lines).encode("utf-8", "replace"))


@given(st.sampled_from(range(31)), st.sampled_from(["{}", "{} 1", "1 {}", "{}@x.org", "{}\n2", "G{}", "yes {}"]))
@settings(max_examples=60, deadline=None)
def test_no_cell_is_told(index: int, form: str) -> None:
    """Nor a heading."""
    cell = form.format(MARKER)
    table = [NAMES, [column.example for column in COLUMNS]]
    for row in (0, 1):
        lines = [
            [cell if (at, each) == (row, index) else text for each, text in enumerate(line)]
            for at, line in enumerate(table)
        ]
        told = read("\n".join(",".join(f'"{text}"' for text in line) for line in lines).encode())
        assert told
        assert MARKER not in told.casefold()


@given(st.integers(0, len(example_csv())), st.binary(min_size=1, max_size=3))
@settings(max_examples=100, deadline=None)
def test_damaged_bytes(at: int, bytes_: bytes) -> None:
    content = bytearray(example_csv())
    content[at : at + len(bytes_)] = bytes_
    read(bytes(content))


@given(st.integers(4, len(parquet(FRAME)) - 1), st.binary(min_size=1, max_size=3))
@settings(max_examples=60, deadline=None)
def test_damaged_parquet(at: int, bytes_: bytes) -> None:
    content = bytearray(parquet(FRAME))
    content[at : at + len(bytes_)] = bytes_
    read(bytes(content))


class Dribble(io.BytesIO):
    """A stream that gives few bytes at a time."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(7, PIECE if size is None or size < 0 else size))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_stream_in_small_pieces_is_the_same(encoding: str, end: str) -> None:
    content = example_csv().decode().replace("\n", end).encode(encoding)
    assert read_cohort(Dribble(content)) == read_cohort(content)


def repeated(times: int) -> bytes:
    header, rows = example_csv().split(b"\n", 1)
    return header + b"\n" + rows * times


def test_memory_does_not_grow_with_the_patients() -> None:
    """Going through them takes what a few pieces of the file take; keeping them, far more."""

    def peak(*, keep: bool) -> int:
        tracemalloc.start()
        kept = [row if keep else None for row in iter_rows(io.BytesIO(content))]
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(kept) == content.count(b"\n") - 1
        return most

    content = repeated(100)
    assert peak(keep=False) < 20 * PIECE
    assert peak(keep=True) > 60 * PIECE


@pytest.mark.parametrize("content", [repeated(20), parquet(FRAME)], ids=["csv", "parquet"])
def test_progress_adds_up_to_the_file(content: bytes) -> None:
    told: list[int] = []
    assert list(iter_rows(content, told.append))
    assert sum(told) == len(content)


def test_problems_beyond_what_is_kept_are_counted() -> None:
    content = ",".join(NAMES).encode() + b"\nx" * (KEPT + 250)
    with pytest.raises(ProblemsError) as caught:
        read_cohort(content)
    # Each row has two: its cell, and that it holds no patient.
    assert (len(caught.value.problems), caught.value.more) == (KEPT, KEPT + 500)


def test_problems_are_told_as_they_are_found() -> None:
    """And the rows without problems come all the same."""
    header, first, second, *_ = example_csv().splitlines()
    content = b"\n".join([header, first, b"x" + second, second])
    told: list[int | None] = []
    assert len(list(iter_rows(content, on_problem=lambda problem: told.append(problem.row)))) == 2
    assert told == [3]
