"""Hand-written fakes of the ports that a conversation needs."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from handlers.ports import AlreadyRecordedError, Entry, Recorded

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


def recorded(seq: int) -> Recorded:
    """An event that stands in a ledger under ``seq``; its leaf is made up but always the same."""
    return Recorded(seq, START.isoformat(), hashlib.sha256(str(seq).encode()).digest())
