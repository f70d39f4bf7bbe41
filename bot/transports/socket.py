"""Socket Mode: no inbound hole in the hospital's firewall, and every reply's fate recorded."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.tasks import Background
from bot.transports.admission import Admission
from bot.transports.keeper import Keeper
from bot.transports.link import Link
from bot.transports.shedding import Shedding
from bot.transports.state import LinkState
from handlers.delivery import NOT_SENT, expecting_delivery, record_outcome
from handlers.ports import Clock, Ledger

# Told to stop, envelopes are answered until none is in hand and none came for a moment, at most this long; after that
# they are turned away until those in hand are answered, at most the second time.
DRAIN_S, TURN_AWAY_S = 3.0, 2.0
QUIET_S = 0.02
RESTARTING = "Tarla is restarting: ask again in a moment. Nothing was computed or recorded."
COMMANDS = "slash_commands"

log = logging.getLogger("tarla.transport")


class RecordingSocketModeHandler:
    """Hands envelopes to Bolt, with ``delivered`` or ``delivery_failed`` recorded after each.

    ``expected`` is how many links Slack should count for the app, those of other copies of Tarla included.
    """

    def __init__(
        self,
        app: AsyncApp,
        app_token: str,
        ledger: Ledger,
        clock: Clock,
        background: Background,
        admission: Admission,
        shedding: Shedding,
        *,
        expected: int = 1,
    ) -> None:
        self.app = app
        self.keeper = Keeper(app.client, app_token, self._take, expected, app.logger)
        self._ledger = ledger
        self._clock = clock
        self._background = background
        self._admission = admission
        self._shedding = shedding
        self._taken = 0
        self._turned_away: int | None = None
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def state(self) -> LinkState:
        """How the link to Slack stands."""
        return self.keeper.state

    async def handle(self, client: Link, req: SocketModeRequest) -> None:
        """Answer one envelope and record how sending went."""
        received, started = self._clock.monotonic(), time.time()
        # Until it is known to be sent, whatever goes wrong on the way.
        failure: str | None = NOT_SENT

        def record() -> None:
            outcome = record_outcome(self._ledger, self._clock, delivery, received, "socket", failure)
            self._background.start(outcome)

        self._under_way += 1
        self._admission.counts.received += 1
        self._idle.clear()
        try:
            with expecting_delivery(received) as delivery:
                try:
                    async with self._admission.turn(received, goes_on=req.type != COMMANDS) as taken:
                        response: BoltResponse = (
                            await run_async_bolt_app(self.app, req) if taken else self._shedding.reply(req.payload)
                        )
                    if response.status != 200:
                        failure = "not_acknowledged"
                        self._admission.counts.not_acknowledged += taken
                    await send_async_response(client, req, response, started)
                    if response.status == 200:
                        failure = None
                except (ConnectionError, TimeoutError, OSError):
                    failure = "connection_lost"
                    raise
                finally:
                    self._admission.counts.connection_lost += failure == "connection_lost"
                    delivery.close(record)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    async def drain(self) -> None:
        """Answer what is in hand and what still comes, within bounds: Slack sends a command nowhere else."""
        if not await self._quiet_within(DRAIN_S):
            self._turned_away = 0
            await self._quiet_within(TURN_AWAY_S)
            log.warning("%d envelopes turned away while stopping", self._turned_away)

    async def _quiet_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await self._idle.wait()
                    before = self._taken
                    await asyncio.sleep(QUIET_S)
                    if self._idle.is_set() and self._taken == before:
                        return True
        except TimeoutError:
            return False

    async def _take(self, link: Link, request: SocketModeRequest) -> None:
        if self._turned_away is None:
            self._taken += 1
            await self.handle(link, request)
            return
        self._turned_away += 1
        # Of what is not acknowledged, Slack sends events to another link, and shows an error for the rest.
        if request.type == COMMANDS:
            told = {"response_type": "ephemeral", "text": RESTARTING}
            await link.send_socket_mode_response(SocketModeResponse(request.envelope_id, payload=told))


@asynccontextmanager
async def serve_socket(
    handler: RecordingSocketModeHandler, url: str | None, stopped: asyncio.Event
) -> AsyncIterator[None]:
    """Stay connected until the block ends; envelopes in hand are then answered first.

    Args:
        url: a fresh link's address, or None to ask Slack for one.
        stopped: set when the process should end, even if Slack was never reached; set here when no link can be had.

    Raises:
        NoLinkInSightError: at the end of the block, if no link could be had although Slack's Web API answers.
    """
    handler.keeper.first_address = url
    keeping = asyncio.create_task(handler.keeper.run())
    keeping.add_done_callback(lambda _: stopped.set())
    waiting = [asyncio.ensure_future(each) for each in (handler.keeper.wait_connected(), stopped.wait())]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for each in waiting:
        each.cancel()
    try:
        yield
    finally:
        await handler.drain()
        keeping.cancel()
        await asyncio.wait({keeping})
        if not keeping.cancelled():
            keeping.result()
