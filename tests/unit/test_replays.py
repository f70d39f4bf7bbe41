"""A signature is good once, whatever the local clock does, and no more of them are kept than agreed."""

from __future__ import annotations

import hashlib
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from bot.transports.replays import REMEMBERED_MOST, REMEMBERED_S, WINDOW_S, Replays
from tests.support.fakes import FakeClock

MEMORY_MOST = 8_000_000
START = 1_764_000_000


def signature(number: int) -> str:
    """A signature of Slack's shape."""
    return "v0=" + hashlib.sha256(str(number).encode()).hexdigest()


def test_the_same_signature_is_good_once_and_another_is_good() -> None:
    replays = Replays(FakeClock().monotonic)
    assert [replays.is_new(signature(number), START) for number in (1, 2, 1, 2)] == [True, True, False, False]


def test_what_was_not_handled_may_come_again() -> None:
    replays = Replays(FakeClock().monotonic)
    assert replays.is_new(signature(1), START)
    replays.release(signature(1))
    assert replays.is_new(signature(1), START)
    assert not replays.is_new(signature(1), START)
    replays.release(signature(9))  # never seen: nothing happens


def test_one_dated_ahead_is_remembered_until_it_is_too_old() -> None:
    """Dated 299 s ahead it passes the check of the time for 599 s."""
    clock = FakeClock()
    replays = Replays(clock.monotonic)
    assert replays.is_new(signature(1), START + WINDOW_S - 1)
    for _ in range(2 * WINDOW_S):
        clock.seconds += 1.0
        assert not replays.is_new(signature(1), START + WINDOW_S - 1)
    assert REMEMBERED_S > 2 * WINDOW_S


def test_a_local_clock_set_back_lets_nothing_old_in() -> None:
    """Whoever checks the time would then take an hour-old copy for a fresh request."""
    clock = FakeClock()
    replays = Replays(clock.monotonic)
    assert replays.is_new(signature(1), START)
    clock.seconds += 3_600.0
    assert replays.is_new(signature(2), START + 3_600)
    assert len(replays) == 1  # the first is forgotten
    assert not replays.is_new(signature(1), START)
    assert not replays.is_new(signature(3), START - 5)  # never seen, and older than what is forgotten
    assert replays.is_new(signature(4), START + 1)


def test_beyond_the_bound_the_oldest_go_and_are_refused_all_the_same() -> None:
    clock = FakeClock()
    replays = Replays(clock.monotonic, most=3)
    for number in range(5):
        clock.seconds += 1.0
        assert replays.is_new(signature(number), START + number)
    assert len(replays) == 3
    assert not any(replays.is_new(signature(number), START + number) for number in range(5))


def test_the_bound_holds_in_memory() -> None:
    clock = FakeClock()
    replays = Replays(clock.monotonic)
    tracemalloc.start()
    try:
        for number in range(REMEMBERED_MOST + 1_000):
            clock.seconds += 0.01
            replays.is_new(signature(number), START + number // 100)
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(replays) == REMEMBERED_MOST
    assert used < MEMORY_MOST


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.floats(0.0, 900.0), st.integers(-400, 400), st.booleans()),
        max_size=60,
    )
)
def test_nothing_handled_is_ever_handled_again(steps: list[tuple[int, float, int, bool]]) -> None:
    """Whatever time passes, whatever time is signed, and whatever is released in between."""
    clock, handled = FakeClock(), set[tuple[int, int]]()
    replays = Replays(clock.monotonic, most=3)
    for number, seconds, offset, released in steps:
        clock.seconds += seconds
        one = (number, START + offset)
        key = signature(number * 1_000 + offset + 400)
        if replays.is_new(key, START + offset):
            assert one not in handled
            if released:
                replays.release(key)
            else:
                handled.add(one)
