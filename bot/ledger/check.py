"""Checking a ledger from end to end: every hash, every number, the guards.

What this cannot see is an end cut off or a file rewritten as a whole with all
its hashes; only a checkpoint kept elsewhere shows that.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.ledger.connection import AUDIT_WAIT_MS, check_schema, open_for_reading
from bot.ledger.errors import LedgerFault, fault_of_sqlite
from bot.ledger.leaf import leaf_hash, payload_hash
from bot.ledger.read import Pruning, RawEvent, prunings, raw_events


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """Verdict on a ledger.

    ``events`` is how many were found right before the first fault; ``last_leaf``
    is the leaf hash of the last of them. ``bad_seq`` is the number at fault (None
    if it is the schema or the file as such) and ``problem`` one of: ``schema``,
    ``gap``, ``ref``, ``time``, ``text``, ``index``, ``payload_missing``,
    ``payload_hash``, ``leaf``, ``orphan_payload``, ``pruning``, ``damaged``.
    ``pruned`` is how many payloads are gone because their time was over.
    """

    ok: bool
    events: int
    last_leaf: bytes | None = None
    bad_seq: int | None = None
    problem: str | None = None
    pruned: int = 0


def check_ledger(path: Path, follow: Callable[[RawEvent], None] | None = None) -> LedgerCheck:
    """Recompute everything in the ledger that can be recomputed; reads row by row.

    Events recorded meanwhile are checked too. ``follow`` is given each row once it was found right.

    Raises:
        LedgerUnavailableError: there is no ledger there or it cannot be read
            (``damaged`` is not raised but given as the verdict).
    """
    good, last_leaf, pruned = 0, None, 0
    try:
        with contextlib.closing(open_for_reading(path, AUDIT_WAIT_MS)) as connection:
            check_schema(connection)
            retention = Retention(prunings(connection))
            for row in raw_events(connection, after=-1):
                if row.body is None and not retention.covers(row):
                    retention.learn(prunings(connection))  # perhaps pruned while this was reading
                problem = problem_of(row, good + 1, pruned=retention.covers(row)) or retention.problem_of(row)
                if problem is not None:
                    # In a gap the number that should be here is the bad one.
                    bad_seq = good + 1 if problem == "gap" else row.seq
                    return LedgerCheck(ok=False, events=good, last_leaf=last_leaf, bad_seq=bad_seq, problem=problem)
                good, last_leaf, pruned = row.seq, row.leaf, pruned + (row.body is None)
                if follow is not None:
                    follow(row)
            orphan, unfounded = _orphan_payload(connection), retention.unfounded()
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
    if unfounded is not None:
        return LedgerCheck(ok=False, events=good, last_leaf=last_leaf, bad_seq=unfounded, problem="pruning")
    return LedgerCheck(ok=True, events=good, last_leaf=last_leaf, pruned=pruned)


def problem_of(row: RawEvent, expected_seq: int, *, pruned: bool = False) -> str | None:
    """What is wrong with one row, as a closed code; None when every hash of it is right.

    ``pruned`` says that its payload may be gone.
    """
    if row.seq != expected_seq:
        return "gap"
    try:
        if row.ref is not None and not 1 <= row.ref < row.seq:
            return "ref"
        idem_key, kind, time = row.idem_key.decode(), row.kind.decode(), row.time.decode()
        hashed = None if row.salt is None or row.body is None else payload_hash(row.salt, row.body)
    except (UnicodeDecodeError, AttributeError, TypeError):  # the latter: a column changed its type
        return "text"
    if not isinstance(row.payload_hash, bytes):
        return "payload_hash"
    if not _is_time(time):
        return "time"
    if hashed is None and not (pruned and row.salt is None and row.body is None):
        return "payload_missing"
    if hashed is not None and hashed != row.payload_hash:
        return "payload_hash"
    expected = leaf_hash(
        seq=row.seq, idem_key=idem_key, kind=kind, ref=row.ref, time=time, payload_hash=row.payload_hash
    )
    if expected != row.leaf:
        return "leaf"
    return None if row.seq_by_key == row.seq else "index"


class Retention:
    """Which payloads may be gone, and whether the events that say so do say it.

    A ``pruned`` event's payload holds ``first`` and ``last``, and ``before``: only older events are due.
    """

    def __init__(self, known: tuple[Pruning, ...]) -> None:
        self._known = {pruning.seq: pruning for pruning in known}
        self._times: dict[int, str] = {}  # by pruning, the latest time of an event that it covers and that has gone
        self._founded: set[int] = set()

    def learn(self, known: tuple[Pruning, ...]) -> None:
        """Take in prunings of events not yet read."""
        self._known |= {pruning.seq: pruning for pruning in known}

    def covers(self, row: RawEvent) -> bool:
        """Whether this row's payload may be gone."""
        return any(each.first <= row.seq <= each.last for each in self._known.values())

    def problem_of(self, row: RawEvent) -> str | None:
        """``pruning`` when a payload went too early or an event does not say what the table says; else None."""
        if row.body is None:
            for each in self._known.values():
                if each.first <= row.seq <= each.last:
                    self._times[each.seq] = max(self._times.get(each.seq, ""), row.time.decode())
        pruning = self._known.get(row.seq)
        if pruning is None:
            return None
        try:
            said = json.loads(row.body or b"")
            founded = row.kind == b"pruned" and (said["first"], said["last"]) == (pruning.first, pruning.last)
            due = self._times.get(pruning.seq, "") < str(said["before"]) <= row.time.decode()
        except (ValueError, KeyError, TypeError):
            return "pruning"
        if not (founded and due):
            return "pruning"
        self._founded.add(row.seq)
        return None

    def unfounded(self) -> int | None:
        """The first pruning without its event."""
        return min(self._known.keys() - self._founded, default=None)


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
