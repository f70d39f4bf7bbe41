"""A steady stream of commands through the stand-in, and what must hold of ledger and replies afterwards."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bot.ledger import check_ledger, read_events
from bot.standin import NotAcknowledgedError, NotConnectedError, SlackStandin


@dataclass
class Stream:
    """Commands, each for another patient, and what became of them.

    ``receipts`` of those answered and when (``time.perf_counter()``), what others were told instead, and how many were
    ``lost``: not acknowledged within three seconds, or with no link to send them on, for which Slack shows an error.
    """

    slack: SlackStandin
    receipts: list[str] = field(default_factory=list)
    answered_at: list[float] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _asking: set[asyncio.Task[None]] = field(default_factory=set)

    async def one(self) -> bool:
        """Send one command; whether it was answered."""
        try:
            message = await self.slack.slash_command(f"ldh {100 + next(self._numbers) % 9000}/250 dm no")
        except (NotConnectedError, NotAcknowledgedError):
            self.lost += 1
            return False
        text = message.get("text", "")
        if "receipt #" in text:
            self.receipts.append(text.rpartition("#")[2].split()[0].rstrip("."))
            self.answered_at.append(time.perf_counter())
            return True
        self.told[text[:30]] += 1
        return False

    def start(self) -> None:
        """Send one command without waiting for it."""
        task = asyncio.create_task(self._one())
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _one(self) -> None:
        await self.one()

    async def every(self, seconds: float, condition: Callable[[], bool]) -> None:
        """Send one every so many seconds while ``condition`` holds."""
        while condition():
            self.start()
            await asyncio.sleep(seconds)

    async def give_up(self) -> None:
        """Wait no longer for the commands under way: they count as lost."""
        self.lost += len(self._asking)
        for task in self._asking:
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)

    async def all_done(self) -> None:
        """Wait for the commands under way."""
        await asyncio.gather(*self._asking)


def holds(path: Path, *streams: Stream) -> int:
    """Check ledger and replies against each other; how many ``computed`` there are."""
    assert check_ledger(path).ok
    events = list(read_events(path))
    computed = {f"{event.seq}-{event.leaf.hex()[:4]}": event for event in events if event.kind == "computed"}
    keys = [event.idem_key for event in computed.values()]
    assert len(set(keys)) == len(keys)
    # A number that was shown stands in the ledger, and was shown to one only.
    shown = [receipt for stream in streams for receipt in stream.receipts]
    assert set(shown) <= set(computed)
    assert len(set(shown)) == len(shown)
    for stream in streams:
        assert max(stream.slack.sockets.acknowledged.values(), default=0) <= 1
    return len(computed)
