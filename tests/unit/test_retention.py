"""Retention: what is due, that only that goes, that its bytes are gone, and that nothing else moves."""

import contextlib
import dataclasses
import json
import multiprocessing
import sqlite3
import stat
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.audit.pruning import RetentionError, check_before, still_to_do
from bot.audit.retention import cut_off, plan_retention
from bot.cli import main
from bot.clock import SystemClock
from bot.ledger import check_ledger, open_ledger, read_events
from bot.ledger.kinds import LedgerKind
from bot.ledger.store import Store, prepare
from handlers.ports import Entry, Kind
from tests.support.aged_ledger import NOW, SetClock, at, entry, held, prune_all, record, run


def aged(path: Path, *times: str) -> Path:
    """A ledger of one event at each of the times."""
    record(path, [(when, entry(number)) for number, when in enumerate(times, 1)])
    return path


@pytest.mark.parametrize(
    ("now", "years", "before"),
    [
        ("2026-11-24T12:00:00", 6, "2020-11-24T12:00:00"),
        ("2026-02-28T12:00:00", 6, "2020-02-28T12:00:00"),
        ("2026-03-01T00:00:00", 6, "2020-03-01T00:00:00"),  # so what was recorded on 29 February is due
        ("2028-02-29T15:00:00", 4, "2024-02-29T15:00:00"),
        ("2028-02-29T15:00:00", 6, "2022-03-01T00:00:00"),
        ("2026-01-01T00:00:00", 100, "1926-01-01T00:00:00"),
    ],
)
def test_years_are_calendar_years(now: str, years: int, before: str) -> None:
    assert cut_off(at(now), years) == at(before)


@pytest.mark.parametrize("years", [0, -1, 101])
def test_years_are_one_to_a_hundred(years: int) -> None:
    with pytest.raises(ValueError, match="1 to 100"):
        cut_off(NOW, years)


def test_an_event_of_a_leap_day_stays_until_its_last_day_is_over(tmp_path: Path) -> None:
    path = aged(tmp_path / "ledger.db", "2020-02-29T10:00:00", "2020-03-01T10:00:00")
    due = [plan_retention(path, 6, at(now)).extent.last for now in ("2026-02-28T23:59:59", "2026-03-01T00:00:00")]
    assert due == [0, 1]


def test_only_an_unbroken_run_from_the_beginning_is_due(tmp_path: Path) -> None:
    times = ("2019-01-01", "2019-02-01", "2031-01-01", "2019-03-01", "2019-04-01", "2026-01-01")
    plan = plan_retention(aged(tmp_path / "ledger.db", *times), 6, NOW)
    assert (plan.extent.first, plan.extent.last, plan.extent.payloads) == (1, 2, 2)
    assert plan.stopped_at == (3, "2031-01-01T00:00:00.000000Z")
    assert plan.older_after == 2


def test_nothing_is_due_in_an_empty_or_young_ledger(tmp_path: Path) -> None:
    open_ledger(tmp_path / "empty.db", clock=SystemClock()).close()
    for path in (tmp_path / "empty.db", aged(tmp_path / "young.db", "2026-01-01")):
        plan = run(path)
        assert (plan.extent.payloads, plan.stopped_at is None) == (0, path.name == "empty.db")
        assert [event.kind for event in read_events(path)] == ["computed"] * (path.name == "young.db")


def test_pruned_bytes_are_gone_and_everything_else_stays(tmp_path: Path) -> None:
    path, count = tmp_path / "ledger.db", 1_000
    old, young = range(1, 701), range(701, count + 1)
    record(path, [("2019-06-01" if number in old else "2026-01-01", entry(number)) for number in range(1, count + 1)])
    events, size = list(read_events(path)), path.stat().st_size
    assert held(path, range(1, count + 1)) == [*old, *young]
    plan = run(path)
    assert (plan.extent.first, plan.extent.last, plan.extent.payloads) == (1, 700, 700)
    assert plan.extent.size == sum(len(event.body or "") + 16 for event in events[:700])
    assert held(path, old) == []
    assert held(path, young) == [*young]
    after = list(read_events(path))
    said = after.pop()
    assert [dataclasses.replace(event, salt=None, body=None) for event in after] == [
        dataclasses.replace(event, salt=None, body=None) for event in events
    ]
    assert after[700:] == events[700:]
    assert (said.kind, said.payload) == (
        "pruned",
        {"version": 1, "first": 1, "last": 700, "before": "2020-11-24T12:00:00.000000Z", "years": 6},
    )
    found = check_ledger(path)
    assert (found.ok, found.events, found.pruned) == (True, count + 1, 700)
    assert path.stat().st_size < size + 10_000
    # Freed pages take later payloads: the file does not grow.
    record(path, [("2026-11-24T13:00:00", entry(number)) for number in range(2_000, 2_300)])
    assert path.stat().st_size < size + 100_000  # what is left grows with table event alone
    assert check_ledger(path).ok


def test_year_after_year_each_run_takes_the_next_piece(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    record(
        path,
        [(f"{year}-06-01", entry(number)) for year in range(2015, 2020) for number in range(year * 90, year * 90 + 90)],
    )
    firsts = []
    for year in range(2022, 2026):
        firsts.append(run(path, now=at(f"{year}-12-31")).extent.first)
        gone = range(2015 * 90, (year - 6 + 1) * 90)
        assert held(path, range(2015 * 90, 2020 * 90)) == [n for n in range(2015 * 90, 2020 * 90) if n not in gone]
        assert check_ledger(path).ok
    assert firsts == [1, 181, 271, 361]


def test_the_ledgers_own_events_keep_their_payloads(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    kinds = [Kind.COMPUTED, LedgerKind.STARTED, Kind.COMPUTED, LedgerKind.CHECKPOINT, Kind.DELIVERED]
    record(path, [("2019-06-01", entry(number, kind)) for number, kind in enumerate(kinds, 1)])
    assert run(path).extent.kept == 2
    assert [event.seq for event in read_events(path) if event.body is not None] == [2, 4, 6]
    assert check_ledger(path).ok
    assert plan_retention(path, 6, NOW).extent.payloads == 0


def test_a_ledger_that_does_not_check_is_left_alone(tmp_path: Path) -> None:
    path = aged(tmp_path / "ledger.db", "2019-01-01", "2019-02-01", "2026-01-01")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        guard = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'payload_no_update'").fetchone()[0]
        connection.execute("DROP TRIGGER payload_no_update")
        connection.execute('UPDATE payload SET body = \'{"mark":"other"}\' WHERE seq = 3')
        connection.execute(guard)
    before = path.read_bytes()
    with pytest.raises(RetentionError, match="payload_hash at event 3"):
        check_before(path)
    answer = CliRunner().invoke(
        main, ["audit", "retain", "--prune", "--clock-is-right"], env={"TARLA_LEDGER": str(path)}
    )
    assert (answer.exit_code, "does not check" in answer.output) == (1, True)
    assert path.read_bytes() == before


def begun(path: Path, *, years: int, before: str, last: int, now: datetime = NOW) -> None:
    """Record a pruning as a run does that is cut off right after it."""
    payload = {"version": 1, "first": 1, "last": last, "before": before, "years": years}
    with closing(Store(path, SetClock(now))) as store:
        prepared = prepare(Entry("pruned:1", LedgerKind.PRUNED, payload))
        store.append([dataclasses.replace(prepared, pruned=(1, last))], time.monotonic() + 2)


def test_a_run_cut_off_after_its_event_is_finished_before_another_begins(tmp_path: Path) -> None:
    path = aged(tmp_path / "ledger.db", "2019-01-01", "2019-02-01", "2020-06-01", "2026-01-01")
    begun(path, years=6, before="2020-01-01T00:00:00.000000Z", last=2, now=at("2026-01-02"))
    assert [each.last for each in still_to_do(path)] == [2]
    plan = run(path)
    assert [each.extent.payloads for each in plan.unfinished] == [2]
    assert (plan.extent.first, plan.extent.last) == (3, 3)
    assert still_to_do(path) == ()
    assert [(event.seq, event.kind) for event in read_events(path) if event.body] == [
        (4, "computed"),
        (5, "pruned"),
        (6, "pruned"),
    ]
    assert check_ledger(path).ok


def test_a_pruning_under_a_shorter_policy_is_not_finished_under_a_longer_one(tmp_path: Path) -> None:
    path = aged(tmp_path / "ledger.db", "2023-01-01", "2026-01-01")
    begun(path, years=1, before="2025-01-01T00:00:00.000000Z", last=1)
    with pytest.raises(RetentionError, match="shorter policy"):
        run(path, years=6)
    assert held(path, range(1, 3)) == [1, 2]


def test_a_pruning_that_says_too_much_is_not_carried_out(tmp_path: Path) -> None:
    path = aged(tmp_path / "ledger.db", "2019-01-01", "2026-01-01")
    begun(path, years=6, before="2020-01-01T00:00:00.000000Z", last=2)
    with pytest.raises(RetentionError, match="not older than it says"):
        run(path)
    assert held(path, range(1, 3)) == [1, 2]


def test_the_writer_goes_on_while_payloads_are_deleted(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    record(path, [("2019-06-01", entry(number)) for number in range(1, 3_001)])
    context = multiprocessing.get_context("fork")
    process = context.Process(target=prune_all, args=(path,))
    process.start()
    count = 0
    with contextlib.closing(open_ledger(path, clock=SystemClock())) as writer:
        while process.is_alive() or count < 5:
            writer.record_blocking(entry(10_000 + count))  # raises beyond the writer's own deadline
            count += 1
    process.join()
    found = check_ledger(path)
    assert (process.exitcode, found.ok, found.pruned) == (0, True, 3_000)
    assert found.events == 3_001 + count


def test_the_command_changes_nothing_unless_told_to(tmp_path: Path) -> None:
    path = aged(tmp_path / "ledger.db", "2015-01-01", "2015-02-01")
    before = path.read_bytes()
    environment = {"TARLA_LEDGER": str(path)}
    dry = CliRunner().invoke(main, ["audit", "retain"], env=environment)
    assert dry.exit_code == 0
    assert "Kept for 6 years" in dry.output
    assert (
        "Due: events 1 to 2, recorded 2015-01-01T00:00:00.000000Z to 2015-02-01T00:00:00.000000Z: 2 pay" in dry.output
    )
    assert path.read_bytes() == before
    longer = CliRunner().invoke(main, ["audit", "retain", "--json"], env={**environment, "TARLA_RETENTION_YEARS": "50"})
    assert (json.loads(longer.output)["years"], json.loads(longer.output)["payloads"]) == (50, 0)
    refused = CliRunner().invoke(main, ["audit", "retain", "--prune"], env=environment)
    assert (refused.exit_code, "--clock-is-right" in refused.output) == (1, True)
    assert path.read_bytes() == before
    done = CliRunner().invoke(main, ["audit", "retain", "--prune", "--clock-is-right", "--json"], env=environment)
    pruned = json.loads(done.stdout)["pruned"]
    assert (done.exit_code, pruned["payloads"], pruned["event"], pruned["ledger_checks"]) == (0, 2, 3, True)
    assert held(path, range(1, 3)) == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
