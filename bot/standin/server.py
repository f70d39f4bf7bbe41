"""The stand-in itself: one aiohttp server on 127.0.0.1, on a free port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiohttp import ClientSession, web

from bot.standin.payloads import Caller, Workspace, envelope, slash_command_payload
from bot.standin.sockets import Sockets
from bot.standin.web_api import ApiCall, WebApi, failed, read_arguments

HOST = "127.0.0.1"
# Slack shows the user an error when a command is not acknowledged within 3 s.
ACKNOWLEDGE_SECONDS = 3.0
# A response_url takes five messages (within 30 minutes, which no run here outlasts).
RESPONSE_URL_USES = 5
# What Slack says in the body beside these statuses; internal_error beside any other.
_ERRORS = {429: "ratelimited", 503: "service_unavailable"}


@dataclass(frozen=True, slots=True)
class Response:
    """One body posted to a ``response_url``, and the HTTP status it was answered with."""

    response_id: str
    body: dict[str, Any]
    status: int


class SlackStandin:
    """Slack as one app sees it: Web API, Socket Mode and ``response_url``; everything is recorded.

    Use as an async context manager. ``calls``, ``acknowledgements`` and
    ``responses`` hold what the app sent, in order. Set ``response_status`` to
    make every ``response_url`` fail with that status, ``response_delay`` (seconds) to make it slow,
    ``response_location`` to have it redirect there (307: with the same body). ``response_script`` holds status and
    headers for the next messages, one each, before any of that; status 0 takes the message and breaks the connection.
    """

    def __init__(
        self, *, bot_token: str, app_token: str, workspace: Workspace | None = None, caller: Caller | None = None
    ) -> None:
        self.workspace = workspace or Workspace()
        self.caller = caller or Caller()
        self.response_status = 200
        self.response_delay = 0.0
        self.response_location: str | None = None
        self.response_script: list[tuple[int, dict[str, str]]] = []
        self.acknowledgements: list[dict[str, Any]] = []
        self.responses: list[Response] = []
        self.sockets = Sockets(self.workspace.app_id)
        users = {
            self.caller.user_id: self.caller.user_name,
            self.workspace.bot_user_id: self.workspace.bot_name,
        }
        self._api = WebApi(bot_token, app_token, self.workspace, users, self._new_socket_url)
        self._uses: dict[str, int] = {}
        self._port = 0
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None

    @property
    def base_url(self) -> str:
        """The server's address, ``http://127.0.0.1:PORT``."""
        return f"http://{HOST}:{self._port}"

    @property
    def api_url(self) -> str:
        """Base address of the Web API, with the slash that slack_sdk wants at its end."""
        return f"{self.base_url}/api/"

    @property
    def api(self) -> WebApi:
        """The Web API: its people, groups, open views, and failures to arrange."""
        return self._api

    @property
    def calls(self) -> list[ApiCall]:
        """Every Web API call so far, refused ones included."""
        return self._api.calls

    async def __aenter__(self) -> Self:
        """Listen on a free port of 127.0.0.1."""
        app = web.Application()
        app.router.add_route("*", "/api/{method}", self._call)
        app.router.add_get("/link", self.sockets.handle)
        app.router.add_post("/response/{response_id}", self._respond)
        # The sockets are closed before the runner stops, so it has nothing to wait for.
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        self._site = web.TCPSite(self._runner, HOST, 0)
        await self._site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def go_away(self) -> None:
        """Refuse connections, and break those there are, until ``come_back``."""
        if self._site is not None:
            await self._site.stop()
        self._site = None
        self.sockets.reset()

    async def come_back(self) -> None:
        """Listen again, at the same address."""
        if self._runner is not None:
            self._site = web.TCPSite(self._runner, HOST, self._port, reuse_address=True)
            await self._site.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every socket and stop listening."""
        await self.sockets.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def new_response_url(self) -> str:
        """A ``response_url`` of its own for one command or interaction."""
        response_id = str(len(self._uses) + 1)
        self._uses[response_id] = 0
        return f"{self.base_url}/response/{response_id}"

    async def slash_command(
        self,
        text: str,
        *,
        user: str | None = None,
        channel: str | None = None,
        command: str = "/tarla",
        trigger_id: str | None = None,
        seconds: float = ACKNOWLEDGE_SECONDS,
    ) -> dict[str, Any]:
        """Send a slash command over Socket Mode and return what the app acknowledged it with ({} for nothing).

        Raises:
            NotConnectedError: the app has no socket open.
            NotAcknowledgedError: it did not acknowledge within ``seconds``.
        """
        caller = Caller(
            user or self.caller.user_id,
            self.caller.user_name,
            channel or self.caller.channel_id,
            self.caller.channel_name,
        )
        payload = slash_command_payload(
            text,
            response_url=self.new_response_url(),
            command=command,
            caller=caller,
            workspace=self.workspace,
            trigger_id=trigger_id,
        )
        return await self.send("slash_commands", payload, seconds=seconds)

    async def send(self, kind: str, payload: dict[str, Any], *, seconds: float = ACKNOWLEDGE_SECONDS) -> dict[str, Any]:
        """Send any envelope (``slash_commands``, ``interactive``, ``events_api``) and return its acknowledgement.

        Raises:
            NotConnectedError, NotAcknowledgedError: as for ``slash_command``.
        """
        acknowledgement = await self.sockets.send(envelope(kind, payload), seconds)
        self.acknowledgements.append(acknowledgement)
        return acknowledgement

    async def wait_connected(self, count: int = 1, seconds: float = 5.0) -> None:
        """Wait until the app has ``count`` sockets open.

        Raises:
            TimeoutError: it took longer than ``seconds``.
        """
        await self.sockets.wait_for(count, seconds)

    @asynccontextmanager
    async def another_link(self) -> AsyncIterator[None]:
        """A link of the same app that nobody here listens on, as a copy left running elsewhere has."""
        async with ClientSession() as session, session.ws_connect(self._new_socket_url()) as link:
            await link.receive()
            yield

    def _new_socket_url(self) -> str:
        return f"ws://{HOST}:{self._port}/link?ticket={self.sockets.new_ticket()}&app_id={self.workspace.app_id}"

    async def _call(self, request: web.Request) -> web.Response:
        token, args = await read_arguments(request)
        method = request.match_info["method"]
        await asyncio.sleep(self._api.slow.get(method, 0.0))
        if self._api.script.get(method):
            status, headers = self._api.script[method].pop(0)
            refused = failed(_ERRORS.get(status, "internal_error"))
            self._api.calls.append(ApiCall(method, args, refused))
            return web.json_response(refused, status=status, headers=headers)
        answer = self._api.answer(method, token, args)
        if method in self._api.garbled:
            return web.Response(text=self._api.garbled[method], content_type="application/json")
        return web.json_response(answer)

    async def _respond(self, request: web.Request) -> web.Response:
        response_id = request.match_info["response_id"]
        status = self.response_status
        if response_id not in self._uses or self._uses[response_id] >= RESPONSE_URL_USES:
            status = 404
        else:
            self._uses[response_id] += 1
        if self.response_script:
            scripted, headers = self.response_script.pop(0)
            self.responses.append(Response(response_id, await request.json(), scripted or 200))
            if not scripted and request.transport is not None:
                request.transport.abort()
            return web.Response(status=scripted or 200, headers=headers)
        await asyncio.sleep(self.response_delay)
        if self.response_location is not None:
            raise web.HTTPTemporaryRedirect(self.response_location)
        self.responses.append(Response(response_id, await request.json(), status))
        if status == 404:
            return web.json_response({"ok": False, "error": "used_url"}, status=status)
        return web.Response(text="ok" if status == 200 else "", status=status)
