"""Every row in order, each with what is wrong with it; unlike ``check_ledger`` it goes on behind a fault."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from bot.ledger.check import Retention, problem_of
from bot.ledger.connection import AUDIT_WAIT_MS, check_schema, open_for_reading
from bot.ledger.errors import fault_of_sqlite
from bot.ledger.read import RawEvent, prunings, raw_events


@dataclass(frozen=True, slots=True)
class Seen:
    """A row and its fault: a code of ``LedgerCheck.problem``, or None when every hash of it is right."""

    row: RawEvent
    problem: str | None


def walk(path: Path) -> Generator[Seen, None, None]:
    """All rows, in pages of one statement each, so that a writer is not kept waiting.

    Raises:
        LedgerUnavailableError: the ledger cannot be read, or its tables or guards are not the known ones.
    """
    try:
        with contextlib.closing(open_for_reading(path, AUDIT_WAIT_MS)) as connection:
            check_schema(connection)
            retention = Retention(prunings(connection))
            expected = 1
            for row in raw_events(connection, after=-1):
                if row.body is None and not retention.covers(row):
                    retention.learn(prunings(connection))  # perhaps pruned while this was reading
                problem = problem_of(row, expected, pruned=retention.covers(row)) or retention.problem_of(row)
                yield Seen(row, problem)
                expected = row.seq + 1
    except sqlite3.Error as error:
        raise fault_of_sqlite(error) from None
