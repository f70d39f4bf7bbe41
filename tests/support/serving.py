"""``tarla serve`` as a process of its own, whose log is read."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.app import APP_TOKEN, BOT_TOKEN, until
from tests.support.program import command, environment
from tests.support.signing import SIGNING_SECRET

START_S, STOP_S = 20.0, 8.0
SECRETS = {"SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_APP_TOKEN": APP_TOKEN, "SLACK_SIGNING_SECRET": SIGNING_SECRET}


@dataclass
class Served:
    """A process of ``tarla serve`` and the lines of its log so far."""

    process: asyncio.subprocess.Process
    lines: list[str] = field(default_factory=list)

    @property
    def log(self) -> str:
        """The log so far."""
        return "".join(self.lines)

    async def logged(self, words: str) -> str:
        """The first line that holds ``words``, once there is one."""
        await until(lambda: words in self.log or self.process.returncode is not None, START_S)
        assert words in self.log, self.log
        return next(line for line in self.lines if words in line)

    def stop(self) -> None:
        """Send SIGTERM."""
        self.process.send_signal(signal.SIGTERM)

    async def ended(self) -> int:
        """Exit status, once it has ended by itself."""
        return await asyncio.wait_for(self.process.wait(), STOP_S)


@asynccontextmanager
async def serving(folder: Path, *words: str, **variables: str) -> AsyncIterator[Served]:
    """``tarla serve words`` until the block ends."""
    process = await asyncio.create_subprocess_exec(
        *command("serve", *words), cwd=folder, env=environment(folder, **variables), stderr=asyncio.subprocess.PIPE
    )
    served = Served(process)

    async def read() -> None:
        assert process.stderr is not None
        async for line in process.stderr:
            served.lines.append(line.decode())

    reading = asyncio.create_task(read())
    try:
        yield served
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await reading
