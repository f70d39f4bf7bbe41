"""Reports and notices while the process runs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from bot.address import Address
from bot.operations import readiness
from bot.operations.notify import STOPPING, Notifier, pulse, pulse_interval
from bot.operations.operations import Operations
from bot.operations.server import serve_operations


@asynccontextmanager
async def operating(operations: Operations, address: Address | None, stopped: asyncio.Event) -> AsyncIterator[Notifier]:
    """Serve the reports on ``address`` (None: nowhere of their own) and pulse for systemd until the block ends.

    The process is ready from the first ``READY`` told to the notifier until ``stopped``.

    Raises:
        SettingsError: the address cannot be listened on.
    """
    notifier = Notifier(os.environ.get("NOTIFY_SOCKET"))

    def process_probe() -> str | None:
        if stopped.is_set():
            return readiness.STOPPING
        return None if notifier.told_ready else readiness.STARTING

    operations.readiness.watch("process", process_probe)
    async with AsyncExitStack() as stack:
        if address is not None:
            await stack.enter_async_context(serve_operations(operations, address))
        tasks = [asyncio.create_task(_say_when(stopped, notifier))]
        interval = pulse_interval(os.environ, os.getpid())
        if interval is not None:
            tasks.append(asyncio.create_task(pulse(notifier, interval)))
        try:
            yield notifier
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


async def _say_when(stopped: asyncio.Event, notifier: Notifier) -> None:
    await stopped.wait()
    notifier.tell(STOPPING, "STATUS=finishing what is in hand")
