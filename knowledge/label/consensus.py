"""Records of the ASTCT 2019 grading of CRS and ICANS, and of the ICE score."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from knowledge.label.base import Exact, Part, Positive, Record, SourceId, Text, Texts


class Level(Part):
    """One level of a domain and the grade it stands for; 0 stands for none."""

    key: Text
    grade: Annotated[int, Field(ge=0, le=4)]
    short: Annotated[Text, Field(max_length=75)]
    text: Text


class Domain(Part):
    """One row of a grading table, levels from none to worst."""

    key: Text
    name: Text
    levels: Annotated[tuple[Level, ...], Field(min_length=2, strict=False)]

    def level(self, key: str) -> Level:
        """A level by key.

        Raises:
            KeyError: there is none of this key.
        """
        for each in self.levels:
            if each.key == key:
                return each
        raise KeyError(key)

    @model_validator(mode="after")
    def _worse_and_worse(self) -> Domain:
        grades = [level.grade for level in self.levels]
        if grades != sorted(set(grades)):
            raise ValueError("levels must run from the lowest grade to the highest, one level a grade")
        if len({level.key for level in self.levels}) != len(self.levels):
            raise ValueError("a level's key occurs twice")
        return self


class _Grading(Record):
    applies_to: Text
    rules: Texts
    domains: Annotated[tuple[Domain, ...], Field(min_length=1, strict=False)]

    def domain(self, key: str) -> Domain:
        """A domain by key.

        Raises:
            KeyError: there is none of this key.
        """
        for each in self.domains:
            if each.key == key:
                return each
        raise KeyError(key)


class CrsGrading(_Grading):
    """ASTCT 2019 grading of CRS."""

    fever_c: Exact
    definition_of_fever: Text
    grade5: Text
    grade5_source: SourceId


class IcansGrading(_Grading):
    """ASTCT 2019 grading of ICANS, the ICE score aside. ``motor`` says that the label's tables lack the motor row."""

    motor: Text
    grade5_note: Text


class IceItem(Part):
    """One item of the ICE score with its most points."""

    key: Text
    name: Text
    detail: Text
    points: Positive


class IceRange(Part):
    """Scores from ``low`` to ``high``, both included, and the grade they stand for; 0 stands for none."""

    low: Annotated[int, Field(ge=0)]
    high: Annotated[int, Field(ge=0)]
    grade: Annotated[int, Field(ge=0, le=4)]
    text: Text


class Ice(Record):
    """The ICE score: items, points and what the score stands for."""

    total: Positive
    items: Annotated[tuple[IceItem, ...], Field(min_length=1, strict=False)]
    scores: Annotated[tuple[IceRange, ...], Field(min_length=1, strict=False)]
    unarousable_grade: Annotated[int, Field(ge=1, le=4)]
    unarousable: Text

    def range(self, score: int) -> IceRange:
        """The range a score lies in.

        Raises:
            ValueError: the score is not between 0 and the total.
        """
        for each in self.scores:
            if each.low <= score <= each.high:
                return each
        raise ValueError(f"an ICE score lies between 0 and {self.total}")

    @model_validator(mode="after")
    def _whole(self) -> Ice:
        if sum(item.points for item in self.items) != self.total:
            raise ValueError("the items' points do not add up to the total")
        covered = sorted(score for each in self.scores for score in range(each.low, each.high + 1))
        if covered != list(range(self.total + 1)):
            raise ValueError("the ranges must cover every score once")
        return self
