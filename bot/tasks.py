"""Background work that must not be lost: kept hold of, and finished before the process ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any


class Background:
    """Tasks nobody awaits at once. asyncio itself keeps only weak references to them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` beside everything else."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self, seconds: float) -> int:
        """Wait for what is running, at most ``seconds``; returns how many were still running."""
        if not self._tasks:
            return 0
        _done, running = await asyncio.wait(self._tasks, timeout=seconds)
        return len(running)


class InFlight:
    """What listeners are doing, acknowledged or not. Bolt keeps no hold of them once they are acknowledged."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def count(self) -> int:
        """Listeners at work now."""
        return len(self._tasks)

    def watch(self, listener: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        """The same listener, kept hold of while it runs; Bolt gives each run a task of its own."""

        @wraps(listener)
        async def watched(*arguments: Any, **named: Any) -> None:
            task = asyncio.current_task()
            if task is not None:  # as it always is inside a coroutine that runs
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            await listener(*arguments, **named)

        return watched

    async def drain(self, seconds: float, afterwards: float) -> int:
        """Wait for what is running, at most ``seconds``, then stop it; returns how many had to be stopped.

        What is stopped has ``afterwards`` seconds to record that it was.
        """
        if not self._tasks:
            return 0
        _done, running = await asyncio.wait(set(self._tasks), timeout=seconds)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=afterwards)
        return len(running)
