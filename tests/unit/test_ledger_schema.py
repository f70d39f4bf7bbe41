"""Tables, guards and opening: what the file refuses from any tool, and what opening refuses."""

import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlite_utils

from bot.ledger import check_ledger, open_ledger, read_event
from bot.ledger import schema as ledger_schema
from bot.ledger.connection import BUSY_TIMEOUT_MS, limit_wait, open_for_writing, require_sqlite
from bot.ledger.errors import LedgerFault
from handlers.ports import Entry, Kind, LedgerUnavailableError

ROOT = Path(__file__).parents[2]
TIME = "2026-11-22T09:30:00.000000Z"
ADD_EVENT = "INSERT INTO event (seq, idem_key, kind, ref, time, payload_hash, leaf) VALUES (?, ?, ?, ?, ?, ?, ?)"


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


def entry(key: str) -> Entry:
    return Entry(key, Kind.COMPUTED, {"risk": "0.5"})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "ledger.db"
    with closing(open_ledger(path, clock=WallClock())) as writer:
        for key in ("a", "b", "c"):
            writer.record_blocking(entry(key))
    return path


@pytest.fixture
def path(made: Path, tmp_path: Path) -> Path:
    """A ledger of three events, closed."""
    return Path(shutil.copy(made, tmp_path))


@pytest.fixture
def plain(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection as any tool would make it: no pragmas at all."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def reopening_fault(path: Path) -> str | None:
    with closing(open_ledger(path, clock=WallClock())) as writer:
        code = writer.status().code
        if code is not None:
            with pytest.raises(LedgerUnavailableError) as failure:
                writer.record_blocking(entry("later"))
            assert failure.value.code == code
        return code


def test_new_ledger_has_the_fingerprint_that_was_shipped(path: Path, plain: sqlite3.Connection) -> None:
    assert ledger_schema.fingerprint(plain) == ledger_schema.FINGERPRINTS[ledger_schema.VERSION]
    assert plain.execute("PRAGMA user_version").fetchone() == (ledger_schema.VERSION,)
    assert plain.execute("PRAGMA application_id").fetchone() == (ledger_schema.APPLICATION_ID,)
    strict = plain.execute("SELECT name, strict FROM pragma_table_list WHERE schema='main' AND name NOT LIKE 'sqlite%'")
    assert dict(strict) == {"event": 1, "payload": 1, "_sqlite_migrations": 1}
    assert read_event(path, 3) is not None


def test_file_is_the_services_alone(tmp_path: Path) -> None:
    path = tmp_path / "made" / "ledger.db"
    open_ledger(path, clock=WallClock()).close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_writing_connection_is_durable_and_guarded(path: Path) -> None:
    connection, _ = open_for_writing(path, may_create=False, deadline=time.monotonic() + 2)
    with closing(connection):

        def pragma(name: str) -> object:
            return connection.execute(f"PRAGMA {name}").fetchone()[0]

        extra, on, off = 3, 1, 0
        assert pragma("journal_mode") == "delete"
        assert pragma("synchronous") == extra
        assert (pragma("foreign_keys"), pragma("recursive_triggers"), pragma("cell_size_check")) == (on, on, on)
        assert pragma("trusted_schema") == off
        limit_wait(connection, time.monotonic() + 60)
        assert pragma("busy_timeout") == BUSY_TIMEOUT_MS
        limit_wait(connection, time.monotonic() - 1)
        assert pragma("busy_timeout") == 0


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
                "DROP TRIGGER payload_no_delete",
                "CREATE TRIGGER payload_no_delete BEFORE DELETE ON payload BEGIN SELECT 1; END",
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
    with closing(open_ledger(path, clock=WallClock())) as writer:
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


def test_ledger_of_a_newer_tarla_is_refused(path: Path, plain: sqlite3.Connection) -> None:
    plain.execute(f"PRAGMA user_version = {ledger_schema.VERSION + 1}")
    with closing(open_ledger(path, clock=WallClock())) as writer:
        status = writer.status()
    assert (status.ok, status.code) == (False, "cannot_open")
    assert "newer Tarla" in (status.detail or "")
    with pytest.raises(LedgerUnavailableError, match="newer Tarla"):
        check_ledger(path)


@pytest.mark.parametrize("pragma", ["application_id = 0", "application_id = 7", "user_version = 1"])
def test_another_applications_database_is_left_alone(tmp_path: Path, pragma: str) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (text)")
        connection.execute(f"PRAGMA {pragma}")
    before = path.read_bytes()
    assert reopening_fault(path) == "cannot_open"
    assert path.read_bytes() == before
    with pytest.raises(LedgerUnavailableError, match="another application"):
        check_ledger(path)


def test_nothing_and_an_empty_file_are_no_ledger_to_check(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    for _ in range(2):
        with pytest.raises(LedgerUnavailableError, match="cannot_open"):
            check_ledger(path)
        path.touch()


def test_file_that_is_no_database_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"no database, but long enough to have a header" * 40)
    assert reopening_fault(path) == "damaged"
    assert check_ledger(path).problem == "damaged"


def test_sqlite_without_strict_tables_is_refused() -> None:
    with pytest.raises(LedgerFault, match=r"SQLite 3\.37\.0 or newer is needed, this is 3\.36\.0"):
        require_sqlite((3, 36, 0))
    require_sqlite((3, 37, 0))


OPEN_AT = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
import bot.ledger.migrations
from bot.ledger import open_ledger
class Clock:
    def now(self): return datetime.now(UTC)
    def monotonic(self): return time.monotonic()
print("ready", flush=True)
sys.stdin.readline()
writer = open_ledger(Path(sys.argv[1]), clock=Clock())
print(writer.status().code, flush=True)
writer.close()
"""


def test_processes_that_make_the_ledger_at_the_same_instant_all_succeed(tmp_path: Path) -> None:
    path = tmp_path / "new" / "ledger.db"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN_AT, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.communicate(timeout=10)[0] for process in processes] == ["None\n"] * 3
    assert check_ledger(path).ok


def test_existing_ledger_opens_without_sqlite_utils(path: Path) -> None:
    code = OPEN_AT.replace("import bot.ledger.migrations\n", "") + 'print("sqlite_utils" in sys.modules)\n'
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], input="\n", capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.split() == ["ready", "None", "False"]
