"""Records of dose, premedication, monitoring, laboratory tests and restart after a delay."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from knowledge.label.base import Days, Part, Positive, Record, Region, Text, Texts


class Step(Part):
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


class Item(Part):
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


class Doses(Part):
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


class RestartRule(Part):
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
