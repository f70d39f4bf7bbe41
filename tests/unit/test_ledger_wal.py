"""WAL mode: never the ledger's own; a file left in it is refused or turned back. And one SQLite library a process."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.ledger import check_ledger, connection, open_ledger
from bot.ledger.connection import BUSY_TIMEOUT_MS, wal_is_safe
from bot.ledger.errors import LedgerFault
from tests.support.ledger_files import entry, ledger_of_three
from tests.support.requirements import ROOT


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 37, 0), False),
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 44, 9), True),
        ((3, 45, 3), False),
        ((3, 49, 9), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 0), False),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), True),
        ((4, 0, 0), True),
    ],
)
def test_releases_that_may_write_a_wal_file(version: tuple[int, ...], safe: bool) -> None:
    assert wal_is_safe(version) is safe


def mode_of(path: Path) -> str:
    """The journal mode as any other program would find it."""
    with closing(sqlite3.connect(path)) as plain:
        return str(plain.execute("PRAGMA journal_mode").fetchone()[0])


def put_into_wal(path: Path) -> None:
    """What a tool with another taste does to the file, once."""
    with closing(sqlite3.connect(path)) as plain:
        assert plain.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger of three events, closed."""
    return ledger_of_three(tmp_path)


def release_is(monkeypatch: pytest.MonkeyPatch, *, safe: bool) -> None:
    """Take the library at hand for one with or without the correction."""
    monkeypatch.setattr(connection, "wal_is_safe", lambda _: safe)


def test_wal_file_is_refused_by_a_defective_release(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release_is(monkeypatch, safe=False)
    put_into_wal(path)
    with closing(open_ledger(path, clock=SystemClock())) as writer:
        status = writer.status()
        assert status.code == "cannot_open"
        assert status.detail is not None
        for word in ("WAL", sqlite3.sqlite_version, "3.51.3", "3.50.7", "3.44.6", "PRAGMA journal_mode = DELETE"):
            assert word in status.detail
        with pytest.raises(LedgerFault, match="WAL"):
            writer.record_blocking(entry("refused"))
        assert mode_of(path) == "wal"  # left as it was found
        with closing(sqlite3.connect(path)) as plain:  # what the message says to do
            plain.execute("PRAGMA journal_mode = DELETE")
        assert writer.record_blocking(entry("d")).seq == 4
    assert check_ledger(path).events == 4


def test_wal_file_is_turned_back_by_a_corrected_release(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release_is(monkeypatch, safe=True)
    put_into_wal(path)
    with closing(open_ledger(path, clock=SystemClock())) as writer:
        assert writer.status().ok
        assert writer.record_blocking(entry("d")).seq == 4
    assert mode_of(path) == "delete"
    assert not path.with_name(path.name + "-wal").exists()
    assert check_ledger(path).events == 4


@pytest.mark.parametrize("safe", [False, True])
def test_file_put_into_wal_while_running_takes_no_event_in_it(
    path: Path, monkeypatch: pytest.MonkeyPatch, safe: bool
) -> None:
    release_is(monkeypatch, safe=safe)
    with closing(open_ledger(path, clock=SystemClock())) as writer:
        writer.record_blocking(entry("d"))
        put_into_wal(path)
        with pytest.raises(LedgerFault, match="cannot_open"):
            writer.record_blocking(entry("e"))
        if safe:
            assert writer.record_blocking(entry("f")).seq == 5
            assert mode_of(path) == "delete"
        else:
            with pytest.raises(LedgerFault, match="WAL"):
                writer.record_blocking(entry("f"))
    assert check_ledger(path).events == (5 if safe else 4)


def test_waiting_for_a_lock_leaves_time_for_the_answer() -> None:
    assert BUSY_TIMEOUT_MS <= 1_500


# A stand-in for the package that sqlite-utils prefers: whoever opens a file through it is found out.
OTHER_LIBRARY = {
    "__init__.py": "from sqlite3 import *\n",
    "dbapi2.py": "from sqlite3.dbapi2 import *\ndef connect(*_, **__): raise SystemExit('a second SQLite library')\n",
}

MAKE_A_LEDGER = """
import sqlite3, sys
from pathlib import Path
from bot.clock import SystemClock
from bot.ledger import check_ledger, open_ledger
from handlers.ports import Entry, Kind
path = Path(sys.argv[1])
writer = open_ledger(path, clock=SystemClock())
assert writer.record_blocking(Entry("a", Kind.COMPUTED, {})).seq == 1
assert type(writer._store._connection) is sqlite3.Connection
assert "sqlite_utils" in sys.modules  # it made the tables
writer.close()
assert check_ledger(path).ok
import sqlite_utils.utils
libraries = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "sqlite3" in line}
print(sqlite_utils.utils.sqlite3.__name__, len([name for name in libraries if "libsqlite3" in name]))
"""


def test_only_the_standard_librarys_sqlite_opens_the_ledger(tmp_path: Path) -> None:
    """Even where sqlite-utils would rather take another: two on one file would break each other's locks."""
    package = tmp_path / "packages" / "pysqlite3"
    package.mkdir(parents=True)
    for name, text in OTHER_LIBRARY.items():
        (package / name).write_text(text)
    code = f"import sys; sys.path.insert(0, {str(package.parent)!r})\n{MAKE_A_LEDGER}"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "ledger.db")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    preferred, libraries = done.stdout.split()
    assert preferred == "pysqlite3"  # it was there to be taken
    assert int(libraries) <= 1  # none where Python brings its own along
