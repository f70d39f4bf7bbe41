"""A copy written over the live file, in place: nothing more is recorded until the right file is back."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.ledger import LedgerWriter, check_ledger, open_ledger, read_events
from handlers.ports import LedgerUnavailableError
from tests.support.ledger_files import entry


def refusal(writer: LedgerWriter, key: str) -> str:
    """Why the next record is refused."""
    with pytest.raises(LedgerUnavailableError) as failure:
        writer.record_blocking(entry(key))
    return failure.value.code


@pytest.mark.parametrize("older_by", [1, 2, 7])
def test_an_older_copy_written_over_it_is_refused_and_the_right_one_taken_up(tmp_path: Path, older_by: int) -> None:
    """As ``cp backup ledger.db`` does while the bot runs: same inode, and often the same length."""
    path, old, right = (tmp_path / name for name in ("ledger.db", "old.db", "right.db"))
    with closing(open_ledger(path, clock=SystemClock())) as writer:
        for number in range(10):
            if number == 10 - older_by:
                shutil.copyfile(path, old)
            writer.record_blocking(entry(f"key-{number}"))
        shutil.copyfile(path, right)
        shutil.copyfile(old, path)
        assert refusal(writer, "after") == "damaged"
        assert refusal(writer, "again") == "damaged"
        assert not writer.status().ok
        assert len(list(read_events(path))) == 10 - older_by
        shutil.copyfile(right, path)
        assert writer.record_blocking(entry("mended")).seq == 11
    assert check_ledger(path).ok


def test_a_copy_from_before_this_run_is_refused_before_its_first_record(tmp_path: Path) -> None:
    path, old = tmp_path / "ledger.db", tmp_path / "old.db"
    with closing(open_ledger(path, clock=SystemClock())) as writer:
        writer.record_blocking(entry("first"))
        shutil.copyfile(path, old)
        writer.record_blocking(entry("second"))
    with closing(open_ledger(path, clock=SystemClock())) as writer:
        shutil.copyfile(old, path)
        assert refusal(writer, "third") == "damaged"


def test_events_of_another_process_are_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with (
        closing(open_ledger(path, clock=SystemClock())) as one,
        closing(open_ledger(path, clock=SystemClock())) as other,
    ):
        for number in range(5):
            one.record_blocking(entry(f"one-{number}"))
            other.record_blocking(entry(f"other-{number}"))
    assert [event.seq for event in read_events(path)] == list(range(1, 11))


@pytest.mark.parametrize("mark", ["user_version = 3", "application_id = 7"])
def test_a_mark_changed_while_running_stops_the_next_record(tmp_path: Path, mark: str) -> None:
    """A fresh start would refuse such a file; the running one must not go on with it."""
    path = tmp_path / "ledger.db"
    with closing(open_ledger(path, clock=SystemClock())) as writer:
        writer.record_blocking(entry("before"))
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute(f"PRAGMA {mark}")
        with pytest.raises(LedgerUnavailableError):
            writer.record_blocking(entry("after"))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT idem_key FROM event").fetchall() == [("before",)]
