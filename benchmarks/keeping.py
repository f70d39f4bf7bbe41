"""Pruning half of a long ledger, beside a bot's writer that goes on recording.

    python -m benchmarks.keeping LEDGER

LEDGER (such as tests.support.big_ledger makes) is copied first; the copy is pruned by half.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from bot.audit.pruning import check_before, prune
from bot.audit.retention import plan_retention
from bot.clock import SystemClock
from bot.ledger import check_ledger, open_ledger, read_event
from bot.ledger.read import last_seq_of
from handlers.ports import Entry, Kind, LedgerUnavailableError

GAP_S = 0.02
BODY = {"filling": "x" * 1_200}


@dataclass(frozen=True)
class FixedClock:
    """A day on which half of the ledger is past its time."""

    moment: datetime

    def now(self) -> datetime:
        """That day."""
        return self.moment

    def monotonic(self) -> float:
        """The machine's own."""
        return time.monotonic()


def keep_recording(path: Path, stop: Event, answer: Any) -> None:
    """Record as a bot does until told to stop, and say how long each took."""
    took, failed, number = [], 0, 0
    with contextlib.closing(open_ledger(path, clock=SystemClock())) as writer:
        while not stop.is_set():
            began = time.perf_counter()
            try:
                writer.record_blocking(Entry(f"bench:{began}:{number}", Kind.COMPUTED, BODY))
                took.append(time.perf_counter() - began)
            except LedgerUnavailableError:
                failed += 1
            number += 1
            time.sleep(GAP_S)
    took.sort()
    answer.send(
        {
            "records": len(took),
            "failed": failed,
            **{
                f"p{share}_ms": round(1000 * took[min(len(took) - 1, len(took) * share // 100)], 1)
                for share in (50, 99)
            },
            "longest_ms": round(1000 * took[-1], 1),
        }
    )


@contextlib.contextmanager
def beside_a_writer(path: Path, into: dict[str, Any]) -> Any:
    """Run the block while another process records; its latencies go into ``into``."""
    context = multiprocessing.get_context("spawn")
    stop, (here, there) = context.Event(), context.Pipe()
    process = context.Process(target=keep_recording, args=(path, stop, there))
    process.start()
    time.sleep(3)
    try:
        yield
    finally:
        stop.set()
        into.update(here.recv())
        process.join()


def peak_mb() -> int:
    """Peak resident memory of this process so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main(source: Path) -> None:
    """Measure and print, as JSON."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="tarla-keeping-") as folder:
        path = Path(shutil.copy(source, Path(folder) / "ledger.db"))
        found["events"] = last_seq_of(path)
        middle = read_event(path, found["events"] // 2)
        if middle is None:
            raise SystemExit("the ledger is empty")
        now = datetime.fromisoformat(middle.time).astimezone(UTC) + timedelta(days=366)
        plan = plan_retention(path, 1, now)
        began = time.perf_counter()
        check_before(path)
        found["check_seconds"] = round(time.perf_counter() - began, 1)
        writing: dict[str, Any] = {}
        with beside_a_writer(path, writing):
            time.sleep(10)
        found["writer_alone"] = writing
        beside: dict[str, Any] = {}
        began = time.perf_counter()
        with beside_a_writer(path, beside):
            began = time.perf_counter()
            done = prune(path, plan, FixedClock(now), {})
            took = time.perf_counter() - began
        found["prune"] = {
            "payloads": done.deleted,
            "seconds": round(took, 1),
            "peak_mb": peak_mb(),
            "longest_lock_ms": round(1000 * done.longest_s, 1),
            "writer_beside": beside,
        }
        verdict = check_ledger(path)
        found["checks_afterwards"] = verdict.ok
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
