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
from bot.ledger.schema import IS_KEPT, KEPT_KINDS

_KEPT = frozenset(kind.encode() for kind in KEPT_KINDS)
_YEARS_MOST = 100
_LED_TO = f"""SELECT 1 FROM event INDEXED BY event_of_ledger
WHERE {IS_KEPT} AND kind = ? AND seq = ?"""  # noqa: S608 - put together of constants
_INDEXED = f"""SELECT count(*) FROM event INDEXED BY event_of_ledger
WHERE {IS_KEPT} AND +seq <= ?"""  # noqa: S608 - put together of constants
_BY_KEY = """SELECT idem_key, seq FROM event INDEXED BY sqlite_autoindex_event_1
WHERE idem_key > ? ORDER BY idem_key LIMIT 2000"""


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """Verdict on a ledger.

    ``events`` is how many were found right before the first fault; ``last_leaf``
    is the leaf hash of the last of them. ``bad_seq`` is the number at fault (None
    if it is the schema or the file as such) and ``problem`` one of: ``schema``,
    ``gap``, ``ref``, ``time``, ``text``, ``index``, ``payload_missing``,
    ``payload_hash``, ``leaf``, ``orphan_payload``, ``orphan_event``, ``pruning``,
    ``damaged``.
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
            kept = _KeptEvents(connection)
            stray = connection.execute("SELECT seq FROM event WHERE seq < 0 ORDER BY seq LIMIT 1").fetchone()
            if stray is not None:  # no page would hold it
                return LedgerCheck(ok=False, events=0, bad_seq=stray[0], problem="orphan_event")
            for row in raw_events(connection, after=-1):
                if row.body is None and not retention.covers(row):
                    retention.learn(prunings(connection))  # perhaps pruned while this was reading
                problem = problem_of(row, good + 1, pruned=retention.covers(row)) or retention.problem_of(row)
                if problem is not None:
                    # In a gap the number that should be here is the bad one.
                    bad_seq = good + 1 if problem == "gap" else row.seq
                    return LedgerCheck(ok=False, events=good, last_leaf=last_leaf, bad_seq=bad_seq, problem=problem)
                kept.take(row)  # may raise: then the row does not count as read
                good, last_leaf, pruned = row.seq, row.leaf, pruned + (row.body is None)
                if follow is not None:
                    follow(row)
            orphan, unfounded = _orphan_payload(connection), retention.unfounded()
            misled = kept.not_indexed(good) or _of_no_row(connection, good)
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
    if misled is not None:
        return LedgerCheck(ok=False, events=good, last_leaf=last_leaf, bad_seq=misled, problem="index")
    return LedgerCheck(ok=True, events=good, last_leaf=last_leaf, pruned=pruned)


class _KeptEvents:
    """The ledger's own events as the rows have them, compared with their index, which no hash covers."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._has_index = connection.execute("PRAGMA user_version").fetchone() != (1,)
        self._count = self._last = 0
        self._misled: int | None = None

    def take(self, row: RawEvent) -> None:
        """Look whether a search leads to this row."""
        if row.kind not in _KEPT or not self._has_index:
            return
        self._count, self._last = self._count + 1, row.seq
        if self._misled is None and self._connection.execute(_LED_TO, (row.kind.decode(), row.seq)).fetchone() is None:
            self._misled = row.seq

    def not_indexed(self, last: int) -> int | None:
        """An event up to ``last`` that the index does not lead to, or the last of its kinds where it holds more."""
        if self._misled is not None or not self._has_index:
            return self._misled
        return None if self._connection.execute(_INDEXED, (last,)).fetchone() == (self._count,) else self._last


def _of_no_row(connection: sqlite3.Connection, last: int) -> int | None:
    """An event to which the index over the requests leads by a key that is not its own; None where there is none.

    That each row is found by its own key is known; what else stood there would let a request pass for one that was
    recorded. Entries beyond ``last`` are of rows recorded since.
    """
    seen, after = bytearray(last + 1), ""
    while page := connection.execute(_BY_KEY, (after,)).fetchall():
        for key, seq in page:
            if 0 < seq <= last and not seen[seq]:
                seen[seq] = 1
            elif connection.execute("SELECT idem_key FROM event WHERE seq = ?", (seq,)).fetchone() != (key,):
                return int(seq)
        after = page[-1][0].decode()
    return None if seen.count(1) == last else last


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

    A ``pruned`` event's payload holds ``first`` and ``last``, ``before`` (only older events are due) and ``years``:
    the cut-off lies so many years, at least one, before the event itself. Events before it alone can be due, and
    the ledger's own never.
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
        return row.kind not in _KEPT and any(_within(row.seq, each) for each in self._known.values())

    def problem_of(self, row: RawEvent) -> str | None:
        """``pruning`` when a payload went too early or an event does not say what the table says; else None."""
        if row.body is None:
            for each in self._known.values():
                if _within(row.seq, each):
                    self._times[each.seq] = max(self._times.get(each.seq, ""), row.time.decode())
        pruning = self._known.get(row.seq)
        if pruning is None:
            return None
        try:
            said = json.loads(row.body or b"")
            founded = row.kind == b"pruned" and (said["first"], said["last"]) == (pruning.first, pruning.last)
            upto = latest_cut_off(row.time.decode(), said["years"])
            due = pruning.last < row.seq and self._times.get(pruning.seq, "") < str(said["before"]) <= upto
        except (ValueError, KeyError, TypeError, RecursionError):
            return "pruning"
        if not (founded and due):
            return "pruning"
        self._founded.add(row.seq)
        return None

    def unfounded(self) -> int | None:
        """The first pruning without its event."""
        return min(self._known.keys() - self._founded, default=None)


def latest_cut_off(time: str, years: object) -> str:
    """The latest cut-off of a policy of so many years for a ``pruned`` event of this time.

    Raises:
        ValueError: there is no such policy.
    """
    if not isinstance(years, int) or isinstance(years, bool) or not 1 <= years <= _YEARS_MOST:
        raise ValueError("a policy has 1 to 100 whole years")
    year = f"{int(time[:4]) - years:04d}"
    return f"{year}-03-01T00:00:00.000000Z" if time[4:10] == "-02-29" else year + time[4:]


def _within(seq: int, pruning: Pruning) -> bool:
    return pruning.first <= seq <= pruning.last and seq < pruning.seq


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
