"""From sending a command to its acknowledgement, which is the answer: ``python -m benchmarks.answer_time``.

The real bot runs in a process of its own against the stand-in for Slack, in
each mode. Beside it, command by command in turn, runs an app that acknowledges
and does nothing else, and the durable write alone, so that a slow moment of the
machine falls on all three. Then come bursts (``bursts.py``), where a second bot has its ledger in memory.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import click
from slack_sdk.signature import SignatureVerifier

from benchmarks.bursts import ROUNDS, SIZES, BusyError, NoAnswerError, Send, burst_lines, take_turns
from benchmarks.measure import Line, median, percentile, report
from benchmarks.programs import BOT_HTTP, BOT_SOCKET, ECHO_HTTP, ECHO_SOCKET, SIGNING_SECRET, Running, running
from bot.clock import SystemClock
from bot.compose import code_version
from bot.ledger import LedgerWriter, open_ledger
from bot.standin import proxies_dropped, slash_command_payload
from handlers.ports import Entry, Kind
from handlers.records import computed_payload
from handlers.requests import Asker
from knowledge import LdhMultiple, PatientFactors, assess
from knowledge.evidence import load as load_evidence

COMMANDS = 200
WARM_UP = 10
# Slack waits 3 s; waiting longer tells a late answer from a lost one.
PATIENCE_S = 15.0
BUDGET_ADDED_MS = 10.0
# A file system in memory, where writing costs no wait for a disk.
MEMORY = Path("/dev/shm")  # noqa: S108 - the point is where it lies; what is made there has a name of its own


def patients() -> Iterator[str]:
    """Commands for patients who all differ, so that no answer comes from a cache."""
    states = itertools.cycle(itertools.product(("yes", "no"), repeat=3))
    for number, (liver, diabetes, cvd) in enumerate(states):
        high, low = divmod(number, 7_900)  # at most 40 times the upper limit, beyond which LDH is refused
        yield f"ldh {100 + low}/{200 + high} liver {liver} dm {diabetes} cvd {cvd}"


def checked(text: str, wanted: str, seconds: float) -> float:
    """``seconds`` where the reply holds ``wanted``.

    Raises:
        BusyError, NoAnswerError: it does not.
    """
    if text.startswith("Busy"):
        raise BusyError(seconds)
    if wanted not in text:
        raise NoAnswerError(text)
    return seconds


def over_socket(program: Running, wanted: str) -> Send:
    """Send a command as an envelope; seconds until its acknowledgement, which holds ``wanted``."""

    async def send(text: str) -> float:
        started = time.perf_counter()
        answer = await program.slack.slash_command(text, seconds=PATIENCE_S)
        return checked(answer.get("text", ""), wanted, time.perf_counter() - started)

    return send


def over_http(program: Running, session: aiohttp.ClientSession, wanted: str) -> Send:
    """Send a command as a signed request; seconds until its response is read, which holds ``wanted``."""
    verifier = SignatureVerifier(SIGNING_SECRET)
    address = str(program.address)

    async def send(text: str) -> float:
        body = urlencode(slash_command_payload(text, response_url=program.slack.new_response_url()))
        stamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": str(verifier.generate_signature(timestamp=stamp, body=body)),
        }
        started = time.perf_counter()
        async with session.post(address, data=body, headers=headers) as reply:
            answer = await reply.json()
        return checked(answer.get("text", ""), wanted, time.perf_counter() - started)

    return send


def durable_write(ledger: LedgerWriter) -> Send:
    """Record what one answer records; the text is only a number for the key."""
    assessment = assess(PatientFactors(ldh=LdhMultiple(multiple=1.9)))
    asker = Asker(via="slash_command", user="U0FELLOW01", channel="C0TUMOURBD", team="T0TARLADEV")
    payload = computed_payload(assessment, (), asker, load_evidence().version, code_version())
    keys = itertools.count()

    async def send(_text: str) -> float:
        entry = Entry(f"benchmark:{next(keys)}", Kind.COMPUTED, payload)
        started = time.perf_counter()
        await ledger.record(entry)
        return time.perf_counter() - started

    return send


async def in_turn(sends: dict[str, Send], texts: Iterator[str], count: int) -> dict[str, list[float]]:
    """Send ``count`` commands to each, one after another; seconds each took."""
    took: dict[str, list[float]] = {name: [] for name in sends}
    for text in itertools.islice(texts, count):
        for name, send in sends.items():
            took[name].append(await send(text))
    return took


async def measure(mode: str, folder: Path) -> list[Line]:
    """One mode's figures, in milliseconds."""
    bot, echo = (BOT_SOCKET, ECHO_SOCKET) if mode == "socket" else (BOT_HTTP, ECHO_HTTP)
    folders = {name: folder / f"{mode}-{name}" for name in ("bot", "echo", "write")}
    for each in folders.values():
        each.mkdir()
    texts = patients()
    async with AsyncExitStack() as stack:
        folders["memory"] = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tarla-", dir=MEMORY)))
        tarla = await stack.enter_async_context(running(bot, folders["bot"]))
        in_memory = await stack.enter_async_context(running(bot, folders["memory"]))
        bare = await stack.enter_async_context(running(echo, folders["echo"]))
        ledger = open_ledger(folders["write"] / "ledger.db", clock=SystemClock())
        stack.push_async_callback(ledger.aclose)
        if mode == "socket":
            to_bot, to_memory = over_socket(tarla, "receipt #"), over_socket(in_memory, "receipt #")
            to_echo = over_socket(bare, "ldh")
        else:
            timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
            session = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0))
            await stack.enter_async_context(session)
            to_bot, to_memory = over_http(tarla, session, "receipt #"), over_http(in_memory, session, "receipt #")
            to_echo = over_http(bare, session, "ldh")
        takers = {"bot": to_bot, "echo": to_echo, "write": durable_write(ledger)}
        await in_turn(takers, texts, WARM_UP)
        before = tarla.cpu_seconds(), bare.cpu_seconds()
        took = await in_turn(takers, texts, COMMANDS)
        cpu = (tarla.cpu_seconds() - before[0]) / COMMANDS, (bare.cpu_seconds() - before[1]) / COMMANDS
        takers["memory"] = to_memory
        await in_turn(takers, texts, WARM_UP)
        programs = {"bot": tarla, "memory": in_memory, "echo": bare}
        bursts = [burst_lines(mode, count, await take_turns(takers, programs, texts, count)) for count in SIZES]
    return [*lines(mode, took, cpu), *itertools.chain(*bursts)]


def lines(mode: str, took: dict[str, list[float]], cpu: tuple[float, float]) -> list[Line]:
    """The table's lines of one mode; ``cpu`` is the processor time a command of bot and echo, in seconds."""
    bot, echo, write = (median(took[name]) for name in ("bot", "echo", "write"))
    return [
        Line(f"{mode}: answer, median", 1000 * bot, "ms"),
        Line(f"{mode}: answer, p99", 1000 * percentile(took["bot"], 0.99), "ms"),
        Line(f"{mode}: bare echo, median", 1000 * echo, "ms"),
        Line(f"{mode}: bare echo, p99", 1000 * percentile(took["echo"], 0.99), "ms"),
        Line(f"{mode}: answer / bare echo", bot / echo, "x"),
        Line(f"{mode}: durable write alone, median", 1000 * write, "ms"),
        Line(f"{mode}: durable write alone, p99", 1000 * percentile(took["write"], 0.99), "ms"),
        Line(f"{mode}: durable write, share of the answer", 100 * write / bot, "%"),
        # Bolt looks for the acknowledgement every 10 ms and so hides most of the work, the write included:
        # nothing is taken off for the write, which keeps the budget's figure on the strict side.
        Line(f"{mode}: added to the echo, write included", 1000 * (bot - echo), "ms", BUDGET_ADDED_MS),
        Line(f"{mode}: processor time an answer", 1000 * cpu[0], "ms"),
        Line(f"{mode}: processor time a bare echo", 1000 * cpu[1], "ms"),
    ]


async def main(folder: Path) -> list[Line]:
    """Both modes."""
    with proxies_dropped():
        return [*await measure("socket", folder), *await measure("http", folder)]


@click.command()
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="Where to put the ledgers.")
def run(folder: Path | None) -> None:
    """Measure, print, write results/answer_time.json."""
    with tempfile.TemporaryDirectory(prefix="tarla-benchmark-", dir=folder) as place:
        measured = asyncio.run(main(Path(place)))
    report("answer_time", measured, {"commands_each": COMMANDS, "at_once": SIZES, "rounds": ROUNDS, "warm_up": WARM_UP})


if __name__ == "__main__":
    run()
