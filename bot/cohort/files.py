"""A cohort file from disk, or why not in the command line's form. Neither its name nor its cells are ever told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bot.audit.files import reason
from bot.audit.options import CannotError, bar

if TYPE_CHECKING:
    from knowledge.cohort.file import Cohort, ProblemsError

# Problems that a command lists which has other work to do; ``tarla study check`` lists all.
LISTED = 10


def cohort_or_fail(path: Path) -> Cohort:
    """The patients of a file (CSV), with a bar on a terminal."""
    from knowledge.cohort.file import ProblemsError, UnreadableError, read_cohort

    try:
        with path.open("rb") as stream, bar("Reading", "B", path.stat().st_size) as more:
            return read_cohort(stream, more)
    except OSError as error:
        raise CannotError(f"the cohort file cannot be read: {reason(error)}") from None
    except UnreadableError as error:
        raise CannotError(f"the cohort file cannot be read: {error}") from None
    except ProblemsError as error:
        raise CannotError(_listed(error)) from None


def _listed(error: ProblemsError) -> str:
    shown = [f"  {problem}" for problem in error.problems[:LISTED]]
    more = len(error.problems) + error.more - len(shown)
    if more:
        shown.append(f"  and {more:,} more: tarla study check lists all")
    return "\n".join(["the cohort file has problems:", *shown])
