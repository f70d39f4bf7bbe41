"""Many commands at the same moment: the bot on the disk, the bot on memory, a bare echo, and the ledger alone.

They take turns in one run, so that a slow moment of the machine falls on all. What Tarla turns away with "Busy" is
counted apart: it is a reply, and no answer.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field

import aiohttp

from benchmarks.measure import Line, median, percentile
from benchmarks.programs import Running
from bot.standin import NotAcknowledgedError, NotConnectedError

SIZES = (300, 600)
ROUNDS = 5
# Slack shows an error after 3 s.
SLACK_PATIENCE_S = 3.0
BUDGET_S = {300: 1.5}
REST_S = 0.5

Send = Callable[[str], Awaitable[float]]


class NoAnswerError(Exception):
    """The reply held no answer."""


class BusyError(Exception):
    """The reply asked to try again in a moment; it came after ``seconds``."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"busy after {seconds:.3f} s")
        self.seconds = seconds


@dataclass
class Burst:
    """What became of the commands sent at once, over all rounds; seconds each, and of the processor for all."""

    answered: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    lost: int = 0
    processor: float = 0.0

    @property
    def late(self) -> int:
        """Replies after Slack has shown an error."""
        return sum(seconds > SLACK_PATIENCE_S for seconds in (*self.answered, *self.busy))


async def send_at_once(send: Send, texts: Iterator[str], count: int, burst: Burst) -> None:
    """Send ``count`` commands together and add what became of them."""
    results = await asyncio.gather(*(send(next(texts)) for _ in range(count)), return_exceptions=True)
    for result in results:
        if isinstance(result, float):
            burst.answered.append(result)
        elif isinstance(result, BusyError):
            burst.busy.append(result.seconds)
        elif isinstance(
            result, NotAcknowledgedError | NotConnectedError | NoAnswerError | aiohttp.ClientError | TimeoutError
        ):
            burst.lost += 1
        else:
            raise result


async def take_turns(
    takers: Mapping[str, Send], programs: Mapping[str, Running], texts: Iterator[str], count: int
) -> dict[str, Burst]:
    """``ROUNDS`` bursts of ``count`` commands to each taker, in turn; some of them are ``programs``."""
    bursts = {name: Burst() for name in takers}
    for _, (name, send) in itertools.product(range(ROUNDS), takers.items()):
        program = programs.get(name)
        before = program.cpu_seconds() if program else 0.0
        await send_at_once(send, texts, count, bursts[name])
        await asyncio.sleep(REST_S)
        bursts[name].processor += (program.cpu_seconds() if program else 0.0) - before
    return bursts


def burst_lines(mode: str, count: int, bursts: Mapping[str, Burst]) -> list[Line]:
    """The table's lines for one size. ``bursts`` has ``bot``, ``memory``, ``echo`` and ``write``."""
    bot, memory, echo = (bursts[name] for name in ("bot", "memory", "echo"))
    what, budget = f"{mode}: {count} at once", BUDGET_S.get(count)
    if not bot.answered:
        return [Line(f"{what}, lost", bot.lost, "", 0)]
    p99 = {name: percentile(burst.answered, 0.99) for name, burst in bursts.items() if burst.answered}
    return [
        Line(f"{what}, median", 1000 * median(bot.answered), "ms"),
        Line(f"{what}, p99", 1000 * p99["bot"], "ms", None if budget is None else 1000 * budget),
        Line(f"{what}, slowest", 1000 * max(bot.answered), "ms"),
        Line(f"{what}, lost", bot.lost, "", 0),
        Line(f"{what}, over {SLACK_PATIENCE_S:g} s", bot.late, "", 0),
        Line(f"{what}, told it is busy", 100 * len(bot.busy) / (ROUNDS * count), "%"),
        Line(f"{what}, processor time a command", 1000 * bot.processor / (ROUNDS * count), "ms"),
        Line(f"{what}, bare echo, processor time a command", 1000 * echo.processor / (ROUNDS * count), "ms"),
        Line(f"{what}, bare echo, median", 1000 * median(echo.answered), "ms"),
        Line(f"{what}, bare echo, p99", 1000 * p99["echo"], "ms"),
        Line(f"{what}, bare echo, lost", echo.lost, ""),
        Line(f"{what}, answer / bare echo, p99", p99["bot"] / p99["echo"], "x"),
        Line(f"{what}, ledger alone, p99", 1000 * p99["write"], "ms"),
        Line(f"{what}, ledger alone, share of the answer's p99", 100 * p99["write"] / p99["bot"], "%"),
        Line(f"{what}, ledger in memory, median", 1000 * median(memory.answered), "ms"),
        Line(f"{what}, ledger in memory, p99", 1000 * p99["memory"], "ms"),
        Line(f"{what}, ledger in memory, told it is busy", 100 * len(memory.busy) / (ROUNDS * count), "%"),
    ]
