"""Many who want the ledger at once: another program that keeps it locked, several processes, bursts of requests."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from pathlib import Path

from bot.clock import SystemClock
from bot.ledger import open_ledger
from handlers.ports import Recorded
from tests.support.app import RunningApp, over_http
from tests.support.chaos import scale, tally
from tests.support.invariants import check_invariants
from tests.support.ledger_child import promises
from tests.support.ledger_rows import answer_entry
from tests.support.requirements import ROOT

# Slack gives up after 3 s; so much is left for the way.
ANSWERED_WITHIN_S = 2.5
BURST = 300

HOLD = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("ready", flush=True)
time.sleep(float(sys.argv[2]))
connection.execute("ROLLBACK")
print("released", flush=True)
time.sleep(60)
"""


@asynccontextmanager
async def held_locked(path: Path, seconds: float) -> AsyncIterator[asyncio.Future[bytes]]:
    """Another process has the ledger locked; the future is done once it lets go."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD, str(path), str(seconds), stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        yield asyncio.ensure_future(process.stdout.readline())
    finally:
        process.kill()
        await process.wait()


async def answered(running: RunningApp, trigger: str, delay: float) -> tuple[str, float]:
    """Ask after ``delay`` seconds; what came back, and after how long."""
    await asyncio.sleep(delay)
    began = time.monotonic()
    reply = await running.ask(trigger_id=trigger)
    return reply.text, time.monotonic() - began


async def test_ledger_locked_by_another_process_is_a_timely_refusal_for_good(tmp_path: Path) -> None:
    """Nothing recorded late either: what was not shown must not look as if it had been."""
    path, seconds = tmp_path / "ledger.db", float(scale(3, 10))
    async with over_http(path) as running:
        await running.ask()
        before = [event.idem_key for event in await running.events()]
        async with held_locked(path, seconds) as released:
            # The last is asked long enough before the end to be refused, not to be written when the lock goes.
            delays = [step * 0.25 for step in range(int((seconds - 2.2) / 0.25))]
            replies = await asyncio.gather(
                *(answered(running, f"{number}.locked", delay) for number, delay in enumerate(delays))
            )
            assert not released.done()
            await released
            after = await running.ask(trigger_id="after")
        events = await running.events()
    slowest = max(taken for _, taken in replies)
    assert all("not shown" in text and "%" not in text for text, _ in replies)
    assert slowest < ANSWERED_WITHIN_S
    assert "%" in after.text
    keys = [event.idem_key for event in events]
    assert not [key for key in keys if ".locked" in key]
    assert len(keys) == len(before) + 2  # the answer after it, and its delivery
    assert check_invariants(path, {}) == events
    tally(f"locked for {seconds:.0f} s", asked=len(replies), not_shown=len(replies), slowest_ms=round(slowest * 1000))


def both_ended(children: list[subprocess.Popen[bytes]], seconds: float) -> list[tuple[bytes, bytes]]:
    """What each has said on its two outputs, read at the same time: a full pipe would hold one of them up."""
    with ThreadPoolExecutor(len(children)) as readers:
        return list(readers.map(lambda child: child.communicate(timeout=seconds), children))


def test_two_processes_of_eight_threads_write_one_sequence(tmp_path: Path) -> None:
    path, each, threads, names = tmp_path / "ledger.db", scale(15, 500), 8, ("one", "two")
    words = ("--threads", str(threads), "--each", str(each), "--wait")
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.ledger_child", str(path), name, *words],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for name in names
    ]
    assert [child.stderr.readline() for child in children if child.stderr] == [b"ready\n"] * len(names)
    for child in children:
        assert child.stdin is not None
        child.stdin.write(b"go\n")
        child.stdin.flush()
    ended = both_ended(children, scale(60, 600))
    assert [child.returncode for child in children] == [0, 0], ended
    failed = Counter[str]()
    for _, complaints in ended:
        for line in complaints.decode().splitlines():
            code, count = line.split()
            failed[code] += int(count)
    told = {key: recorded for said, _ in ended for key, recorded in promises(said).items()}
    asked = len(names) * threads * each
    assert len(told) + failed.total() == asked
    assert failed.total() <= asked / 1000
    events = check_invariants(path, told)
    assert len(events) == len(told)
    assert {event.idem_key.split("-")[0] for event in events} == set(names)
    changes = sum(one.idem_key[:3] != other.idem_key[:3] for one, other in itertools.pairwise(events))
    assert changes > 1  # they did write at the same time
    tally("2 processes of 8 threads", asked=asked, recorded=len(told), failed=failed.total(), changes_of_hand=changes)


async def test_burst_is_committed_in_few_transactions(tmp_path: Path) -> None:
    path, rounds = tmp_path / "ledger.db", scale(1, 20)
    with closing(open_ledger(path, clock=SystemClock())) as ledger:
        told: dict[str, Recorded] = {}
        slowest = 0.0
        for round_ in range(rounds):
            keys = [f"{round_}-{number}" for number in range(BURST)]
            began = time.monotonic()
            recorded = await asyncio.gather(*(ledger.record(answer_entry(key)) for key in keys))
            told |= dict(zip(keys, recorded, strict=True))
            slowest = max(slowest, time.monotonic() - began)
        status = ledger.status()
    assert status.recorded == rounds * BURST
    assert status.commits <= status.recorded / 20
    assert len(check_invariants(path, told)) == rounds * BURST
    tally(
        f"{BURST} at once",
        rounds=rounds,
        events=status.recorded,
        commits=status.commits,
        slowest_burst_ms=round(slowest * 1000),
    )
