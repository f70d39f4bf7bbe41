"""Trying again while a busy bot, or another command, keeps the ledger's file to itself."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from bot.ledger import LedgerFault
from bot.ledger.errors import fault_of_sqlite
from bot.ledger.read import RawEvent, raw_events

PATIENCE_S = 60.0
AGAIN_S = 0.005
T = TypeVar("T")


def patiently(step: Callable[[], T]) -> T:
    """The step, again and again while somebody else holds the lock."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return step()
        except (sqlite3.OperationalError, LedgerFault) as error:
            fault = error if isinstance(error, LedgerFault) else fault_of_sqlite(error)
            if fault.code != "locked" or time.monotonic() > until:
                raise fault from None
        time.sleep(AGAIN_S)


def patient_rows(connection: sqlite3.Connection) -> Iterator[RawEvent]:
    """All rows in order, each page asked for again while the file is locked."""
    after, until = -1, time.monotonic() + PATIENCE_S
    while True:
        try:
            for row in raw_events(connection, after):
                after, until = row.seq, time.monotonic() + PATIENCE_S
                yield row
        except sqlite3.OperationalError as error:
            if fault_of_sqlite(error).code != "locked" or time.monotonic() > until:
                raise
            time.sleep(AGAIN_S)
        else:
            return
