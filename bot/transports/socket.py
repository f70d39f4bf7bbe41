"""Socket Mode: no inbound hole in the hospital's firewall, and every reply's fate recorded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from aiohttp import ClientSession, ClientWebSocketResponse
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.tasks import Background
from bot.transports.admission import Admission
from bot.transports.shedding import Shedding
from handlers.delivery import expecting_delivery, record_outcome
from handlers.ports import Clock, Ledger

# Bolt's default of 10 leaves the bot deaf for up to 19 s after a silent link; 3 for 0 to 5 s.
PING_INTERVAL_S = 3.0
DRAIN_S = 3.0
COMMANDS = "slash_commands"


class OneTicketSession:
    """What slack_sdk's client wants of an ``aiohttp.ClientSession``; an address is tried once.

    Slack's address holds a ticket for one connection. slack_sdk would try the same one for ever where the first try
    fails; with the address forgotten, it asks for a fresh one.
    """

    def __init__(self, session: ClientSession, client: SocketModeClient) -> None:
        self._session = session
        self._client = client

    @property
    def closed(self) -> bool:
        """Whether the session is closed."""
        return self._session.closed

    async def close(self) -> None:
        """Close the session."""
        await self._session.close()

    async def ws_connect(self, url: str, **more: Any) -> ClientWebSocketResponse:
        """Open the connection for which ``url`` was given."""
        self._client.wss_uri = None
        connected: ClientWebSocketResponse = await self._session.ws_connect(url, **more)
        return connected


class RecordingSocketModeHandler(AsyncSocketModeHandler):
    """Bolt's handler, with ``delivered`` or ``delivery_failed`` recorded after each envelope."""

    def __init__(
        self,
        app: AsyncApp,
        app_token: str,
        ledger: Ledger,
        clock: Clock,
        background: Background,
        admission: Admission,
        shedding: Shedding,
    ) -> None:
        super().__init__(app, app_token, ping_interval=PING_INTERVAL_S)
        self.client.aiohttp_client_session = cast(
            "ClientSession", OneTicketSession(self.client.aiohttp_client_session, self.client)
        )
        self._ledger = ledger
        self._clock = clock
        self._background = background
        self._admission = admission
        self._shedding = shedding
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]  # as in Bolt's own subclass
        """Answer one envelope and record how sending went."""
        received, started = self._clock.monotonic(), time.time()
        failure: str | None = None

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
        """Wait until the envelopes in hand are answered, within bounds."""
        try:
            await asyncio.wait_for(self._idle.wait(), DRAIN_S)
        except TimeoutError:
            return


@asynccontextmanager
async def serve_socket(
    handler: RecordingSocketModeHandler, url: str | None, stopped: asyncio.Event
) -> AsyncIterator[None]:
    """Stay connected until the block ends; envelopes in hand are then answered first.

    Args:
        url: a fresh connection's address, or None to ask Slack for one.
        stopped: set when the process should end, even if Slack was never reached.
    """
    handler.client.wss_uri = url
    # slack_sdk keeps trying until it is connected, so stopping must be able to break in.
    connecting = asyncio.ensure_future(handler.client.connect())  # type: ignore[no-untyped-call]  # left untyped
    stopping = asyncio.ensure_future(stopped.wait())
    await asyncio.wait((connecting, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if connecting.done():
        connecting.result()  # slack_sdk gives up on nothing; should it ever, that is no connection
    try:
        yield
    finally:
        connecting.cancel()
        await handler.drain()
        await handler.client.close()  # type: ignore[no-untyped-call]  # slack_sdk leaves it untyped
