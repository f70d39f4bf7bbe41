"""Hand-written fakes of the ports that a conversation needs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from handlers.ports import AlreadyRecordedError, Entry, OwnWorkspace, Person, Recorded

START = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


class FakeClock:
    """A clock that moves only when told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self.seconds += seconds

    def now(self) -> datetime:
        """The start plus what has passed."""
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        """What has passed."""
        return self.seconds


class FakeLedger:
    """Keeps entries in memory, each key once, or fails every time with ``fault``."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault
        self.entries: list[Entry] = []

    async def record(self, entry: Entry) -> Recorded:
        """Keep the entry as the ledger would, or raise."""
        if self.fault is not None:
            raise self.fault
        for seq, earlier in enumerate(self.entries, 1):
            if earlier.idem_key == entry.idem_key:
                raise AlreadyRecordedError(recorded(seq))
        self.entries.append(entry)
        return recorded(len(self.entries))


class FakeDirectory:
    """People and groups as told; with ``fault`` nobody can be asked about."""

    def __init__(self, *people: Person, groups: Mapping[str, frozenset[str]] | None = None) -> None:
        self.people = {person.user: person for person in people}
        self.groups = dict(groups or {})
        self.own = OwnWorkspace("T0TARLADEV")
        self.fault: Exception | None = None

    async def workspace(self) -> OwnWorkspace:
        """The workspace."""
        self._fail()
        return self.own

    async def person(self, user: str) -> Person | None:
        """The person, if told of."""
        self._fail()
        return self.people.get(user)

    async def members(self, group: str) -> frozenset[str]:
        """The group's members; none of a group not told of."""
        self._fail()
        return self.groups.get(group, frozenset())

    def _fail(self) -> None:
        if self.fault is not None:
            raise self.fault


def recorded(seq: int) -> Recorded:
    """An event that stands in a ledger under ``seq``; its leaf is made up but always the same."""
    return Recorded(seq, START.isoformat(), hashlib.sha256(str(seq).encode()).digest())
