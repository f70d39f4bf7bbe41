"""Start, memory and the engine alone: ``python -m benchmarks.start_and_memory``."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import click

from benchmarks.answer_time import over_http, over_socket, patients
from benchmarks.engine import ASSESSED, assess_lines
from benchmarks.measure import Line, median, report
from benchmarks.programs import BOT_HTTP, BOT_SOCKET, environment, running
from bot.standin import proxies_dropped

STARTS = 7
ANSWERS = 50
WORDS = "ldh 480/250 liver yes dm no cvd yes"
BUDGET_START_S, BUDGET_ASK_S, BUDGET_MEMORY_MB = 1.5, 1.0, 120.0


async def starts(command: Sequence[str], folder: Path) -> list[float]:
    """Seconds from starting the process until it is connected or listening, each time anew."""
    took = []
    for _ in range(STARTS):
        async with running(command, folder) as program:
            took.append(program.ready_after)
    return took


async def asks(folder: Path) -> list[float]:
    """Seconds that ``tarla ask`` takes from start to end."""
    took = []
    for _ in range(STARTS):
        started = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "ask", WORDS),
            cwd=folder,
            env=environment("http://127.0.0.1:9/api/", folder / "ask.db"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await process.communicate()
        took.append(time.perf_counter() - started)
        if process.returncode != 0 or b"receipt #" not in said:
            raise RuntimeError(f"tarla ask ended with status {process.returncode}")
    return took


async def resident(command: Sequence[str], folder: Path) -> float:
    """Megabytes of memory (VmRSS) of a bot that has answered ``ANSWERS`` commands; without a ledger it makes one."""
    texts = patients()
    async with running(command, folder) as program, aiohttp.ClientSession() as session:
        send = over_http(program, session, "receipt #") if program.address else over_socket(program, "receipt #")
        for _ in range(ANSWERS):
            await send(next(texts))
        return program.resident_megabytes()


async def main(folder: Path) -> list[Line]:
    """Everything that is measured here."""
    with proxies_dropped():
        socket, http = await starts(BOT_SOCKET, folder), await starts(BOT_HTTP, folder)
        asked = await asks(folder)
        memory = {name: await resident(command, folder) for name, command in _BOTS.items()}
        for name, command in _BOTS.items():
            fresh = folder / f"first-{name}"
            fresh.mkdir()
            memory[f"{name}, first start, new ledger"] = await resident(command, fresh)
    return [
        Line("start to connected (socket), median", median(socket), "s", BUDGET_START_S),
        Line("start to connected (socket), slowest", max(socket), "s"),
        Line("start to listening (http), median", median(http), "s", BUDGET_START_S),
        Line("start to listening (http), slowest", max(http), "s"),
        Line("tarla ask, median", median(asked), "s", BUDGET_ASK_S),
        Line("tarla ask, slowest", max(asked), "s"),
        *(
            Line(f"memory after {ANSWERS} answers ({name})", megabytes, "MB", BUDGET_MEMORY_MB)
            for name, megabytes in memory.items()
        ),
        *assess_lines(),
    ]


_BOTS = {"socket": BOT_SOCKET, "http": BOT_HTTP}


@click.command()
def run() -> None:
    """Measure, print, write results/start_and_memory.json."""
    with tempfile.TemporaryDirectory(prefix="tarla-benchmark-") as place:
        measured = asyncio.run(main(Path(place)))
    report("start_and_memory", measured, {"starts": STARTS, "answers": ANSWERS, "assessed": ASSESSED})


if __name__ == "__main__":
    run()
