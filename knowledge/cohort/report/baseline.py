"""Table 1: the patients before the first dose, by prophylaxis, with standardised differences.

No p values: they would ask whether chance alone made the groups differ, which is not in doubt where doctors chose who
got prophylaxis, and their size follows the number of patients more than the imbalance (STROBE explanation, item 14).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from knowledge.cohort.record import CohortRow, Histology, Sex
from knowledge.cohort.report.differences import (
    StandardisedDifference,
    of_categories,
    of_shares,
    of_values,
)
from knowledge.cohort.report.groups import ByGroup, Rows, by_group
from knowledge.cohort.report.proportions import Proportion, proportion, share_of
from knowledge.cohort.report.summaries import Summary, summary
from knowledge.factors import LdhCategory, LdhMeasured, Presence
from knowledge.frozen import FrozenModel


class Measured(FrozenModel):
    """A variable that is a number."""

    kind: Literal["measured"] = "measured"
    key: str
    label: str
    unit: str
    groups: ByGroup[Summary]
    difference: StandardisedDifference


class YesNo(FrozenModel):
    """A variable that is there or not."""

    kind: Literal["yes_no"] = "yes_no"
    key: str
    label: str
    missing: ByGroup[int]
    groups: ByGroup[Proportion]
    difference: StandardisedDifference


class Categories(FrozenModel):
    """A variable of several categories; each group has a share for each of ``levels``, in their order."""

    kind: Literal["categories"] = "categories"
    key: str
    label: str
    levels: tuple[str, ...]
    missing: ByGroup[int]
    groups: ByGroup[tuple[Proportion, ...]]
    difference: StandardisedDifference


Variable = Measured | YesNo | Categories


class Baseline(FrozenModel):
    """Table 1."""

    variables: tuple[Variable, ...]

    def summary_of(self, key: str) -> ByGroup[Summary]:
        """A measured variable by its key.

        Raises:
            KeyError: there is none.
        """
        return {each.key: each.groups for each in self.variables if isinstance(each, Measured)}[key]

    def share_of(self, key: str) -> ByGroup[Proportion]:
        """A yes-or-no variable by its key.

        Raises:
            KeyError: there is none.
        """
        return {each.key: each.groups for each in self.variables if isinstance(each, YesNo)}[key]


def baseline(rows: Rows) -> Baseline:
    """Table 1."""
    return Baseline(
        variables=(
            _measured(rows, "age", "Age", "years", lambda row: row.age),
            _yes_no(rows, "male", "Male sex", lambda row: None if row.sex is None else row.sex is Sex.MALE),
            _categories(rows, "histology", "Histology", {each: HISTOLOGY[each] for each in Histology}),
            _yes_no(rows, "ecog01", "ECOG 0 or 1", lambda row: None if row.ecog is None else row.ecog <= 1),
            _categories(rows, "ecog", "ECOG", {grade: str(grade) for grade in range(5)}),
            _measured(rows, "prior_lines", "Prior lines of treatment", "", lambda row: row.prior_lines),
            _measured(rows, "ldh", "LDH", "U/L", _ldh_u_per_l),
            _measured(rows, "ldh_ratio", "LDH", "x ULN", lambda row: row.factors.ldh_ratio),
            _yes_no(rows, "ldh_high", "LDH above ULN", ldh_high),
            *(_yes_no(rows, key, label, _presence(key)) for key, label in FINDINGS.items()),
        ),
    )


HISTOLOGY = {
    Histology.SCLC: "small cell",
    Histology.HIGH_GRADE_NEC: "high-grade neuroendocrine",
    Histology.OTHER: "other",
}
FINDINGS = {
    "liver_metastases": "Liver metastases",
    "diabetes": "Diabetes",
    "cardiovascular_disease": "Cardiovascular disease",
    "brain_metastases": "Brain metastases",
}


def ldh_high(row: CohortRow) -> bool | None:
    """Whether LDH is strictly above its upper limit; None where not known."""
    if isinstance(row.ldh, LdhCategory):
        return row.ldh.category == "high"
    return None if row.ldh is None else row.ldh.ratio > 1.0


def _ldh_u_per_l(row: CohortRow) -> float | None:
    return row.ldh.unit.to_u_per_l(row.ldh.value) if isinstance(row.ldh, LdhMeasured) else None


def _presence(name: str) -> Callable[[CohortRow], bool | None]:
    def present(row: CohortRow) -> bool | None:
        found = getattr(row, name)
        return None if found is Presence.UNKNOWN else found is Presence.YES

    return present


def _measured(rows: Rows, key: str, label: str, unit: str, value: Callable[[CohortRow], float | None]) -> Measured:
    known = by_group(rows, lambda group: [found for row in group if (found := value(row)) is not None])
    return Measured(
        key=key,
        label=label,
        unit=unit,
        groups=by_group(rows, lambda group: summary(value(row) for row in group)),
        difference=of_values(known.given, known.without),
    )


def _yes_no(rows: Rows, key: str, label: str, answer: Callable[[CohortRow], bool | None]) -> YesNo:
    groups = by_group(rows, lambda group: share_of(answer(row) for row in group))
    given, without = groups.given, groups.without
    return YesNo(
        key=key,
        label=label,
        missing=by_group(rows, lambda group: sum(answer(row) is None for row in group)),
        groups=groups,
        difference=of_shares(given.events, given.n, without.events, without.n),
    )


def _categories(rows: Rows, key: str, label: str, levels: dict[Histology, str] | dict[int, str]) -> Categories:
    groups = by_group(rows, lambda group: _shares(group, key, tuple(levels)))
    return Categories(
        key=key,
        label=label,
        levels=tuple(levels.values()),
        missing=by_group(rows, lambda group: sum(getattr(row, key) is None for row in group)),
        groups=groups,
        difference=of_categories([each.events for each in groups.given], [each.events for each in groups.without]),
    )


def _shares(rows: Rows, key: str, levels: Sequence[Histology | int]) -> tuple[Proportion, ...]:
    found = [value for row in rows if (value := getattr(row, key)) is not None]
    return tuple(proportion(sum(value == level for value in found), len(found)) for level in levels)
