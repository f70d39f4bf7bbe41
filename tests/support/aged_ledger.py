"""Ledgers whose events were recorded years ago, through the real writer under a clock that is set."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.audit.pruning import check_before, prune
from bot.audit.retention import Plan, plan_retention
from bot.ledger.store import Outcome, Store, prepare
from handlers.ports import Entry, Kind


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


NOW = at("2026-11-24T12:00:00")


def canary(number: int) -> str:
    """Bytes found nowhere else, of a length that differs from event to event, beyond a page now and then."""
    return f"canary-{number:06d}-" + "z" * (number * 37 % 900) + ("y" * 6_000 if number % 50 == 0 else "")


def entry(number: int, kind: str = Kind.COMPUTED) -> Entry:
    """An event with its canary."""
    return Entry(f"request-{number}", kind, {"mark": canary(number)})


def run(path: Path, plan: Plan | None = None, years: int = 6, now: datetime = NOW) -> Plan:
    """Check, prune, and say what was planned."""
    check_before(path)
    plan = plan or plan_retention(path, years, now)
    prune(path, plan, SetClock(now), {})
    return plan


def held(path: Path, numbers: range) -> list[int]:
    """Those of the numbers whose canary stands anywhere in the ledger's file or a journal beside it."""
    content = b"".join(each.read_bytes() for each in path.parent.iterdir() if each.name.startswith(path.name))
    return [number for number in numbers if f"canary-{number:06d}".encode() in content]


def prune_all(path: Path) -> None:
    """What is due after six years, without a check before."""
    prune(path, plan_retention(path, 6, NOW), SetClock(NOW), {})
