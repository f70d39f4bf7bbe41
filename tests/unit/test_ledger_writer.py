"""The writer: order, group commit, duplicates, deadlines, closing."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.ledger import EntryError, LedgerWriter, check_ledger, open_ledger, read_event, read_events, writer
from bot.ledger.read import PAGE_ROWS
from handlers.ports import AlreadyRecordedError, Entry, Json, Kind, LedgerUnavailableError, Recorded

START = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


class SteppingClock:
    """One second later at every look; held back while ``gate`` is closed."""

    def __init__(self) -> None:
        self.looks = 0
        self.gate = threading.Event()
        self.gate.set()
        self.reached = threading.Event()

    def now(self) -> datetime:
        self.reached.set()
        assert self.gate.wait(10)
        self.looks += 1
        return START + timedelta(seconds=self.looks)

    def monotonic(self) -> float:
        return time.monotonic()


def entry(key: str, ref: int | None = None, **payload: Json) -> Entry:
    return Entry(key, Kind.COMPUTED if ref is None else Kind.DELIVERED, payload, ref)


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path, clock: SteppingClock) -> Iterator[LedgerWriter]:
    with closing(open_ledger(path, clock=clock)) as ledger:
        assert ledger.status().ok
        yield ledger


async def test_event_reads_back_as_recorded(ledger: LedgerWriter, path: Path) -> None:
    first = await ledger.record(entry("trigger.1", risk="0.534100", findings=["liver"]))
    second = await ledger.record(entry("trigger.1:delivered", ref=first.seq))
    assert (first.seq, first.time) == (1, "2026-11-22T09:30:01.000000Z")
    one, two = read_events(path)
    assert (one.seq, one.idem_key, one.kind, one.ref, one.time) == (1, "trigger.1", "computed", None, first.time)
    assert one.payload == {"risk": "0.534100", "findings": ["liver"]}
    assert one.leaf == first.leaf
    assert (two.kind, two.ref, two.payload, two.leaf) == ("delivered", 1, {}, second.leaf)
    assert "0.534100" not in repr(one)
    assert read_event(path, 2) == two
    assert read_event(path, 3) is None
    assert first.receipt == f"1-{one.leaf.hex()[:4]}"


async def test_equal_payloads_have_different_salts_and_hashes(ledger: LedgerWriter, path: Path) -> None:
    for key in ("a", "b"):
        await ledger.record(entry(key, risk="0.5"))
    one, two = read_events(path)
    assert one.body == two.body
    assert one.salt != two.salt
    assert one.payload_hash != two.payload_hash


async def test_what_waits_is_committed_together(ledger: LedgerWriter, path: Path, clock: SteppingClock) -> None:
    clock.gate.clear()
    first = asyncio.create_task(ledger.record(entry("first")))
    await asyncio.to_thread(clock.reached.wait, 5)  # the thread is inside its first transaction
    rest = [asyncio.create_task(ledger.record(entry(f"k{i}"))) for i in range(100)]
    await asyncio.sleep(0)  # all have been queued
    clock.gate.set()
    recorded = await asyncio.gather(first, *rest)
    assert [one.seq for one in recorded] == list(range(1, 102))
    status = ledger.status()
    assert (status.recorded, status.commits) == (101, 2)
    assert check_ledger(path).events == 101


async def test_duplicate_fails_for_its_caller_only(ledger: LedgerWriter, clock: SteppingClock) -> None:
    old = await ledger.record(entry("old"))
    clock.gate.clear()
    clock.reached.clear()
    held = asyncio.create_task(ledger.record(entry("held")))
    await asyncio.to_thread(clock.reached.wait, 5)
    calls = [ledger.record(entry(key)) for key in ("new", "old", "new", "other")]
    waiting = asyncio.gather(*calls, return_exceptions=True)
    await asyncio.sleep(0)
    clock.gate.set()
    new, old_again, new_again, other = await waiting
    await held
    assert isinstance(new, Recorded)
    assert isinstance(other, Recorded)
    assert (new.seq, other.seq) == (3, 4)
    assert isinstance(old_again, AlreadyRecordedError)
    assert old_again.recorded == old
    assert isinstance(new_again, AlreadyRecordedError)
    assert new_again.recorded == new
    assert ledger.status().recorded == 4


async def test_ref_must_be_an_earlier_event(ledger: LedgerWriter, path: Path) -> None:
    for ref in (1, 0, -1, True):
        with pytest.raises(EntryError, match="ref must be"):
            await ledger.record(Entry("k", Kind.DELIVERED, {}, ref))
    await ledger.record(entry("k"))
    await ledger.record(entry("k:delivered", ref=1))
    assert [event.ref for event in read_events(path)] == [None, 1]


@pytest.mark.parametrize("key", ["", "two words", "caf\u00e9", "line\n", "k" * 201])
async def test_idem_key_is_an_identifier(ledger: LedgerWriter, key: str) -> None:
    with pytest.raises(EntryError, match="idem_key"):
        await ledger.record(entry(key))


async def test_float_is_refused_before_anything_is_written(ledger: LedgerWriter, path: Path) -> None:
    with pytest.raises(EntryError, match=r"payload\.risk is a float"):
        await ledger.record(Entry("k", Kind.COMPUTED, {"risk": 0.5}))  # type: ignore[dict-item] # the point
    assert list(read_events(path)) == []


async def test_payload_is_fixed_at_the_call(ledger: LedgerWriter, path: Path, clock: SteppingClock) -> None:
    clock.gate.clear()
    payload: dict[str, Json] = {"risk": "0.5"}
    task = asyncio.create_task(ledger.record(Entry("k", Kind.COMPUTED, payload)))
    await asyncio.to_thread(clock.reached.wait, 5)
    payload["risk"] = "0.9"
    clock.gate.set()
    await task
    assert [event.payload for event in read_events(path)] == [{"risk": "0.5"}]


async def test_entry_given_up_in_the_queue_never_appears(
    ledger: LedgerWriter, path: Path, clock: SteppingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "RECORD_DEADLINE_S", 0.4)
    clock.gate.clear()
    taken = asyncio.create_task(ledger.record(entry("taken")))
    await asyncio.to_thread(clock.reached.wait, 5)
    cancelled = asyncio.create_task(ledger.record(entry("cancelled")))
    blocking = asyncio.create_task(asyncio.to_thread(ledger.record_blocking, entry("blocking")))
    began = time.monotonic()
    with pytest.raises(LedgerUnavailableError, match="timeout"):
        await ledger.record(entry("late"))
    assert time.monotonic() - began < 0.6
    with pytest.raises(LedgerUnavailableError, match="timeout"):
        await blocking
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    assert not taken.done()  # being written: waited for beyond its deadline
    clock.gate.set()
    assert (await taken).seq == 1
    assert (await ledger.record(entry("next"))).seq == 2
    assert [event.idem_key for event in read_events(path)] == ["taken", "next"]


async def test_caller_cancelled_in_the_queue_leaves_no_event(
    ledger: LedgerWriter, path: Path, clock: SteppingClock
) -> None:
    clock.gate.clear()
    taken = asyncio.create_task(ledger.record(entry("taken")))
    await asyncio.to_thread(clock.reached.wait, 5)
    queued = asyncio.create_task(ledger.record(entry("queued")))
    await asyncio.sleep(0)
    queued.cancel()
    with pytest.raises(asyncio.CancelledError):
        await queued
    clock.gate.set()
    await taken
    await ledger.aclose()
    assert [event.idem_key for event in read_events(path)] == ["taken"]


async def test_queue_is_bounded(ledger: LedgerWriter, clock: SteppingClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MAX_WAITING", 3)
    clock.gate.clear()
    tasks = [asyncio.create_task(ledger.record(entry("taken")))]
    await asyncio.to_thread(clock.reached.wait, 5)
    tasks += [asyncio.create_task(ledger.record(entry(f"k{i}"))) for i in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(LedgerUnavailableError, match="timeout"):
        await ledger.record(entry("too many"[:3]))
    clock.gate.set()
    assert [one.seq for one in await asyncio.gather(*tasks)] == [1, 2, 3, 4]


async def test_closing_writes_what_waits_and_takes_no_more(
    ledger: LedgerWriter, path: Path, clock: SteppingClock
) -> None:
    clock.gate.clear()
    tasks = [asyncio.create_task(ledger.record(entry("taken")))]
    await asyncio.to_thread(clock.reached.wait, 5)
    tasks += [asyncio.create_task(ledger.record(entry(f"k{i}"))) for i in range(5)]
    await asyncio.sleep(0)
    closing_ = asyncio.create_task(ledger.aclose())
    await asyncio.sleep(0.05)
    with pytest.raises(LedgerUnavailableError, match="closed"):
        await ledger.record(entry("late"))
    clock.gate.set()
    await closing_
    assert len(await asyncio.gather(*tasks)) == 6
    assert check_ledger(path).events == 6
    assert ledger.status().code == "closed"
    await ledger.aclose()  # twice does no harm


async def test_broken_clock_fails_the_call_and_not_the_writer(path: Path) -> None:
    class BrokenClock(SteppingClock):
        def now(self) -> datetime:
            if self.looks == 0:
                self.looks = 1
                raise RuntimeError("no time")
            return super().now().replace(tzinfo=None if self.looks == 2 else UTC)

    with closing(open_ledger(path, clock=BrokenClock())) as ledger:
        with pytest.raises(RuntimeError, match="no time"):
            await ledger.record(entry("k"))
        assert not ledger.status().ok
        with pytest.raises(ValueError, match="without a zone"):
            await ledger.record(entry("k"))
        assert (await ledger.record(entry("k"))).seq == 1
        assert ledger.status().ok


def test_clock_set_back_does_not_stop_the_ledger(path: Path) -> None:
    class BackwardClock(SteppingClock):
        def now(self) -> datetime:
            self.looks += 1
            return START - timedelta(days=self.looks)

    with closing(open_ledger(path, clock=BackwardClock())) as ledger:
        one, two = (ledger.record_blocking(entry(key)) for key in ("a", "b"))
    assert (one.seq, two.seq) == (1, 2)
    assert one.time > two.time
    assert check_ledger(path).ok


def test_reopened_ledger_goes_on_counting(path: Path, clock: SteppingClock) -> None:
    for expected in (1, 2, 3):
        with closing(open_ledger(path, clock=clock)) as ledger:
            assert ledger.record_blocking(entry(f"k{expected}")).seq == expected


async def test_slow_reader_does_not_hold_up_the_writer(ledger: LedgerWriter, path: Path) -> None:
    await asyncio.gather(*(ledger.record(entry(f"k{i}")) for i in range(PAGE_ROWS + 5)))
    events = read_events(path)
    next(events)
    began = time.monotonic()
    await ledger.record(entry("meanwhile"))
    assert time.monotonic() - began < 0.5
    assert sum(1 for _ in events) == PAGE_ROWS + 5


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LedgerWriter, Path]]:
    path = tmp_path_factory.mktemp("shared") / "ledger.db"
    with closing(open_ledger(path, clock=SteppingClock())) as ledger:
        yield ledger, path
    assert check_ledger(path).ok


@settings(max_examples=30, deadline=None)
@given(payload=st.dictionaries(st.text(max_size=10), json_values, max_size=4))
def test_any_json_payload_comes_back_the_same(shared: tuple[LedgerWriter, Path], payload: dict[str, Json]) -> None:
    ledger, path = shared
    recorded = ledger.record_blocking(Entry(str(uuid4()), Kind.COMPUTED, payload))
    event = read_event(path, recorded.seq)
    assert event is not None
    assert event.payload == payload
    assert event.leaf == recorded.leaf
