"""A process that writes to a ledger as the bot does and says what it was promised, until it is done or dead.

    python -m tests.support.ledger_child LEDGER NAME [--threads N] [--each N] [--together N] [--synchronous WORD]
        [--wait]

Every promise is one line on standard output: idempotency key, number, time and leaf. A promise is spoken only
after ``record`` has returned, in one ``write``, so a line that is out was promised before the process died.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import sys
import threading
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from bot.clock import SystemClock
from bot.ledger import LedgerWriter, open_ledger
from bot.ledger import connection as opening
from handlers.ports import LedgerUnavailableError, Recorded
from tests.support.ledger_rows import PATIENTS, answer_entry, patient_payload

FOREVER = 10**9


def promise(recorded: Recorded, key: str) -> bytes:
    """The line for one acknowledged event."""
    return f"{key} {recorded.seq} {recorded.time} {recorded.leaf.hex()}\n".encode()


def promises(said: bytes) -> dict[str, Recorded]:
    """What a child has promised so far; a last line cut short counts as nothing said."""
    told: dict[str, Recorded] = {}
    for line in said.decode().split("\n")[:-1]:
        key, seq, time, leaf = line.split()
        assert key not in told
        told[key] = Recorded(int(seq), time, bytes.fromhex(leaf))
    return told


def write(output: int, path: Path, name: str, threads: int = 1, each: int = FOREVER) -> Counter[str]:
    """Record ``each`` answers in each of ``threads`` threads, one after the other; gives how many failed, by code."""
    failed: Counter[str] = Counter()

    def work(thread: int) -> None:
        for number in range(each):
            key = f"{name}-{thread}-{number}"
            try:
                recorded = ledger.record_blocking(answer_entry(key, number))
            except LedgerUnavailableError as error:
                failed[error.code] += 1
            else:
                os.write(output, promise(recorded, key))

    ledger = open_ledger(path, clock=SystemClock())
    workers = [threading.Thread(target=work, args=(thread,), daemon=True) for thread in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    ledger.close()
    return failed


def write_together(output: int, path: Path, name: str, rounds: int, together: int) -> None:
    """Record ``together`` answers at once, ``rounds`` times."""

    async def one(ledger: LedgerWriter, key: str, number: int) -> None:
        os.write(output, promise(await ledger.record(answer_entry(key, number)), key))

    async def run() -> None:
        ledger = open_ledger(path, clock=SystemClock())
        for round_ in range(rounds):
            keys = [f"{name}-{round_}-{number}" for number in range(together)]
            await asyncio.gather(*(one(ledger, key, number) for number, key in enumerate(keys)))
        await ledger.aclose()

    asyncio.run(run())


def make_less_durable(word: str) -> None:
    """Let the ledger be opened with another PRAGMA synchronous: how a test shows what its findings depend on."""
    durable = opening._make_durable

    def weakened(connection: sqlite3.Connection) -> None:
        durable(connection)
        connection.execute(f"PRAGMA synchronous = {word}")

    opening._make_durable = weakened


def warm() -> None:
    """Everything that is slow the first time."""
    import bot.ledger.migrations  # noqa: F401

    for number in range(PATIENTS):
        patient_payload(number)


def main(arguments: Iterable[str] | None = None) -> None:
    """Command line of the child."""
    parser = argparse.ArgumentParser()
    parser.add_argument("ledger", type=Path)
    parser.add_argument("name")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--each", type=int, default=FOREVER)
    parser.add_argument("--together", type=int, default=0)
    parser.add_argument("--synchronous", default="")
    parser.add_argument("--wait", action="store_true", help="say ready on standard error, begin after a line of input")
    asked = parser.parse_args(arguments)
    if asked.wait:
        warm()
        os.write(2, b"ready\n")
        sys.stdin.readline()
    if asked.synchronous:
        make_less_durable(asked.synchronous)
    if asked.together:
        write_together(1, asked.ledger, asked.name, asked.each, asked.together)
        return
    failed = write(1, asked.ledger, asked.name, asked.threads, asked.each)
    os.write(2, "".join(f"{code} {count}\n" for code, count in failed.items()).encode())


if __name__ == "__main__":
    main()
