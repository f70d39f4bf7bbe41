"""What a ledger does on a small disk of its own: run where a file system may be mounted, judged by who runs it.

    unshare --user --map-root-user --mount python -m tests.support.small_disk FOLDER STORY ...

Prints one JSON object a story. The mounted file systems vanish with the process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from bot.clock import SystemClock
from bot.ledger import LedgerWriter, check_ledger, open_ledger, read_events
from handlers.ports import Kind, LedgerUnavailableError, Recorded
from tests.support.answers import WORDS
from tests.support.fault_tools import namespace
from tests.support.invariants import check_invariants
from tests.support.ledger_rows import answer_entry
from tests.support.program import tarla
from tests.support.requirements import ROOT

STORY_PATIENCE_S = 300


def tell(folder: Path, *stories: str) -> list[dict[str, Any]]:
    """Run some of the stories below, each on a disk of its own mounted over ``folder``, and give what they found.

    A story is its name, with arguments after colons: ``filled_up:10``.
    """
    command = namespace()
    assert command is not None
    told = [*command, sys.executable, "-m", __name__, str(folder), *stories]
    done = subprocess.run(told, cwd=ROOT, capture_output=True, text=True, timeout=STORY_PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(stories)
    return found


def mount(folder: Path, kib: int) -> None:
    """Mount an empty file system of so many KiB."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(folder)], check=True)


def remount(folder: Path, option: str) -> None:
    """Turn it ``ro`` or ``rw``."""
    subprocess.run(["mount", "-o", f"remount,{option}", str(folder)], check=True)


def fill(ballast: Path) -> None:
    """Take all the space that is left."""
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    assert os.statvfs(ballast).f_bavail == 0


def attempt(ledger: LedgerWriter, key: str, number: int = 0) -> tuple[Recorded | None, str | None, float]:
    """Record one answer; what came of it, why not, and after how many seconds."""
    began = time.monotonic()
    try:
        recorded = ledger.record_blocking(answer_entry(key, number))
    except LedgerUnavailableError as error:
        return None, error.code, time.monotonic() - began
    return recorded, None, time.monotonic() - began


@contextmanager
def opened(path: Path) -> Iterator[LedgerWriter]:
    """The ledger's writer, closed at the end."""
    with closing(open_ledger(path, clock=SystemClock())) as ledger:
        yield ledger


def filled_up(folder: Path, rounds: int) -> dict[str, Any]:
    """Write until a disk of 512 KiB is full, free a little, and so on ``rounds`` times (each costs a page or two)."""
    mount(folder, 512)
    path, ballast = folder / "ledger.db", folder / "ballast"
    told: dict[str, Recorded] = {}
    refused: dict[str, int] = {}
    ballast.write_bytes(bytes(64 * 1024))
    number = 0
    with opened(path) as ledger:
        for round_ in range(rounds):
            if round_:
                fill(ballast)  # from now on at once
            for _ in range(2_000):
                number += 1
                recorded, code, _ = attempt(ledger, f"k{number}", number)
                if recorded is None:
                    assert code is not None
                    refused[code] = refused.get(code, 0) + 1
                    break
                told[f"k{number}"] = recorded
            assert not ledger.status().ok
            assert len(check_invariants(path, told)) == len(told)
            ballast.unlink()
            number += 1
            recorded, _, _ = attempt(ledger, f"k{number}", number)
            assert recorded is not None, "no space was freed, or the ledger did not take it up"
            told[f"k{number}"] = recorded
    return {"events": len(check_invariants(path, told)), "acknowledged": len(told), "refused": refused}


def cold_start(folder: Path) -> dict[str, Any]:
    """Begin on a disk that is full: the writer, the program, and the writer once there is space."""
    mount(folder, 64)
    path, ballast = folder / "ledger.db", folder / "ballast"
    fill(ballast)
    with opened(path) as ledger:
        status = ledger.status()
        asked = tarla(folder, "ask", WORDS)
        ballast.unlink()
        recorded, _, _ = attempt(ledger, "after")
    return {
        "status": [status.ok, status.code],
        "asked": [asked.returncode, asked.stdout, asked.stderr],
        "after": recorded is not None,
        "check": check_ledger(path).events,
    }


def turned_read_only(folder: Path) -> dict[str, Any]:
    """The disk turns read-only between two runs of the bot, and back during the second."""
    mount(folder, 1024)
    path = folder / "ledger.db"
    with opened(path) as ledger:
        attempt(ledger, "before")
    remount(folder, "ro")
    with opened(path) as ledger:
        status = ledger.status()
        recorded, code, seconds = attempt(ledger, "refused")
        asked = tarla(folder, "ask", WORDS)
        verdict = check_ledger(path)
        keys = [event.idem_key for event in read_events(path)]
        remount(folder, "rw")
        after, _, _ = attempt(ledger, "after")
    remount(folder, "ro")
    with opened(folder / "new.db") as ledger:
        unmade = ledger.status().code
    kinds = [event.kind for event in read_events(path) if event.kind != Kind.COMPUTED]
    return {
        "status": status.code,
        "refused": [recorded is None, code, seconds],
        "asked": [asked.returncode, asked.stdout, asked.stderr],
        "verdict": [verdict.ok, verdict.events],
        "keys": keys,
        "after": after.seq if after else None,
        "other_kinds": kinds,
        "new": unmade,
    }


STORIES: dict[str, Callable[..., dict[str, Any]]] = {
    story.__name__: story for story in (filled_up, cold_start, turned_read_only)
}

if __name__ == "__main__":
    for asked in sys.argv[2:]:
        name, *rest = asked.split(":")
        print(json.dumps(STORIES[name](Path(sys.argv[1]), *map(int, rest))))  # noqa: T201 - how a story is told
