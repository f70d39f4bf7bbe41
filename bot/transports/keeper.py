"""Keeps one link to Slack open: a successor for each that ends, at once or with growing pauses while Slack is away.

slack_sdk's own client does most of this, but gives up a link before it has the next, waits up to 30 s for an address,
asks again at a fixed pace, and treats ``too_many_websockets`` as any refresh.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.transports.link import ELSEWHERE_S, Link, Take
from bot.transports.state import LinkState
from bot.transports.tickets import NoLinkError, ask_for_address, close_socket, open_socket
from bot.transports.watchdog import Outage

# Pauses grow from the first to the last, each shortened by up to half at random. With SLOW_S they bound how long after
# Slack's return nobody tries: under 10 s.
FIRST_PAUSE_S, LAST_PAUSE_S = 0.25, 4.0
# An attempt that takes longer goes on, and another is made beside it.
SLOW_S = 3.0
# A link that held for less brought nothing, and its successor is not made at once.
HELD_S = 1.0
# How long a link that Slack wants back may go on; Slack itself ends it after some ten seconds.
RETIRED_S = 30.0
# Here the old link stands in the way of the new one.
_OLD_FIRST = frozenset({"too_many_websockets", "link_disabled"})

log = logging.getLogger("tarla.transport")


class Pauses:
    """The pause before each attempt: none, then growing ones."""

    def __init__(self, uniform: Callable[[float, float], float]) -> None:
        self._uniform = uniform
        self._failed = 0

    def held(self) -> None:
        """All is well: the next link is made at once."""
        self._failed = 0

    def next(self) -> float:
        """Seconds to wait before the attempt now due."""
        step, self._failed = self._failed, min(self._failed + 1, 20)
        if step == 0:
            return 0.0
        return min(LAST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (step - 1)) * self._uniform(0.5, 1.0)


class Keeper:
    """Keeps a link open while ``run`` runs. ``take`` gets each envelope with the link it came on."""

    def __init__(
        self, client: AsyncWebClient, app_token: str, take: Take, expected: int, bolt_log: logging.Logger
    ) -> None:
        self.state = LinkState(expected)
        self.first_address: str | None = None
        self._client, self._app_token, self._take, self._bolt_log = client, app_token, take, bolt_log
        self._links: set[Link] = set()
        self._retiring: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._pauses = Pauses(random.Random().uniform)  # noqa: S311 - spreads attempts, no secret
        self._outage = Outage()
        self._failures: Counter[str] = Counter()

    @property
    def links(self) -> frozenset[Link]:
        """The links open now: one, or two while one succeeds another."""
        return frozenset(self._links)

    async def wait_connected(self) -> None:
        """Wait until there is a link."""
        while not self.state.connected:
            self._changed.clear()
            await self._changed.wait()

    async def run(self) -> None:
        """Keep a link open until cancelled.

        Raises:
            NoLinkInSightError: none can be had although Slack's Web API answers.
        """
        async with aiohttp.ClientSession() as session:
            try:
                while True:
                    link = await self._new_link(session)
                    kind = await link.ended
                    if link.age_s() >= HELD_S:
                        self._pauses.held()
                        self._outage.over()
                    else:
                        self._outage.failed(kind, slack_answers=True)
                    await self._succeed(link, kind)
            finally:
                await self._close_all()

    async def _succeed(self, link: Link, kind: str) -> None:
        """Note that a link needs a successor; it goes on beside it unless it is gone or stands in the way."""
        self.state.note_ended(kind)
        log.log(
            logging.INFO if kind in ("warning", "refresh_requested") else logging.WARNING,
            "link to Slack to be made anew: %s",
            kind,
        )
        if kind in _OLD_FIRST:
            await self._drop(link)
        else:
            task = asyncio.create_task(self._retire(link))
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)
        self.state.connected = any(each.open for each in self._links)

    async def _retire(self, link: Link) -> None:
        try:
            async with asyncio.timeout(RETIRED_S):
                await link.wait_closed()
        except TimeoutError:
            pass
        await self._drop(link)

    async def _drop(self, link: Link) -> None:
        await link.close()
        self._links.discard(link)
        self.state.connected = any(each.open for each in self._links)

    async def _new_link(self, session: aiohttp.ClientSession) -> Link:
        """A new link, however long that takes."""
        attempts: set[asyncio.Task[Link]] = set()
        loop = asyncio.get_running_loop()
        pause, not_before = self._pauses.next(), loop.time()
        try:
            while True:
                await _either(attempts, pause)
                begun = loop.time()
                if not _any_done(attempts):
                    attempts.add(asyncio.create_task(self._attempt(session)))
                    await _either(attempts, SLOW_S)
                for done in [each for each in attempts if each.done()]:
                    attempts.discard(done)
                    try:
                        return self._adopt(done.result())
                    except NoLinkError as error:
                        self._note_failure(error)
                        not_before = max(not_before, loop.time() + (error.wait_s or 0.0))
                # It counts from the attempt's beginning: one that hangs costs no more than one that fails.
                pause = max(begun + self._pauses.next() - loop.time(), not_before - loop.time(), 0.0)
        finally:
            for left in attempts:
                left.cancel()
            for outcome in await asyncio.gather(*attempts, return_exceptions=True):
                if isinstance(outcome, Link):
                    await outcome.close()

    async def _attempt(self, session: aiohttp.ClientSession) -> Link:
        url, self.first_address = self.first_address, None
        if url is None:
            url = await ask_for_address(self._client, self._app_token)
        socket, counted = await open_socket(session, url, self._client)
        try:
            self._count(counted)
            return Link(socket, self._bolt_log, self._take, self._elsewhere, self.state)
        except BaseException:
            await close_socket(socket)
            raise

    def _adopt(self, link: Link) -> Link:
        self._links.add(link)
        self.state.connected = True
        self._changed.set()
        if self._failures:
            log.info("link to Slack after %d failed attempts", self._failures.total())
            self._failures.clear()
        return link

    def _count(self, counted: int | None) -> None:
        # While one link succeeds another, both are counted; the older one is gone before Slack says a number again.
        going = sum(link.open for link in self._links)
        self.state.connections = None if counted is None else max(counted - going, 1)
        expected = self.state.expected + going
        log.info("link to Slack open: Slack counts %s, expected %d", counted, expected)
        if counted is not None and counted > expected:
            log.warning(
                "Slack counts %d links of this app, %d are expected: what goes to the others is not answered here "
                "(another copy running, or links that died unseen; set TARLA_CONNECTIONS to the number of copies)",
                counted,
                expected,
            )

    def _note_failure(self, error: NoLinkError) -> None:
        self._failures[error.kind] += 1
        count = self._failures[error.kind]
        # The first few of each kind, then ever fewer: an outage of hours must not fill the log.
        if count & (count - 1) == 0:
            log.warning("no link to Slack: %s (%d times since the last link)", error.kind, count)
        self._outage.failed(error.kind, slack_answers=error.slack_answers)

    async def _elsewhere(self) -> Link | None:
        try:
            async with asyncio.timeout(ELSEWHERE_S):
                while True:
                    self._changed.clear()
                    for link in self._links:
                        if link.open:
                            return link
                    await self._changed.wait()
        except TimeoutError:
            return None

    async def _close_all(self) -> None:
        for task in self._retiring:
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        await asyncio.gather(*(self._drop(link) for link in list(self._links)))
        self.state.connected = False


async def _either(attempts: set[asyncio.Task[Link]], seconds: float) -> None:
    """Wait until an attempt is done, at most ``seconds``."""
    if attempts:
        await asyncio.wait(attempts, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    elif seconds:
        await asyncio.sleep(seconds)


def _any_done(attempts: set[asyncio.Task[Link]]) -> bool:
    return any(attempt.done() for attempt in attempts)
