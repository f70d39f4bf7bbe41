"""A clock set back is found in the ledger, with the event after it and by how much."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.ledger import ClockWatch, check_ledger, clock_steps, open_ledger
from bot.ledger.clock_steps import PAGE_ROWS
from bot.ledger.leaf import read_timestamp, timestamp
from handlers.ports import LedgerUnavailableError
from tests.support.ledger_files import entry

START = datetime(2026, 11, 22, 9, 30, 0, 123456, tzinfo=UTC)


class GivenClock:
    """Says these times, seconds after ``START``, one after the other."""

    def __init__(self, seconds: Sequence[float]) -> None:
        self._left = list(seconds)

    def now(self) -> datetime:
        return START + timedelta(seconds=self._left.pop(0))

    def monotonic(self) -> float:
        return time.monotonic()


def ledger_with(path: Path, seconds: Sequence[float]) -> Path:
    """A closed ledger with an event at each of these times."""
    with closing(open_ledger(path, clock=GivenClock(seconds))) as writer:
        for number in range(len(seconds)):
            writer.record_blocking(entry(f"k{number}"))
    return path


@pytest.mark.parametrize(
    ("seconds", "steps"),
    [
        ([], []),
        ([0], []),
        ([0, 0, 1, 1, 86_400], []),
        ([86_400, 0, 1], [(2, 86_400)]),
        ([0, 86_400, 5, 6], [(3, 86_395)]),
        ([10, 5, 0, 20], [(2, 5), (3, 5)]),
        ([1, 1 - 1e-6], [(2, 1e-6)]),
    ],
    ids=["empty", "one", "never back", "a day back", "a day forward and right again", "twice", "a microsecond"],
)
def test_steps_back_are_named(tmp_path: Path, seconds: list[float], steps: list[tuple[int, float]]) -> None:
    path = ledger_with(tmp_path / "ledger.db", seconds)
    found = [(step.seq, step.back.total_seconds()) for step in clock_steps(path)]
    assert found == steps
    assert check_ledger(path).ok  # a wrong clock is no damage
    if steps:
        first = next(clock_steps(path))
        assert first.before - first.time == first.back > timedelta(0)
        assert list(clock_steps(path, after=steps[-1][0])) == []


def test_a_step_between_two_pages_is_found(tmp_path: Path) -> None:
    path = ledger_with(tmp_path / "ledger.db", [0])
    with closing(sqlite3.connect(path)) as plain:
        plain.executemany(
            "INSERT INTO event SELECT ?, 'n' || ?, kind, ref, ?, payload_hash, leaf FROM event WHERE seq = 1",
            [
                (seq, seq, timestamp(START + timedelta(seconds=seq if seq <= PAGE_ROWS else 0)))
                for seq in range(2, PAGE_ROWS + 2)
            ],
        )
        plain.commit()
    assert [(step.seq, step.back.seconds) for step in clock_steps(path)] == [(PAGE_ROWS + 1, PAGE_ROWS)]


def test_a_time_reads_back_as_it_was_written() -> None:
    assert read_timestamp(timestamp(START)) == START
    with pytest.raises(ValueError, match="UTC"):
        read_timestamp("2026-11-22T09:30:00.000000+00:00")


def test_what_is_no_time_is_not_passed_over() -> None:
    watch = ClockWatch()
    assert watch.see(1, timestamp(START)) is None
    with pytest.raises(ValueError, match="time"):
        watch.see(2, "1999")


def test_ledger_that_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnavailableError):
        next(clock_steps(tmp_path / "ledger.db"))
