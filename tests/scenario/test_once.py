"""Exactly one answer: copies, second deliveries, out of order and late, over both transports."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from slack_sdk import signature as slack_signature

from bot.standin import NotAcknowledgedError, pressed_in_message, slash_command_payload
from bot.transports import admission
from handlers import controls
from tests.support import app as support
from tests.support.app import PATIENCE_S, WORDS, HeldLedger, RunningApp, over_http, over_socket, until
from tests.support.chaos import rng
from tests.support.forms import button_of
from tests.support.signing import interaction_request, slash_command_request

Deliver = Callable[[str, str], Awaitable[str]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the ledger is to be."""
    return tmp_path / "ledger.db"


@pytest.fixture(params=["http", "socket"])
def transport(request: pytest.FixtureRequest) -> str:
    """Each way in."""
    return str(request.param)


@asynccontextmanager
async def running_over(transport: str, path: Path) -> AsyncIterator[tuple[RunningApp, Deliver]]:
    """The application, and one delivery of a command with this trigger_id: the text that came back, or none."""
    if transport == "http":
        async with over_http(path) as running:

            async def deliver(text: str, trigger: str) -> str:
                reply = await running.ask(text, trigger_id=trigger)
                assert reply.status == 200
                return str(reply.message["text"]) if reply.text else ""

            yield running, deliver
    else:
        async with over_socket(path) as (running, _):

            async def deliver_envelope(text: str, trigger: str) -> str:
                return str((await running.slack.slash_command(text, trigger_id=trigger)).get("text", ""))

            yield running, deliver_envelope


async def test_three_deliveries_have_one_answer_and_are_counted(transport: str, path: Path) -> None:
    async with running_over(transport, path) as (running, deliver):
        said = [await deliver(WORDS, "1.2.same") for _ in range(3)]
        assert "receipt #1-" in said[0]
        assert said[1:] == ["", ""]
        kinds = [event.kind for event in await running.events()]
        assert (running.tarla.counts.received, running.tarla.counts.repeated) == (3, 2)
    assert kinds == ["computed", "delivered"]


async def test_three_at_once_have_one_answer(transport: str, path: Path) -> None:
    async with running_over(transport, path) as (running, deliver):
        said = await asyncio.gather(*(deliver(WORDS, "1.2.same") for _ in range(3)))
        kinds = [event.kind for event in await running.events()]
    assert sorted("receipt #1-" in each for each in said) == [False, False, True]
    assert kinds == ["computed", "delivered"]


async def test_out_of_order_each_has_one_answer(transport: str, path: Path) -> None:
    deliveries = [number for number in range(6) for _ in range(3)]
    rng(f"order {transport}").shuffle(deliveries)
    async with running_over(transport, path) as (running, deliver):
        said = await asyncio.gather(*(deliver(f"ldh {400 + number}/250", f"1.2.{number}") for number in deliveries))
        events = await running.events()
        assert running.tarla.counts.repeated == 12
    computed = {event.idem_key: event for event in events if event.kind == "computed"}
    assert len(computed) == 6
    for number in range(6):
        (answer,) = [text for each, text in zip(deliveries, said, strict=True) if each == number and text]
        row = computed[f"command:1.2.{number}"]
        assert answer.endswith(f"receipt #{row.seq}-{row.leaf.hex()[:4]}")
    assert [event.seq for event in events] == list(range(1, 13))


async def test_a_delivery_after_one_that_came_too_late_has_no_second_answer(
    transport: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slack was not acknowledged in time, so nobody saw the first; the ledger says so, and there is no second row."""
    monkeypatch.setattr("bot.compose.open_ledger", support.open_held)
    async with running_over(transport, path) as (running, deliver):
        for listener in running.tarla.app._async_listeners:
            listener.ack_timeout = 0.1  # type: ignore[attr-defined]  # three seconds otherwise
        ledger = running.tarla.ledger.writer
        assert isinstance(ledger, HeldLedger)
        first = asyncio.create_task(_delivered(transport, running, "1.2.late"))
        await asyncio.wait_for(ledger.recorded_answer.wait(), PATIENCE_S)
        assert not await first
        ledger.let_go.set()
        await until(lambda: running.tarla.in_flight.count == 0)
        assert await deliver(WORDS, "1.2.late") == ""
        computed, failed = await running.events()
        assert (running.tarla.counts.repeated, running.tarla.counts.not_acknowledged) == (1, 1)
    assert (computed.kind, failed.kind, failed.ref) == ("computed", "delivery_failed", computed.seq)
    assert (failed.payload or {})["reason"] == "late"


async def _delivered(transport: str, running: RunningApp, trigger: str) -> bool:
    """Whether a delivery was acknowledged."""
    if transport == "http":
        return (await running.ask(WORDS, trigger_id=trigger)).status == 200
    try:
        await running.slack.slash_command(WORDS, trigger_id=trigger, seconds=0.5)
    except NotAcknowledgedError:
        return False
    return True


# From here on: copies of one signed request, which only HTTP has.


@pytest.mark.parametrize("signed_at", [0, -299, 299])
async def test_a_copy_is_turned_away_and_nothing_is_computed(
    path: Path, signed_at: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with over_http(path) as running:
        request = slash_command_request(WORDS, timestamp=int(time.time()) + signed_at)
        first = await running.send(request)
        copies = [await running.send(request) for _ in range(3)]
        events = await running.events()
        counts = running.tarla.counts
        assert (counts.received, counts.replayed, counts.repeated, counts.unsigned) == (4, 3, 0, 0)
        assert (counts.not_acknowledged, counts.connection_lost) == (0, 0)
    assert "receipt #1-" in first.text
    assert [(copy.status, copy.text) for copy in copies] == [(401, "")] * 3
    assert [event.kind for event in events] == ["computed", "delivered"]
    lines = [record for record in caplog.records if record.name.startswith("tarla")]
    assert [record.getMessage() for record in lines] == ["request turned away: replayed"] * 3
    assert all(record.exc_info is None for record in lines)


async def test_a_copy_of_what_leaves_no_record_is_turned_away_too(path: Path) -> None:
    request = slash_command_request("help")
    async with over_http(path) as running:
        assert [(await running.send(request)).status for _ in range(2)] == [200, 401]


async def test_copies_at_once_have_one_answer(path: Path) -> None:
    request = slash_command_request(WORDS)
    async with over_http(path) as running:
        replies = await asyncio.gather(*(running.send(request) for _ in range(5)))
        kinds = [event.kind for event in await running.events()]
    assert sorted(reply.status for reply in replies) == [200, 401, 401, 401, 401]
    assert kinds == ["computed", "delivered"]


@pytest.mark.parametrize("step", [-86_400, -400, 250, 400, 86_400])
async def test_no_step_of_the_local_clock_lets_a_copy_in(
    path: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the clock shows, and however long it is since: what was handled once is not handled again."""
    request = slash_command_request(WORDS)
    async with over_http(path) as running:
        assert (await running.send(request)).status == 200
        monkeypatch.setattr(slack_signature.Clock, "now", lambda _: time.time() + step)
        assert (await running.send(request)).status == 401
        monkeypatch.undo()
        assert (await running.send(request)).status == 401
        kinds = [event.kind for event in await running.events()]
    assert kinds == ["computed", "delivered"]


async def test_what_was_not_handled_may_be_sent_once_more(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = slash_command_request(WORDS)
    async with over_http(path) as running:
        monkeypatch.setattr(running.tarla.admission, "_free", 0)
        monkeypatch.setattr(admission, "MOST_WAITING", 0)
        busy = await running.send(request)
        monkeypatch.undo()
        answer = await running.send(request)
        copy = await running.send(request)
    assert "Busy" in busy.message["text"]
    assert "receipt #1-" in answer.text
    assert copy.status == 401


async def test_after_our_own_failure_it_may_be_sent_once_more(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody was answered, so the request is not spent; what was recorded meanwhile, is by its own key."""
    request = slash_command_request(WORDS)
    async with over_http(path) as running:
        dispatch = running.tarla.app.async_dispatch

        async def fails(_: Any) -> Any:
            raise RuntimeError("unforeseen")

        monkeypatch.setattr(running.tarla.app, "async_dispatch", fails)
        assert (await running.send(request)).status == 400
        monkeypatch.setattr(running.tarla.app, "async_dispatch", dispatch)
        assert "receipt #1-" in (await running.send(request)).text


async def test_a_copied_press_shares_nothing_twice(path: Path) -> None:
    async with over_http(path) as running:
        answer = await running.ask()
        url = running.slack.new_response_url()
        press = interaction_request(pressed_in_message(button_of(answer.message, controls.SHARE), response_url=url))
        assert [(await running.send(press)).status for _ in range(3)] == [200, 401, 401]
        await until(lambda: running.tarla.in_flight.count == 0)
        assert [event.kind for event in await running.events()] == ["computed", "delivered", "shared", "delivered"]
    assert len(running.slack.responses) == 1


def test_the_payload_has_a_trigger_of_its_own_each_time() -> None:
    """Or the tests above would compare a request with itself."""
    first, second = (slash_command_payload("x", response_url="http://127.0.0.1/1")["trigger_id"] for _ in range(2))
    assert first != second
