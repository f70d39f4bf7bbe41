"""How the transport learns which event its reply carries, and what it records of the sending."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import pytest

from bot.tasks import Background, InFlight
from handlers import delivery
from handlers.delivery import (
    CONFIRMED,
    SLACK_PATIENCE_S,
    UNCONFIRMED,
    Delivery,
    expecting_delivery,
    message_before_acknowledgement,
    note_event,
    note_flaw,
    own_delivery,
    record_outcome,
    request_received,
)
from handlers.ports import Kind, LedgerUnavailableError
from tests.support.fakes import FakeClock, FakeLedger, recorded


def test_an_event_reaches_the_delivery_that_is_open() -> None:
    with expecting_delivery() as outer:
        note_event("outer", recorded(1))
        with expecting_delivery() as inner:
            note_event("inner", recorded(2))
        assert (inner.key, inner.event) == ("inner", recorded(2))
    assert (outer.key, outer.event) == ("outer", recorded(1))


def test_without_a_transport_nothing_happens() -> None:
    with expecting_delivery() as closed:
        pass
    note_event("late", recorded(1))
    assert closed == Delivery()


async def test_tasks_started_inside_note_into_their_own_request() -> None:
    """As Bolt does: the listener runs in a task of its own."""

    async def one_request(number: int) -> Delivery:
        async def listener() -> None:
            await asyncio.sleep(0)
            note_event(f"request-{number}", recorded(number))

        with expecting_delivery() as delivery:
            await asyncio.create_task(listener())
        return delivery

    deliveries = await asyncio.gather(*(one_request(number) for number in range(1, 21)))
    assert [delivery.event for delivery in deliveries] == [recorded(number) for number in range(1, 21)]
    assert [delivery.key for delivery in deliveries] == [f"request-{number}" for number in range(1, 21)]


async def _outcome(ledger: FakeLedger, *, seconds: float = 0.2, failure: str | None = None) -> None:
    clock = FakeClock()
    received = clock.monotonic()
    clock.advance(seconds)
    await record_outcome(ledger, clock, Delivery("command:1", recorded(7)), received, "http", failure)


async def test_a_reply_that_got_out_is_delivered() -> None:
    ledger = FakeLedger()
    await _outcome(ledger)
    (entry,) = ledger.entries
    assert (entry.kind, entry.idem_key, entry.ref) == (Kind.DELIVERED, "command:1#delivery", 7)
    assert entry.payload == {"version": 1, "via": "http", "milliseconds": 200}


async def test_at_the_end_of_slacks_patience_it_still_counts_and_after_it_no_more() -> None:
    in_time, late = FakeLedger(), FakeLedger()
    await _outcome(in_time, seconds=SLACK_PATIENCE_S)
    await _outcome(late, seconds=SLACK_PATIENCE_S + 0.01)
    assert in_time.entries[0].kind is Kind.DELIVERED
    assert late.entries[0].kind is Kind.DELIVERY_FAILED
    assert late.entries[0].payload["reason"] == "late"


async def test_a_lost_connection_is_the_reason_even_when_late() -> None:
    ledger = FakeLedger()
    await _outcome(ledger, seconds=9.0, failure="connection_lost")
    assert ledger.entries[0].kind is Kind.DELIVERY_FAILED
    assert ledger.entries[0].payload["reason"] == "connection_lost"


async def test_a_reply_without_an_event_leaves_no_trace() -> None:
    ledger = FakeLedger()
    await record_outcome(ledger, FakeClock(), Delivery(), 0.0, "http", None)
    assert ledger.entries == []


async def test_the_second_record_of_the_same_delivery_is_dropped_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ledger = FakeLedger()
    await _outcome(ledger)
    await _outcome(ledger)
    assert len(ledger.entries) == 1
    assert "delivery of seq=7 not recorded: AlreadyRecordedError" in caplog.text


async def test_an_unwritable_ledger_is_the_operators_to_know(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "OUTCOME_PAUSES_S", (0.0, 0.0))
    await _outcome(FakeLedger(LedgerUnavailableError("disk_full")))
    (warning,) = caplog.records
    assert warning.levelno == logging.WARNING
    assert warning.getMessage() == "delivery of seq=7 not recorded: LedgerUnavailableError"


async def test_an_outcome_waits_for_the_ledger_and_is_recorded_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "OUTCOME_PAUSES_S", (0.01,) * 100)
    ledger = FakeLedger(LedgerUnavailableError("locked"))
    waiting = asyncio.create_task(_outcome(ledger))
    await asyncio.sleep(0.03)
    assert not waiting.done()
    ledger.fault = None
    await waiting
    (entry,) = ledger.entries
    assert entry.kind is Kind.DELIVERED
    assert caplog.records == []


async def test_an_outcome_that_is_stopped_while_it_waits_is_told(caplog: pytest.LogCaptureFixture) -> None:
    waiting = asyncio.create_task(_outcome(FakeLedger(LedgerUnavailableError("locked"))))
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert "delivery of seq=7 not recorded" in caplog.text


async def test_an_outcome_does_not_wait_for_a_ledger_that_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    await _outcome(FakeLedger(LedgerUnavailableError("closed")))
    assert "delivery of seq=7 not recorded" in caplog.text


def test_an_event_after_the_request_is_done_with_is_recorded_as_late_and_once() -> None:
    done: list[str] = []
    with expecting_delivery(2.0) as in_time, expecting_delivery() as late:
        assert request_received() is None
        in_time.note("in time", recorded(1))
        in_time.close(lambda: done.append("in time"))
        late.close(lambda: done.append("late"))
        assert done == ["in time"]
        note_event("late", recorded(2))
        note_event("late", recorded(3))
    assert done == ["in time", "late"]
    assert (in_time.flaw, late.flaw, in_time.received) == (None, "late", 2.0)


async def test_an_apology_in_the_place_of_what_was_recorded_is_no_delivery() -> None:
    ledger = FakeLedger()
    with expecting_delivery() as delivery:
        note_event("command:1", recorded(7))
        note_flaw("not_drawn")
    await record_outcome(ledger, FakeClock(), delivery, 0.0, "http", None)
    (entry,) = ledger.entries
    assert (entry.kind, entry.payload["reason"]) == (Kind.DELIVERY_FAILED, "not_drawn")


@pytest.mark.parametrize(
    ("error", "reason"), [(ValueError(), "not_drawn"), (asyncio.CancelledError(), "stopped"), (None, "not_sent")]
)
async def test_a_reply_of_its_own_that_was_not_confirmed_is_recorded_so(
    error: BaseException | None, reason: str
) -> None:
    ledger = FakeLedger()
    with contextlib.suppress(ValueError, asyncio.CancelledError):
        async with own_delivery(ledger, FakeClock(), "mention"):
            note_event("message:1", recorded(7))
            if error is not None:
                raise error
    (entry,) = ledger.entries
    assert (entry.kind, entry.payload["reason"]) == (Kind.DELIVERY_FAILED, reason)


async def test_what_slack_confirmed_stays_delivered_though_something_fails_afterwards() -> None:
    ledger = FakeLedger()
    with contextlib.suppress(ValueError):
        async with own_delivery(ledger, FakeClock(), "mention") as sending:
            note_event("message:1", recorded(7))
            sending.failure = None
            raise ValueError
    assert [entry.kind for entry in ledger.entries] == [Kind.DELIVERED]


async def test_background_work_is_waited_for_and_what_outlasts_the_wait_is_counted() -> None:
    background, done, gate = Background(), [], asyncio.Event()

    async def work(number: int, *, forever: bool) -> None:
        if forever:
            await gate.wait()
        done.append(number)

    assert await background.drain(0.1) == 0
    background.start(work(1, forever=False))
    background.start(work(2, forever=True))
    assert await background.drain(0.05) == 1
    assert done == [1]
    gate.set()
    assert await background.drain(1.0) == 0
    assert done == [1, 2]


async def test_what_is_in_flight_is_waited_for_and_then_stopped_with_a_record() -> None:
    in_flight, ledger, never = InFlight(), FakeLedger(), asyncio.Event()

    async def answer(number: int, *, forever: bool) -> None:
        async with own_delivery(ledger, FakeClock(), "mention") as sending:
            note_event(f"message:{number}", recorded(number))
            await (never.wait() if forever else asyncio.sleep(0))
            sending.failure = None

    assert await in_flight.drain(0.1, 0.1) == 0
    watched = in_flight.watch(answer)
    tasks = [asyncio.create_task(watched(1, forever=False)), asyncio.create_task(watched(2, forever=True))]
    await asyncio.sleep(0)
    assert await in_flight.drain(0.05, 1.0) == 1
    assert [(entry.ref, entry.kind, entry.payload.get("reason")) for entry in ledger.entries] == [
        (1, Kind.DELIVERED, None),
        (2, Kind.DELIVERY_FAILED, "stopped"),
    ]
    assert [task.cancelled() for task in tasks] == [False, True]
    assert await in_flight.drain(0.1, 0.1) == 0


def test_while_a_message_is_being_sent_nothing_is_recorded() -> None:
    done: list[str] = []
    with expecting_delivery() as delivery:
        with message_before_acknowledgement() as held:
            assert held is delivery
            delivery.close(lambda: done.append("closed"))  # Bolt has given up waiting
            note_event("key", recorded(1))
            held.message = CONFIRMED
            assert done == []
        assert done == ["closed"]
    assert (delivery.flaw, delivery.message) == ("late", CONFIRMED)


def test_a_message_that_fails_to_be_made_holds_nothing_back() -> None:
    done: list[str] = []
    with expecting_delivery() as delivery:
        note_event("key", recorded(1))
        with contextlib.suppress(ValueError), message_before_acknowledgement():
            delivery.close(lambda: done.append("closed"))
            raise ValueError("unforeseen")
    assert done == ["closed"]


def test_without_a_transport_a_message_may_be_sent_too() -> None:
    with message_before_acknowledgement() as delivery:
        delivery.message = CONFIRMED
    assert delivery.event is None


@pytest.mark.parametrize(
    ("message", "seconds", "failure", "expected"),
    [
        (CONFIRMED, 0.2, None, ("delivered", {"via": "http"})),
        (CONFIRMED, 4.0, None, ("delivered", {"via": "response_url", "acknowledgement": "late"})),
        (
            CONFIRMED,
            0.2,
            "connection_lost",
            ("delivered", {"via": "response_url", "acknowledgement": "connection_lost"}),
        ),
        (UNCONFIRMED, 0.2, None, ("delivered", {"via": "http"})),
        (UNCONFIRMED, 4.0, None, ("delivery_failed", {"via": "http", "reason": "late", "message": "unconfirmed"})),
        (None, 4.0, None, ("delivery_failed", {"via": "http", "reason": "late"})),
    ],
)
async def test_a_message_that_slack_took_is_a_delivery_whatever_became_of_the_form(
    message: str | None, seconds: float, failure: str | None, expected: tuple[str, dict[str, str]]
) -> None:
    ledger, clock = FakeLedger(), FakeClock()
    delivery = Delivery("key", recorded(1), message=message)
    clock.advance(seconds)
    await record_outcome(ledger, clock, delivery, 0.0, "http", failure)
    (entry,) = ledger.entries
    milliseconds = round(1000 * seconds)
    assert (entry.kind, entry.payload) == (expected[0], {"version": 1, "milliseconds": milliseconds} | expected[1])
