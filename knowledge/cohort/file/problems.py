"""What is wrong in a cohort file. A cell may hold a patient's name, so nothing here carries what a cell holds."""

from __future__ import annotations

from dataclasses import dataclass

# Problems kept for a message; what comes after is counted. A file of 100,000 rows can hold a million.
KEPT = 1_000


@dataclass(frozen=True)
class Problem:
    """One thing to mend.

    ``row`` as the spreadsheet numbers it (the headings are row 1), None for the file as a whole; ``column`` its
    documented name, or its letter where it has none; ``expected`` what should stand there, with an example.
    """

    row: int | None
    column: str | None
    expected: str

    def __str__(self) -> str:
        places = [f"row {self.row}"] if self.row is not None else []
        if self.column is not None:
            places.append(self.column)
        return f"{', '.join(places)}: {self.expected}" if places else self.expected


class CohortFileError(Exception):
    """A cohort file that cannot be used as it is."""


class UnreadableError(CohortFileError):
    """It is not a table of patients at all; the message says what to do."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


class ProblemsError(CohortFileError):
    """It is a table, but not every cell can be read; ``problems`` the first of them, ``more`` how many follow."""

    def __init__(self, problems: tuple[Problem, ...], more: int = 0) -> None:
        self.problems, self.more = problems, more
        super().__init__(f"{len(problems) + more} problems in the cohort file")
