"""A ledger whose oldest payloads were let go."""

from __future__ import annotations

import dataclasses
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from bot.clock import SystemClock
from bot.ledger import schema
from bot.ledger.kinds import LedgerKind
from bot.ledger.leaf import timestamp
from bot.ledger.store import Store, prepare
from handlers.ports import Entry, Recorded


def prune_first(path: Path, last: int) -> int:
    """Record that the payloads of events 1 to ``last`` may go, and delete them; the number of the event."""
    before = timestamp(SystemClock().now())
    prepared = prepare(Entry(f"pruned:{last}", LedgerKind.PRUNED, {"first": 1, "last": last, "before": before}))
    with closing(Store(path, SystemClock())) as store:
        (outcome,) = store.append([dataclasses.replace(prepared, pruned=(1, last))], time.monotonic() + 2)
    assert isinstance(outcome, Recorded)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        kept = f"SELECT seq FROM event WHERE {schema.IS_KEPT}"  # noqa: S608 - constants
        connection.execute(f"DELETE FROM payload WHERE seq <= ? AND seq NOT IN ({kept})", (last,))  # noqa: S608 - constants
    return outcome.seq
