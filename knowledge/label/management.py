"""Records of what the label says for each grade of CRS and ICANS, and of other reasons to hold a dose."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from knowledge.label.base import Part, Record, Region, Text, Texts, Toxicity


class Grade(Part):
    """One grade of the management table.

    ``as_grade``: the treatment builds on that of this lower grade. ``stops``: no dose follows.
    ``next_dose_monitoring``: ``next_dose`` holds a US monitoring time.
    """

    grade: Annotated[int, Field(ge=1, le=4)]
    criteria: Text
    tarlatamab: Text
    treatment: Texts
    as_grade: Annotated[int, Field(ge=1, le=3)] | None = None
    tocilizumab: Text | None = None
    stops: bool = False
    next_dose: Text | None = None
    next_dose_monitoring: bool = False

    @model_validator(mode="after")
    def _builds_on_a_lower_one(self) -> Grade:
        if self.as_grade is not None and self.as_grade >= self.grade:
            raise ValueError("the treatment must build on that of a lower grade")
        if self.stops and self.next_dose is not None:
            raise ValueError("a next dose, yet tarlatamab is stopped for good")
        return self


class Management(Record):
    """What the label says to do for CRS or ICANS, by grade."""

    toxicity: Toxicity
    grading: Text
    general: Texts
    grades: Annotated[tuple[Grade, ...], Field(min_length=1, strict=False)]
    steroid_taper: Text

    def grade(self, grade: int) -> Grade:
        """One grade.

        Raises:
            KeyError: the table has no such grade.
        """
        for each in self.grades:
            if each.grade == grade:
                return each
        raise KeyError(grade)

    def built_on(self, grade: int) -> tuple[Grade, ...]:
        """The lower grades on whose treatment that of ``grade`` builds, the nearest first.

        Raises:
            KeyError: the table has no such grade.
        """
        below = self.grade(grade).as_grade
        return () if below is None else (self.grade(below), *self.built_on(below))


class Hold(Part):
    """Another adverse reaction for which the label withholds or stops tarlatamab."""

    key: Text
    name: Text
    text: Text


class Holds(Record):
    """Withholding and stopping for reactions other than CRS and ICANS."""

    items: Annotated[tuple[Hold, ...], Field(min_length=1, strict=False)]


class Difference(Part):
    """Where another text differs, for the holds named by ``keys``."""

    keys: Texts
    text: Text


class HoldDifferences(Record):
    """Where another text differs from the holds of the US label."""

    region: Region
    items: Annotated[tuple[Difference, ...], Field(min_length=1, strict=False)]
