"""One link of Socket Mode: reads what Slack sends, acknowledges on it, and says when a successor is needed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import aiohttp
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.transports.state import LinkState
from bot.transports.tickets import close_socket, disconnect_kind, json_object
from bot.transports.watchdog import until_silent

# What ended a link, besides the reasons of Slack's own ``disconnect`` message.
CLOSED, LOST, SILENT = "closed", "lost", "silent"
# Another link may be up by then to carry an acknowledgement whose own link was lost.
ELSEWHERE_S = 1.0

log = logging.getLogger("tarla.transport")

Take = Callable[["Link", SocketModeRequest], Coroutine[Any, Any, None]]
Elsewhere = Callable[[], Awaitable["Link | None"]]


class Link(AsyncBaseSocketModeClient):
    """An open link; ``ended`` is set to a closed code once Slack will send nothing more on it, or soon.

    It is what slack_sdk calls a client, as far as an envelope needs one to be answered.
    """

    def __init__(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        logger: logging.Logger,
        take: Take,
        elsewhere: Elsewhere,
        state: LinkState,
    ) -> None:
        self.logger = logger
        self.heard = 0
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._socket = socket
        self._take, self._elsewhere, self._state = take, elsewhere, state
        self._since = time.monotonic()
        self._in_hand: set[asyncio.Task[None]] = set()
        self._reading = asyncio.create_task(self._read())
        self._watching = asyncio.create_task(self._watch())

    @property
    def open(self) -> bool:
        """Whether envelopes may come and acknowledgements may go."""
        return not self._socket.closed

    @property
    def idle(self) -> bool:
        """Whether every envelope taken from it has been dealt with."""
        return not self._in_hand

    def age_s(self) -> float:
        """Seconds since Slack greeted on it."""
        return time.monotonic() - self._since

    async def ping(self) -> None:
        """Ask for a sign of life."""
        await self._socket.ping(b"tarla")

    async def send_message(self, message: str) -> None:
        """Send on this link; where it is gone, on another one, if there is one soon.

        Raises:
            ConnectionError: this link is gone. What another one carried may have reached the user: nobody says.
        """
        try:
            await self._socket.send_str(message)
        except (ConnectionError, aiohttp.ClientError) as lost:
            other = await self._elsewhere()
            if other is not None:
                await other.send_raw(message)
            raise ConnectionError("the link was lost before the acknowledgement") from lost

    async def send_raw(self, message: str) -> None:
        """Send on this link alone."""
        await self._socket.send_str(message)

    async def wait_closed(self) -> None:
        """Wait until Slack, or the network, has ended it."""
        await asyncio.wait({self._reading})

    async def close(self) -> None:
        """Say goodbye and end it; envelopes in hand go on."""
        self._end(CLOSED)
        self._watching.cancel()
        await close_socket(self._socket)
        # The reader was woken by the closing; should it not have been, nothing is left to read.
        self._reading.cancel()
        await asyncio.wait({self._reading, self._watching})

    async def _read(self) -> None:
        kind = LOST
        try:
            while True:
                message = await self._socket.receive()
                if message.type is aiohttp.WSMsgType.CLOSE:
                    kind = CLOSED
                    return
                if message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.ERROR):
                    return
                self.heard += 1
                await self._read_one(message)
        except Exception as error:  # noqa: BLE001 - whatever the network makes of it, the link is gone
            log.warning("a link to Slack failed (%s)", type(error).__name__)
        finally:
            self._end(kind)

    async def _read_one(self, message: aiohttp.WSMessage) -> None:
        if message.type is aiohttp.WSMsgType.PING:
            await self._socket.pong(message.data)
        elif message.type is aiohttp.WSMsgType.PONG:
            self._state.note_pong()
        elif message.type is aiohttp.WSMsgType.TEXT:
            found = json_object(message.data)
            if found.get("type") == "disconnect":
                self._end(disconnect_kind(found))
            elif (request := _envelope(found)) is not None:
                task = asyncio.create_task(self._take(self, request))
                self._in_hand.add(task)
                task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._in_hand.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Its own words may hold what the user typed.
            log.warning("an envelope was not acknowledged (%s)", type(error).__name__)

    async def _watch(self) -> None:
        if await until_silent(self):
            self._end(SILENT)
            await close_socket(self._socket)

    def _end(self, kind: str) -> None:
        if not self.ended.done():
            self.ended.set_result(kind)


def _envelope(found: dict[str, Any]) -> SocketModeRequest | None:
    """The envelope, or None for what is none of the kind that Slack sends: no reason to lose the link."""
    try:
        return SocketModeRequest.from_dict(found)
    except (TypeError, ValueError):  # slack_sdk's own words about it end in the first
        log.warning("an envelope without a payload that can be read")
        return None
