"""Opening the ledger: how it is made, what connection it gets, which files are refused."""

import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.ledger import check_ledger, open_ledger
from bot.ledger import schema as ledger_schema
from bot.ledger.connection import BUSY_TIMEOUT_MS, check_version, limit_wait, open_for_writing, require_sqlite
from bot.ledger.errors import LedgerFault
from bot.ledger.migrations import apply_pending
from handlers.ports import LedgerUnavailableError
from tests.support.ledger_files import ledger_of_three, reopening_fault

ROOT = Path(__file__).parents[2]


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


def test_file_is_the_services_alone(tmp_path: Path) -> None:
    path = tmp_path / "made" / "ledger.db"
    open_ledger(path, clock=SystemClock()).close()
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


def test_ledger_of_a_newer_tarla_is_refused(path: Path, plain: sqlite3.Connection) -> None:
    plain.execute(f"PRAGMA user_version = {ledger_schema.VERSION + 1}")
    with closing(open_ledger(path, clock=SystemClock())) as writer:
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


def test_version_is_read_in_one_moment(tmp_path: Path) -> None:
    """Another process makes the ledger just between the looks at its two marks."""
    path = tmp_path / "ledger.db"
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as reader,
        closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as maker,
    ):
        attempts = []

        def interfere(statement: str) -> None:
            if statement == "PRAGMA user_version":
                attempts.append(statement)
                with suppress(sqlite3.OperationalError):  # the reader holds it off
                    maker.execute("BEGIN EXCLUSIVE")
                    apply_pending(maker)
                    maker.execute("COMMIT")

        reader.set_trace_callback(interfere)
        assert check_version(reader) == 0
        reader.set_trace_callback(None)
        assert len(attempts) == 1


def test_existing_ledger_opens_without_sqlite_utils(path: Path) -> None:
    code = OPEN_AT.replace("import bot.ledger.migrations\n", "") + 'print("sqlite_utils" in sys.modules)\n'
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], input="\n", capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.split() == ["ready", "None", "False"]


def test_a_new_ledger_is_made_without_pandas() -> None:
    """It is there in the developers' environment, and may be in others'; it alone takes 33 MB."""
    code = (
        "import sys, bot.ledger.migrations\n"
        'print("sqlite_utils" in sys.modules, "pandas" in sys.modules)\n'
        "import pandas\n"
        "print(pandas.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split() == ["True", "False", "pandas"]
