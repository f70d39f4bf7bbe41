"""Ledgers whose events were recorded years ago, through the real writer under a clock that is set."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.ledger.store import Outcome, Store, prepare
from handlers.ports import Entry


@dataclass
class SetClock:
    """A clock that says what it is told."""

    moment: datetime

    def now(self) -> datetime:
        """The moment it was set to."""
        return self.moment

    def monotonic(self) -> float:
        """The machine's own."""
        return time.monotonic()


def at(text: str) -> datetime:
    """A moment, UTC, from its ISO 8601 form."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def record(path: Path, entries: Iterable[tuple[str, Entry]]) -> list[Outcome]:
    """Record each entry at its time, a batch of equal times in one transaction."""
    clock, outcomes = SetClock(at("2000-01-01")), []
    batches: list[tuple[str, list[Entry]]] = []
    for when, entry in entries:
        if not batches or batches[-1][0] != when:
            batches.append((when, []))
        batches[-1][1].append(entry)
    with closing(Store(path, clock)) as store:
        for when, batch in batches:
            clock.moment = at(when)
            outcomes += store.append([prepare(entry) for entry in batch], time.monotonic() + 2)
    return outcomes
