"""The groups that the report sets side by side: without prophylaxis, with it, not known, and everyone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from knowledge.cohort.record import CohortRow
from knowledge.factors import Presence
from knowledge.frozen import FrozenModel

T = TypeVar("T")
Rows = Sequence[CohortRow]


class ByGroup(FrozenModel, Generic[T]):
    """The same figure for each group; ``not_known`` are patients whose prophylaxis is not known."""

    without: T
    given: T
    not_known: T
    everyone: T


def by_group(rows: Rows, figure: Callable[[Rows], T]) -> ByGroup[T]:
    """``figure`` of each group's patients; a group may be empty."""
    of = {
        presence: [row for row in rows if row.tocilizumab_prophylaxis is presence]
        for presence in (Presence.NO, Presence.YES, Presence.UNKNOWN)
    }
    return ByGroup(
        without=figure(of[Presence.NO]),
        given=figure(of[Presence.YES]),
        not_known=figure(of[Presence.UNKNOWN]),
        everyone=figure(rows),
    )
