"""Slack's side of Socket Mode: tickets, hello, envelopes out and acknowledgements in."""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import socket as network
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from bot.standin.payloads import disconnect, hello

# Slack allows an app ten sockets at once.
MAX_SOCKETS = 10


class NotConnectedError(Exception):
    """No Socket Mode connection is open, so an envelope has nowhere to go."""


class NotAcknowledgedError(Exception):
    """The app did not acknowledge the envelope in time: Slack would show ``operation_timeout``."""


@dataclass(slots=True, eq=False)
class _Socket:
    response: web.WebSocketResponse
    request: web.Request
    silent: bool = False
    leaving: bool = False

    @property
    def transport(self) -> asyncio.Transport | None:
        """The connection under it, unless that is gone."""
        transport = self.request.transport
        return transport if isinstance(transport, asyncio.Transport) else None


class Sockets:
    """The app's open Socket Mode connections, and every way to lose them.

    ``refuse_status`` answers each new one with that HTTP status, ``greet_after`` (seconds) keeps it waiting for its
    hello, ``full`` tells it that there are too many. ``opened`` counts those that were greeted,
    ``acknowledged`` how often each envelope was, in time or not.
    """

    def __init__(self, app_id: str) -> None:
        self.refuse_status: int | None = None
        self.greet_after = 0.0
        self.full = False
        self.opened = 0
        self.acknowledged: Counter[str] = Counter()
        self._app_id = app_id
        self._tickets: set[str] = set()
        self._open: list[_Socket] = []
        self._turn = itertools.count()
        self._pending: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._changed = asyncio.Condition()

    @property
    def count(self) -> int:
        """Connections open now."""
        return len(self._open)

    @property
    def well(self) -> bool:
        """Whether every open connection carries what is sent on it, and none is to go."""
        return not any(socket.silent or socket.leaving for socket in self._open)

    def new_ticket(self) -> str:
        """A ticket that opens one socket."""
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        return ticket

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one socket until either side closes it."""
        ticket = request.query.get("ticket", "")
        if self.refuse_status is not None:
            return web.Response(status=self.refuse_status)
        if ticket not in self._tickets or self.count >= MAX_SOCKETS:
            return web.Response(status=403)
        self._tickets.discard(ticket)
        response = web.WebSocketResponse()
        await response.prepare(request)
        await asyncio.sleep(self.greet_after)
        if self.full:
            await response.send_json(disconnect("too_many_websockets"))
            await response.close()
            return response
        socket = _Socket(response, request)
        self._open.append(socket)
        try:
            await response.send_json(hello(self._app_id, self.count))
            self.opened += 1
            async with self._changed:
                self._changed.notify_all()
            await self._listen(response)
        except ConnectionError:
            pass
        finally:
            self._forget(socket)
            async with self._changed:
                self._changed.notify_all()
        return response

    def _forget(self, socket: _Socket) -> None:
        if socket in self._open:
            self._open.remove(socket)

    async def _listen(self, socket: web.WebSocketResponse) -> None:
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            acknowledgement = json.loads(message.data)
            self.acknowledged[acknowledgement.get("envelope_id", "")] += 1
            waiting = self._pending.pop(acknowledgement.get("envelope_id", ""), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(acknowledgement)

    async def wait_for(self, count: int, seconds: float) -> None:
        """Wait until exactly ``count`` sockets are open.

        Raises:
            TimeoutError: it took longer than ``seconds``.
        """
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: self.count == count)

    async def send(self, envelope: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Send to one of the sockets, each in turn, and return the acknowledgement's payload ({} if it has none).

        Raises:
            NotConnectedError: no socket is open.
            NotAcknowledgedError: nothing came back within ``seconds``.
        """
        if not self._open:
            raise NotConnectedError
        # One that Slack wants back gets nothing more where there is another.
        staying = [socket for socket in self._open if not socket.leaving] or self._open
        socket = staying[next(self._turn) % len(staying)]
        waiting: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._pending[envelope["envelope_id"]] = waiting
        try:
            if not socket.silent:
                await socket.response.send_json(envelope)
            acknowledgement = await asyncio.wait_for(waiting, seconds)
        except TimeoutError as error:
            raise NotAcknowledgedError(f"no acknowledgement within {seconds:g} s") from error
        except ConnectionError as error:
            raise NotConnectedError from error
        finally:
            self._pending.pop(envelope["envelope_id"], None)
        payload = acknowledgement.get("payload")
        return payload if isinstance(payload, dict) else {}

    async def request_refresh(self, close_after: float | None = None, reason: str = "refresh_requested") -> None:
        """Tell every socket that it will be closed soon, and cut it after so many seconds; the app opens a new one."""
        for socket in list(self._open):
            socket.leaving = True
            await socket.response.send_json(disconnect(reason))
            if close_after is not None:
                asyncio.get_running_loop().call_later(close_after, self._abort, socket)

    async def close(self, *, oldest: bool = False) -> None:
        """Close every socket properly, with a close frame; with ``oldest`` only that one, here as below."""
        for socket in self._chosen(oldest):
            self._forget(socket)
            await socket.response.close(code=WSCloseCode.GOING_AWAY)

    def cut(self, *, oldest: bool = False) -> None:
        """Break every connection without a close frame, as a lost link does."""
        self._each(self._abort, oldest)

    def finish(self, *, oldest: bool = False) -> None:
        """Say that nothing more comes (FIN), without a close frame, and go on listening."""

        def finish(socket: _Socket) -> None:
            if socket.transport is not None and not socket.transport.is_closing():
                socket.transport.write_eof()

        self._each(finish, oldest)

    def reset(self, *, oldest: bool = False) -> None:
        """Break every connection with a reset (RST)."""

        def reset(socket: _Socket) -> None:
            if socket.transport is not None:
                raw = socket.transport.get_extra_info("socket")
                # To linger for no time at all is how a program asks the kernel for a reset.
                raw.setsockopt(network.SOL_SOCKET, network.SO_LINGER, struct.pack("ii", 1, 0))
                socket.transport.abort()

        self._each(reset, oldest)

    def silence(self, seconds: float, *, oldest: bool = False) -> None:
        """Let nothing through any more, either way, on the sockets open now.

        Slack goes on counting them, and sending there, until it notices after ``seconds``.
        """
        for socket in self._chosen(oldest):
            socket.silent = True
            if socket.transport is not None:
                socket.transport.pause_reading()
            asyncio.get_running_loop().call_later(seconds, self._abort, socket)

    def _chosen(self, oldest: bool) -> list[_Socket]:
        return self._open[:1] if oldest else list(self._open)

    def _each(self, lose: Callable[[_Socket], None], oldest: bool) -> None:
        for socket in self._chosen(oldest):
            self._forget(socket)
            lose(socket)

    def _abort(self, socket: _Socket) -> None:
        self._forget(socket)
        if socket.transport is not None:
            socket.transport.abort()
