"""Conflicts between published figures, with which to trust, and gaps: what was looked for and not found."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from knowledge.evidence.fields import Ids, Record, Text


class _Remark(Record):
    """What conflicts and gaps share: the subjects where they matter, and the records they are about."""

    title: Text
    subjects: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    statement: Text
    facts: Ids = ()
    sources: Ids = ()

    @model_validator(mode="after")
    def _about_something(self) -> _Remark:
        if not (self.facts or self.sources):
            raise ValueError("names neither facts nor sources")
        for name in ("subjects", "facts", "sources"):
            named = getattr(self, name)
            if len(named) != len(set(named)):
                raise ValueError(f"{name} names one twice")
        return self


class Conflict(_Remark):
    """Figures that contradict each other or seem to: what they say, and which to trust and why.

    ``facts`` names facts and associations. ``working`` is arithmetic on their figures.
    """

    id: Annotated[str, Field(pattern=r"^con\.[a-z0-9_]+$")]
    trust: Text
    working: Text | None = None


class Gap(_Remark):
    """Something looked for and not found, or known to exist and not read."""

    id: Annotated[str, Field(pattern=r"^gap\.[a-z0-9_]+$")]
