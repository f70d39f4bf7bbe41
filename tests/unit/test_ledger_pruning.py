"""Version 2 of the tables: an older ledger is brought up to it, and payloads go only when their time is over."""

import dataclasses
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.ledger import check_ledger, open_ledger, read_events
from bot.ledger import schema as ledger_schema
from bot.ledger.history import LedgerHistory
from bot.ledger.kinds import LedgerKind
from bot.ledger.store import Store, prepare
from handlers.ports import Entry, Recorded
from tests.support.ledger_files import entry, ledger_of_three

VERSION_1 = Path(__file__).parents[1] / "data" / "ledger_version_1.sqlite"
PAST, FAR = "2020-01-01T00:00:00.000000Z", "2099-01-01T00:00:00.000000Z"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return ledger_of_three(tmp_path)


@pytest.fixture
def plain(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA recursive_triggers = OFF")
        yield connection


def prune(path: Path, first: int, last: int, *, said: dict[str, object] | None = None) -> None:
    """Record the event that lets payloads go."""
    payload = {"first": first, "last": last, "before": "now", **(said or {})}
    with closing(Store(path, SystemClock())) as store:
        if payload["before"] == "now":
            payload["before"] = next(reversed(list(read_events(path)))).time[:-2] + "9Z"
            time.sleep(0.001)
        prepared = prepare(Entry("prune-1", LedgerKind.PRUNED, payload))  # type: ignore[arg-type]
        (outcome,) = store.append([dataclasses.replace(prepared, pruned=(first, last))], time.monotonic() + 2)
    assert isinstance(outcome, Recorded)


def test_an_older_ledger_is_checked_as_it_is_and_brought_up_when_opened(tmp_path: Path) -> None:
    path = Path(shutil.copy(VERSION_1, tmp_path / "ledger.db"))
    before = list(read_events(path))
    assert check_ledger(path).ok
    with closing(open_ledger(path, clock=SystemClock())) as writer:
        assert writer.status().ok
        writer.record_blocking(entry("d"))
    assert list(read_events(path))[:3] == before
    assert (check_ledger(path).ok, check_ledger(path).events) == (True, 4)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        assert ledger_schema.fingerprint(connection) == ledger_schema.FINGERPRINTS[2]


def test_an_older_ledger_without_sqlite_utils_bookkeeping_is_brought_up_too(tmp_path: Path) -> None:
    path = Path(shutil.copy(VERSION_1, tmp_path / "ledger.db"))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM _sqlite_migrations")
    open_ledger(path, clock=SystemClock()).close()
    assert check_ledger(path).ok
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)


def test_payloads_that_are_due_go_and_the_tree_stays(path: Path, plain: sqlite3.Connection) -> None:
    leaves = [event.leaf for event in read_events(path)]
    with pytest.raises(sqlite3.IntegrityError, match="before its time is over"):
        plain.execute("DELETE FROM payload WHERE seq = 1")
    prune(path, 1, 2)
    plain.execute("DELETE FROM payload WHERE seq = 1")
    plain.execute("DELETE FROM payload WHERE seq = 2")
    for statement in (
        "DELETE FROM payload WHERE seq = 3",
        "DELETE FROM payload WHERE seq = 4",
        "INSERT OR REPLACE INTO payload SELECT 1, salt, body FROM payload WHERE seq = 3",
        "UPDATE pruning SET last = 3",
        "DELETE FROM pruning",
        "INSERT OR REPLACE INTO pruning VALUES (4, 1, 3)",
        "INSERT INTO pruning VALUES (5, 1, 3)",
        "INSERT INTO pruning VALUES (3, 1, 2)",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="ledger: "):
            plain.execute(statement)
    found = check_ledger(path)
    assert (found.ok, found.events, found.pruned) == (True, 4, 2)
    assert [event.leaf for event in read_events(path)][:3] == leaves


async def test_a_pruned_answer_is_read_back_without_its_payload(path: Path, plain: sqlite3.Connection) -> None:
    first = next(read_events(path))
    prune(path, 1, 1)
    plain.execute("DELETE FROM payload WHERE seq = 1")
    event = await LedgerHistory(path).event(f"1-{first.leaf.hex()[:4]}")
    assert event is not None
    assert (event.kind, event.payload) == ("computed", None)


@pytest.mark.parametrize(
    "said", [{"first": 2}, {"last": 3}, {"before": "2020-01-01T00:00:00.000000Z"}, {"before": FAR}]
)
def test_a_pruning_that_its_event_does_not_bear_out_is_found(
    path: Path, plain: sqlite3.Connection, said: dict[str, object]
) -> None:
    prune(path, 1, 2, said=said)
    plain.execute("DELETE FROM payload WHERE seq = 1")
    found = check_ledger(path)
    assert (found.ok, found.bad_seq, found.problem) == (False, 4, "pruning")


def test_a_payload_gone_without_pruning_is_found_beside_a_pruning(path: Path, plain: sqlite3.Connection) -> None:
    prune(path, 1, 1)
    guard = plain.execute("SELECT sql FROM sqlite_master WHERE name = 'payload_delete_due'").fetchone()[0]
    plain.execute("DROP TRIGGER payload_delete_due")
    plain.execute("DELETE FROM payload WHERE seq IN (1, 3)")
    plain.execute(guard)
    found = check_ledger(path)
    assert (found.bad_seq, found.problem) == (3, "payload_missing")
