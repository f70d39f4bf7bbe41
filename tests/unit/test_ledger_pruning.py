"""Version 2 of the tables: an older ledger is brought up to it, and payloads go only when their time is over."""

import dataclasses
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from bot.audit.retention import cut_off
from bot.clock import SystemClock
from bot.ledger import check_ledger, open_ledger, read_events
from bot.ledger import schema as ledger_schema
from bot.ledger.history import LedgerHistory
from bot.ledger.kinds import LedgerKind
from bot.ledger.leaf import timestamp
from bot.ledger.store import Store, prepare
from handlers.ports import Entry, Recorded
from tests.support.aged_ledger import SetClock
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
    """Record, in a year and a day, the event that lets payloads go."""
    now = SystemClock().now() + timedelta(days=367)
    payload = {"first": first, "last": last, "before": timestamp(cut_off(now, 1)), "years": 1, **(said or {})}
    with closing(Store(path, SetClock(now))) as store:
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
    "said",
    [{"first": 2}, {"last": 3}, {"before": PAST}, {"before": FAR}, {"years": 2}, {"years": 0}, {"years": "1"}],
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


def test_what_a_pruning_can_never_let_go_is_missed(path: Path, plain: sqlite3.Connection) -> None:
    """A pruning planted ahead of the events that it covers, and the payload of one of the ledger's own events."""
    with closing(Store(path, SystemClock())) as store:
        own = Entry("started-1", LedgerKind.STARTED, {"version": 1})
        store.append([prepare(own)], time.monotonic() + 2)
    prune(path, 1, 4)
    guards = plain.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in guards:
        plain.execute(f"DROP TRIGGER {name}")
    plain.execute("DELETE FROM payload WHERE seq = 4")
    for _, sql in guards:
        plain.execute(sql)
    assert (check_ledger(path).bad_seq, check_ledger(path).problem) == (4, "payload_missing")


def test_a_pruning_of_events_yet_to_come_lets_nothing_go(path: Path, plain: sqlite3.Connection) -> None:
    said: dict[str, object] = {"first": 1, "last": 6}
    prune(path, 1, 3, said=said)
    with closing(open_ledger(path, clock=SystemClock())) as writer:
        writer.record_blocking(entry("later"))
        writer.record_blocking(entry("latest"))
    guards = plain.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in guards:
        plain.execute(f"DROP TRIGGER {name}")
    plain.execute("PRAGMA ignore_check_constraints = ON")
    plain.execute("UPDATE pruning SET last = 6")
    plain.execute("DELETE FROM payload WHERE seq IN (5, 6)")
    for _, sql in guards:
        plain.execute(sql)
    assert (check_ledger(path).bad_seq, check_ledger(path).problem) == (4, "pruning")


def test_an_event_before_the_first_is_found(path: Path, plain: sqlite3.Connection) -> None:
    guard = plain.execute("SELECT sql FROM sqlite_master WHERE name = 'event_insert_next'").fetchone()[0]
    plain.execute("DROP TRIGGER event_insert_next")
    plain.execute("PRAGMA ignore_check_constraints = ON")
    plain.execute(
        "INSERT INTO event SELECT -7, 'blocks-a-request', kind, NULL, time, payload_hash, leaf FROM event LIMIT 1"
    )
    plain.execute(guard)
    assert (check_ledger(path).bad_seq, check_ledger(path).problem) == (-7, "orphan_event")


def test_an_index_that_misses_one_of_the_ledgers_own_events_is_found(path: Path, plain: sqlite3.Connection) -> None:
    with closing(Store(path, SystemClock())) as store:
        own = [prepare(Entry(f"started-{number}", LedgerKind.STARTED, {"version": 1})) for number in range(3)]
        store.append(own, time.monotonic() + 2)
    assert check_ledger(path).ok
    plain.execute("PRAGMA writable_schema = ON")
    (sql,) = plain.execute("SELECT sql FROM sqlite_master WHERE name = 'event_of_ledger'").fetchone()
    # Another condition while the index is built again, and then the words as they were.
    plain.execute("DROP INDEX event_of_ledger")
    plain.execute(sql.replace("WHERE ", "WHERE seq <> 5 AND "))
    plain.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'event_of_ledger'", (sql,))
    plain.execute("PRAGMA writable_schema = OFF")
    plain.close()
    found = check_ledger(path)
    assert (found.problem, found.bad_seq) == ("index", 5)


def test_an_entry_of_an_index_under_another_word_is_found(path: Path, plain: sqlite3.Connection) -> None:
    """The row is right and a search may still pass it by."""
    with closing(Store(path, SystemClock())) as store:
        own = [prepare(Entry(f"started-{number}", LedgerKind.STARTED, {"version": 1})) for number in range(3)]
        store.append(own, time.monotonic() + 2)
    plain.close()
    data = path.read_bytes()
    entry = b"started" + bytes([6])  # kind and number side by side, as nowhere but in this index
    assert data.count(entry) == 1
    path.write_bytes(data.replace(entry, b"st%rted" + bytes([6])))
    found = check_ledger(path)
    assert (found.problem, found.bad_seq) == ("index", 6)


@pytest.mark.parametrize("leads_to", [3, 4])
def test_a_key_that_is_no_rows_is_found(path: Path, leads_to: int) -> None:
    """It would let a request yet to come pass for one that was recorded, or fail."""
    with closing(sqlite3.connect(path, isolation_level=None)) as plain:
        guards = plain.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _sql in guards:
            plain.execute(f"DROP TRIGGER {name}")
        (words,) = plain.execute("SELECT sql FROM sqlite_master WHERE name = 'event'").fetchone()
        (root,) = plain.execute("SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_event_1'").fetchone()
        event = plain.execute("SELECT * FROM event WHERE seq = 3").fetchone()
        if leads_to == 3:
            plain.execute("UPDATE event SET idem_key = 'yet-to-come' WHERE seq = 3")
        else:
            plain.execute("INSERT INTO event VALUES (4, 'yet-to-come', ?, ?, ?, ?, ?)", event[2:])
        plain.execute("PRAGMA writable_schema = ON")
        plain.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'event'", (words.replace(" UNIQUE", ""),))
        plain.execute("DELETE FROM sqlite_master WHERE name = 'sqlite_autoindex_event_1'")
    with closing(sqlite3.connect(path, isolation_level=None)) as plain:
        plain.execute("DELETE FROM event WHERE seq = ?", (leads_to,))  # and the index is not looked after
        plain.execute("PRAGMA writable_schema = ON")
        plain.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'event'", (words,))
        index = "INSERT INTO sqlite_master VALUES ('index', 'sqlite_autoindex_event_1', 'event', ?, NULL)"
        plain.execute(index, (root,))
    with closing(sqlite3.connect(path, isolation_level=None)) as plain:
        if leads_to == 3:
            plain.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)", event)
        for _name, sql in guards:
            plain.execute(sql)
    found = check_ledger(path)
    assert (found.events, found.problem, found.bad_seq) == (3, "index", leads_to)
