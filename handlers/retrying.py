"""Trying again what Slack has refused outright, and never what it may have taken."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

# Slack takes five messages through a response_url; one may have gone before.
TRIES = 4
# Far below the thirty minutes for which a response_url is good: after five nobody waits for the answer any more.
WITHIN_S = 300.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
# So that those who were told to wait as long do not all come back at once.
SPREAD_S = 1.0
# Too many requests, and failures in which Slack itself says that it did not take it. Not 502 and 504: they are a
# gateway's word that Slack behind it was not heard in time, and Slack may have taken the message.
REFUSED_FOR_NOW = frozenset({429, 500, 503})
# Messages that wait for another try. More would only add to what Slack refuses.
MOST_WAITING = 100

_WHOLE_SECONDS = re.compile(r"[0-9]{1,6}", re.ASCII)


@dataclass
class Retrying:
    """When to try again. Tests put in a pause, a chance (0 to 1) and a clock of their own."""

    pause: Callable[[float], Awaitable[object]] = asyncio.sleep
    chance: Callable[[], float] = random.random
    monotonic: Callable[[], float] | None = None
    waiting: int = 0

    def now(self) -> float:
        """Seconds that never step back."""
        return self.monotonic() if self.monotonic is not None else asyncio.get_running_loop().time()

    async def wait(self, tries: int, started: float, retry_after: str | None) -> bool:
        """Pause before the next try; False, at once, where there is to be none.

        Args:
            tries: how many there were.
            started: ``now()`` at the first.
            retry_after: Slack's header of that name, in seconds. It is never tried sooner; where that is later than
                anybody waits, not at all.
        """
        if retry_after is not None and _WHOLE_SECONDS.fullmatch(retry_after):
            seconds = int(retry_after) + SPREAD_S * self.chance()
        else:
            seconds = min(FIRST_PAUSE_S * 2.0 ** (tries - 1), LONGEST_PAUSE_S) * (1.0 + self.chance()) / 2.0
        if tries >= TRIES or self.waiting >= MOST_WAITING or self.now() - started + seconds > WITHIN_S:
            return False
        self.waiting += 1
        try:
            await self.pause(seconds)
        finally:
            self.waiting -= 1
        return True


# One for the whole process, since the messages that wait are counted together.
PATIENT = Retrying()
