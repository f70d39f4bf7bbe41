"""Slack's side of Socket Mode: tickets, hello, envelopes out and acknowledgements in."""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
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


@dataclass(frozen=True, slots=True)
class _Socket:
    response: web.WebSocketResponse
    request: web.Request


class Sockets:
    """The app's open Socket Mode connections."""

    def __init__(self, app_id: str) -> None:
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

    def new_ticket(self) -> str:
        """A ticket that opens one socket."""
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        return ticket

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one socket until either side closes it."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets or self.count >= MAX_SOCKETS:
            return web.Response(status=403)
        self._tickets.discard(ticket)
        response = web.WebSocketResponse()
        await response.prepare(request)
        socket = _Socket(response, request)
        self._open.append(socket)
        try:
            await response.send_json(hello(self._app_id, self.count))
            async with self._changed:
                self._changed.notify_all()
            await self._listen(response)
        finally:
            self._open.remove(socket)
            async with self._changed:
                self._changed.notify_all()
        return response

    async def _listen(self, socket: web.WebSocketResponse) -> None:
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            acknowledgement = json.loads(message.data)
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
        socket = self._open[next(self._turn) % self.count]
        waiting: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._pending[envelope["envelope_id"]] = waiting
        try:
            await socket.response.send_json(envelope)
            acknowledgement = await asyncio.wait_for(waiting, seconds)
        except TimeoutError as error:
            raise NotAcknowledgedError(f"no acknowledgement within {seconds:g} s") from error
        finally:
            self._pending.pop(envelope["envelope_id"], None)
        payload = acknowledgement.get("payload")
        return payload if isinstance(payload, dict) else {}

    async def request_refresh(self) -> None:
        """Tell every socket that it will be closed soon; the app opens a new one."""
        for socket in list(self._open):
            await socket.response.send_json(disconnect("refresh_requested"))

    async def close(self) -> None:
        """Close every socket properly, with a close frame."""
        for socket in list(self._open):
            await socket.response.close(code=WSCloseCode.GOING_AWAY)

    def cut(self) -> None:
        """Break every connection without a close frame, as a lost link does."""
        for socket in list(self._open):
            if socket.request.transport is not None:
                socket.request.transport.abort()
