"""The bot while the machine's clock is set about: numbers go on, no duration is negative, each step back is found."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.ledger import clock_steps
from bot.ledger.leaf import timestamp
from tests.support.app import RunningApp, over_http
from tests.support.chaos import rng, scale, tally
from tests.support.invariants import check_invariants

# Europe, 2026: at 01:00 UTC local clocks go back from 03:00 to 02:00, and forward from 02:00 to 03:00 in spring.
AUTUMN, SPRING = datetime(2026, 10, 25, 1, tzinfo=UTC), datetime(2026, 3, 29, 1, tzinfo=UTC)


class WanderingClock:
    """The machine's wall clock in the hands of somebody: ahead, behind or standing still. Time passes all the same."""

    def __init__(self, start: datetime) -> None:
        self.offset = start - datetime.now(UTC)
        self.frozen: datetime | None = None

    def now(self) -> datetime:
        """What it says."""
        return self.frozen or datetime.now(UTC) + self.offset

    def step(self, by: timedelta) -> None:
        """Set it."""
        self.frozen = self.frozen + by if self.frozen else None
        self.offset += by


@pytest.fixture
def local_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine that lives by the clocks of Central Europe, summer time included."""
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


async def ask(running: RunningApp, number: int) -> None:
    """One command, answered with figures."""
    assert "%" in (await running.ask(trigger_id=f"{number}.clock")).text


async def test_steps_of_the_clock_during_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, chance, wanted = tmp_path / "ledger.db", rng("clock"), scale(12, 300)
    clock = WanderingClock(datetime(2026, 11, 24, 12, tzinfo=UTC))
    monkeypatch.setattr(SystemClock, "now", lambda _: clock.now())
    steps = {"back": 0, "forward": 0, "frozen": 0}
    async with over_http(path) as running:
        await ask(running, 0)
        for number in range(1, wanted + 1):
            how = chance.choice(("back", "forward", "frozen"))
            steps[how] += 1
            if how == "frozen":
                clock.frozen = None if clock.frozen else clock.now()
            else:
                size = chance.choice((timedelta(seconds=2), timedelta(hours=1), timedelta(days=1)))
                clock.step(-size if how == "back" else size)
            await ask(running, number)
        events = await running.events()
    assert check_invariants(path, {}) == events
    assert len(events) == 2 * (wanted + 1)
    durations = [event.payload["milliseconds"] for event in events if event.payload and event.kind == "delivered"]
    assert len(durations) == wanted + 1
    assert all(isinstance(one, int) and one >= 0 for one in durations)
    found = {step.seq for step in clock_steps(path)}
    times = [event.time for event in events]
    assert found == {seq for seq in range(2, len(times) + 1) if times[seq - 1] < times[seq - 2]}
    assert found
    assert len(found) <= steps["back"] + steps["frozen"]  # one that stood still has fallen behind, or gets ahead
    tally("clock set during work", **steps, answers=wanted + 1, steps_found=len(found), negative_durations=0)


async def test_a_step_between_answer_and_delivery_leaves_the_duration_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, day = tmp_path / "ledger.db", timedelta(days=1)
    clock = WanderingClock(datetime(2026, 11, 24, 12, tzinfo=UTC))
    looks = 0

    def now(_: SystemClock) -> datetime:
        nonlocal looks
        looks += 1
        if looks == 2:  # the first is for ``computed``
            clock.step(-day)
        return clock.now()

    async with over_http(path) as running:
        monkeypatch.setattr(SystemClock, "now", now)
        await ask(running, 0)
        computed, delivered = await running.events()
    assert (computed.kind, delivered.kind) == ("computed", "delivered")
    assert delivered.time < computed.time
    assert delivered.payload is not None
    assert 0 <= int(str(delivered.payload["milliseconds"])) < 60_000
    (step,) = clock_steps(path)
    assert step.seq == delivered.seq
    assert timedelta(0) < day - step.back < timedelta(minutes=1)
    check_invariants(path, {})


@pytest.mark.usefixtures("local_time")
@pytest.mark.parametrize("change", [AUTUMN, SPRING], ids=["autumn", "spring"])
async def test_summer_time_is_no_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: datetime) -> None:
    """What the ward's clock on the wall does twice a year."""
    before, after = (change + timedelta(seconds=side) for side in (-2, 2))
    walls = [datetime.fromtimestamp(moment.timestamp()) for moment in (before, after)]  # noqa: DTZ006 - local on purpose
    assert abs(walls[1] - walls[0]) > timedelta(minutes=55)
    path, clock = tmp_path / "ledger.db", WanderingClock(before)
    clock.frozen = before.astimezone()
    monkeypatch.setattr(SystemClock, "now", lambda _: clock.now())
    async with over_http(path) as running:
        await ask(running, 0)
        await running.events()
        clock.frozen = after.astimezone()
        await ask(running, 1)
        events = await running.events()
    assert [event.time for event in events] == [timestamp(before)] * 2 + [timestamp(after)] * 2
    assert list(clock_steps(path)) == []
    check_invariants(path, {})
