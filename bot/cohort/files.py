"""A cohort file from disk, or why not in the command line's form. Neither its name nor its cells are ever told."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from bot.audit.files import reason
from bot.audit.options import CannotError, bar

if TYPE_CHECKING:
    from knowledge.cohort.file import Cohort, Digest, ProblemsError
    from knowledge.cohort.record import CohortRow

# Problems that a command lists which has other work to do; ``tarla study check`` lists all.
LISTED = 10


def cohort_or_fail(path: Path) -> Cohort:
    """The patients of a file (CSV or Parquet), with a bar on a terminal."""
    from knowledge.cohort.file import ProblemsError, read_cohort

    with opened_or_fail(path) as (stream, more):
        try:
            return read_cohort(stream, more)
        except ProblemsError as error:
            raise CannotError(_listed(error)) from None


@contextlib.contextmanager
def rows_or_fail(path: Path) -> Iterator[tuple[Iterator[CohortRow], Digest]]:
    """The patients of a file one after the other, none of them kept, and the cohort's hash.

    Go through all of them in the block, and use nothing made of them before: problems are told at the end. Then the
    hash is whole.
    """
    from knowledge.cohort.file import Digest, ProblemsError, iter_rows

    digest = Digest()
    with opened_or_fail(path) as (stream, more):

        def rows() -> Iterator[CohortRow]:
            for row in iter_rows(stream, more):
                digest.add(row)
                yield row

        try:
            yield rows(), digest
        except ProblemsError as error:
            raise CannotError(_listed(error)) from None


@contextlib.contextmanager
def opened_or_fail(path: Path) -> Iterator[tuple[BinaryIO, Callable[[int], None]]]:
    """A cohort file and what is to be told how many more bytes of it were read, for whoever goes through its rows.

    Raises:
        CannotError: it cannot be opened or read, or what the block reads is no table of patients.
    """
    from knowledge.cohort.file import UnreadableError

    try:
        with path.open("rb") as stream, bar("Reading", "B", path.stat().st_size) as more:
            yield stream, more
    except FileNotFoundError:
        raise CannotError("the cohort file cannot be read: there is no such file") from None
    except IsADirectoryError:
        raise CannotError("the cohort file cannot be read: it is a folder") from None
    except OSError as error:
        raise CannotError(f"the cohort file cannot be read: {reason(error)}") from None
    except UnreadableError as error:
        raise CannotError(f"the cohort file cannot be read: {error}") from None


def _listed(error: ProblemsError) -> str:
    shown = [f"  {problem}" for problem in error.problems[:LISTED]]
    more = len(error.problems) + error.more - len(shown)
    if more:
        shown.append(f"  and {more:,} more: tarla study check lists all")
    return "\n".join(["the cohort file has problems:", *shown])
