"""Start, steer and stop a local Slack."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import aiohttp

from bot.localslack.listening import LOOPBACK, listeners_of
from bot.localslack.program import LocalSlackUnsafeError, loopback_program
from bot.standin import Caller, Workspace, without_proxies

Mode = Literal["socket", "events"]
Message = dict[str, Any]

START_SECONDS = 15.0
STOP_SECONDS = 5.0
# The server itself waits at most 5 s for an acknowledgement before it answers.
REQUEST_SECONDS = 10.0
_PAUSE = 0.05
DIRECT_CHANNEL = "D0FELLOWDM"


class LocalSlackFailedError(Exception):
    """The local Slack did not start, or refused what it was asked."""


class LocalSlack:
    """A running local Slack with one workspace, one channel, two people and the app ``tarla``.

    Use as an async context manager. In mode ``socket`` the app connects by
    Socket Mode; in mode ``events`` Slack posts signed requests to ``request_url``.
    Port 0 takes any free one.
    """

    bot_token = "xoxb-local-slack"  # noqa: S105 - valid nowhere but here
    app_token = "xapp-local-slack"  # noqa: S105 - valid nowhere but here
    signing_secret = "local-slack-signing-secret"  # noqa: S105 - valid nowhere but here

    def __init__(self, *, mode: Mode = "socket", request_url: str | None = None, port: int = 0) -> None:
        if (mode == "events") != (request_url is not None):
            raise ValueError("mode 'events', and only that one, needs a request_url")
        self.workspace = Workspace()
        self.caller = Caller()
        self.mode = mode
        self.request_url = request_url
        self.port = port
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def base_url(self) -> str:
        """Address of the web client."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def api_url(self) -> str:
        """Base address of the Web API, with the slash that slack_sdk wants at its end."""
        return f"{self.base_url}/api/"

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        if self._process is None:
            raise LocalSlackFailedError("local Slack is not running")
        return self._process.pid

    async def __aenter__(self) -> Self:
        """Start the server and wait until it answers.

        Raises:
            LocalSlackMissingError: the npm package is not installed.
            LocalSlackUnsafeError: it is another release, or listens beyond 127.0.0.1.
            LocalSlackFailedError: it did not answer in time.
        """
        program = await asyncio.to_thread(loopback_program)
        try:
            await self._start(program)
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server and remove its files."""
        await self._stop()

    async def command(
        self, text: str, *, channel: str | None = None, user: str | None = None, command: str = "/tarla"
    ) -> None:
        """Send a slash command as ``user`` in ``channel``; returns when the app has acknowledged or 5 s are over."""
        typed = {"channel": channel or self.caller.channel_id, "user": user or self.caller.user_id}
        await self._ask("POST", "command", typed | {"command": command, "text": text})

    async def messages(self, channel: str | None = None) -> list[Message]:
        """Every message of a channel, ephemeral ones included, oldest first."""
        answer = await self._ask("GET", f"messages/{channel or self.caller.channel_id}")
        return list(answer["messages"])

    async def log(self) -> list[Message]:
        """The last 1,000 things that happened between this Slack and the app."""
        return list((await self._ask("GET", "log"))["log"])

    async def wait_for_message(
        self, wanted: Callable[[Message], bool], *, channel: str | None = None, seconds: float = 5.0
    ) -> Message:
        """The first message for which ``wanted`` is true.

        Raises:
            TimeoutError: none within ``seconds``.
        """
        async with asyncio.timeout(seconds):
            while True:
                for message in await self.messages(channel):
                    if wanted(message):
                        return message
                await asyncio.sleep(_PAUSE)

    async def wait_connected(self, seconds: float = 10.0) -> None:
        """Wait until an app has opened a Socket Mode connection.

        Raises:
            TimeoutError: none within ``seconds``.
        """
        async with asyncio.timeout(seconds):
            while not any("socket connected" in json.dumps(entry) for entry in await self.log()):
                await asyncio.sleep(_PAUSE)

    def config(self) -> dict[str, Any]:
        """The workspace as the server's configuration."""
        place, caller = self.workspace, self.caller
        app = {
            "appId": place.app_id,
            "botUserId": place.bot_user_id,
            "botName": place.bot_name,
            "botToken": self.bot_token,
            "appToken": self.app_token,
            "signingSecret": self.signing_secret,
            "mode": self.mode,
        }
        users = [
            {"id": caller.user_id, "name": caller.user_name, "real_name": "A. Fellow"},
            {"id": "U0NURSE001", "name": "nurse", "real_name": "B. Nurse"},
        ]
        members = [user["id"] for user in users] + [place.bot_user_id]
        return {
            "workspace": {"name": place.team_name, "domain": place.team_domain, "teamId": place.team_id},
            "apps": [app | ({"requestUrl": self.request_url} if self.request_url else {})],
            "users": users,
            "channels": [
                {"id": caller.channel_id, "name": caller.channel_name, "members": members},
                # The first person's direct messages with the app.
                {
                    "id": DIRECT_CHANNEL,
                    "name": place.bot_name,
                    "is_im": True,
                    "members": [caller.user_id, place.bot_user_id],
                },
            ],
        }

    async def _start(self, program: Path) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tarla-local-slack-")
        folder = Path(self._folder.name)
        (folder / "config.json").write_text(json.dumps(self.config()))
        command = [str(program), "--config", "config.json", "--port", str(self.port)]
        command += ["--base-host", LOOPBACK, "--files-dir", str(folder / "files")]
        # Should this process be killed outright, the kernel ends the server too.
        if setpriv := shutil.which("setpriv"):
            command = [setpriv, "--pdeathsig", "KILL", *command]
        with (folder / "output.txt").open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                # Its own folder: the program reads settings from files where it is started.
                cwd=folder,
                env=without_proxies(os.environ),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                # A Ctrl-C at the terminal is for whoever started it, which stops it in its turn.
                start_new_session=True,
            )
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS))
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._ready()
        except TimeoutError as error:
            raise LocalSlackFailedError(f"local Slack did not start within {START_SECONDS:g} s") from error

    async def _ready(self) -> None:
        while True:
            # Ask only what this very process listens on: another may hold the port.
            if self._listens_on_loopback():
                await self._ask("GET", "state")
                return
            await asyncio.sleep(_PAUSE)

    def _listens_on_loopback(self) -> bool:
        if self._process is None or self._process.returncode is not None:
            raise LocalSlackFailedError(f"local Slack ended at once:\n{self._output()}")
        try:
            listeners = listeners_of(self.pid)
        except FileNotFoundError as error:
            raise LocalSlackFailedError(f"local Slack ended at once:\n{self._output()}") from error
        if any(listener.host != LOOPBACK for listener in listeners):
            raise LocalSlackUnsafeError(f"local Slack listens beyond {LOOPBACK}: {sorted(listeners)}")
        for listener in listeners:
            self.port = listener.port
        return bool(listeners)

    def _output(self) -> str:
        return "" if self._folder is None else (Path(self._folder.name) / "output.txt").read_text(errors="replace")

    async def _ask(self, method: str, what: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        if self._session is None:
            raise LocalSlackFailedError("local Slack is not running")
        async with self._session.request(method, f"{self.base_url}/_control/{what}", json=body) as response:
            answer: dict[str, Any] = await response.json()
            if response.status != 200:
                raise LocalSlackFailedError(f"{what}: {answer.get('error', response.status)}")
            return answer

    async def _stop(self) -> None:
        if self._session is not None:
            await self._session.close()
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), STOP_SECONDS)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        if self._folder is not None:
            self._folder.cleanup()
