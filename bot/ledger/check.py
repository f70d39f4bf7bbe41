"""Checking a ledger from end to end: every hash, every number, the guards.

What this cannot see is an end cut off or a file rewritten as a whole with all
its hashes; only a checkpoint kept elsewhere shows that.
"""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.ledger.connection import check_schema, open_for_reading
from bot.ledger.errors import LedgerFault, fault_of_sqlite
from bot.ledger.leaf import leaf_hash, payload_hash
from bot.ledger.read import RawEvent, raw_events


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """Verdict on a ledger.

    ``events`` is how many were found right before the first fault; ``last_leaf``
    is the leaf hash of the last of them. ``bad_seq`` is the number at fault (None
    if it is the schema or the file as such) and ``problem`` one of: ``schema``,
    ``gap``, ``ref``, ``time``, ``text``, ``index``, ``payload_missing``,
    ``payload_hash``, ``leaf``, ``orphan_payload``, ``damaged``.
    """

    ok: bool
    events: int
    last_leaf: bytes | None = None
    bad_seq: int | None = None
    problem: str | None = None


def check_ledger(path: Path) -> LedgerCheck:
    """Recompute everything in the ledger that can be recomputed; reads row by row.

    Events recorded meanwhile are checked too.

    Raises:
        LedgerUnavailableError: there is no ledger there or it cannot be read
            (``damaged`` is not raised but given as the verdict).
    """
    good, last_leaf = 0, None
    try:
        with contextlib.closing(open_for_reading(path)) as connection:
            check_schema(connection)
            for row in raw_events(connection, after=-1):
                problem = problem_of(row, expected_seq=good + 1)
                if problem is not None:
                    # In a gap the number that should be here is the bad one.
                    bad_seq = good + 1 if problem == "gap" else row.seq
                    return LedgerCheck(ok=False, events=good, last_leaf=last_leaf, bad_seq=bad_seq, problem=problem)
                good, last_leaf = row.seq, row.leaf
            orphan = _orphan_payload(connection)
    except LedgerFault as fault:
        if fault.code != "damaged":
            raise
        return LedgerCheck(ok=False, events=0, problem="schema")
    except sqlite3.Error as error:
        cause = fault_of_sqlite(error)
        if cause.code != "damaged":
            raise cause from None
        return LedgerCheck(
            ok=False, events=good, last_leaf=last_leaf, bad_seq=good + 1 if good else None, problem="damaged"
        )
    if orphan is not None:
        return LedgerCheck(ok=False, events=good, last_leaf=last_leaf, bad_seq=orphan, problem="orphan_payload")
    return LedgerCheck(ok=True, events=good, last_leaf=last_leaf)


def problem_of(row: RawEvent, expected_seq: int) -> str | None:
    """What is wrong with one row, as a closed code; None when every hash of it is right."""
    if row.seq != expected_seq:
        return "gap"
    try:
        if row.ref is not None and not 1 <= row.ref < row.seq:
            return "ref"
        idem_key, kind, time = row.idem_key.decode(), row.kind.decode(), row.time.decode()
        hashed = None if row.salt is None or row.body is None else payload_hash(row.salt, row.body)
    except (UnicodeDecodeError, AttributeError, TypeError):  # the latter: a column changed its type
        return "text"
    if not _is_time(time):
        return "time"
    if hashed is None:
        return "payload_missing"  # this version knows no pruning
    if hashed != row.payload_hash:
        return "payload_hash"
    expected = leaf_hash(
        seq=row.seq, idem_key=idem_key, kind=kind, ref=row.ref, time=time, payload_hash=row.payload_hash
    )
    if expected != row.leaf:
        return "leaf"
    return None if row.seq_by_key == row.seq else "index"


def _is_time(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")
    except ValueError:
        return False
    return text.endswith("Z")


def _orphan_payload(connection: sqlite3.Connection) -> int | None:
    """A payload beyond the last event. Asked in one statement, as both tables may be growing."""
    row = connection.execute(
        "SELECT seq FROM payload WHERE seq < 1 OR seq > (SELECT coalesce(max(seq), 0) FROM event) LIMIT 1"
    ).fetchone()
    return None if row is None else int(row[0])
