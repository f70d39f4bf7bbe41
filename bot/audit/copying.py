"""Two ways to copy a ledger while others write to it. Neither holds a lock for longer than one small step.

SQLite's online backup begins anew whenever another connection has written between two of its steps, so beside a busy
writer a large file would never be done. After a few such beginnings the copy is made row by row instead: nothing that
stands in a ledger ever changes, so pages of rows fit together however much is written meanwhile.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from bot.ledger import schema
from bot.ledger.connection import AUDIT_WAIT_MS, open_for_reading
from bot.ledger.errors import LedgerFault
from bot.ledger.read import prunings, raw_events

# One step reads this many pages (4 KiB each) under the lock: a few milliseconds, a fast disk granted.
STEP_PAGES = 256
PAUSE_S = 0.002
# Beginnings from the first page, after which the copy is made by rows.
BEGINNINGS = 3

Follow = Callable[[int], None]


class StartedAnewError(Exception):
    """The ledger grew too often while its pages were copied."""


def copy_pages(source: Path, target: Path, *, step: int = STEP_PAGES, beginnings: int = BEGINNINGS) -> None:
    """A copy of the file, page by page, with SQLite's online backup.

    Raises:
        StartedAnewError: it had to begin anew too often.
        sqlite3.Error: one of the files cannot be read or written.
    """
    begun, before, since = 1, 0, time.monotonic()

    def follow(status: int, remaining: int, total: int) -> None:
        nonlocal begun, before, since
        now = time.monotonic()
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            if 1000 * (now - since) > AUDIT_WAIT_MS:
                raise LedgerFault("locked", "another process does not let go of the ledger")
            return
        since = now
        done = total - remaining
        if done <= before:
            begun += 1
        before = done
        if begun > beginnings:
            raise StartedAnewError

    with (
        contextlib.closing(open_for_reading(source, AUDIT_WAIT_MS)) as origin,
        contextlib.closing(_opened(target)) as copy,
    ):
        origin.backup(copy, pages=step, progress=follow, sleep=PAUSE_S)


def copy_rows(source: Path, target: Path, follow: Follow = lambda _seq: None) -> None:
    """A copy row by row, into tables made from the source's own words, past the same guards.

    Raises:
        sqlite3.Error: one of the files cannot be read or written, or a row does not pass the guards.
    """
    with (
        contextlib.closing(open_for_reading(source, AUDIT_WAIT_MS)) as origin,
        contextlib.closing(_opened(target)) as copy,
    ):
        copy.execute("PRAGMA cache_size = -65536")
        copy.execute("BEGIN IMMEDIATE")
        copy.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        (version,) = origin.execute("PRAGMA user_version").fetchone()
        copy.execute(f"PRAGMA user_version = {int(version)}")
        _copy_schema(origin, copy)
        for row in raw_events(origin, after=0):
            texts = (row.idem_key.decode(), row.kind.decode(), row.ref, row.time.decode())
            values = (row.seq, *texts, row.payload_hash, row.leaf)
            copy.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)", values)
            if row.body is not None:
                copy.execute("INSERT INTO payload VALUES (?, ?, ?)", (row.seq, row.salt, row.body.decode()))
            if row.kind == b"pruned":
                for each in prunings(origin):
                    if each.seq == row.seq:
                        copy.execute("INSERT INTO pruning VALUES (?, ?, ?)", (each.seq, each.first, each.last))
            follow(row.seq)
        copy.execute("COMMIT")


def _copy_schema(origin: sqlite3.Connection, copy: sqlite3.Connection) -> None:
    """Tables before what stands on them; sqlite-utils' bookkeeping with its rows."""
    wanted = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type = 'trigger', type = 'index', rowid"
    for (sql,) in origin.execute(wanted).fetchall():
        copy.execute(sql.decode())
    table = schema.BOOKKEEPING_TABLE
    if origin.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone() is not None:
        for row in origin.execute(f"SELECT * FROM {table}").fetchall():  # noqa: S608 - a constant
            values = [value.decode() if isinstance(value, bytes) else value for value in row]
            marks = ", ".join("?" * len(values))
            copy.execute(f"INSERT INTO {table} VALUES ({marks})", values)  # noqa: S608 - constants


def _opened(target: Path) -> sqlite3.Connection:
    """The copy, empty. It is brought to disk once, when it is done and found right."""
    connection = sqlite3.connect(target, isolation_level=None)
    for pragma in ("synchronous = OFF", "journal_mode = MEMORY", "trusted_schema = OFF", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection
