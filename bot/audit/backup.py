"""A copy of the ledger made while the bot writes; it gets its name only once found right and on disk."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.audit.copying import BEGINNINGS, STEP_PAGES, StartedAnewError, copy_pages, copy_rows
from bot.audit.files import OutputError, output_file
from bot.ledger import check_ledger
from bot.ledger.connection import AUDIT_WAIT_MS, open_for_reading
from bot.ledger.errors import fault_of_sqlite
from bot.ledger.merkle import Tree
from bot.ledger.note import Checkpoint
from bot.ledger.read import RawEvent
from handlers.receipts import receipt_of

Follow = Callable[[int], None]
_LEAVES = "SELECT seq, leaf FROM event WHERE seq > ? ORDER BY seq LIMIT 2000"


class BackupError(Exception):
    """The copy is not right; it was not given its name. The argument says why, ``seq`` where."""

    def __init__(self, text: str, seq: int | None = None) -> None:
        super().__init__(text)
        self.seq = seq


@dataclass(frozen=True, slots=True)
class Backup:
    """What was made: events, bytes, the receipt of the last event, the tree's root (hex), which way it was copied.

    ``compared`` is how many checkpoints the copy was compared with.
    """

    events: int
    size: int
    last_receipt: str | None
    root: str
    by_rows: bool
    pruned: int
    compared: int = 0


def back_up(
    source: Path,
    target: Path,
    *,
    checkpoints: tuple[Checkpoint, ...] = (),
    step: int = STEP_PAGES,
    beginnings: int = BEGINNINGS,
    follow: Follow = lambda _seq: None,
) -> Backup:
    """Copy ``source`` to ``target``, which may not exist; owner-only, whole and on disk, or not there at all.

    Every hash of the copy is computed again, its leaves are compared with those of the source, and its roots with
    those of the checkpoints.

    Raises:
        OutputError: the copy cannot be written there.
        BackupError: the copy is not right, or not what the source or a checkpoint says.
        LedgerUnavailableError: the source cannot be read.
    """
    with output_file(target) as part:
        by_rows = False
        try:
            try:
                copy_pages(source, part, step=step, beginnings=beginnings)
            except StartedAnewError:
                by_rows = True
                part.write_bytes(b"")  # the rights stay
                copy_rows(source, part)
        except sqlite3.Error as error:
            fault = fault_of_sqlite(error)
            if fault.code == "disk_full":  # reading needs no room, so it is the copy's disk
                raise OutputError("the disk is full") from None
            raise fault from None
        except UnicodeDecodeError:
            raise BackupError("a row of the ledger is not readable text") from None
        found = _check(source, part, checkpoints, follow)
        return Backup(by_rows=by_rows, size=part.stat().st_size, **found)


def _check(source: Path, copy: Path, checkpoints: tuple[Checkpoint, ...], follow: Follow) -> dict[str, Any]:
    tree, receipt = Tree(), None
    expected: dict[int, list[bytes]] = {}
    for checkpoint in checkpoints:
        expected.setdefault(checkpoint.size, []).append(checkpoint.root)
    compared = 0
    with contextlib.closing(leaves(source)) as originals:

        def compare(row: RawEvent) -> None:
            nonlocal receipt, compared
            tree.append(row.leaf)
            receipt = receipt_of(row.seq, row.leaf)
            if next(originals, None) != (row.seq, row.leaf):
                raise BackupError("the copy's leaf is not the ledger's", row.seq)
            for root in expected.get(row.seq, ()):
                compared += 1
                if root != tree.root():
                    raise BackupError(f"the checkpoint over {row.seq} events has another root", row.seq)
            follow(row.seq)

        verdict = check_ledger(copy, compare)
    if not verdict.ok:
        raise BackupError(str(verdict.problem), verdict.bad_seq)
    # Read before the copy was begun: whatever they cover was in the ledger.
    if (most := max(expected, default=0)) > verdict.events:
        raise BackupError(f"the ledger ends at event {verdict.events}, but a checkpoint tells of {most}")
    return {
        "events": verdict.events,
        "last_receipt": receipt,
        "root": tree.root().hex(),
        "pruned": verdict.pruned,
        "compared": compared,
    }


def leaves(path: Path) -> Generator[tuple[int, bytes], None, None]:
    """Number and leaf hash of every event in order, read in pages."""
    try:
        with contextlib.closing(open_for_reading(path, AUDIT_WAIT_MS)) as connection:
            after = 0
            while page := connection.execute(_LEAVES, (after,)).fetchall():
                yield from page
                after = page[-1][0]
    except sqlite3.Error as error:
        raise fault_of_sqlite(error) from None
