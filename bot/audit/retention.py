"""Which payloads a retention policy lets go: read from the ledger, nothing changed."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.ledger import schema
from bot.ledger.connection import AUDIT_WAIT_MS, open_for_reading
from bot.ledger.errors import fault_of_sqlite
from bot.ledger.leaf import timestamp
from bot.ledger.read import Pruning, prunings
from bot.settings import MOST_YEARS

# A ledger in use is not silent for longer; a clock this far beyond its newest event may be wrong.
SILENT_AT_MOST = timedelta(days=31)
# Each page is a statement of its own, as a reader that held its lock for longer would keep every writer waiting.
PAGE_EVENTS = 2_000

_PAGE = f"""
SELECT e.seq, e.time, {schema.IS_KEPT}, length(CAST(p.body AS BLOB)) + length(p.salt)
FROM event AS e LEFT JOIN payload AS p ON p.seq = e.seq
WHERE e.seq > ? AND e.seq <= ? ORDER BY e.seq"""  # noqa: S608 - put together of constants


@dataclass(frozen=True, slots=True)
class Extent:
    """A run of events, from ``first`` to ``last``: how many payloads would go, their bytes, how many stay for good.

    Empty where ``last`` is below ``first``. ``until`` is the latest time of an event in it (as the ledger has it).
    """

    first: int
    last: int
    payloads: int = 0
    size: int = 0
    kept: int = 0
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An earlier ``pruned`` event whose payloads are not all gone; ``due`` is false where it does not bear that out."""

    pruning: Pruning
    extent: Extent
    before: str
    due: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What a policy of so many ``years`` lets go now.

    ``before`` is the cut-off: only events recorded earlier are due. ``stopped_at`` is the first event that is not,
    with its time; ``older_after`` counts later events that are older than the cut-off all the same, which happens
    where the clock once stood wrong. ``unfinished`` is what earlier runs began.
    """

    years: int
    now: str
    before: str
    extent: Extent
    stopped_at: tuple[int, str] | None
    older_after: int
    newest: tuple[int, str] | None
    unfinished: tuple[Unfinished, ...]

    @property
    def clock_far_ahead(self) -> bool:
        """Whether the newest event is so old that the clock may be wrong."""
        return self.newest is not None and _moment(self.now) - _moment(self.newest[1]) > SILENT_AT_MOST

    @property
    def clock_behind(self) -> bool:
        """Whether the newest event lies in the future, by this clock."""
        return self.newest is not None and self.newest[1] > self.now


def cut_off(now: datetime, years: int) -> datetime:
    """The moment before which an event is at least ``years`` calendar years old.

    An event of 29 February is due with 1 March where its last year has no such day.

    Raises:
        ValueError: ``years`` is not 1 to 100.
    """
    if not 1 <= years <= MOST_YEARS:
        raise ValueError(f"years must be 1 to {MOST_YEARS}")
    now = now.astimezone(UTC)
    try:
        return now.replace(year=now.year - years)
    except ValueError:  # today is 29 February and that year had none: all of its 28 February is due
        return datetime(now.year - years, 3, 1, tzinfo=UTC)


def plan_retention(path: Path, years: int, now: datetime) -> Plan:
    """What would go today. The ledger's hashes are not checked here.

    Raises:
        LedgerUnavailableError: the ledger cannot be read.
    """
    before = timestamp(cut_off(now, years))
    try:
        with contextlib.closing(open_for_reading(path, AUDIT_WAIT_MS)) as connection:
            newest = _newest(connection)
            last = 0 if newest is None else newest[0]
            known = prunings(connection)
            done = max((pruning.last for pruning in known), default=0)
            extent, stopped_at = _due(connection, done, last, before)
            older = 0 if stopped_at is None else _older(connection, stopped_at[0], last, before)
            unfinished = tuple(
                found for pruning in known if (found := unfinished_pruning(connection, pruning)) is not None
            )
    except sqlite3.Error as error:
        raise fault_of_sqlite(error) from None
    return Plan(years, timestamp(now), before, extent, stopped_at, older, newest, unfinished)


def unfinished_pruning(connection: sqlite3.Connection, pruning: Pruning) -> Unfinished | None:
    """What an earlier pruning allowed and nobody did; None where all of it is done."""
    left = connection.execute(
        f"SELECT 1 FROM payload WHERE seq BETWEEN ? AND ? AND seq NOT IN"  # noqa: S608 - put together of constants
        f" (SELECT seq FROM event WHERE {schema.IS_KEPT}) LIMIT 1",
        (pruning.first, pruning.last),
    ).fetchone()
    if left is None:
        return None
    said = connection.execute(
        "SELECT json_extract(body, '$.before') FROM payload WHERE seq = ? AND json_valid(body)", (pruning.seq,)
    ).fetchone()
    before = said[0].decode() if said is not None and isinstance(said[0], bytes) else ""
    extent, _ = _due(connection, pruning.first - 1, pruning.last, before)
    return Unfinished(pruning, extent, before, due=extent.last == pruning.last)


def _due(connection: sqlite3.Connection, after: int, last: int, before: str) -> tuple[Extent, tuple[int, str] | None]:
    """The run of events behind ``after`` that are all older than ``before``, and the event that ends it."""
    payloads = size = kept = 0
    end, since, until = after, None, None
    while end < last:
        for seq, raw, is_kept, length in connection.execute(_PAGE, (end, min(last, end + PAGE_EVENTS))).fetchall():
            time = raw.decode()
            if seq != end + 1 or time >= before:
                return Extent(after + 1, end, payloads, size, kept, since, until), (seq, time)
            end, since, until = seq, since or time, max(until or time, time)
            if is_kept:
                kept += 1
            elif length is not None:
                payloads, size = payloads + 1, size + length
    return Extent(after + 1, end, payloads, size, kept, since, until), None


def _older(connection: sqlite3.Connection, after: int, last: int, before: str) -> int:
    count = 0
    while after < last:
        upto = min(last, after + PAGE_EVENTS)
        asked = (after, upto, before)
        (found,) = connection.execute(
            "SELECT count(*) FROM event WHERE seq > ? AND seq <= ? AND time < ?", asked
        ).fetchone()
        count, after = count + int(found), upto
    return count


def _newest(connection: sqlite3.Connection) -> tuple[int, str] | None:
    row = connection.execute("SELECT seq, time FROM event ORDER BY seq DESC LIMIT 1").fetchone()
    return None if row is None else (int(row[0]), row[1].decode())


def _moment(time: str) -> datetime:
    return datetime.fromisoformat(time)
