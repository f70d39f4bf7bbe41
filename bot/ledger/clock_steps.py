"""Where the machine's clock was set back while the ledger was being written.

A time is what the clock said, not the order of things: ``seq`` is. A clock set back stands in the ledger by
itself, as an event earlier than the one before it; a clock set forward looks like a quiet hour until it is set
right again.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.ledger.connection import open_for_reading
from bot.ledger.errors import LedgerFault, fault_of_sqlite
from bot.ledger.leaf import read_timestamp

PAGE_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class ClockStep:
    """Event ``seq`` was recorded at ``time``, after one recorded at the later time ``before``."""

    seq: int
    before: datetime
    time: datetime

    @property
    def back(self) -> timedelta:
        """By how much at least the clock had been set back; positive."""
        return self.before - self.time


class ClockWatch:
    """Finds the steps in times given one after the other, for whoever reads the rows anyway."""

    def __init__(self) -> None:
        self._before = ""

    def see(self, seq: int, time: str) -> ClockStep | None:
        """Take the next event's time as stored; the step if it lies before the last one.

        Raises:
            ValueError: it lies before the last one, and one of the two is no time.
        """
        before, self._before = self._before, time
        # Times of one form sort as texts.
        return None if time >= before else ClockStep(seq, read_timestamp(before), read_timestamp(time))


def clock_steps(path: Path, *, after: int = 0) -> Generator[ClockStep, None, None]:
    """All steps back between events with ``seq`` above ``after``, in order; reads page by page, payloads not at all.

    Raises:
        LedgerUnavailableError: on the first step or later, the file cannot be read or a time in it is none.
    """
    watch = ClockWatch()
    try:
        with contextlib.closing(open_for_reading(path)) as connection:
            while page := connection.execute(
                "SELECT seq, time FROM event WHERE seq > ? ORDER BY seq LIMIT ?", (after, PAGE_ROWS)
            ).fetchall():
                for seq, time in page:
                    if (step := watch.see(seq, time.decode())) is not None:
                        yield step
                after = page[-1][0]
    except sqlite3.Error as error:
        raise fault_of_sqlite(error) from None
    except (ValueError, AttributeError):  # no time, no text, or no text at all
        raise LedgerFault("damaged", "a time in the ledger is not readable") from None
