"""One's own answers and counts, from a real ledger: bounded, hashes checked, nobody else's."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.ledger import LedgerFault, LedgerHistory, open_ledger, questions, read_events
from handlers.ports import Entry, Kind
from tests.support.fakes import FakeClock

ME, TEAM = "U0ME", "T0TEAM"
# Ids of which one is another's beginning, and one holds what SQL would take for itself.
USERS, TEAMS = (ME, "U0ME2", "U0M", 'U0"ME', "u0me", "U0_E"), (TEAM, "T0OTHER", None)


def _entry(number: int, kind: Kind, user: str, team: str | None, **more: Any) -> Entry:
    asker = {"user": user, "via": "test"} | ({"team": team} if team else {})
    return Entry(f"k:{number}", kind, {"asker": asker, "number": number, **more})


def _written(path: Path, entries: Iterable[Entry], clock: FakeClock | None = None) -> LedgerHistory:
    with closing(open_ledger(path, clock=clock or FakeClock())) as writer:
        for entry in entries:
            writer.record_blocking(entry)
    return LedgerHistory(path)


def _numbers(history: LedgerHistory, limit: int = 10, user: str = ME, team: str | None = TEAM) -> list[Any]:
    own = asyncio.run(history.answers_of(user, team, limit))
    assert not own.altered
    return [event.payload["number"] for event in own.events if event.payload is not None]


def test_ones_own_newest_answers_newest_first(tmp_path: Path) -> None:
    kinds = (Kind.COMPUTED, Kind.DELIVERED, Kind.REFUSED, Kind.COMPUTED)
    entries = [_entry(n, kinds[n % 4], (ME, "U0OTHER")[n % 3 == 0], TEAM) for n in range(40)]
    mine = [n for n in range(40) if kinds[n % 4] is Kind.COMPUTED and n % 3]
    history = _written(tmp_path / "ledger.db", entries)
    assert _numbers(history) == mine[::-1][:10]
    assert _numbers(history, limit=1) == mine[-1:]
    assert _numbers(history, limit=100) == mine[::-1]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=st.lists(st.tuples(st.sampled_from(USERS), st.sampled_from(TEAMS)), max_size=12))
def test_nobody_elses_answers_ever(
    asked: list[tuple[str, str | None]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    entries = [
        # What names me elsewhere in the payload makes it no answer of mine.
        _entry(n, Kind.COMPUTED, user, team, note=f'{{"user":"{ME}"}}', other={"user": ME, "team": TEAM})
        for n, (user, team) in enumerate(asked)
    ]
    history = _written(path, entries)
    for user in USERS:
        for team in TEAMS:
            own = [n for n, who in enumerate(asked) if who == (user, team)]
            assert _numbers(history, limit=20, user=user, team=team) == own[::-1]


def test_the_search_ends_somewhere_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "PAGE_EVENTS", 3)
    monkeypatch.setattr(questions, "ANSWERS_SEARCHED_MOST", 8)
    users = [ME, *["U0OTHER"] * 5, ME, *["U0OTHER"] * 4]
    history = _written(tmp_path / "ledger.db", [_entry(n, Kind.COMPUTED, who, TEAM) for n, who in enumerate(users)])
    own = asyncio.run(history.answers_of(ME, TEAM, 10))
    assert [event.recorded.seq for event in own.events] == [7]
    assert (own.searched, own.complete) == (8, False)
    enough = asyncio.run(history.answers_of(ME, TEAM, 1))
    assert (len(enough.events), enough.complete) == (1, True)
    monkeypatch.setattr(questions, "ANSWERS_SEARCHED_MOST", 11)
    own = asyncio.run(history.answers_of(ME, TEAM, 10))
    assert ([event.recorded.seq for event in own.events], own.searched, own.complete) == ([7, 1], 11, True)


def test_a_row_that_was_changed_is_named_and_not_given(tmp_path: Path) -> None:
    history = _written(tmp_path / "ledger.db", [_entry(n, Kind.COMPUTED, ME, TEAM) for n in range(3)])
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        connection.execute("DROP TRIGGER payload_no_update")
        connection.execute("UPDATE payload SET body = replace(body, '\"number\":1', '\"number\":9') WHERE seq = 2")
        connection.commit()
    own = asyncio.run(history.answers_of(ME, TEAM, 10))
    assert [event.recorded.seq for event in own.events] == [3, 1]
    assert [receipt.partition("-")[0] for receipt in own.altered] == ["2"]


def test_no_ledger_and_no_answers(tmp_path: Path) -> None:
    with pytest.raises(LedgerFault) as caught:
        asyncio.run(LedgerHistory(tmp_path / "none.db").answers_of(ME, TEAM, 10))
    assert caught.value.code == "cannot_open"
    with pytest.raises(LedgerFault):
        asyncio.run(LedgerHistory(tmp_path / "none.db").counts_since("2026-01-01"))
    empty = _written(tmp_path / "ledger.db", [])
    assert _numbers(empty) == []
    assert asyncio.run(empty.counts_since("2026-01-01")).by_week == {}


def test_counts_by_iso_week(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against Python's own calendar, over a turn of the year and every day of the week."""
    monkeypatch.setattr(questions, "PAGE_EVENTS", 7)
    clock = FakeClock()
    start = datetime(2026, 12, 14, 23, 59, 59, tzinfo=UTC)
    clock.advance((start - clock.now()).total_seconds())
    since, expected, refusals = "2026-12-21", dict[tuple[str, str], int](), dict[str, int]()
    kinds = (Kind.COMPUTED, Kind.REFUSED, Kind.LOOKED_UP)
    with closing(open_ledger(tmp_path / "ledger.db", clock=clock)) as writer:
        for n in range(60):
            kind, reason = kinds[n % 3], ("E_GUEST", "E_WHO", "E_ZAPHOD beeblebrox")[n % 7 % 3]
            writer.record_blocking(_entry(n, kind, ME, TEAM, reason=reason))
            day = clock.now().date()
            if day.isoformat() >= since:
                week = (day - timedelta(days=day.weekday())).isoformat(), str(kind)
                expected[week] = expected.get(week, 0) + 1
                if kind is Kind.REFUSED:
                    code = reason if " " not in reason else "other"
                    refusals[code] = refusals.get(code, 0) + 1
            clock.advance(9 * 3600)
    counts = asyncio.run(LedgerHistory(tmp_path / "ledger.db").counts_since(since))
    assert dict(counts.by_week) == expected
    assert dict(counts.refusals) == refusals
    assert counts.complete
    assert counts.last_seq == 60


def test_counting_ends_somewhere_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "PAGE_EVENTS", 3)
    monkeypatch.setattr(questions, "COUNTED_MOST", 5)
    history = _written(tmp_path / "ledger.db", [_entry(n, Kind.COMPUTED, ME, TEAM) for n in range(8)])
    counts = asyncio.run(history.counts_since("2000-01-01"))
    assert sum(counts.by_week.values()) == 5
    assert (counts.first_seq, counts.last_seq, counts.complete) == (4, 8, False)


def test_a_receipt_is_taken_whole(tmp_path: Path) -> None:
    history = _written(tmp_path / "ledger.db", [Entry("one", Kind.REFUSED, {"version": 1})])
    assert history is not None
    (stored,) = read_events(tmp_path / "ledger.db")
    receipt = f"{stored.seq}-{stored.leaf.hex()[:4]}"
    assert asyncio.run(history.event(receipt)) is not None
    assert asyncio.run(history.event(f"{receipt}\n")) is None
