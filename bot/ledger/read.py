"""Reading the ledger without writing to it, while others write.

Rows come in pages, each read at once: a reader that held its lock between rows
would keep every writer from committing. Nothing is ever changed or removed, so
the pages fit together.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from bot.ledger.connection import BUSY_TIMEOUT_MS, open_for_reading
from bot.ledger.errors import LedgerFault, fault_of_sqlite
from handlers.ports import Json

PAGE_ROWS = 500

# The last column goes through the index on idem_key, which no hash covers.
_SELECT_PAGE = """
SELECT e.seq, e.idem_key, e.kind, e.ref, e.time, e.payload_hash, e.leaf, p.salt, p.body,
       (SELECT k.seq FROM event AS k WHERE k.idem_key = e.idem_key)
FROM event AS e LEFT JOIN payload AS p ON p.seq = e.seq
WHERE e.seq > ? ORDER BY e.seq LIMIT ?"""


@dataclass(frozen=True, slots=True)
class RawEvent:
    """A row as stored, texts as bytes: nothing is assumed of it."""

    seq: int
    idem_key: bytes
    kind: bytes
    ref: int | None
    time: bytes
    payload_hash: bytes
    leaf: bytes
    salt: bytes | None = field(repr=False)
    body: bytes | None = field(repr=False)
    seq_by_key: int | None


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as an auditor reads it. ``salt`` and ``body`` are None once pruned."""

    seq: int
    idem_key: str
    kind: str
    ref: int | None
    time: str
    payload_hash: bytes
    leaf: bytes
    salt: bytes | None = field(repr=False)
    body: str | None = field(repr=False)

    @property
    def payload(self) -> Mapping[str, Json] | None:
        """The body parsed.

        Raises:
            ValueError: it is not JSON.
        """
        return None if self.body is None else cast("Mapping[str, Json]", json.loads(self.body))


@dataclass(frozen=True, slots=True)
class Pruning:
    """Payloads of the events from ``first`` to ``last`` may be gone, because the event ``seq`` says so."""

    seq: int
    first: int
    last: int


def prunings(connection: sqlite3.Connection) -> tuple[Pruning, ...]:
    """All prunings in the order of their events; none in a file of version 1, which has no such table."""
    if connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'pruning'").fetchone() is None:
        return ()
    rows = connection.execute("SELECT seq, first, last FROM pruning ORDER BY seq")
    # Of a damaged row that names no numbers nothing is gone; and no event says what it says.
    return tuple(
        Pruning(seq, first, last) if isinstance(first, int) and isinstance(last, int) else Pruning(seq, 0, 0)
        for seq, first, last in rows
    )


def raw_events(connection: sqlite3.Connection, after: int, page: int = PAGE_ROWS) -> Iterator[RawEvent]:
    """Rows with ``seq`` above ``after`` in order, ``page`` at a time, from a connection of ``open_for_reading``."""
    while rows := connection.execute(_SELECT_PAGE, (after, page)).fetchall():
        for row in rows:
            yield RawEvent(*row)
        after = rows[-1][0]


def last_seq(connection: sqlite3.Connection) -> int:
    """Number of the newest event, 0 without one."""
    (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()
    return int(last)


def last_seq_of(path: Path, wait_ms: int = BUSY_TIMEOUT_MS) -> int:
    """The same for the ledger at ``path``; waits up to ``wait_ms`` for a lock.

    Raises:
        LedgerUnavailableError: the ledger cannot be read.
    """
    try:
        with contextlib.closing(open_for_reading(path, wait_ms)) as connection:
            return last_seq(connection)
    except sqlite3.Error as error:
        raise fault_of_sqlite(error) from None


def read_events(path: Path, *, after: int = 0) -> Generator[StoredEvent, None, None]:
    """All events with ``seq`` above ``after``, in order; those written meanwhile too.

    Hashes are not checked here: see ``check_ledger``.

    Raises:
        LedgerUnavailableError: on the first step or later, the file cannot be read.
    """
    try:
        with contextlib.closing(open_for_reading(path)) as connection:
            for row in raw_events(connection, after):
                yield _decoded(row)
    except sqlite3.Error as error:
        raise fault_of_sqlite(error) from None


def read_event(path: Path, seq: int) -> StoredEvent | None:
    """One event, or None if there is none of that number.

    Raises:
        LedgerUnavailableError: the file cannot be read.
    """
    with contextlib.closing(read_events(path, after=seq - 1)) as events:
        event = next(events, None)
    return event if event is not None and event.seq == seq else None


def _decoded(row: RawEvent) -> StoredEvent:
    try:
        return StoredEvent(
            seq=row.seq,
            idem_key=row.idem_key.decode(),
            kind=row.kind.decode(),
            ref=row.ref,
            time=row.time.decode(),
            payload_hash=row.payload_hash,
            leaf=row.leaf,
            salt=row.salt,
            body=None if row.body is None else row.body.decode(),
        )
    except (UnicodeDecodeError, AttributeError):  # AttributeError: a column changed its type
        raise LedgerFault("damaged", f"event {row.seq} is not readable text") from None
