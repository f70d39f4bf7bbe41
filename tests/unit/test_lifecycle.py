"""Begin and end of a serving process in the ledger, and requests that an earlier one left without an outcome."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.audit.verification import verify
from bot.checkpoints.keeper import CheckpointKeeper, Rhythm
from bot.clock import SystemClock
from bot.compose import make_tarla
from bot.ledger import StoredEvent, read_events
from bot.lifecycle import interrupted, process
from bot.lifecycle.process import Lifecycle
from bot.settings import Settings
from handlers.ports import Entry, Kind
from knowledge.model import load as load_model
from tests.support.app import BOT_TOKEN, until
from tests.support.vouched import Vouched, guards_off


@asynccontextmanager
async def living(made: Vouched, *, alone_s: float = 0.0, together_s: float = 60.0) -> AsyncIterator[Lifecycle]:
    with made.writing() as writer:
        clock = SystemClock()
        keeper = CheckpointKeeper(made.ledger, made.folder, made.key_path, writer, clock, rhythm=Rhythm(poll_s=0.01))
        life = Lifecycle(made.ledger, writer, clock, keeper, load_model, alone_s=alone_s, together_s=together_s)
        await life.begin()
        try:
            yield life
        finally:
            await life.end()


def events(made: Vouched, *kinds: str) -> list[StoredEvent]:
    return [event for event in read_events(made.ledger) if not kinds or event.kind in kinds]


async def settled(made: Vouched, starts: int) -> None:
    """Wait until the starts so far are recorded with all they bring."""
    await until(lambda: len(events(made, "started")) == starts and bool(events(made, "model_activated")))
    await asyncio.sleep(0.1)


async def test_begin_and_end_stand_in_the_ledger_and_a_checkpoint_covers_both(tmp_path: Path) -> None:
    made = Vouched(tmp_path)
    async with living(made):
        await settled(made, 1)
    kinds = [event.kind for event in events(made)]
    assert kinds == ["started", "model_activated", "stopped", "checkpoint"]
    started, activated, stopped, checkpoint = events(made)
    assert started.payload is not None
    assert set(started.payload) == {"version", "program", "model", "evidence", "sqlite"}
    assert activated.payload is not None
    assert activated.payload["model"] == started.payload["model"]
    assert stopped.ref == started.seq
    assert checkpoint.ref == stopped.seq
    found = verify(made.ledger, [made.folder], [made.ring().key.public])
    assert (found.problems, found.covered) == ([], 3)


async def test_what_the_process_records_of_itself_is_counted_too(tmp_path: Path) -> None:
    made = Vouched(tmp_path)
    places = {"tarla_ledger": made.ledger, "tarla_checkpoints": made.folder.path, "tarla_signing_key": made.key_path}
    settings = Settings(_env_file=None, slack_bot_token=SecretStr(BOT_TOKEN), **places)
    tarla = make_tarla(settings, SystemClock())
    life = process.make_lifecycle(tarla, settings)
    await life.begin()
    await settled(made, 1)
    await life.end()
    await tarla.ledger.aclose()
    counted = {kind: count for (kind,), count in tarla.operations.counts.ledger_events.series() if count}
    assert counted == Counter(event.kind for event in events(made))
    assert set(counted) == {"started", "model_activated", "stopped", "checkpoint"}


async def test_another_model_is_recorded_once_and_the_same_one_not_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Vouched(tmp_path)
    for start in (1, 2):
        async with living(made):
            await settled(made, start)
    assert len(events(made, "model_activated")) == 1
    before = process.versions(load_model)
    monkeypatch.setattr(process, "versions", lambda _model: before | {"evidence": "2027-01-01"})
    async with living(made), living(made):
        await settled(made, 4)
    last = events(made, "model_activated")
    assert len(last) == 2
    assert last[1].payload is not None
    assert last[1].payload["evidence"] == "2027-01-01"


def leave(made: Vouched, *names: str, kind: Kind = Kind.COMPUTED) -> None:
    """Answers of a process that was cut off before their outcome."""
    with made.writing() as writer:
        for name in names:
            writer.record_blocking(Entry(name, kind, {"risk": "0.5"}))


async def test_requests_without_an_outcome_are_marked_at_the_next_start_and_once(tmp_path: Path) -> None:
    made = Vouched(tmp_path)
    made.record("whole")
    for kind in (Kind.COMPUTED, Kind.REFUSED, Kind.LOOKED_UP, Kind.SHARED, Kind.OUTCOME):
        leave(made, f"cut-{kind}", kind=kind)
    for start in (1, 2, 3):
        async with living(made):
            await settled(made, start)
            await until(lambda: len(events(made, "interrupted")) == 5)
    marked = events(made, "interrupted")
    assert [event.idem_key for event in marked] == [f"interrupted-{seq}" for seq in (3, 4, 5, 6, 7)]
    assert [event.ref for event in marked] == [3, 4, 5, 6, 7]
    assert all(event.seq < events(made, "stopped")[0].seq for event in marked)


async def test_pages_and_ranges_leave_nothing_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupted, "PAGE_EVENTS", 3)
    made = Vouched(tmp_path)
    for start in range(1, 5):
        leave(made, *(f"cut-{start}-{number}" for number in range(start)))
        async with living(made):
            await settled(made, start)
            await until(lambda total=start * (start + 1) // 2: len(events(made, "interrupted")) == total)


async def test_while_another_process_serves_young_ones_are_left_to_it(tmp_path: Path) -> None:
    made = Vouched(tmp_path)
    async with living(made):
        await settled(made, 1)
        leave(made, "under-way")
        async with living(made, together_s=60.0):
            await settled(made, 2)
            assert events(made, "interrupted") == []
    # Alone again; whoever was at it is gone.
    async with living(made):
        await until(lambda: len(events(made, "interrupted")) == 1)


async def test_those_left_alone_are_looked_at_again_later(tmp_path: Path) -> None:
    made = Vouched(tmp_path)
    async with living(made):
        await settled(made, 1)
        leave(made, "cut", "answered-later")
        async with living(made, together_s=0.5) as life:
            await settled(made, 2)
            assert events(made, "interrupted") == []
            await life.writer.record(Entry("answered-later#delivery", Kind.DELIVERED, {"version": 1}, ref=4))
            await until(lambda: len(events(made, "interrupted")) == 1)
    assert [event.idem_key for event in events(made, "interrupted")] == ["interrupted-3"]


async def test_a_start_that_died_before_its_second_look_is_made_up_for(tmp_path: Path) -> None:
    made = Vouched(tmp_path)
    async with living(made):
        await settled(made, 1)
    leave(made, "cut")
    async with living(made, alone_s=30.0):  # too young for this start, which ends before it looks again
        await settled(made, 2)
    assert events(made, "interrupted") == []
    async with living(made):
        await until(lambda: len(events(made, "interrupted")) == 1)


async def test_a_ledger_that_comes_back_later_gets_its_start_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "RETRY_S", 0.05)
    made = Vouched(tmp_path)
    made.record("a")
    with guards_off(made.ledger):  # the guards are away meanwhile
        async with asyncio.timeout(30):
            context = living(made)
            life = await context.__aenter__()
            await until(lambda: life.keeper.status.alarm == "schema")
            assert not life.writer.status().ok
    await until(lambda: len(events(made, "started")) == 1)
    await context.__aexit__(None, None, None)
    # A checkpoint made before answers were taken again could not be recorded then, and is now.
    kinds = [event.kind for event in events(made)]
    assert kinds[:3] + kinds[-1:] == ["computed", "delivered", "started", "checkpoint"]
    assert kinds.count("stopped") == 1
