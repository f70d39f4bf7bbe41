"""A ledger whose oldest payloads were let go."""

from __future__ import annotations

import dataclasses
import sqlite3
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from bot.audit.retention import cut_off
from bot.clock import SystemClock
from bot.ledger import schema
from bot.ledger.kinds import LedgerKind
from bot.ledger.leaf import timestamp
from bot.ledger.store import Store, prepare
from handlers.ports import Entry, Json, Recorded
from tests.support.aged_ledger import SetClock


def prune_first(path: Path, last: int) -> int:
    """A year from now, record that the payloads of events 1 to ``last`` may go, and delete them; the event's number."""
    now = SystemClock().now() + timedelta(days=366)
    said: dict[str, Json] = {"first": 1, "last": last, "before": timestamp(cut_off(now, 1)), "years": 1}
    prepared = prepare(Entry(f"pruned:{last}", LedgerKind.PRUNED, said))
    with closing(Store(path, SetClock(now))) as store:
        (outcome,) = store.append([dataclasses.replace(prepared, pruned=(1, last))], time.monotonic() + 2)
    assert isinstance(outcome, Recorded)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        kept = f"SELECT seq FROM event WHERE {schema.IS_KEPT}"  # noqa: S608 - constants
        connection.execute(f"DELETE FROM payload WHERE seq <= ? AND seq NOT IN ({kept})", (last,))  # noqa: S608 - constants
    return outcome.seq
