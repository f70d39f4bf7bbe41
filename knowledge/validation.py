"""What is wrong with a record read from data, in one line."""

from __future__ import annotations

from pydantic import ValidationError
from pydantic_core import ErrorDetails


def problems_of(error: ValidationError) -> str:
    """Every problem as ``field: what is wrong``; a problem of the whole record has no field."""
    return "; ".join(_explain(problem) for problem in error.errors(include_url=False))


def _explain(problem: ErrorDetails) -> str:
    message = problem["msg"].removeprefix("Value error, ")
    return ": ".join([*map(str, problem["loc"]), message])
