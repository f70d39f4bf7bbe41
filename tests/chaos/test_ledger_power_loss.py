"""Loss of power at any moment: what the disk may hold then is opened, undone where need be, and holds every promise.

A writer's every write and sync is recorded, once. Then the disk is made as each loss of power might have left it
(tests/support/power.py has the rules) and the ledger on it is opened by the bot's own code.
"""

from __future__ import annotations

import functools
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.ledger import open_ledger
from handlers.ports import LedgerUnavailableError, Recorded
from tests.support import ledger_child
from tests.support.chaos import rng, scale, tally
from tests.support.fault_tools import require, without_strace
from tests.support.invariants import check_invariants
from tests.support.ledger_child import promises
from tests.support.ledger_rows import answer_entry
from tests.support.power import Disk
from tests.support.traced_writes import FOLDER, Event, Said, Sync, record

NAME = "ledger.db"
MEMORY = Path("/dev/shm")  # noqa: S108 - a file system whose syncs cost nothing; the folder in it is made by tempfile


@dataclass(frozen=True)
class Recording:
    """What stood on the disk at the start, and what a writer then did and said."""

    before: Mapping[str, bytes]
    events: tuple[Event, ...]


# How many events there are before (0: there is no ledger yet), and the child's arguments.
WRITERS = {
    "a new ledger": (0, ("--each", "6")),
    "one at a time": (30, ("--each", str(scale(12, 100)))),
    "twenty at once": (5, ("--each", "3", "--together", "20")),
    "OFF": (5, ("--each", "6", "--synchronous", "OFF")),
    "FULL": (5, ("--each", "6", "--synchronous", "FULL")),
}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Recording]:
    """The recording of one of ``WRITERS``, made when it is first asked for."""
    require(without_strace())

    @functools.cache
    def make(how: str) -> Recording:
        events_before, arguments = WRITERS[how]
        path = tmp_path_factory.mktemp("recorded-disk") / NAME
        if events_before:
            with closing(open_ledger(path, clock=SystemClock())) as ledger:
                for number in range(events_before):
                    ledger.record_blocking(answer_entry(f"before-{number}", number))
        before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
        return Recording(
            before, tuple(record(path.parent, ["-m", ledger_child.__name__, str(path), "child", *arguments]))
        )

    return make


@pytest.fixture
def disk_folder() -> Iterator[Path]:
    """Where to put what a loss of power left; in memory if there is such a place."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield Path(folder)


def losses(
    recording: Recording, count: int, chance: random.Random
) -> Iterator[tuple[dict[str, bytes], dict[str, Recorded]]]:
    """About ``count`` disks as lost power left them, each with what was promised by then.

    Moments are taken in turn: each the same number of times, or where there are more than ``count`` every so many,
    and always those just before and after a promise.
    """
    events = recording.events
    draws, stride = -(-count // (len(events) + 1)), max(1, len(events) // count)
    disk, said = Disk(recording.before), bytearray()
    for moment in range(len(events) + 1):
        here, coming = events[moment - 1 : moment], events[moment : moment + 1]
        for event in here:
            disk.apply(event)
            if isinstance(event, Said):
                said += event.data
        # Of promises spoken one after the other, the first and the last.
        at_promise = any(map(is_promise, here)) != any(map(is_promise, coming))
        for _ in range(draws if at_promise or moment % stride == 0 else 0):
            yield disk.after_loss(chance), promises(bytes(said))


def is_promise(event: Event) -> bool:
    """Whether something is promised by it."""
    return isinstance(event, Said)


def put(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Lay out a disk afresh and give the path of its ledger."""
    shutil.rmtree(folder)
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder / NAME


@pytest.mark.parametrize("how", ["a new ledger", "one at a time", "twenty at once"])
def test_every_promise_outlives_a_loss_of_power(
    recorded: Callable[[str], Recording], disk_folder: Path, how: str
) -> None:
    recording, events_before = recorded(how), WRITERS[how][0]
    undone = cuts = unpromised = 0
    for files, told in losses(recording, scale(30, 2_000), rng(f"power {how}")):
        path = put(disk_folder, files)
        with closing(open_ledger(path, clock=SystemClock())) as ledger:
            assert ledger.status().ok, ledger.status()
            told["after"] = ledger.record_blocking(answer_entry("after"))
        events = check_invariants(path, told)
        assert len(events) >= events_before + len(told)
        cuts += 1
        undone += any(name != NAME for name in files)
        unpromised += len(events) > events_before + len(told)
    # The test has teeth only if writes were cut in half and commits finished without being promised.
    assert undone
    assert unpromised
    tally(f"power lost, {how}", cuts=cuts, of_calls=len(recording.events), with_journal=undone, unpromised=unpromised)


@pytest.mark.parametrize("synchronous", ["OFF", "FULL"])
def test_with_fewer_syncs_the_same_replay_loses_promises(
    recorded: Callable[[str], Recording], disk_folder: Path, synchronous: str
) -> None:
    """The control: without the ledger's own setting (EXTRA), what is promised is lost."""
    lost = cuts = 0
    for files, told in losses(recorded(synchronous), scale(25, 1_000), rng(f"power {synchronous}")):
        path = put(disk_folder, files)
        try:
            with closing(open_ledger(path, clock=SystemClock())) as ledger:
                ledger.record_blocking(answer_entry("after"))
            check_invariants(path, told)
        except (LedgerUnavailableError, AssertionError):
            lost += 1
        cuts += 1
    assert lost
    tally(f"power lost with synchronous {synchronous} (control)", cuts=cuts, losing=lost)


def syncs_before_each_promise(recording: Recording) -> list[tuple[bool, Counter[str]]]:
    """For every promise: would a loss of power have changed anything then, and what was synced since the last one."""
    disk, syncs, found = Disk(recording.before), Counter[str](), []
    for event in recording.events:
        disk.apply(event)
        if isinstance(event, Sync):
            syncs[event.name] += 1
        elif isinstance(event, Said):
            found.append((disk.unsure, syncs))
            syncs = Counter()
    return found


def test_every_promise_comes_after_its_syncs(recorded: Callable[[str], Recording]) -> None:
    """Of the journal, of the ledger and of the folder (so that the journal's name is gone for good), every time."""
    found = syncs_before_each_promise(recorded("one at a time"))
    assert len(found) == scale(12, 100)
    for unsure, syncs in found:
        assert not unsure
        assert min(syncs[f"{NAME}-journal"], syncs[NAME], syncs[FOLDER]) >= 1
    total = sum((syncs for _, syncs in found), Counter())
    tally(
        "syncs before promises",
        promises=len(found),
        unsure=0,
        of_the_ledger=total[NAME],
        of_its_journal=total[f"{NAME}-journal"],
        of_the_folder=total[FOLDER],
    )


def test_without_syncs_no_promise_is_sure(recorded: Callable[[str], Recording]) -> None:
    """The control for the test above."""
    found = syncs_before_each_promise(recorded("OFF"))
    assert [unsure for unsure, _ in found] == [True] * 6
