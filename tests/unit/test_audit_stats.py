"""What is counted is what the ledger holds: every figure is counted a second time, plainly."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.audit.cli import audit
from bot.audit.days import Days
from bot.audit.stats import MOST_MS, statistics_of
from bot.clock import SystemClock
from bot.ledger import open_ledger, read_events
from handlers.ports import Entry, Kind
from tests.support.big_ledger import make_ledger
from tests.support.pruned import prune_first


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    make_ledger(path, 800)
    return path


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "ledger.db"
    monkeypatch.setenv("TARLA_LEDGER", str(path))
    return path


def run(*words: str) -> Result:
    return CliRunner().invoke(audit, ["stats", *words])


def test_every_figure_is_that_of_a_plain_count(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARLA_LEDGER", str(made))
    done = run("--json")
    assert done.exit_code == 0
    said = json.loads(done.stdout)
    events = list(read_events(made))
    payloads: list[Any] = [event.payload for event in events]
    both = list(zip(events, payloads, strict=True))
    assert said["ledger"] == {"ok": True, "events": 800, "pruned": 0, "bad_seq": None, "problem": None}
    assert {(each["month"], each["kind"]): each["events"] for each in said["by_month"]} == Counter(
        (event.time[:7], event.kind) for event in events
    )
    assert said["refusals"] == Counter(payload["reason"] for event, payload in both if event.kind == "refused")
    assert said["delivery_failures"] == Counter(
        payload["reason"] for event, payload in both if event.kind == "delivery_failed"
    )
    times = sorted(payload["milliseconds"] for event, payload in both if event.kind == "delivered")
    assert said["delivery_ms"]["deliveries"] == len(times)
    for share in (0.5, 0.9, 0.99):
        within = said["delivery_ms"][f"p{100 * share:g}"]
        assert sum(each <= within for each in times) >= share * len(times) > sum(each < within for each in times)
    named = [(event, payload["model"]) for event, payload in both if "model" in payload]
    assert len(said["models"]) == 2
    for model in said["models"]:
        using = [event for event, used in named if used == {"id": model["id"], "sha256": model["sha256"]}]
        assert (model["events"], model["first"]["seq"], model["last"]["seq"]) == (
            len(using),
            using[0].seq,
            using[-1].seq,
        )
        assert model["last"]["time"] == using[-1].time
    askers = [payload["asker"] for payload in payloads if "asker" in payload]
    assert said["users"] == len({asker["user"] for asker in askers})
    assert said["channels"] == len({asker["channel"] for asker in askers})
    moments = [datetime.fromisoformat(event.time) for event in events]
    longest = max((late - early).total_seconds() for early, late in pairwise(moments))
    assert said["largest_gaps"][0]["seconds"] == longest
    assert len(said["model_activated"]) == 2
    shown = done.stdout + run().stdout
    assert not any(user in shown for user in {asker["user"] for asker in askers})


def test_days_bound_what_is_counted_not_what_is_checked(made: Path) -> None:
    events = list(read_events(made))
    day = events[0].time[:10]
    found = statistics_of(made, Days(until=day))
    assert found.events == sum(event.time[:10] == day for event in events)
    later = statistics_of(made, Days(since="2099-01-01"))
    assert (later.events, later.check) == (0, found.check)
    assert found.check is not None
    assert found.check.events == 800


def test_a_fault_is_told_with_what_lies_before_it(made: Path, ledger: Path) -> None:
    ledger.write_bytes(made.read_bytes())
    with closing(sqlite3.connect(ledger, isolation_level=None)) as connection:
        (guard,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'event_no_update'").fetchone()
        connection.execute("DROP TRIGGER event_no_update")
        connection.execute("UPDATE event SET kind = 'refused' WHERE seq = 500")
        connection.execute(guard)
    done = run()
    assert done.exit_code == 1
    assert "WRONG at event 500" in done.stdout
    assert json.loads(run("--json").stdout)["events"] == 499


def test_pruned_payloads_are_counted_as_gone(made: Path, ledger: Path) -> None:
    ledger.write_bytes(made.read_bytes())
    seq = prune_first(ledger, 400)
    found = statistics_of(ledger, Days())
    assert found.pruned_payloads > 350
    assert [(each.seq, each.words[:15]) for each in found.listed["pruned"]] == [(seq, "events 1 to 400")]
    assert found.by_kind["computed"] == sum(event.kind == "computed" for event in read_events(made))


def test_what_is_strange_is_counted_without_being_repeated(ledger: Path) -> None:
    clock = SystemClock()
    with closing(open_ledger(ledger, clock=clock)) as writer:
        writer.record_blocking(Entry("a", Kind.REFUSED, {"reason": "patient\nname"}))
        writer.record_blocking(Entry("b", Kind.REFUSED, {"reason": 7, "model": "none", "asker": ["x"]}))
        for number, milliseconds in enumerate((10**9, -5, 40)):
            writer.record_blocking(Entry(f"c{number}", Kind.DELIVERED, {"milliseconds": milliseconds}))
        writer.record_blocking(Entry("d", Kind.DELIVERED, {"milliseconds": "fast"}))
    done = run("--json")
    said = json.loads(done.stdout)
    assert said["refusals"] == {"other": 2}
    assert said["delivery_ms"]["deliveries"] == 3
    assert said["delivery_ms"]["longest"] == MOST_MS
    assert "patient" not in done.stdout
    assert "60,000 ms or more" in run().stdout


def test_a_clock_set_back_is_told(ledger: Path) -> None:
    moments = iter([f"2026-03-0{day}T12:00:00+00:00" for day in (1, 5, 4, 7)])

    class Stepping(SystemClock):
        def now(self) -> datetime:
            return datetime.fromisoformat(next(moments))

    with closing(open_ledger(ledger, clock=Stepping())) as writer:
        for key in "abcd":
            writer.record_blocking(Entry(key, Kind.REFUSED, {"reason": "E_EMPTY"}))
    said = json.loads(run("--json").stdout)
    assert said["clock_set_back"] == 1
    assert said["largest_steps_back"][0] | {"from": "", "to": ""} == {
        "seconds": 86_400.0,
        "before_seq": 3,
        "from": "",
        "to": "",
    }
    assert [gap["seconds"] / 86_400 for gap in said["largest_gaps"]] == [4, 3]


def test_an_empty_ledger_has_nothing_to_count(ledger: Path) -> None:
    assert run().exit_code == 2
    open_ledger(ledger, clock=SystemClock()).close()
    assert run().exit_code == 0
    said = json.loads(run("--json").stdout)
    assert (said["events"], said["first"], said["delivery_ms"]["p50"]) == (0, None, None)
