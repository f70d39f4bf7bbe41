"""Retention at random and cut off at any point: only what is due goes, all of it, and the next run finishes it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from bot.clock import SystemClock
from bot.ledger import check_ledger, open_ledger, read_events
from bot.ledger.kinds import LedgerKind
from handlers.ports import Entry, Kind
from tests.support.aged_ledger import entry, held, prune_all, record, run
from tests.support.chaos import rng, scale, tally


def test_no_byte_is_left_whatever_the_sizes_and_wherever_the_kept_ones_stand(tmp_path: Path) -> None:
    rounds, random = scale(5, 150), rng("retention sizes")
    for turn in range(rounds):
        path = tmp_path / f"{turn}" / "ledger.db"
        count, due = random.randint(50, 500), random.randint(1, 400)
        kinds = random.choices(
            [Kind.COMPUTED, Kind.DELIVERED, LedgerKind.CHECKPOINT], (6, 6, random.choice((0, 1, 6))), k=count
        )
        entries = []
        for number, kind in enumerate(kinds, 1):
            mark = f"canary-{number:06d}-" + "x" * min(
                20_000, int(random.paretovariate(0.7) * random.choice((1, 30, 300)))
            )
            entries.append(
                ("2019-06-01" if number <= due else "2026-01-01", Entry(f"request-{number}", kind, {"mark": mark}))
            )
        record(path, entries)
        run(path)
        stay = [n for n, kind in enumerate(kinds, 1) if n > due or kind == LedgerKind.CHECKPOINT]
        assert held(path, range(1, count + 1)) == stay, turn
        assert check_ledger(path).ok
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    tally("retention at random", ledgers=rounds)


def test_killed_at_any_point_it_is_finished_by_the_next_run(tmp_path: Path) -> None:
    rounds, random, cut = scale(4, 100), rng("retention kills"), 0
    context = multiprocessing.get_context("fork")
    whole = 0.0  # seconds that a run takes when nobody cuts it off
    for turn in range(rounds + 1):
        path = tmp_path / f"{turn}" / "ledger.db"
        record(path, [("2019-06-01", entry(number)) for number in range(1, 1_001)])
        leaves = [event.leaf for event in read_events(path)]
        process = context.Process(target=prune_all, args=(path,))
        began = time.monotonic()
        process.start()
        process.join(random.uniform(0.0, whole) if turn else None)
        whole = whole or time.monotonic() - began
        if process.is_alive() and process.pid is not None:
            os.kill(process.pid, signal.SIGKILL)
            cut += 1
        process.join()
        with contextlib.closing(open_ledger(path, clock=SystemClock())) as writer:  # as the bot would, rolls back
            assert writer.status().ok
        assert check_ledger(path).ok
        run(path)
        found = check_ledger(path)
        assert (found.ok, found.events, found.pruned) == (True, 1_001, 1_000)
        assert [event.leaf for event in read_events(path)][:1_000] == leaves
        assert held(path, range(1, 1_001)) == []
    tally("retention killed and resumed", rounds=rounds, killed=cut)
    assert cut > 0
