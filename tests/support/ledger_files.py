"""Ledger files for tests of what happens to them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.ledger import open_ledger
from handlers.ports import Entry, Kind, LedgerUnavailableError


def entry(key: str) -> Entry:
    """A small event."""
    return Entry(key, Kind.COMPUTED, {"risk": "0.5"})


def ledger_of_three(folder: Path) -> Path:
    """A new ledger of three events, closed."""
    path = folder / "ledger.db"
    with closing(open_ledger(path, clock=SystemClock())) as writer:
        for key in ("a", "b", "c"):
            writer.record_blocking(entry(key))
    return path


def reopening_fault(path: Path) -> str | None:
    """Why the ledger is refused when opened again, or None; a refused one takes no event either."""
    with closing(open_ledger(path, clock=SystemClock())) as writer:
        code = writer.status().code
        if code is not None:
            with pytest.raises(LedgerUnavailableError) as failure:
                writer.record_blocking(entry("later"))
            assert failure.value.code == code
        return code
