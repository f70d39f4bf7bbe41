"""Who was read, who could be counted for what, and how long they were followed."""

from __future__ import annotations

from knowledge.assessment import Outcome
from knowledge.cohort.report.groups import ByGroup, Rows, by_group
from knowledge.cohort.report.summaries import Summary, summary
from knowledge.frozen import FrozenModel


class OutcomeFlow(FrozenModel):
    """Patients whose outcome is known: they are the denominators of everything said of it."""

    outcome: Outcome
    known: ByGroup[int]


class Flow(FrozenModel):
    """``patients`` as the file has them. Follow-up is in days after the first dose."""

    patients: ByGroup[int]
    outcomes: tuple[OutcomeFlow, ...]
    follow_up_days: ByGroup[Summary]


def flow(rows: Rows) -> Flow:
    """The flow of patients."""
    return Flow(
        patients=by_group(rows, len),
        outcomes=tuple(OutcomeFlow(outcome=outcome, known=_known(rows, outcome)) for outcome in Outcome),
        follow_up_days=by_group(rows, lambda group: summary(row.follow_up_days for row in group)),
    )


def _known(rows: Rows, outcome: Outcome) -> ByGroup[int]:
    return by_group(rows, lambda group: sum(row.had(outcome) is not None for row in group))
