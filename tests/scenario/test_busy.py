"""More than can be answered in time: an honest word in the shape of each door, and nothing computed or recorded."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.standin import (
    NotAcknowledgedError,
    message_event,
    pressed_in_message,
    pressed_in_view,
    shortcut_used,
    submitted,
)
from bot.transports import admission, shedding
from handlers import controls
from handlers.listeners.busy import BUSY, busy_reply
from tests.support import answers
from tests.support.app import RunningApp, home_opened, over_http, over_socket, until
from tests.support.forms import button_of, filled
from tests.support.signing import event_request, interaction_request, signed
from tests.support.slack_limits import check_message

HOME = {"id": "V0HOME", "type": "home", "blocks": [controls.form_button()]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the ledger is to be."""
    return tmp_path / "ledger.db"


def fill(running: RunningApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many in hand as can be, and as many waiting."""
    monkeypatch.setattr(running.tarla.admission, "_free", 0)
    monkeypatch.setattr(admission, "MOST_WAITING", 0)


async def test_a_command_is_told_and_not_computed(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with over_http(path) as running:
        fill(running, monkeypatch)
        replies = [await running.ask() for _ in range(3)]
        assert await running.events() == []
        assert (running.tarla.counts.received, running.tarla.counts.shed) == (3, 3)
        monkeypatch.undo()
        assert "receipt #1-" in (await running.ask()).text
    for reply in replies:
        assert (reply.status, reply.message["response_type"]) == (200, "ephemeral")
        assert BUSY in reply.message["text"]
        assert BUSY in str(reply.message["blocks"])
        answers.assert_no_estimate(reply.text)
        check_message(reply.message)
    assert running.slack.calls  # who asks was looked up for the last one only
    assert len(running.called("users.info")) == 1
    busy = [record.getMessage() for record in caplog.records if "busy" in record.getMessage()]
    assert busy == ["busy: 1 requests not taken"]  # not a line each


async def test_over_socket_mode_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with over_socket(path) as (running, _):
        fill(running, monkeypatch)
        assert BUSY in (await running.slack.slash_command(answers.WORDS))["text"]
        view = {"id": "V1", "type": "modal", "callback_id": "x", "blocks": [{"type": "input", "block_id": "liver"}]}
        form = await running.slack.send("interactive", submitted(view, {}))
        with pytest.raises(NotAcknowledgedError):
            await running.slack.send("events_api", message_event(answers.WORDS), seconds=0.3)
        assert await running.events() == []
        assert running.tarla.counts.shed == 3
    assert form == {"response_action": "errors", "errors": {"liver": BUSY}}
    assert running.called("chat.postEphemeral") == []


async def test_a_form_stays_open_with_what_was_chosen(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with over_http(path) as running:
        await running.ask("", response_url=running.slack.new_response_url())
        view = running.opened_view()
        fill(running, monkeypatch)
        busy = await running.submit(view, filled())
        assert await running.events() == []
        monkeypatch.undo()
        await running.submit(view, filled())
        kinds = [event.kind for event in await running.events()]
    assert busy.message["response_action"] == "errors"
    ((field, said),) = busy.message["errors"].items()
    assert field in {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
    assert said == BUSY
    assert kinds == ["computed", "delivered"]


@pytest.mark.parametrize("kind", ["app_mention", "message"])
async def test_an_event_is_left_for_slack_to_send_again(path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    request = event_request(message_event(answers.WORDS, kind=kind))
    method = "chat.postEphemeral" if kind == "app_mention" else "chat.postMessage"
    async with over_http(path) as running:
        fill(running, monkeypatch)
        assert (await running.send(request)).status == 503
        assert await running.events() == []
        monkeypatch.undo()
        # At once and byte for byte, as nothing forbids.
        assert (await running.send(request)).status == 200
        await until(lambda: running.called(method))
        await until(lambda: running.tarla.in_flight.count == 0)
        assert [event.kind for event in await running.events()] == ["computed", "delivered"]
    assert len(running.called(method)) == 1


async def test_a_press_of_a_messages_button_is_told_by_a_message(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with over_http(path) as running:
        answer = await running.ask()
        fill(running, monkeypatch)
        reply = await running.press(button_of(answer.message, controls.SHARE))
        assert len(await running.events()) == 2
    assert (reply.status, reply.text) == (200, "")
    (said,) = running.slack.responses
    assert BUSY in said.body["text"]
    assert (said.body["response_type"], said.body["replace_original"]) == ("ephemeral", False)
    assert running.called("views.open") == []


async def test_only_a_few_such_messages_go_out_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shedding, "MOST_NOTES", 2)
    async with over_http(path) as running:
        answer = await running.ask()
        fill(running, monkeypatch)
        running.slack.response_delay = 0.3
        button = button_of(answer.message, controls.WHAT_IF)
        replies = await asyncio.gather(*(running.press(button) for _ in range(5)))
        await running.events()
        running.slack.response_delay = 0.0
        assert (await running.press(button)).status == 200
        await running.events()
    assert sorted(reply.status for reply in replies) == [200, 200, 503, 503, 503]
    assert len(running.slack.responses) == 3


@pytest.mark.parametrize(
    "payload",
    [
        pressed_in_view(controls.form_button()["elements"][0], HOME),
        shortcut_used(controls.SHORTCUT),
        pressed_in_message({"type": "button", "action_id": "x"}, response_url="https://attacker.example/x"),
    ],
    ids=["home", "shortcut", "an address that is not Slack's"],
)
async def test_where_no_words_reach_anybody_slack_shows_that_it_failed(
    path: Path, monkeypatch: pytest.MonkeyPatch, payload: dict[str, Any]
) -> None:
    async with over_http(path) as running:
        fill(running, monkeypatch)
        assert (await running.send(interaction_request(payload))).status == 503
        assert await running.events() == []
    assert running.slack.calls == []
    assert running.slack.responses == []


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ({"type": "view_closed", "view": {}}, 200, ""),
        ({"type": "block_suggestion"}, 200, '{"options": []}'),
        ({"type": "view_submission", "view": {"blocks": [{"type": "section"}]}}, 503, ""),
        ({"type": "view_submission", "view": None}, 503, ""),
        ({"type": "view_submission", "view": {"blocks": [None, {"type": "input", "block_id": 7}]}}, 503, ""),
        ({}, 503, ""),
        ({"command": 7}, 503, ""),
        (home_opened(), 503, ""),
    ],
)
def test_every_other_shape(body: dict[str, Any], status: int, expected: str) -> None:
    reply = busy_reply(body)
    assert (reply.status, reply.body) == (status, expected)
    if status == 503:
        assert reply.first_headers()["retry-after"] == "5"


@pytest.mark.parametrize("body", ["[1]", "payload=null", "payload=" + "[" * 100_000, "{", ""])
async def test_what_cannot_be_read_is_told_without_a_traceback(
    path: Path, monkeypatch: pytest.MonkeyPatch, body: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with over_http(path) as running:
        fill(running, monkeypatch)
        assert (await running.send(signed(body, content_type="application/json"))).status == 503
    assert all(record.exc_info is None for record in caplog.records if record.name.startswith("tarla"))


async def test_whose_turn_comes_too_late_is_told_and_not_computed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with over_http(path) as running:
        gate = running.tarla.admission
        monkeypatch.setattr(gate, "_free", 0)
        waiting = [asyncio.create_task(running.ask()) for _ in range(2)]
        await until(lambda: len(gate._row) == 2)
        monkeypatch.setattr(admission, "LATEST_TURN_S", 0.0)
        gate._pass_on()
        replies = await asyncio.gather(*waiting)
        assert await running.events() == []
        assert (running.tarla.counts.late, running.tarla.counts.shed) == (2, 0)
    assert all(BUSY in reply.message["text"] for reply in replies)


async def test_messages_still_being_answered_do_not_keep_commands_out(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Slack that takes no messages just now must not cost those their answer whose reply is the acknowledgement."""
    monkeypatch.setattr(admission, "MOST_AT_WORK", 2)
    async with over_http(path) as running:
        running.slack.api.slow["chat.postEphemeral"] = 0.5
        for number in range(2):
            await running.write(answers.WORDS, ts=f"1800000123.00010{number}")
        assert running.tarla.in_flight.count == 2
        assert (await running.send(event_request(message_event(answers.WORDS)))).status == 503
        assert "receipt #" in (await running.ask()).text
        await until(lambda: running.tarla.in_flight.count == 0)
        assert (await running.send(event_request(message_event(answers.WORDS)))).status == 200
        await until(lambda: running.tarla.in_flight.count == 0)
