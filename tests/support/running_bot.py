"""The real bot as a process of its own, beside a local Slack."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bot.ledger import StoredEvent, read_events
from bot.ledger.schema import KEPT_KINDS
from bot.localslack import LocalSlack
from bot.localslack.__main__ import bot_environment
from bot.operations.routes import READY_PATH
from bot.transports.http import EVENTS_PATH
from handlers.answer import TableMode
from tests.support.local_slack import local_slack

START_SECONDS = 20.0
STOP_SECONDS = 10.0
_PAUSE = 0.05
# Should the tests be killed outright, the kernel ends the bot too.
GUARD = [setpriv, "--pdeathsig", "KILL"] if (setpriv := shutil.which("setpriv")) else []


@dataclass(frozen=True)
class RunningBot:
    """A bot that answers in ``slack``; ``ledger`` and ``log`` are its files."""

    slack: LocalSlack
    ledger: Path
    log: Path
    pid: int
    address: str | None = None

    async def ask(self, text: str) -> dict[str, Any]:
        """Send ``/tarla text`` through Slack; the one message that it brought."""
        before = len(await self.slack.messages())
        await self.slack.command(text)
        await until(lambda: self._grown(before), START_SECONDS)
        messages = (await self.slack.messages())[before:]
        assert len(messages) == 1, f"{len(messages)} messages for one command"
        return messages[0]

    async def events(self, count: int) -> list[StoredEvent]:
        """The ledger's events, once there are ``count``: how delivery went is recorded after the answer."""
        await until(lambda: asyncio.to_thread(lambda: len(self._events()) >= count), 5.0)
        return self._events()

    async def readiness(self) -> tuple[int, dict[str, Any]]:
        """Status and body of ``/readyz``."""
        assert self.address is not None
        async with aiohttp.ClientSession() as session, session.get(f"{self.address}{READY_PATH}") as reply:
            return reply.status, await reply.json()

    def _events(self) -> list[StoredEvent]:
        events = read_events(self.ledger) if self.ledger.is_file() else ()
        # Not those of the process itself, which come beside the requests'.
        return [event for event in events if event.kind not in KEPT_KINDS]

    async def _grown(self, before: int) -> bool:
        return len(await self.slack.messages()) > before


@asynccontextmanager
async def bot_over_socket(
    folder: Path, *, ledger: Path | None = None, table: TableMode = TableMode.TEXT, inside: Sequence[str] = ()
) -> AsyncIterator[RunningBot]:
    """Local Slack and ``python -m bot serve --socket``, connected.

    ``inside`` is a command that runs the bot given to it as its arguments.
    """
    async with local_slack() as slack:
        command = [*inside, sys.executable, "-m", "bot", "serve", "--socket"]
        async with _process(command, slack, folder, ledger, table, None) as (bot, process):
            await _ready(process, bot, _connected(slack))
            yield bot


@asynccontextmanager
async def bot_over_http(folder: Path, *, ledger: Path | None = None) -> AsyncIterator[RunningBot]:
    """Local Slack that posts signed requests to ``python -m bot serve --http``, which listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    async with local_slack(mode="events", request_url=f"{address}{EVENTS_PATH}") as slack:
        command = [sys.executable, "-m", "bot", "serve", "--http", "--port", str(port)]
        async with _process(command, slack, folder, ledger, TableMode.TEXT, address) as (bot, process):
            await _ready(process, bot, _answering(bot))
            yield bot


async def until(condition: Callable[[], Any], seconds: float) -> None:
    """Wait until the coroutine that ``condition`` makes gives true.

    Raises:
        TimeoutError: it did not within ``seconds``.
    """
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(_PAUSE)


@asynccontextmanager
async def _process(
    command: Sequence[str], slack: LocalSlack, folder: Path, ledger: Path | None, table: TableMode, address: str | None
) -> AsyncIterator[tuple[RunningBot, asyncio.subprocess.Process]]:
    ledger, log = ledger or folder / "ledger.db", folder / "bot.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *GUARD,
            *command,
            # A folder without a .env that could change how the bot behaves.
            cwd=folder,
            env=bot_environment(slack, ledger, os.environ) | {"TARLA_TABLE": table.value},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
        )
    try:
        yield RunningBot(slack, ledger, log, process.pid, address), process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()
    # Only a run without an error comes this far: an earlier one is the news.
    assert process.returncode == 0, log.read_text()
    assert "Traceback" not in log.read_text()


async def _ready(process: asyncio.subprocess.Process, bot: RunningBot, condition: Callable[[], Any]) -> None:
    async def ready_or_ended() -> bool:
        assert process.returncode is None, f"the bot ended at once:\n{bot.log.read_text()}"
        return bool(await condition())

    await until(ready_or_ended, START_SECONDS)


def _connected(slack: LocalSlack) -> Callable[[], Any]:
    async def connected() -> bool:
        try:
            await slack.wait_connected(_PAUSE)
        except TimeoutError:
            return False
        return True

    return connected


def _answering(bot: RunningBot) -> Callable[[], Any]:
    async def answering() -> bool:
        try:
            await bot.readiness()
        except aiohttp.ClientConnectionError:
            return False
        return True

    return answering
