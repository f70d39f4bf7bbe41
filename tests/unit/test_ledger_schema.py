"""Tables and guards: what the file refuses from any tool, and how changed guards are found."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlite_utils

from bot.clock import SystemClock
from bot.ledger import check_ledger, open_ledger, read_event
from bot.ledger import schema as ledger_schema
from handlers.ports import LedgerUnavailableError
from tests.support.ledger_files import entry, ledger_of_three, reopening_fault

TIME = "2026-11-22T09:30:00.000000Z"
ADD_EVENT = "INSERT INTO event (seq, idem_key, kind, ref, time, payload_hash, leaf) VALUES (?, ?, ?, ?, ?, ?, ?)"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ledger_of_three(tmp_path_factory.mktemp("made"))


@pytest.fixture
def path(made: Path, tmp_path: Path) -> Path:
    """A ledger of three events, closed."""
    return Path(shutil.copy(made, tmp_path))


@pytest.fixture
def plain(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection as any tool would make it: no pragmas at all."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def test_new_ledger_has_the_fingerprint_that_was_shipped(path: Path, plain: sqlite3.Connection) -> None:
    assert ledger_schema.fingerprint(plain) == ledger_schema.FINGERPRINTS[ledger_schema.VERSION]
    assert plain.execute("PRAGMA user_version").fetchone() == (ledger_schema.VERSION,)
    assert plain.execute("PRAGMA application_id").fetchone() == (ledger_schema.APPLICATION_ID,)
    strict = plain.execute("SELECT name, strict FROM pragma_table_list WHERE schema='main' AND name NOT LIKE 'sqlite%'")
    assert dict(strict) == {"event": 1, "payload": 1, "pruning": 1, "_sqlite_migrations": 1}
    assert read_event(path, 3) is not None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET kind = 'refused' WHERE seq = 2",
        "UPDATE event SET seq = 9 WHERE seq = 3",
        "UPDATE OR REPLACE event SET seq = 1 WHERE seq = 2",
        "DELETE FROM event",
        "DELETE FROM event WHERE seq = 3",
        "UPDATE payload SET body = '{}' WHERE seq = 2",
        "DELETE FROM payload",
        "INSERT OR REPLACE INTO event SELECT * FROM event WHERE seq = 2",
        "REPLACE INTO event SELECT 4, idem_key, kind, ref, time, payload_hash, leaf FROM event WHERE seq = 2",
        "INSERT OR IGNORE INTO event SELECT * FROM event WHERE seq = 3",
        "INSERT INTO event SELECT * FROM event WHERE seq = 2 ON CONFLICT (seq) DO UPDATE SET kind = 'refused'",
        "INSERT INTO event SELECT 4, idem_key, kind, ref, time, payload_hash, leaf FROM event WHERE seq = 2"
        " ON CONFLICT (idem_key) DO UPDATE SET kind = 'refused'",
        "INSERT INTO event SELECT NULL, 'new', kind, ref, time, payload_hash, leaf FROM event WHERE seq = 2",
        "INSERT INTO event SELECT 5, 'new', kind, ref, time, payload_hash, leaf FROM event WHERE seq = 2",
        "INSERT INTO event SELECT 0, 'new', kind, ref, time, payload_hash, leaf FROM event WHERE seq = 2",
        "INSERT OR REPLACE INTO payload SELECT 3, salt, '{}' FROM payload WHERE seq = 3",
        "INSERT OR REPLACE INTO payload SELECT 2, salt, '{}' FROM payload WHERE seq = 3",
        "INSERT INTO payload SELECT 4, salt, '{}' FROM payload WHERE seq = 3",
    ],
)
def test_guards_hold_on_a_connection_without_pragmas(path: Path, plain: sqlite3.Connection, statement: str) -> None:
    before = list(plain.iterdump())
    with pytest.raises(sqlite3.IntegrityError, match="ledger: "):
        plain.execute(statement)
    assert list(plain.iterdump()) == before
    assert check_ledger(path).ok


@pytest.mark.parametrize(
    "change",
    [
        {"idem_key": ""},
        {"idem_key": "two words"},
        {"idem_key": "caf\u00e9"},
        {"idem_key": "nul\x00tail"},
        {"idem_key": "k" * 201},
        {"kind": ""},
        {"kind": "Computed"},
        {"kind": "9lives"},
        {"kind": "computed\x00x"},
        {"kind": "k" * 41},
        {"ref": 4},
        {"ref": 0},
        {"time": "2026-11-22T09:30:00Z"},
        {"time": "2026-11-22 09:30:00.000000Z"},
        {"time": "2026-11-22T09:30:00.000000+00:00"},
        {"time": TIME + "\x00x"},
        {"payload_hash": b"short"},
        {"leaf": b"x" * 33},
        {"leaf": "t" * 32},
        {"leaf": None},
    ],
)
def test_columns_take_only_their_form(plain: sqlite3.Connection, change: dict[str, object]) -> None:
    row = {"seq": 4, "idem_key": "d", "kind": "outcome_2", "ref": 3, "time": TIME, "payload_hash": b"h" * 32}
    row["leaf"] = b"l" * 32
    with pytest.raises(sqlite3.IntegrityError):
        plain.execute(ADD_EVENT, tuple({**row, **change}.values()))
    plain.execute(ADD_EVENT, tuple(row.values()))  # the row itself is right
    for salt, body in ((b"s" * 15, "{}"), (b"s" * 65, "{}"), (b"s" * 16, ""), (b"s" * 16, "[]"), (b"s" * 16, "{\x00}")):
        with pytest.raises(sqlite3.IntegrityError):
            plain.execute("INSERT INTO payload VALUES (4, ?, ?)", (salt, body))
    plain.execute("INSERT INTO payload VALUES (4, ?, ?)", (b"s" * 16, "{}"))


def test_sqlite_utils_cannot_change_rows(path: Path) -> None:
    db = sqlite_utils.Database(path)
    table = db.table("event")
    row = next(table.rows_where("seq = 2"))
    attempts: list[Callable[[], object]] = [
        lambda: table.update(2, {"kind": "refused"}),
        lambda: table.delete(2),
        lambda: table.delete_where("seq > 1"),
        lambda: table.upsert({**row, "kind": "refused"}, pk="seq"),
        lambda: table.insert(row, pk="seq", replace=True),
        lambda: db.table("payload").delete_where(),
    ]
    for attempt in attempts:
        with pytest.raises(sqlite3.IntegrityError, match="ledger: "):
            attempt()
    db.close()
    assert check_ledger(path).events == 3


def _transform(path: Path) -> None:
    db = sqlite_utils.Database(path)
    db.table("event").transform(types={"kind": str})
    db.close()


def _execute(*statements: str) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)

    return run


@pytest.mark.parametrize(
    "tamper",
    [
        pytest.param(_transform, id="sqlite-utils transform"),
        pytest.param(_execute("DROP TRIGGER event_no_delete"), id="trigger dropped"),
        pytest.param(
            _execute(
                "DROP TRIGGER payload_delete_due",
                "CREATE TRIGGER payload_delete_due BEFORE DELETE ON payload BEGIN SELECT 1; END",
            ),
            id="trigger emptied",
        ),
        pytest.param(_execute("CREATE TRIGGER extra AFTER INSERT ON event BEGIN SELECT 1; END"), id="trigger added"),
        pytest.param(_execute("CREATE VIEW events AS SELECT * FROM event"), id="view added"),
        pytest.param(_execute("ALTER TABLE event ADD COLUMN note TEXT"), id="column added"),
        pytest.param(_execute("DROP TABLE payload"), id="table dropped"),
        pytest.param(
            _execute(
                "PRAGMA writable_schema = ON",
                "UPDATE sqlite_master SET sql = replace(sql, 'never', 'ever') WHERE name = 'event_no_update'",
            ),
            id="schema written",
        ),
        pytest.param(_execute("PRAGMA user_version = 0"), id="version set back"),
    ],
)
def test_changed_guards_are_found_at_opening_and_by_the_check(path: Path, tamper: Callable[[Path], None]) -> None:
    tamper(path)
    assert reopening_fault(path) == "damaged"
    assert check_ledger(path).problem == "schema"


def test_guard_dropped_while_running_stops_the_next_record(path: Path, plain: sqlite3.Connection) -> None:
    with closing(open_ledger(path, clock=SystemClock())) as writer:
        writer.record_blocking(entry("d"))
        plain.execute("DROP TRIGGER event_no_update")
        with pytest.raises(LedgerUnavailableError, match="damaged"):
            writer.record_blocking(entry("e"))
        assert writer.status().code == "damaged"
    assert plain.execute("SELECT max(seq) FROM event").fetchone() == (4,)


def test_statistics_and_bookkeeping_do_not_matter(path: Path, plain: sqlite3.Connection) -> None:
    plain.execute("ANALYZE")
    plain.execute("DELETE FROM _sqlite_migrations")
    assert reopening_fault(path) is None
    assert check_ledger(path).ok
