"""Requests whose outcome is not in the ledger: recorded, and then the process ended. Read in pages."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.ledger.connection import open_for_reading
from bot.ledger.errors import fault_of_sqlite
from bot.ledger.leaf import timestamp
from bot.ledger.schema import IS_KEPT

PAGE_EVENTS = 2_000

# Two starts back at least: should the last one have ended before its second look, this one has it. And one that
# is old enough for what was then under way to be over.
_SCAN_START = f"""
SELECT coalesce(min(seq, (
  SELECT coalesce(max(seq), 0) FROM event WHERE {IS_KEPT} AND kind = 'started' AND seq < ?1 AND time <= ?2
)), 0) FROM (
  SELECT seq FROM event WHERE {IS_KEPT} AND kind = 'started' AND seq < ?1 ORDER BY seq DESC LIMIT 1 OFFSET 1
)"""  # noqa: S608 - put together of constants

_UNANSWERED = """
SELECT e.seq, e.idem_key, e.time FROM event AS e
WHERE e.seq > ?1 AND e.seq <= ?2 AND e.kind IN ('computed', 'refused', 'looked_up', 'shared', 'outcome_recorded')
  AND NOT EXISTS (SELECT 1 FROM event WHERE idem_key = e.idem_key || '#delivery')
  AND NOT EXISTS (SELECT 1 FROM event WHERE idem_key = 'interrupted-' || e.seq)
ORDER BY e.seq"""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """An event of a request without an outcome."""

    seq: int
    idem_key: str
    time: datetime


def scan_start(ledger: Path, before: int, now: datetime, settled_s: float) -> int:
    """After which event to look, for a start recorded as ``before``.

    Raises:
        LedgerUnavailableError: the ledger cannot be read.
    """
    old = timestamp(now - timedelta(seconds=settled_s))
    try:
        with contextlib.closing(open_for_reading(ledger)) as connection:
            row = connection.execute(_SCAN_START, (before, old)).fetchone()
    except sqlite3.Error as error:
        raise fault_of_sqlite(error) from None
    return 0 if row is None else int(row[0])


def unanswered(ledger: Path, after: int, before: int) -> tuple[list[Unanswered], int]:
    """Those of the next page after ``after`` and before ``before``, and after which event to go on.

    Raises:
        LedgerUnavailableError: the ledger cannot be read.
    """
    upto = min(after + PAGE_EVENTS, before)
    try:
        with contextlib.closing(open_for_reading(ledger)) as connection:
            rows = connection.execute(_UNANSWERED, (after, upto)).fetchall()
        return [Unanswered(seq, key.decode(), datetime.fromisoformat(time.decode())) for seq, key, time in rows], upto
    except sqlite3.Error as error:
        raise fault_of_sqlite(error) from None
