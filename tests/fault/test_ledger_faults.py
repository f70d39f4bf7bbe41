"""The ledger under real faults: locks, full and read-only disks, lost files, killed processes.

After each of them: what was acknowledged is there, what was refused is not.
"""

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.ledger import LedgerFault, LedgerWriter, check_ledger, open_ledger, read_events, writer
from bot.ledger.store import Store, prepare
from handlers.ports import Entry, Kind, LedgerUnavailableError, Recorded

ROOT = Path(__file__).parents[2]
SLACK_LIMIT_WITH_ROOM_S = 2.5


def entry(key: str, text: str = "") -> Entry:
    return Entry(key, Kind.COMPUTED, {"risk": "0.5", "text": text})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[LedgerWriter]:
    with closing(open_ledger(path, clock=SystemClock())) as ledger:
        assert ledger.status().ok
        yield ledger


def code_of(ledger: LedgerWriter, key: str = "refused", text: str = "") -> str:
    with pytest.raises(LedgerUnavailableError) as failure:
        ledger.record_blocking(entry(key, text))
    assert "0.5" not in str(failure.value)
    assert failure.value.__cause__ is None  # SQLite's own message is not carried along
    assert not ledger.status().ok
    return failure.value.code


def keys(path: Path) -> list[str]:
    return [event.idem_key for event in read_events(path)]


def test_commit_kept_waiting_by_a_reader_is_rolled_back(ledger: LedgerWriter, path: Path) -> None:
    ledger.record_blocking(entry("before"))
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM event").fetchall()
        began = time.monotonic()
        assert code_of(ledger) == "locked"
        assert time.monotonic() - began < SLACK_LIMIT_WITH_ROOM_S
        reader.execute("COMMIT")
    assert ledger.record_blocking(entry("after")).seq == 2
    assert keys(path) == ["before", "after"]


def test_lock_at_the_start_is_waited_for_or_reported(path: Path, ledger: LedgerWriter) -> None:
    ledger.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with closing(open_ledger(path, clock=SystemClock())) as second:
            assert second.status().code == "locked"
            other.execute("ROLLBACK")
            assert second.record_blocking(entry("a")).seq == 1


def test_path_below_a_regular_file_and_recovery(tmp_path: Path) -> None:
    obstacle = tmp_path / "file"
    obstacle.write_text("in the way")
    path = obstacle / "ledger.db"
    with closing(open_ledger(path, clock=SystemClock())) as ledger:
        assert ledger.status().code == "cannot_open"
        assert code_of(ledger) == "cannot_open"
        obstacle.unlink()
        assert ledger.record_blocking(entry("a")).seq == 1
        assert ledger.status().ok
    assert keys(path) == ["a"]


def test_idle_writer_notices_recovery_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "IDLE_CHECK_S", 0.05)
    obstacle = tmp_path / "file"
    obstacle.write_text("in the way")
    with closing(open_ledger(obstacle / "ledger.db", clock=SystemClock())) as ledger:
        assert not ledger.status().ok
        obstacle.unlink()
        wait_for(lambda: ledger.status().ok)
        (obstacle / "ledger.db").rename(tmp_path / "gone")
        wait_for(lambda: ledger.status().code == "cannot_open")


def wait_for(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


def test_limit_of_pages_leaves_no_part_of_the_batch(path: Path) -> None:
    """The portable case of a full disk: SQLite's own ceiling on the file's size."""
    store = Store(path, SystemClock())
    soon = time.monotonic() + 60
    store.append([prepare(entry("before"))], soon)
    connection = store._connection
    assert connection is not None
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(LedgerFault, match="disk_full: SQLITE_FULL"):
        store.append([prepare(entry(f"k{i}", "x" * 5_000)) for i in range(3)], soon)
    (after,) = store.append([prepare(entry("after"))], soon)  # on a new connection
    assert isinstance(after, Recorded)
    assert after.seq == 2
    store.close()
    assert keys(path) == ["before", "after"]


def test_file_deleted_while_running_is_missed_not_replaced(ledger: LedgerWriter, path: Path) -> None:
    ledger.record_blocking(entry("before"))
    path.unlink()
    assert code_of(ledger) == "cannot_open"
    assert not path.exists()
    path.touch()
    assert code_of(ledger) == "damaged"  # an empty file would begin again at 1
    assert path.stat().st_size == 0


def test_file_moved_away_and_back(ledger: LedgerWriter, path: Path, tmp_path: Path) -> None:
    ledger.record_blocking(entry("before"))
    path.rename(tmp_path / "away")
    assert code_of(ledger) == "cannot_open"
    (tmp_path / "away").rename(path)
    assert ledger.record_blocking(entry("after")).seq == 2
    assert keys(path) == ["before", "after"]


@pytest.mark.parametrize("moment", [1, 2])
def test_file_moved_away_within_a_transaction(path: Path, tmp_path: Path, moment: int) -> None:
    """The first time before SQLite opens its journal, which notices; the second time after it."""

    class MovingClock(SystemClock):
        looks = 0

        def now(self) -> datetime:
            self.looks += 1
            if self.looks == moment:
                path.rename(tmp_path / "away")
            return super().now()

    store = Store(path, MovingClock())
    with pytest.raises(LedgerFault, match="cannot_open"):
        store.append([prepare(entry("a")), prepare(entry("b"))], time.monotonic() + 2)
    assert not path.exists()


def test_equal_copy_put_in_place_is_taken_up(ledger: LedgerWriter, path: Path, tmp_path: Path) -> None:
    ledger.record_blocking(entry("before"))
    shutil.copy(path, tmp_path / "copy")
    (tmp_path / "copy").replace(path)
    assert ledger.record_blocking(entry("after")).seq == 2
    assert keys(path) == ["before", "after"]


def test_older_copy_put_in_place_is_refused(ledger: LedgerWriter, path: Path, tmp_path: Path) -> None:
    ledger.record_blocking(entry("one"))
    shutil.copy(path, tmp_path / "older")
    ledger.record_blocking(entry("two"))
    (tmp_path / "older").replace(path)
    assert code_of(ledger) == "damaged"
    assert keys(path) == ["one"]


def test_write_cut_off_is_undone_by_the_writer_and_named_by_the_reader(
    ledger: LedgerWriter, path: Path, tmp_path: Path
) -> None:
    ledger.record_blocking(entry("before"))
    ledger.close()
    crashed = tmp_path / "crashed.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA cache_size = 5")
        connection.execute("PRAGMA cache_spill = 5")
        connection.execute("BEGIN")
        for seq in range(2, 300):  # more than the cache holds: the file changes before the commit
            connection.execute(
                "INSERT INTO event SELECT ?, 'k' || ?, kind, ref, time, payload_hash, leaf FROM event WHERE seq = 1",
                (seq, seq),
            )
        shutil.copy(path, crashed)
        shutil.copy(f"{path}-journal", f"{crashed}-journal")
        connection.execute("ROLLBACK")
    with pytest.raises(LedgerUnavailableError, match="read_only: a write was cut off"):
        check_ledger(crashed)
    with closing(open_ledger(crashed, clock=SystemClock())) as again:
        assert again.record_blocking(entry("after")).seq == 2
    assert keys(crashed) == ["before", "after"]
    assert check_ledger(crashed).ok


def test_secrets_and_payload_stay_out_of_every_message(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    canary = "Mrs Canary 4807"
    with closing(open_ledger(tmp_path / "ledger.db", clock=SystemClock())) as ledger:
        ledger.record_blocking(Entry("a", Kind.COMPUTED, {"note": canary}))
        stored = next(read_events(tmp_path / "ledger.db"))
        (tmp_path / "ledger.db").unlink()
        with pytest.raises(LedgerUnavailableError) as failure:
            ledger.record_blocking(Entry("b", Kind.COMPUTED, {"note": canary}))
        shown = [repr(failure.value), str(failure.value), repr(stored), repr(ledger.status()), caplog.text]
    prepared = prepare(Entry("c", Kind.COMPUTED, {"note": canary}))
    assert not [text for text in [*shown, repr(prepared)] if canary in text]
