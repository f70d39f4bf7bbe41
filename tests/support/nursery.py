"""Children for killing: processes that start in milliseconds, because what they need was imported beforehand."""

from __future__ import annotations

import multiprocessing
import os
import select
from collections.abc import Callable
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any

from tests.support import ledger_child


def nursery() -> ForkServerContext:
    """Where children come from: a server process without threads, which has the bot and the engine ready."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([ledger_child.__name__, "tests.support.ledger_child_warm"])
    return context


class Child:
    """A child that runs ``work(output, *arguments)`` and what it has said into the descriptor ``output``."""

    def __init__(self, context: ForkServerContext, work: Callable[..., Any], *arguments: Any) -> None:
        self._reading, writing = context.Pipe(duplex=False)
        self.process: ForkServerProcess = context.Process(target=_run, args=(work, writing, arguments))
        self.process.start()
        writing.close()

    def wait_for_word(self, seconds: float) -> None:
        """Wait until it has said something, at most so long."""
        select.select([self._reading.fileno()], [], [], seconds)

    def kill(self) -> bytes:
        """SIGKILL; gives all that it said before."""
        self.process.kill()
        return self.finish()

    def finish(self) -> bytes:
        """Wait for its end; gives all that it said."""
        said = bytearray()
        while part := os.read(self._reading.fileno(), 65_536):
            said += part
        self._reading.close()
        self.process.join()
        return bytes(said)


def _run(work: Callable[..., Any], writing: Any, arguments: tuple[Any, ...]) -> None:
    work(writing.fileno(), *arguments)
