"""Watching the links: one on which nothing comes is given up, and so is a process that cannot get one.

Neither looks at the wall clock. Silence is counted in pings that nothing followed: where the whole process stood still
(a suspended machine, a busy loop), what Slack sent meanwhile is read before the next ping counts.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

# Three pings without anything coming back: stale after 4.5 to 6 s. Slack answers pings at once.
PING_EVERY_S = 1.5
UNANSWERED_PINGS = 3
# No link for this long although Slack's Web API answers: a new process may do better, and the exit is seen.
GIVE_UP_AFTER_S = 120.0


class Watched(Protocol):
    """What is watched of a link: how many messages came so far, pongs included."""

    heard: int

    @property
    def open(self) -> bool:
        """Whether messages may still come."""

    async def ping(self) -> None:
        """Ask for a sign of life."""


async def until_silent(link: Watched) -> bool:
    """Ping until the link is closed (False) or stale (True)."""
    unanswered = 0
    while link.open:
        before, started = link.heard, time.monotonic()
        try:
            async with asyncio.timeout(PING_EVERY_S):
                await link.ping()
        except (TimeoutError, ConnectionError):
            pass  # a link whose buffer is full, or that is just going, answers nothing either
        # Where the process itself stood still, there is still a moment to read what came.
        await asyncio.sleep(max(started + PING_EVERY_S - time.monotonic(), 0.1))
        unanswered = unanswered + 1 if link.heard == before else 0
        if unanswered >= UNANSWERED_PINGS:
            return link.open
    return False


class NoLinkInSightError(Exception):
    """Slack's Web API answers, yet no link could be had for ``seconds``; ``kind`` is what failed last."""

    def __init__(self, kind: str, seconds: float) -> None:
        super().__init__(f"no link to Slack for {seconds:.0f} s although its Web API answers (last: {kind})")
        self.kind = kind


class Outage:
    """How long no link has been had although Slack's Web API answers."""

    def __init__(self, give_up_after_s: float | None = None) -> None:
        self._bound = GIVE_UP_AFTER_S if give_up_after_s is None else give_up_after_s
        self._since: float | None = None

    def over(self) -> None:
        """There is a link again that holds."""
        self._since = None

    def failed(self, kind: str, *, slack_answers: bool) -> None:
        """One more attempt failed. While Slack itself is away, waiting is all that helps.

        Raises:
            NoLinkInSightError: it has been so for too long.
        """
        if not slack_answers:
            self._since = None
            return
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        if now - self._since >= self._bound:
            raise NoLinkInSightError(kind, now - self._since)
