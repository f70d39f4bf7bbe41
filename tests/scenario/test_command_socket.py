"""A slash command over Socket Mode, through the real client, to the acknowledgement and the ledger's rows."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest

from bot.ledger import check_ledger, read_events
from bot.standin import NotAcknowledgedError
from bot.transports.link import Link
from tests.support import app as support
from tests.support.app import WORDS, HeldLedger, over_socket, until
from tests.support.slack_limits import check_message


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


async def test_the_answer_is_the_acknowledgement(path: Path) -> None:
    async with over_socket(path) as (running, _):
        message = await running.slack.slash_command(WORDS)
        computed, delivered = await running.events()
    check_message(message)
    assert message["response_type"] == "ephemeral"
    assert f"receipt #1-{computed.leaf.hex()[:4]}" in message["text"]
    assert (computed.kind, delivered.kind, delivered.ref) == ("computed", "delivered", computed.seq)
    assert delivered.payload is not None
    assert delivered.payload["via"] == "socket"
    assert {call.method for call in running.slack.calls} == {"auth.test", "users.info", "apps.connections.open"}


async def test_the_row_is_durable_before_the_answer_leaves(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.compose.open_ledger", support.open_held)
    async with over_socket(path) as (running, _):
        ledger = running.tarla.ledger.writer
        assert isinstance(ledger, HeldLedger)
        asking = asyncio.create_task(running.slack.slash_command(WORDS))
        await asyncio.wait_for(ledger.recorded_answer.wait(), support.PATIENCE_S)
        (computed,) = await asyncio.to_thread(lambda: list(read_events(path)))
        assert computed.kind == "computed"
        assert not asking.done()
        ledger.let_go.set()
        assert f"#1-{computed.leaf.hex()[:4]}" in (await asking)["text"]


async def test_a_link_lost_before_the_answer_gives_delivery_failed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.compose.open_ledger", support.open_held)
    async with over_socket(path) as (running, handler):
        ledger = running.tarla.ledger.writer
        assert isinstance(ledger, HeldLedger)
        asking = asyncio.create_task(running.slack.slash_command(WORDS, seconds=1.0))
        await asyncio.wait_for(ledger.recorded_answer.wait(), support.PATIENCE_S)
        (link,) = handler.keeper.links
        running.slack.sockets.cut()
        await until(lambda: not link.open)
        ledger.let_go.set()
        await until(lambda: len(list(read_events(path))) == 2)
        computed, failed = await running.events()
        asking.cancel()
        await asyncio.wait({asking})
    assert (failed.kind, failed.ref) == ("delivery_failed", computed.seq)
    assert failed.payload is not None
    assert failed.payload["reason"] == "connection_lost"


async def test_after_a_lost_link_it_answers_again(path: Path) -> None:
    async with over_socket(path) as (running, _):
        running.slack.sockets.cut()
        await running.slack.wait_connected(0)
        await running.slack.wait_connected(1, seconds=8.0)
        message = await running.slack.slash_command(WORDS)
    assert "receipt #1-" in message["text"]


async def test_the_same_trigger_gets_one_answer_and_an_empty_acknowledgement(path: Path) -> None:
    async with over_socket(path) as (running, _):
        first = await running.slack.slash_command(WORDS, trigger_id="1.2.same")
        again = await running.slack.slash_command(WORDS, trigger_id="1.2.same")
        events = await running.events()
    assert "receipt #" in first["text"]
    assert again == {}
    assert [event.kind for event in events] == ["computed", "delivered"]


async def test_fifty_at_once_all_get_an_answer(path: Path) -> None:
    async with over_socket(path) as (running, _):
        messages = await asyncio.gather(*(running.slack.slash_command(WORDS) for _ in range(50)))
        events = await running.events()
    assert len({message["text"].rpartition("#")[2] for message in messages}) == 50
    assert [event.kind for event in events].count("computed") == 50
    assert {event.ref for event in events if event.kind == "delivered"} == {
        event.seq for event in events if event.kind == "computed"
    }
    assert check_ledger(path).ok


async def test_an_address_that_failed_once_is_not_tried_again(path: Path) -> None:
    """It holds a ticket for one connection; a fresh one is asked for."""
    async with over_socket(path, spent_ticket=True) as (running, _):
        assert WORDS.split()[1].split("/")[0] in str(await running.slack.slash_command(WORDS))
        asked = [call.method for call in running.slack.calls].count("apps.connections.open")
    assert asked == 1


@pytest.mark.parametrize("error", [RuntimeError, aiohttp.ClientError, MemoryError])
async def test_an_acknowledgement_that_fails_in_any_way_is_not_delivered(
    path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    async def fail(_link: Link, _message: str) -> None:
        raise error

    async with over_socket(path) as (running, _):
        monkeypatch.setattr(Link, "send_message", fail)
        with pytest.raises(NotAcknowledgedError):
            await running.slack.slash_command(WORDS, seconds=0.5)
        await until(lambda: len(list(read_events(path))) == 2)
        computed, failed = await running.events()
    assert (computed.kind, failed.kind) == ("computed", "delivery_failed")
    assert failed.payload is not None
    assert failed.payload["reason"] == "not_sent"
