"""The fault tests' own instruments: what they take for a broken promise, a lost write, a missing part."""

from __future__ import annotations

import copy
import dataclasses
import random
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.clock import SystemClock
from bot.ledger import open_ledger
from bot.ledger.merkle import root_of
from handlers.ports import Entry, Kind, Recorded
from tests.support import fault_tools
from tests.support.invariants import check_invariants, merkle_root
from tests.support.ledger_child import promise, promises
from tests.support.ledger_rows import answer_entry, patient_payload
from tests.support.power import SECTOR, Disk
from tests.support.traced_writes import FOLDER, Create, Remove, Sync, Truncate, Write


def test_root_is_that_of_the_ledgers_own_tree() -> None:
    leaves = [bytes([number]) * 32 for number in range(40)]
    assert all(merkle_root(leaves[:size]) == root_of(leaves[:size]) for size in range(len(leaves) + 1))


def recorded(path: Path, *entries: Entry) -> dict[str, Recorded]:
    """A ledger of these entries, closed, and what was promised."""
    with closing(open_ledger(path, clock=SystemClock())) as ledger:
        return {entry.idem_key: ledger.record_blocking(entry) for entry in entries}


def test_kept_promises_pass_and_broken_ones_do_not(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    told = recorded(path, answer_entry("a", 1), answer_entry("b", 2))
    events = check_invariants(path, told, [(0, merkle_root([]))])
    assert [event.idem_key for event in events] == ["a", "b"]
    for broken in (
        {"c": told["a"]},
        {"a": told["b"]},
        {"a": dataclasses.replace(told["a"], seq=2)},
        {"a": dataclasses.replace(told["a"], leaf=bytes(32))},
        {"a": dataclasses.replace(told["a"], time="2020-01-01T00:00:00.000000Z")},
    ):
        with pytest.raises(AssertionError, match="I1"):
            check_invariants(path, broken)
    for size, root in ((3, bytes(32)), (2, bytes(32)), (1, merkle_root([event.leaf for event in events]))):
        with pytest.raises(AssertionError, match="I2"):
            check_invariants(path, told, [(size, root)])


def test_request_computed_twice_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    told = recorded(path, answer_entry("a"), answer_entry("a#again"))
    with pytest.raises(AssertionError, match="I3"):
        check_invariants(path, told)


def test_recorded_figure_that_the_engine_does_not_give_is_noticed(tmp_path: Path) -> None:
    payload: dict[str, Any] = copy.deepcopy(patient_payload(3))
    outcome = payload["outcomes"][0]
    outcome["risk"] = f"{float(outcome['risk']) + 0.00001:.6f}"
    told = recorded(tmp_path / "ledger.db", Entry("a", Kind.COMPUTED, payload))
    with pytest.raises(AssertionError, match="I5"):
        check_invariants(tmp_path / "ledger.db", told)


def test_promise_cut_short_is_none() -> None:
    told = Recorded(7, "2026-11-22T09:30:00.000000Z", bytes(32))
    said = promise(told, "a")
    assert promises(said + said[:-1].replace(b"a", b"b")) == {"a": told}


OLD, NEW = b"o" * SECTOR * 2, b"n" * SECTOR * 2


def left(disk: Disk, name: str = "f") -> set[bytes | None]:
    """Everything that a loss of power was seen to leave of one file."""
    chance = random.Random(1284)  # noqa: S311 - faults at random places, no secret
    return {disk.after_loss(chance).get(name) for _ in range(200)}


def test_only_what_was_synced_is_sure() -> None:
    disk = Disk({"f": OLD})
    assert not disk.unsure
    assert left(disk) == {OLD}
    disk.apply(Write("f", 0, NEW))
    assert disk.unsure
    old, new = OLD[:SECTOR], NEW[:SECTOR]
    assert left(disk) == {one + other for one in (old, new) for other in (old, new)}
    disk.apply(Sync("f"))
    assert not disk.unsure
    assert left(disk) == {NEW}
    disk.apply(Truncate("f", SECTOR))
    assert left(disk) == {NEW, new}


def test_growing_file_may_hold_noise_and_a_name_may_be_lost_or_come_back() -> None:
    disk = Disk({})
    disk.apply(Create("f"))
    disk.apply(Write("f", 0, NEW))
    disk.apply(Sync("f"))
    assert left(disk) == {None, NEW}
    disk.apply(Sync(FOLDER))
    assert left(disk) == {NEW}
    disk.apply(Write("f", len(NEW), NEW))
    grown = left(disk) - {NEW, NEW * 2}
    assert len(grown) > 2  # noise in what was not written yet
    disk.apply(Sync("f"))
    disk.apply(Remove("f"))
    assert left(disk) == {None, NEW * 2}
    disk.apply(Sync(FOLDER))
    assert left(disk) == {None}
    assert not disk.unsure


@pytest.mark.parametrize(
    ("setting", "outcome"), [("", pytest.skip.Exception), ("required", pytest.fail.Exception)], ids=["skip", "fail"]
)
def test_a_missing_part_skips_unless_required(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TARLA_E2E", setting)
    reason = fault_tools.without_strace.__wrapped__()
    assert reason is not None
    assert fault_tools.namespace.__wrapped__() is None
    with pytest.raises(outcome, match="strace"):
        fault_tools.require(reason)
    fault_tools.require(None)
