"""What was recorded but not shown stands in the ledger as not delivered, through every door."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.ledger import StoredEvent
from bot.standin import NotAcknowledgedError, SlackStandin
from handlers import controls
from tests.support import answers
from tests.support.app import PATIENCE_S, HeldLedger, RunningApp, open_held, over_http, over_socket
from tests.support.forms import button_of, filled


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the ledger is to be."""
    return tmp_path / "ledger.db"


def breaks(*_: Any, **__: Any) -> Any:
    """A drawing that fails."""
    raise ValueError("does not fit")


async def events_once(running: RunningApp, count: int) -> list[StoredEvent]:
    """The ledger's events, once there are ``count``."""
    async with asyncio.timeout(PATIENCE_S):
        while len(events := await running.events()) < count:
            await asyncio.sleep(0.01)
    return events


async def by_command(running: RunningApp) -> None:
    """Ask by the command."""
    assert "something went wrong" in (await running.ask()).text


async def by_mention(running: RunningApp) -> None:
    """Ask by a mention."""
    await running.write(f"<@U0TARLABOT> {answers.WORDS}")


async def by_form(running: RunningApp) -> None:
    """Ask by the form."""
    await running.ask("", response_url=running.slack.new_response_url())
    assert "something went wrong" in (await running.submit(running.opened_view(), filled())).text


async def by_what_if(running: RunningApp) -> None:
    """Press *What if*."""
    await running.press(button_of((await running.ask()).message, controls.WHAT_IF))


async def by_share(running: RunningApp) -> None:
    """Press *Share*."""
    await running.press(button_of((await running.ask()).message, controls.SHARE))


@pytest.mark.parametrize(
    ("drawing", "door"),
    [
        ("command.message", by_command),
        ("messages.message", by_mention),
        ("form.message", by_form),
        ("buttons.comparison_text", by_what_if),
        ("buttons.shared_message", by_share),
    ],
)
async def test_an_apology_instead_of_the_figures_is_no_delivery(
    path: Path, monkeypatch: pytest.MonkeyPatch, drawing: str, door: Any
) -> None:
    monkeypatch.setattr(f"handlers.listeners.{drawing}", breaks)
    async with over_http(path) as running:
        await door(running)
        *_, recorded, failed = await events_once(running, 4 if drawing.startswith("buttons") else 2)
    assert (failed.kind, failed.ref) == ("delivery_failed", recorded.seq)
    assert (failed.payload or {})["reason"] == "not_drawn"


def lose_answers_of(monkeypatch: pytest.MonkeyPatch, lost: str) -> None:
    """The link breaks after Slack has taken a call of this method and before its answer comes back."""
    taken = SlackStandin._call

    async def lose(self: SlackStandin, request: web.Request) -> web.Response:
        answer = await taken(self, request)
        if request.match_info["method"] == lost and request.transport is not None:
            request.transport.abort()
        return answer

    monkeypatch.setattr(SlackStandin, "_call", lose)


async def test_a_mention_whose_link_breaks_is_not_delivered_as_far_as_anybody_knows(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_answers_of(monkeypatch, "chat.postEphemeral")
    async with over_http(path) as running:
        await by_mention(running)
        _, failed = await events_once(running, 2)
    assert (failed.kind, (failed.payload or {})["reason"]) == ("delivery_failed", "connection_lost")


@pytest.mark.parametrize(("kind", "method"), [("app_mention", "chat.postEphemeral"), ("message", "chat.postMessage")])
async def test_a_message_that_slack_took_before_the_link_broke_is_not_sent_again(
    path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, method: str
) -> None:
    lose_answers_of(monkeypatch, method)
    async with over_http(path) as running:
        await running.write(answers.WORDS, kind=kind)
        await events_once(running, 2)
    assert len(running.called(method)) == 1


async def test_a_message_that_slack_does_not_confirm_in_time_is_given_up(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.listeners.messages.MESSAGE_S", 0.1)
    async with over_http(path) as running:
        running.slack.api.slow["chat.postEphemeral"] = 0.5
        await by_mention(running)
        _, failed = await events_once(running, 2)
    assert (failed.kind, (failed.payload or {})["reason"]) == ("delivery_failed", "timeout")


async def test_a_proxys_page_in_slacks_place_is_no_delivery(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def blocked(*_: Any) -> web.Response:
        return web.Response(text="<html>Access blocked</html>", content_type="text/html")

    monkeypatch.setattr(SlackStandin, "_respond", blocked)
    async with over_http(path) as running:
        await by_share(running)
        *_, failed = await events_once(running, 4)
    assert (failed.kind, (failed.payload or {})["reason"]) == ("delivery_failed", "response_url_200")


@pytest.mark.parametrize("transport", ["http", "socket"])
async def test_an_answer_recorded_after_slack_was_answered_is_late(
    path: Path, monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    """Bolt gives up waiting for the listener; what the listener records then was never shown."""
    monkeypatch.setattr("bot.compose.open_ledger", open_held)
    async with AsyncExitStack() as stack:
        if transport == "http":
            running = await stack.enter_async_context(over_http(path))
        else:
            running, _ = await stack.enter_async_context(over_socket(path))
        for listener in running.tarla.app._async_listeners:
            listener.ack_timeout = 0.1  # type: ignore[attr-defined]  # three seconds otherwise
        ledger = running.tarla.ledger.writer
        assert isinstance(ledger, HeldLedger)
        if transport == "http":
            assert (await running.ask()).status == 404
        else:
            with pytest.raises(NotAcknowledgedError):
                await running.slack.slash_command(answers.WORDS, seconds=0.5)
        ledger.let_go.set()
        computed, failed = await events_once(running, 2)
    assert (failed.kind, failed.ref) == ("delivery_failed", computed.seq)
    assert (failed.payload or {})["reason"] == "late"
