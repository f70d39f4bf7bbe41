"""Prophylaxis against none, outcome by outcome. A comparison of groups that doctors chose, not a trial."""

from __future__ import annotations

from knowledge.assessment import Outcome
from knowledge.cohort.report.contrasts import Contrast, contrast
from knowledge.cohort.report.groups import ByGroup, Rows, by_group
from knowledge.cohort.report.proportions import Proportion, share_of
from knowledge.frozen import FrozenModel

COMPARED = (
    Outcome.CRS_ANY,
    Outcome.CRS_GRADE2PLUS,
    Outcome.CRS_GRADE3PLUS,
    Outcome.ICANS_ANY,
    Outcome.ICANS_GRADE3PLUS,
)


class Comparison(FrozenModel):
    """One outcome after the first dose; ``contrast`` is None where one of the two groups has no known outcome."""

    outcome: Outcome
    groups: ByGroup[Proportion]
    contrast: Contrast | None


def comparisons(rows: Rows) -> tuple[Comparison, ...]:
    """Every outcome that is compared, in the order in which it is shown."""
    return tuple(_comparison(rows, outcome) for outcome in COMPARED)


def _comparison(rows: Rows, outcome: Outcome) -> Comparison:
    groups = by_group(rows, lambda group: share_of(row.had(outcome) for row in group))
    return Comparison(outcome=outcome, groups=groups, contrast=contrast(groups.given, groups.without))
