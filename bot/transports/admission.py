"""How many requests are in hand: as many as can be answered while Slack waits, and a word at once to the others.

Slack gives up after 3 s and shows an error of its own. More requests than can be answered by then are better told
"busy" in time. The figures rest on measurement: two idle cores answer 300 commands sent at once in 0.8 to 0.9 s, the
sender's own work included, so about 350 a second; with four other programs at work on them it was 110 to 220. Taken up
all together, 600 were then answered after 2.5 to 5.4 s, mostly too late; in turns the last one is answered, or told,
within 2.7 s.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bot.transports.counts import Counts

# Answered side by side. Each works 3 to 7 ms on the one core, and in between nobody looks at what comes in: so few that
# this is soon. Enough for the ledger's group commit, and for Slack to be asked at the same time who they all are.
SIDE_BY_SIDE = 32
# As many as are answered in two seconds at 250 a second. Their connections, and those of what is at work, stay below
# the 1,024 files that a process may open by default.
MOST_WAITING = 500
# Where the first in the row has waited so long, whoever joins it would wait as long at least.
ROW_WAITS_S = 1.5
# What gets its turn later could be answered too late: under load it came up to half a second before it was seen, and
# takes as long to be answered.
LATEST_TURN_S = 1.8
# Work that goes on after the acknowledgement (an answer to a mention, what a button brings), in listeners at work.
MOST_AT_WORK = 300


class Admission:
    """Turns, first come, first served.

    Args:
        monotonic: seconds that never step back, as those of ``received``.
        counts: where those turned away are counted.
        at_work: number of listeners at work, acknowledged or not.
    """

    def __init__(self, monotonic: Callable[[], float], counts: Counts, at_work: Callable[[], int]) -> None:
        self.counts = counts
        self._monotonic = monotonic
        self._at_work = at_work
        self._free = SIDE_BY_SIDE
        self._row: deque[tuple[float, asyncio.Future[None]]] = deque()

    @property
    def in_hand(self) -> int:
        """Requests being answered, and those waiting for their turn."""
        return SIDE_BY_SIDE - self._free + len(self._row)

    @asynccontextmanager
    async def turn(self, received: float, *, goes_on: bool) -> AsyncIterator[bool]:
        """Wait for a turn and hold it; False, at once or after waiting in vain, where the request must be told "busy".

        Args:
            received: when the request came, on the same clock.
            goes_on: whether its work may go on after the acknowledgement.
        """
        taken = await self._wait(received, goes_on)
        try:
            yield taken
        finally:
            if taken:
                self._pass_on()

    async def _wait(self, received: float, goes_on: bool) -> bool:
        if goes_on and self._at_work() >= MOST_AT_WORK:
            self.counts.shed += 1
            return False
        if self._free:
            self._free -= 1
            return True
        if len(self._row) >= MOST_WAITING or self._monotonic() - self._row_since(received) > ROW_WAITS_S:
            self.counts.shed += 1
            return False
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._row.append((received, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._pass_on()  # it came at the same moment
            raise
        if self._monotonic() - received > LATEST_TURN_S:
            self._pass_on()
            self.counts.late += 1
            return False
        return True

    def _row_since(self, now: float) -> float:
        """When the first in the row came."""
        while self._row and self._row[0][1].done():
            self._row.popleft()  # given up
        return self._row[0][0] if self._row else now

    def _pass_on(self) -> None:
        while self._row:
            _, turn = self._row.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
