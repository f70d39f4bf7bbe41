"""What was understood, in one line: the findings in closed vocabulary, then how they were read."""

from __future__ import annotations

from handlers.answer.findings import describe
from knowledge.factors import PatientFactors


def understood_line(factors: PatientFactors, notes: tuple[str, ...] = ()) -> str:
    """One line of plain text without markup.

    ``notes`` are those of the parser (fixed sentences); nothing in the line was typed by the user.
    """
    return "; ".join((f"Understood: {describe(factors)}", *notes))
