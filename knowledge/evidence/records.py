"""The kinds of record in the evidence, each of which refuses to hold anything inconsistent.

What a source prints and what was worked out from it are kept apart: printed
figures stand in the record itself, arithmetic on them in ``derived``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from knowledge.evidence.days import Day
from knowledge.evidence.fields import Count, Id, Ids, Patients, Record, Text, Topic
from knowledge.evidence.printed import agrees, parse_percent

# Risk with the factor against without it; "none" is a link that was looked for and not found, "unclear" one that the
# source only names as possible.
Direction = Literal["higher", "lower", "none", "unclear"]


class Derived(Record):
    """Arithmetic on printed figures, never a new measurement; ``how`` shows the working."""

    how: Text
    events: Count | None = None
    n: Patients | None = None
    percent: Text | None = None
    value: Text | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Derived:
        if all(figure is None for figure in (self.events, self.n, self.percent, self.value)):
            raise ValueError("derived holds no figure")
        return self


class CentreTerm(Record):
    """Whether a cohort informs the risk at a centre not yet seen, and why or why not."""

    use: bool
    reason: Text


class LeftOut(Record):
    """Rates of CRS or ICANS left out of the centre term for a reason they share."""

    reason: Text
    facts: Annotated[Ids, Field(min_length=1)]


class _Finding(Record):
    """What facts and associations share: whom, when, how many and who says so."""

    id: Id
    topic: Topic
    endpoint: Text
    population: Text
    window: Text
    source: Id
    events: Count | None = None
    n: Patients | None = None
    ci95: Text | None = None
    p: Text | None = None
    derived: Derived | None = None
    absent: bool = False
    note: Text | None = None
    review_by: Day | None = None

    @property
    def count(self) -> int | None:
        """Patients with the event: as printed, else as derived; None when neither is known."""
        return self.events if self.events is not None or self.derived is None else self.derived.events

    @property
    def denominator(self) -> int | None:
        """Patients observed: as printed, else as derived; None when neither is known."""
        return self.n if self.n is not None or self.derived is None else self.derived.n

    @model_validator(mode="after")
    def _events_within_n(self) -> _Finding:
        if self.count is not None and self.denominator is not None and self.count > self.denominator:
            raise ValueError(f"{self.count} events among {self.denominator} patients")
        if self.derived is not None:
            for name in ("events", "n"):
                if getattr(self, name) is not None and getattr(self.derived, name) is not None:
                    raise ValueError(f"{name} is both printed and derived")
        return self


class Fact(_Finding):
    """One published figure, or (``absent``) one that was looked for and not found.

    ``percent`` is the text as printed, always a single percentage; it must agree
    with the counts to the last digit printed, unless ``discrepancy`` says how the
    source contradicts itself. ``based_on`` names the facts a derivation rests on.
    ``ci95``, ``range`` and ``p`` are texts as printed.
    """

    setting: Text
    definition: Text | None = None
    percent: Text | None = None
    value: float | Text | None = None
    unit: Text | None = None
    range: Text | None = None
    discrepancy: Text | None = None
    based_on: Ids = ()
    centre_term: CentreTerm | None = None

    @property
    def is_toxicity_rate(self) -> bool:
        """Whether it says how often CRS or ICANS occurs (or that no such figure was found), not when or how long."""
        return self.topic == "incidence" and self.endpoint.startswith(("crs_", "icans_")) and self.unit is None

    @property
    def rate(self) -> float | None:
        """Events as a fraction of patients, or None when either is unknown."""
        if self.count is None or self.denominator is None:
            return None
        return self.count / self.denominator

    @model_validator(mode="after")
    def _figure_or_absent(self) -> Fact:
        figures = (self.events, self.percent, self.value, self.derived)
        if self.absent and any(figure is not None for figure in figures):
            raise ValueError("absent, yet it holds a figure")
        if not self.absent and all(figure is None for figure in figures):
            raise ValueError("neither events, percent nor value, and not marked absent")
        return self

    @model_validator(mode="after")
    def _percent_agrees(self) -> Fact:
        derived = None if self.derived is None else self.derived.percent
        texts = [text for text in (self.percent, derived) if text is not None]
        percentages = [parse_percent(text) for text in texts]  # refuses what is not a single percentage
        disagreeing: list[str] = []
        if self.count is not None and self.denominator is not None:
            pairs = zip(texts, percentages, strict=True)
            disagreeing = [text for text, printed in pairs if not agrees(printed, self.count, self.denominator)]
        if disagreeing and self.discrepancy is None:
            raise ValueError(f"percent {disagreeing[0]} does not agree with {self.count} of {self.denominator}")
        if self.discrepancy is not None and not disagreeing:
            raise ValueError("a discrepancy is described, but no percent disagrees with the counts")
        return self

    @model_validator(mode="after")
    def _centre_cohort_has_counts(self) -> Fact:
        if self.centre_term is not None and self.centre_term.use and self.rate is None:
            raise ValueError("used in the centre term, but without events and patients")
        return self


class Association(_Finding):
    """A published link, or a null, between a baseline factor and an outcome.

    ``effect`` is the effect as printed; ``coefficient`` the same as a number
    where it is a log odds ratio. When the source names the link but no size was
    seen, ``absent`` is true: it is the effect that is absent, not the link.
    ``scope`` is the drug or drug class.
    """

    factor: Text
    direction: Direction
    scope: Text
    coding: Text | None = None
    effect: Text | None = None
    coefficient: float | None = None
    adjusted: Text | None = None
    model: Text | None = None

    @model_validator(mode="after")
    def _effect_or_absent(self) -> Association:
        sized = self.effect is not None or self.coefficient is not None or self.ci95 is not None
        if self.absent and sized:
            raise ValueError("effect marked absent, yet one is given")
        if not self.absent and not sized:
            raise ValueError("no effect, and not marked absent")
        return self
