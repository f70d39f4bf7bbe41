"""What Slack refuses for now is said again where there is no other way, and the ledger tells how it went."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.ledger import StoredEvent
from bot.standin import Caller, NotAcknowledgedError, SlackStandin, message_event, submitted
from handlers import controls, retrying
from handlers.modals.answer import NOT_TAKEN
from handlers.retrying import PATIENT, TRIES
from tests.support import answers
from tests.support import app as support
from tests.support.app import PATIENCE_S, HeldLedger, RunningApp, over_http, over_socket, until
from tests.support.forms import button_of, filled

METHODS = {"app_mention": "chat.postEphemeral", "message": "chat.postMessage"}
SOON = (429, {"Retry-After": "0"})
BROKEN: tuple[int, dict[str, str]] = (500, {})
AWAY: tuple[int, dict[str, str]] = (503, {})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the ledger is to be."""
    return tmp_path / "ledger.db"


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(retrying, "SPREAD_S", 0.01)


def shown(body: Any) -> str:
    """Everything in a body, as one text."""
    return json.dumps(body, ensure_ascii=False)


@asynccontextmanager
async def running_over(transport: str, path: Path) -> AsyncIterator[RunningApp]:
    """The application over either transport."""
    if transport == "http":
        async with over_http(path) as running:
            yield running
    else:
        async with over_socket(path) as (running, _):
            yield running


async def settled(running: RunningApp) -> list[StoredEvent]:
    """The ledger, once no listener is at work."""
    await until(lambda: running.tarla.in_flight.count == 0)
    return await running.events()


async def modal_after(running: RunningApp) -> dict[str, Any]:
    """The modal opened last."""
    await settled(running)
    return running.opened_view()


@pytest.mark.parametrize("kind", METHODS)
@pytest.mark.parametrize("script", [[SOON], [AWAY], [SOON, AWAY, SOON]], ids=["429", "503", "each"])
async def test_an_answer_to_a_message_is_sent_again_and_read_once(
    path: Path, kind: str, script: list[tuple[int, dict[str, str]]]
) -> None:
    async with over_http(path) as running:
        running.slack.api.script[METHODS[kind]] = list(script)
        await running.write(answers.WORDS, kind=kind)
        await until(lambda: len(running.called(METHODS[kind])) == len(script) + 1)
        computed, delivered = await settled(running)
        taken = [call for call in running.slack.calls if call.method == METHODS[kind] and call.answer["ok"]]
    assert (computed.kind, delivered.kind, delivered.ref) == ("computed", "delivered", computed.seq)
    assert (delivered.payload or {})["attempts"] == len(script) + 1
    assert len(taken) == 1


@pytest.mark.parametrize("kind", METHODS)
async def test_what_slack_may_have_half_done_is_not_sent_again(path: Path, kind: str) -> None:
    """It answers 500 with ``internal_error``, of which it documents that part may have succeeded."""
    async with over_http(path) as running:
        running.slack.api.script[METHODS[kind]] = [BROKEN]
        await running.write(answers.WORDS, kind=kind)
        await until(lambda: len(running.called(METHODS[kind])) == 1)
        _computed, failed = await settled(running)
        assert len(running.called(METHODS[kind])) == 1
    assert (failed.kind, (failed.payload or {})["reason"]) == ("delivery_failed", "internal_error")


async def test_over_socket_mode_too(path: Path) -> None:
    async with running_over("socket", path) as running:
        running.slack.api.script["chat.postEphemeral"] = [SOON]
        await running.slack.send("events_api", message_event(answers.WORDS))
        await until(lambda: len(running.called("chat.postEphemeral")) == 2)
        _, delivered = await settled(running)
    assert (delivered.kind, (delivered.payload or {})["attempts"]) == ("delivered", 2)


@pytest.mark.parametrize("kind", METHODS)
async def test_it_ends_and_says_why(path: Path, kind: str) -> None:
    async with over_http(path) as running:
        running.slack.api.script[METHODS[kind]] = [SOON] * 20
        await running.write(answers.WORDS, kind=kind)
        await until(lambda: len(running.called(METHODS[kind])) == TRIES)
        _, failed = await settled(running)
    assert len(running.called(METHODS[kind])) == TRIES
    assert failed.kind == "delivery_failed"
    assert ((failed.payload or {})["reason"], (failed.payload or {})["attempts"]) == ("ratelimited", TRIES)


async def test_one_attempt_is_not_worth_a_word(path: Path) -> None:
    async with over_http(path) as running:
        await running.write(answers.WORDS)
        await until(lambda: running.called("chat.postEphemeral"))
        _, delivered = await settled(running)
    assert "attempts" not in (delivered.payload or {})


async def test_what_still_waits_when_the_process_stops_is_stopped(path: Path) -> None:
    async with over_http(path) as running:
        running.slack.api.script["chat.postEphemeral"] = [(429, {"Retry-After": "60"})]
        await running.write(answers.WORDS)
        await until(lambda: PATIENT.waiting == 1)
        assert await running.tarla.in_flight.drain(0.01, PATIENCE_S) == 1
        _, failed = await running.events()
    assert (failed.kind, (failed.payload or {})["reason"]) == ("delivery_failed", "stopped")
    assert PATIENT.waiting == 0
    assert len(running.called("chat.postEphemeral")) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_why_nothing_came_of_a_press_is_said_again_where_no_modal_can(path: Path, status: int) -> None:
    async with over_http(path) as running:
        answer = await running.ask()
        running.slack.api.failing["views.open"] = "expired_trigger_id"
        running.slack.response_script = [(status, {"Retry-After": "0"})]
        await running.press(button_of(answer.message, controls.WHAT_IF), caller=Caller(user_id="U0SOMEONE"))
        await until(lambda: len(running.slack.responses) == 2)
        await settled(running)
    assert [response.status for response in running.slack.responses] == [status, 200]
    assert "not in the ledger as yours" in running.slack.responses[1].body["text"]


@pytest.mark.parametrize("status", [429, 500])
async def test_an_apology_too(path: Path, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    def breaks(*_: Any, **__: Any) -> Any:
        raise ValueError("does not fit")

    monkeypatch.setattr("handlers.listeners.buttons.answer_modal", breaks)
    async with over_http(path) as running:
        answer = await running.ask()
        running.slack.api.failing["views.open"] = "expired_trigger_id"
        running.slack.response_script = [(status, {"Retry-After": "0"})]
        await running.press(button_of(answer.message, controls.EVIDENCE))
        await until(lambda: len(running.slack.responses) == 2)
        await settled(running)
    assert "something went wrong" in running.slack.responses[1].body["text"]


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("action_id", [controls.SHARE, controls.WHAT_IF])
async def test_where_a_modal_says_it_nothing_is_sent_again(path: Path, action_id: str, status: int) -> None:
    """A share could otherwise come after its reader was told to press again, and would stand there twice."""
    async with over_http(path) as running:
        answer = await running.ask()
        running.slack.response_script = [(status, {"Retry-After": "0"})]
        await running.press(button_of(answer.message, action_id))
        view = await modal_after(running)
        *_, outcome = await settled(running)
    assert [response.status for response in running.slack.responses] == [status]
    if action_id == controls.SHARE:
        assert "Not shared: Slack did not take the message." in shown(view)
        assert (outcome.payload or {})["reason"] == f"response_url_{status}"
    else:
        assert (outcome.kind, (outcome.payload or {})["via"]) == ("delivered", "modal")


async def test_the_form_shows_the_answer_itself_instead(path: Path) -> None:
    async with over_http(path) as running:
        await running.ask("", response_url=running.slack.new_response_url())
        running.slack.response_script = [SOON]
        reply = await running.submit(running.opened_view(), filled())
        await settled(running)
    assert NOT_TAKEN in str(reply.message["view"])
    assert [response.status for response in running.slack.responses] == [429]


@pytest.mark.parametrize("status", [200, 502, 504])
async def test_a_share_behind_a_proxys_page_may_be_in_the_channel(
    path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """The page says nothing of what became of the message behind it."""

    async def page(*_: Any) -> web.Response:
        return web.Response(text="<html>Gateway</html>", content_type="text/html", status=status)

    monkeypatch.setattr(SlackStandin, "_respond", page)
    async with over_http(path) as running:
        answer = await running.ask()
        await running.press(button_of(answer.message, controls.SHARE))
        view = await modal_after(running)
        *_, failed = await settled(running)
    assert "did not confirm" in shown(view)
    assert "look there before" in shown(view)
    assert "press Share once more" not in shown(view)
    assert (failed.payload or {})["reason"] == f"response_url_{status}"


@pytest.mark.parametrize("how", ["404", "redirect", "foreign"])
async def test_a_denial_at_a_messages_button_goes_nowhere_else(path: Path, how: str) -> None:
    arrived: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        arrived.append(request.path)
        return web.Response(text="ok")

    application = web.Application()
    application.router.add_route("*", "/{any:.*}", elsewhere)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/elsewhere"
    try:
        async with over_http(path) as running:
            answer = await running.ask()
            running.slack.api.flags["U0SOMEONE"] = {"is_restricted": True}
            if how == "404":
                running.slack.response_status = 404
            elif how == "redirect":
                running.slack.response_location = address
            more = {"response_url": address} if how == "foreign" else {}
            button = button_of(answer.message, controls.SHARE)
            await running.press(button, caller=Caller(user_id="U0SOMEONE"), **more)
            *_, refused, failed = await settled(running)
    finally:
        await runner.cleanup()
    assert arrived == []
    assert (refused.kind, failed.kind, failed.ref) == ("refused", "delivery_failed", refused.seq)
    expected = {"404": "response_url_404", "redirect": "response_url_307", "foreign": "no_response_url"}[how]
    assert (failed.payload or {})["reason"] == expected


@pytest.mark.parametrize("transport", ["http", "socket"])
async def test_a_form_answered_too_late_whose_message_slack_took_is_delivered(
    path: Path, monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    """Its reader has the answer in the channel; that the form itself was closed too late is said beside it."""
    monkeypatch.setattr("bot.compose.open_ledger", support.open_held)
    async with running_over(transport, path) as running:
        ledger = running.tarla.ledger.writer
        assert isinstance(ledger, HeldLedger)
        if transport == "http":
            await running.ask("", response_url=running.slack.new_response_url())
        else:
            await running.slack.slash_command("")
        view = running.opened_view()
        for listener in running.tarla.app._async_listeners:
            listener.ack_timeout = 0.1  # type: ignore[attr-defined]  # three seconds otherwise
        asking = asyncio.create_task(_submitted(transport, running, view))
        await asyncio.wait_for(ledger.recorded_answer.wait(), PATIENCE_S)
        await asking
        assert [event.kind for event in await running.events()] == ["computed"]  # nothing said too early
        ledger.let_go.set()
        computed, delivered = await settled(running)
    (response,) = running.slack.responses
    assert "receipt #1-" in response.body["text"]
    assert (delivered.kind, delivered.ref) == ("delivered", computed.seq)
    payload = delivered.payload or {}
    assert (payload["via"], payload["acknowledgement"]) == ("response_url", "late")
    assert "reason" not in payload


async def test_one_whose_message_nobody_confirmed_is_not(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.compose.open_ledger", support.open_held)
    async with over_http(path) as running:
        ledger = running.tarla.ledger.writer
        assert isinstance(ledger, HeldLedger)
        await running.ask("", response_url=running.slack.new_response_url())
        running.slack.response_script = [(0, {})]
        for listener in running.tarla.app._async_listeners:
            listener.ack_timeout = 0.1  # type: ignore[attr-defined]  # three seconds otherwise
        await _submitted("http", running, running.opened_view())
        ledger.let_go.set()
        _, failed = await settled(running)
    assert failed.kind == "delivery_failed"
    assert ((failed.payload or {})["reason"], (failed.payload or {})["message"]) == ("late", "unconfirmed")


async def _submitted(transport: str, running: RunningApp, view: dict[str, Any]) -> None:
    """Send the form, and get no acknowledgement."""
    if transport == "http":
        assert (await running.submit(view, filled())).status == 404
    else:
        with pytest.raises(NotAcknowledgedError):
            await running.slack.send("interactive", submitted(view, filled()), seconds=0.5)
