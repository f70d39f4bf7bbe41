"""Starting the programs that are measured, each in a process of its own, against the stand-in for Slack."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.standin import SlackStandin, without_proxies

BOT_TOKEN, APP_TOKEN, SIGNING_SECRET = "xoxb-benchmark", "xapp-benchmark", "benchmark-signing-secret"
BOT = (sys.executable, "-m", "bot", "serve")
BOT_SOCKET, BOT_HTTP = (*BOT, "--socket"), (*BOT, "--http", "--port", "0")
ECHO = (sys.executable, "-m", "benchmarks.bare_echo")
ECHO_SOCKET, ECHO_HTTP = (*ECHO, "socket"), (*ECHO, "http")
START_SECONDS = 30.0
ROOT = Path(__file__).resolve().parents[1]
_LISTENING = re.compile(rb"listening for Slack on (http://\S+)")


@dataclass(frozen=True)
class Running:
    """A program under measurement; ``address`` only over HTTP. ``ready_after`` is in seconds since its start."""

    pid: int
    slack: SlackStandin
    ready_after: float
    address: str | None = None

    def cpu_seconds(self) -> float:
        """Processor time that the program has used so far, all threads, in steps of a clock tick (10 ms)."""
        # Fields 14 and 15 of the kernel's line; the second, in brackets, may hold spaces.
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_megabytes(self) -> float:
        """Memory in use now (VmRSS)."""
        (line,) = [each for each in Path(f"/proc/{self.pid}/status").read_text().splitlines() if each[:6] == "VmRSS:"]
        return int(line.split()[1]) * 1024 / 1e6


@asynccontextmanager
async def standin() -> AsyncIterator[SlackStandin]:
    """The stand-in with the tokens used here."""
    async with SlackStandin(bot_token=BOT_TOKEN, app_token=APP_TOKEN) as slack:
        yield slack


def environment(api_url: str, ledger: Path) -> dict[str, str]:
    """The environment of a program: ours without settings of a real workspace."""
    kept = {
        name: value for name, value in without_proxies(os.environ).items() if not name.startswith(("SLACK_", "TARLA_"))
    }
    return kept | {
        "PYTHONPATH": str(ROOT),
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_APP_TOKEN": APP_TOKEN,
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "SLACK_API_URL": api_url,
        "TARLA_LEDGER": str(ledger),
        "TARLA_LOG": "text",
    }


@asynccontextmanager
async def running(command: Sequence[str], folder: Path) -> AsyncIterator[Running]:
    """Start a program with a stand-in of its own and wait until it is connected or listening; stop it afterwards."""
    async with standin() as slack:
        started = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env=environment(slack.api_url, folder / "ledger.db"),
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                address = None
                if "http" in command[-1] or "--http" in command:
                    address = await _address(process)
                else:
                    await slack.wait_connected(seconds=START_SECONDS)
            yield Running(process.pid, slack, time.perf_counter() - started, address)
        finally:
            if process.returncode is None:
                process.terminate()
            # Its last words are read too, so that a full pipe cannot hold it up.
            await asyncio.wait_for(process.communicate(), START_SECONDS)


async def _address(process: asyncio.subprocess.Process) -> str:
    if process.stderr is None:
        raise RuntimeError("the program's standard error is not read")
    while line := await process.stderr.readline():
        if found := _LISTENING.search(line):
            return found[1].decode()
    raise RuntimeError("the program ended before it listened")
