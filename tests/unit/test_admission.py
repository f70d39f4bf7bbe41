"""Turns: first come, first served, bounded, and nobody waits for what would come too late."""

from __future__ import annotations

import asyncio

import pytest

from bot.transports import admission as limits
from bot.transports.admission import Admission
from bot.transports.counts import Counts
from tests.support.fakes import FakeClock


class Door:
    """An admission of two places and three waiting, with a clock and listeners at will."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "SIDE_BY_SIDE", 2)
        monkeypatch.setattr(limits, "MOST_WAITING", 3)
        self.clock, self.counts, self.at_work = FakeClock(), Counts(), 0
        self.admission = Admission(self.clock.monotonic, self.counts, lambda: self.at_work)
        self.answered: list[int] = []
        self.busy: list[int] = []
        self.done: dict[int, asyncio.Event] = {}

    async def come(self, number: int, *, goes_on: bool = False) -> asyncio.Task[None]:
        """Request ``number`` comes in; it keeps its turn until it is let go."""
        self.done[number] = asyncio.Event()

        async def request() -> None:
            async with self.admission.turn(self.clock.monotonic(), goes_on=goes_on) as taken:
                (self.answered if taken else self.busy).append(number)
                if taken:
                    await self.done[number].wait()

        task = asyncio.create_task(request())
        await asyncio.sleep(0)
        return task

    async def let_go(self, *numbers: int) -> None:
        """These are answered."""
        for number in numbers:
            self.done[number].set()
        for _ in range(5):
            await asyncio.sleep(0)


async def test_first_come_first_served_and_beyond_the_bound_busy_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door(monkeypatch)
    for number in range(7):
        await door.come(number)
    assert (door.answered, door.busy, door.admission.in_hand) == ([0, 1], [5, 6], 5)
    await door.let_go(1, 0)
    assert door.answered == [0, 1, 2, 3]
    await door.let_go(*range(5))
    assert door.answered == [0, 1, 2, 3, 4]
    assert door.admission.in_hand == 0
    assert (door.counts.shed, door.counts.late) == (2, 0)


async def test_whose_turn_comes_too_late_is_told_so_and_the_next_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door(monkeypatch)
    for number in range(3):
        await door.come(number)
    door.clock.seconds += 1.0
    await door.come(3)
    door.clock.seconds += 1.5  # the third has waited 2.5 s, the fourth 1.5
    await door.let_go(0)
    assert (door.answered, door.busy, door.counts.late) == ([0, 1, 3], [2], 1)
    await door.let_go(1, 3)
    assert door.admission.in_hand == 0


async def test_nobody_joins_a_row_that_does_not_move(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door(monkeypatch)
    for number in range(3):
        await door.come(number)
    door.clock.seconds += limits.ROW_WAITS_S + 0.1
    await door.come(3)
    assert (door.busy, door.counts.shed) == ([3], 1)
    await door.let_go(0, 1, 2)
    await door.come(4)
    assert door.answered[-1] == 4


async def test_work_that_goes_on_is_bounded_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door(monkeypatch)
    door.at_work = limits.MOST_AT_WORK
    await door.come(0, goes_on=True)
    await door.come(1, goes_on=False)
    assert (door.answered, door.busy, door.counts.shed) == ([1], [0], 1)
    await door.let_go(1)


async def test_who_gives_up_takes_no_turn_away(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door(monkeypatch)
    tasks = [await door.come(number) for number in range(5)]
    tasks[2].cancel()
    door.done[0].set()
    tasks[3].cancel()
    await door.let_go(0, 1)
    assert door.answered == [0, 1, 4]
    await door.let_go(4)
    assert door.admission.in_hand == 0
    assert door.admission._free == 2


async def test_a_turn_given_to_one_who_just_gave_up_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door(monkeypatch)
    tasks = [await door.come(number) for number in range(4)]
    # Both in the same moment: its turn is there, and it is cancelled before it could take it.
    door.admission._pass_on()
    tasks[2].cancel()
    await asyncio.wait({tasks[2]})
    for _ in range(3):
        await asyncio.sleep(0)
    assert door.answered == [0, 1, 3]
    for event in door.done.values():
        event.set()
    await asyncio.wait(tasks)


async def test_a_request_that_fails_gives_its_turn_back(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door(monkeypatch)
    for _ in range(10):
        with pytest.raises(ValueError, match="fails"):
            async with door.admission.turn(door.clock.monotonic(), goes_on=False):
                raise ValueError("fails")
    assert door.admission.in_hand == 0


def test_the_figures_fit_slacks_three_seconds() -> None:
    assert limits.ROW_WAITS_S < limits.LATEST_TURN_S < 3.0 - 0.5
    assert limits.SIDE_BY_SIDE + limits.MOST_WAITING + limits.MOST_AT_WORK < 1_024
