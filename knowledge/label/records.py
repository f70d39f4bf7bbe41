"""The kinds of record in the label data. Those with figures to reckon with have them as numbers, all others as text."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Text = Annotated[str, Field(min_length=1, pattern=r"^\S(.*\S)?$")]
Texts = Annotated[tuple[Text, ...], Field(min_length=1, strict=False)]
Id = Annotated[str, Field(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)+$")]
SourceId = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
Date = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
PrintedDate = Annotated[str, Field(pattern=r"^([0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?|not printed)$")]
Positive = Annotated[int, Field(ge=1)]
Days = Annotated[tuple[Positive, ...], Field(min_length=1, strict=False)]
# A number that has decimals is written as text, so that nothing is rounded on the way.
Exact = Annotated[Decimal, Field(strict=False, gt=0)]

Region = Literal["us", "eu", "guideline", "class", "consensus"]
Toxicity = Literal["crs", "icans"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Record(_Part):
    """What every record has: a stable id, the source it quotes and, where other sources were compared, those."""

    id: Id
    source: SourceId
    cross_check: Annotated[tuple[SourceId, ...], Field(strict=False)] = ()
    note: Text | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """Ids of every source behind the record, the quoted one first."""
        grade5: str | None = getattr(self, "grade5_source", None)
        return (self.source, *self.cross_check, *(() if grade5 is None else (grade5,)))


class Version(Record):
    """A label text: product, document and date as far as it was seen. ``superseded_by`` names a newer text not seen."""

    region: Region
    drug: Text
    product: Text
    document: Text
    date: PrintedDate
    date_says: Text
    number: Positive | None = None
    setid: Text | None = None
    licence: Text | None = None
    superseded_by: Id | None = None
    superseded_says: Text | None = None


class Compiled(_Part):
    """When the label facts were last looked through, and the day from which they count as old (ISO 8601)."""

    id: Id
    date: Date
    review_by: Date


class Statement(Record):
    """What a label says in words. ``absent``: looked for and not found, or not read."""

    topic: Text
    region: Region
    text: Texts
    absent: bool = False


class Step(_Part):
    """Doses of one cycle (or, ``onward``, of it and all later ones) on the given days, in mg."""

    cycle: Positive
    days: Days
    dose_mg: Positive
    name: Text | None = None
    onward: bool = False


class Schedule(Record):
    """The step-up schedule."""

    route: Text
    infusion_hours: Positive
    volume_ml: Positive
    rate_ml_per_hour: Positive
    steps: Annotated[tuple[Step, ...], Field(min_length=1, strict=False)]
    cycle_days: Positive
    cycle_says: Text
    until: Text
    dose_reduction: Text

    def dose_mg(self, cycle: int, day: int) -> int | None:
        """The scheduled dose in mg on a day of a cycle, or None where none is scheduled."""
        for step in self.steps:
            if day in step.days and (cycle == step.cycle or (step.onward and cycle > step.cycle)):
                return step.dose_mg
        return None


class Item(_Part):
    """A drug given beside tarlatamab, and when."""

    drug: Text
    timing: Text


class Concomitant(Record):
    """What is given beside tarlatamab, on which days of which cycle."""

    region: Region
    cycle: Positive
    days: Days
    items: Annotated[tuple[Item, ...], Field(min_length=1, strict=False)]
    hydration: Text | None = None


class Doses(_Part):
    """Doses by cycle and day; ``onward`` takes in all later cycles."""

    cycle: Positive
    days: Days
    onward: bool = False


class Monitoring(Record):
    """How long to watch after which doses; ``hours`` is one number or a range, ``counted`` says from when."""

    region: Region
    name: Text
    doses: Annotated[tuple[Doses, ...], Field(min_length=1, strict=False)]
    hours: Annotated[tuple[Positive, ...], Field(min_length=1, max_length=2, strict=False)]
    counted: Text
    where: Text | None = None
    stay: Text | None = None
    later: Text | None = None
    footnote: Text | None = None

    @property
    def time(self) -> str:
        """The time in words, such as ``22 to 24 hours from the start of the infusion``."""
        return f"{' to '.join(map(str, self.hours))} hours {self.counted}"

    def covers(self, cycle: int, day: int | None = None) -> bool:
        """Whether the row is about a dose of this cycle, and of this day if one is given."""
        return any(
            (cycle == doses.cycle or (doses.onward and cycle > doses.cycle)) and (day is None or day in doses.days)
            for doses in self.doses
        )


class Laboratory(Record):
    """Laboratory tests the label asks for."""

    tests: Texts
    timing: Text
    during_crs: Text
    pregnancy: Text


class RestartRule(_Part):
    """After the dose ``last``: up to ``limit_days`` since it the schedule goes on, beyond it starts again."""

    last: Literal["c1d1", "c1d8", "later"]
    name: Text
    last_mg: Positive
    limit_days: Positive
    first_full_dose: bool = False


class Restart(Record):
    """Restart after a delay, by the last dose given and the days since it."""

    interval: Text
    repeat: Text
    repeat_mg: Positive
    go_on: Text
    go_on_mg: Positive
    rules: Annotated[tuple[RestartRule, ...], Field(min_length=1, strict=False)]
    care: Text
    no_row: Text
    eu: Text

    def rule(self, last: str) -> RestartRule:
        """The rule for a last dose.

        Raises:
            KeyError: the table has no such last dose.
        """
        for rule in self.rules:
            if rule.last == last:
                return rule
        raise KeyError(last)


class Grade(_Part):
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


class Hold(_Part):
    """Another adverse reaction for which the label withholds or stops tarlatamab."""

    key: Text
    name: Text
    text: Text


class Holds(Record):
    """Withholding and stopping for reactions other than CRS and ICANS."""

    items: Annotated[tuple[Hold, ...], Field(min_length=1, strict=False)]


class Difference(_Part):
    """Where another text differs, for the holds named by ``keys``."""

    keys: Texts
    text: Text


class HoldDifferences(Record):
    """Where another text differs from the holds of the US label."""

    region: Region
    items: Annotated[tuple[Difference, ...], Field(min_length=1, strict=False)]


class Level(_Part):
    """One level of a domain and the grade it stands for; 0 stands for none."""

    key: Text
    grade: Annotated[int, Field(ge=0, le=4)]
    short: Annotated[Text, Field(max_length=75)]
    text: Text


class Domain(_Part):
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


class IceItem(_Part):
    """One item of the ICE score with its most points."""

    key: Text
    name: Text
    detail: Text
    points: Positive


class IceRange(_Part):
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


class TocilizumabDose(Record):
    """Dose of tocilizumab for CRS by weight."""

    route: Text
    below_kg: Positive
    mg_per_kg: Positive
    mg_per_kg_below: Positive
    max_mg: Positive
    infusion_minutes: Positive
    dilution: Text
    with_steroid: Text
    further_doses: Positive
    hours_apart: Positive
    total_doses: Positive
    repeat: Text

    @model_validator(mode="after")
    def _doses_add_up(self) -> TocilizumabDose:
        if self.total_doses != 1 + self.further_doses:
            raise ValueError("the first and the further doses do not add up to the total")
        return self


class Volume(Record):
    """Volume of the undiluted injection."""

    ml_per_kg: Exact
    at_mg_per_kg: Positive
    mg_per_ml: Positive
    cap_reached_kg: Positive
    says: Text

    @model_validator(mode="after")
    def _agrees(self) -> Volume:
        if self.ml_per_kg * self.mg_per_ml != self.at_mg_per_kg:
            raise ValueError("mL/kg times mg/mL is not mg/kg")
        return self
