"""Backups made while others write: each is whole and the beginning of the same ledger, and none holds a writer up."""

from __future__ import annotations

import itertools
import shutil
import threading
import time
from contextlib import closing
from pathlib import Path

from bot.audit.backup import back_up, leaves
from bot.clock import SystemClock
from bot.ledger import RECORD_DEADLINE_S, check_ledger, open_ledger
from bot.ledger.merkle import Tree
from bot.ledger.note import Checkpoint
from handlers.ports import Entry, Kind, LedgerUnavailableError
from tests.support.big_ledger import make_ledger
from tests.support.chaos import rng, scale, tally

PAYLOAD = {"asker": {"via": "cli", "user": "somebody"}, "reason": "E_EMPTY", "length": 0, "padding": "x" * 400}


class Writing(threading.Thread):
    """Records events one after another until told to stop; keeps how long each took, and what failed."""

    def __init__(self, path: Path, pause: float) -> None:
        super().__init__(daemon=True)
        self._path, self._pause = path, pause
        self.stop = threading.Event()
        self.seconds: list[float] = []
        self.failed: list[str] = []

    def run(self) -> None:
        with closing(open_ledger(self._path, clock=SystemClock())) as writer:
            for number in itertools.count():
                if self.stop.wait(self._pause):
                    return
                began = time.monotonic()
                try:
                    writer.record_blocking(Entry(f"load:{self.ident}:{number}", Kind.REFUSED, PAYLOAD))
                except LedgerUnavailableError as error:
                    self.failed.append(error.code)
                self.seconds.append(time.monotonic() - began)


def roots_at(path: Path, sizes: set[int]) -> dict[int, str]:
    """The root of the tree at each of these sizes."""
    tree, roots = Tree(), {}
    for _seq, leaf in leaves(path):
        tree.append(leaf)
        if tree.size in sizes:
            roots[tree.size] = tree.root().hex()
    return roots


def test_backups_beside_a_writer_verify_and_extend_one_another(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    make_ledger(ledger, scale(120, 4_000))
    count, dice = scale(10, 100), rng("backups")
    writing = [Writing(ledger, pause=scale(10, 2) / 1000), Writing(ledger, pause=0.05)]
    for each in writing:
        each.start()
    known: tuple[Checkpoint, ...] = ()
    made = []
    try:
        for number in range(count):
            # Small steps and no patience with new beginnings: both ways of copying are taken.
            step, beginnings = dice.choice((8, 64, 256)), dice.choice((0, 2, 3))
            target = tmp_path / f"{number}.db"
            done = back_up(ledger, target, checkpoints=known, step=step, beginnings=beginnings)
            assert done.compared == len(known)
            made.append(done)
            known = (*known, Checkpoint("test", done.events, bytes.fromhex(done.root)))[-5:]
            target.rename(tmp_path / "latest.db")
    finally:
        for each in writing:
            each.stop.set()
        for each in writing:
            each.join(10)
    assert [code for each in writing for code in each.failed] == []
    slowest = max(max(each.seconds) for each in writing)
    assert slowest < RECORD_DEADLINE_S
    sizes = [each.events for each in made]
    assert sizes == sorted(sizes)
    roots = roots_at(ledger, set(sizes))
    assert [roots[each.events] for each in made] == [each.root for each in made]
    assert {each.by_rows for each in made} == {True, False}
    assert not list(tmp_path.glob(".*.part"))
    tally(
        "backups under load",
        backups=count,
        by_rows=sum(each.by_rows for each in made),
        events_written_meanwhile=sum(len(each.seconds) for each in writing),
        events=made[-1].events,
        slowest_record_ms=round(1000 * slowest),
    )
    # The drill of docs/audit.md: put the copy in the ledger's place, check it, go on.
    restored = tmp_path / "restored" / "ledger.db"
    restored.parent.mkdir()
    shutil.copyfile(tmp_path / "latest.db", restored)
    with closing(open_ledger(restored, clock=SystemClock())) as writer:
        assert (
            writer.record_blocking(Entry("after the restore".replace(" ", "-"), Kind.REFUSED, PAYLOAD)).seq
            == sizes[-1] + 1
        )
    assert check_ledger(restored).ok
    assert roots_at(restored, {sizes[-1]}) == {sizes[-1]: made[-1].root}
