"""Whoever may not ask gets no further than the door, whichever it is, and reads why in the door's own shape."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.standin import Caller, pressed_in_message
from handlers import controls
from tests.support.app import Reply, RunningApp, home_opened, over_http, over_socket, until
from tests.support.forms import filled
from tests.support.signing import event_request, interaction_request, slash_command_request

BUTTON = {"type": "button", "action_id": "tarla_what_if", "text": {"type": "plain_text", "text": "What if"}}
MODAL = {"id": "V0FORM", "type": "modal", "callback_id": "tarla_form", "blocks": []}
HOME = {"id": "V0HOME", "type": "home", "blocks": []}
USER = "U0FELLOW01"
Knock = Callable[[RunningApp], Awaitable[Reply]]


def _words(part: Any) -> str:
    return json.dumps(part, ensure_ascii=False)


async def _command(app: RunningApp) -> Reply:
    return await app.ask()


async def _help(app: RunningApp) -> Reply:
    return await app.ask("help")


async def _button(app: RunningApp) -> Reply:
    return await app.press(BUTTON)


async def _button_in_form(app: RunningApp) -> Reply:
    return await app.press_in_view(BUTTON, MODAL)


async def _button_in_home(app: RunningApp) -> Reply:
    return await app.press_in_view(BUTTON, HOME)


async def _form(app: RunningApp) -> Reply:
    return await app.submit(MODAL, {})


async def _shortcut(app: RunningApp) -> Reply:
    return await app.use_shortcut("tarla_ask")


async def _mention(app: RunningApp) -> Reply:
    return await app.write("<@U0TARLABOT> ldh high", thread_ts="1800000000.000001")


async def _direct(app: RunningApp) -> Reply:
    return await app.write("ldh high", kind="message")


async def _direct_in_a_thread(app: RunningApp) -> Reply:
    return await app.write("ldh high", kind="message", thread_ts="1800000000.000001")


async def _home(app: RunningApp) -> Reply:
    return await app.send(event_request(home_opened()))


def _in_reply(_app: RunningApp, reply: Reply) -> Any:
    return reply.message


def _in_form_reply(_app: RunningApp, reply: Reply) -> Any:
    assert reply.message["response_action"] == "update"
    return reply.message["view"]


def _in_response(app: RunningApp, _reply: Reply) -> Any:
    (response,) = app.slack.responses
    assert response.body["response_type"] == "ephemeral"
    assert response.body["replace_original"] is False
    return response.body


def _in_call(method: str, **expected: str) -> Callable[[RunningApp, Reply], Any]:
    def find(app: RunningApp, _reply: Reply) -> Any:
        (args,) = app.called(method)
        assert {name: args.get(name) for name in expected} == expected
        return args

    return find


DOORS: dict[str, tuple[Knock, Callable[[RunningApp, Reply], Any], str]] = {
    "command": (_command, _in_reply, "slash_command"),
    "help": (_help, _in_reply, "slash_command"),
    "button": (_button, _in_response, "button_in_message"),
    "button in a form": (_button_in_form, _in_call("views.push"), "button_in_form"),
    "button in App Home": (_button_in_home, _in_call("views.open"), "button_in_home"),
    "form": (_form, _in_form_reply, "form"),
    "shortcut": (_shortcut, _in_call("views.open"), "shortcut"),
    "mention": (
        _mention,
        _in_call("chat.postEphemeral", channel="C0TUMOURBD", user=USER, thread_ts="1800000000.000001"),
        "mention",
    ),
    "direct message": (_direct, _in_call("chat.postMessage", channel="D0FELLOWDM"), "direct_message"),
    "direct message in a thread": (
        _direct_in_a_thread,
        _in_call("chat.postMessage", channel="D0FELLOWDM", thread_ts="1800000000.000001"),
        "direct_message",
    ),
    "App Home": (_home, _in_call("views.publish", user_id=USER), "home"),
}


@pytest.mark.parametrize(("knock", "found", "via"), DOORS.values(), ids=DOORS)
async def test_a_guest_is_turned_away_at_every_door(
    tmp_path: Path, knock: Knock, found: Callable[[RunningApp, Reply], Any], via: str
) -> None:
    async with over_http(tmp_path / "ledger.db") as app:
        app.slack.api.flags[USER] = {"is_ultra_restricted": True}
        reply = await knock(app)
        refused, delivered = await app.events()
    assert reply.status == 200
    told = _words(found(app, reply))
    assert "Tarla is not open to guest accounts here." in told
    assert "Whoever runs Tarla here can change that." in told
    assert "E_GUEST" in told
    assert not re.search(r"\d ?%", told)
    assert (refused.kind, delivered.kind, delivered.ref) == ("refused", "delivered", refused.seq)
    assert refused.payload is not None
    assert (refused.payload["reason"], refused.payload["word"]) == ("E_GUEST", 0)
    asker = refused.payload["asker"]
    assert isinstance(asker, dict)
    assert (asker["user"], asker["via"], asker["team"]) == (USER, via, "T0TARLADEV")


# What these doors' listeners do after the acknowledgement.
AFTERWARDS = {
    "shortcut": "views.open",
    "mention": "chat.postEphemeral",
    "direct message": "chat.postMessage",
    "App Home": "views.publish",
}


@pytest.mark.parametrize("door", DOORS)
async def test_a_member_is_not(tmp_path: Path, door: str) -> None:
    knock, _, _ = DOORS[door]
    async with over_http(tmp_path / "ledger.db") as app:
        reply = await knock(app)
        if door in AFTERWARDS:
            await until(lambda: app.called(AFTERWARDS[door]))
        events = await app.events()
    assert "E_" not in reply.text
    assert all(event.kind != "refused" for event in events)
    for call in app.slack.calls:
        assert "not open to" not in _words(call.args)
    assert app.slack.responses == []


@pytest.mark.parametrize(("knock", "found", "_via"), DOORS.values(), ids=DOORS)
async def test_it_is_said_where_the_ledger_cannot_keep_it_too(
    tmp_path: Path, knock: Knock, found: Callable[[RunningApp, Reply], Any], _via: str
) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    async with over_http(tmp_path / "file" / "ledger.db") as app:
        app.slack.api.flags[USER] = {"deleted": True}
        told = _words(found(app, await knock(app)))
    assert "E_NOT_MEMBER" in told


async def test_no_listener_is_reached_past_the_guard(tmp_path: Path) -> None:
    """Every button and form that the app listens to, so that a new one is guarded without its doing."""
    async with over_http(tmp_path / "ledger.db") as app:
        app.slack.api.flags[USER] = {"is_restricted": True}
        for action in controls.ACTIONS:
            await app.press(BUTTON | {"action_id": action, "value": "1-abcd"})
        replies = [await app.submit(MODAL | {"callback_id": name}, {}) for name in controls.VIEWS]
        kinds = {event.kind for event in await app.events()}
    assert len(app.slack.responses) == len(controls.ACTIONS)
    assert all("E_GUEST" in _words(response.body) for response in app.slack.responses)
    assert all("E_GUEST" in reply.text for reply in replies)
    assert kinds == {"refused", "delivered"}
    assert app.called("views.open") == []


async def test_over_socket_mode_too(tmp_path: Path) -> None:
    async with over_socket(tmp_path / "ledger.db") as (app, _):
        app.slack.api.flags[USER] = {"team_id": "T0OTHER", "is_stranger": True}
        message = await app.slack.slash_command("ldh high")
        pressed = pressed_in_message(BUTTON, response_url=app.slack.new_response_url())
        assert await app.slack.send("interactive", pressed) == {}
        kinds = [event.kind for event in await app.events()]
    assert "E_OTHER_WORKSPACE" in _words(message)
    assert "E_OTHER_WORKSPACE" in _words(app.slack.responses[0].body)
    assert sorted(kinds) == ["delivered", "delivered", "refused", "refused"]


async def test_with_user_groups_only_their_members(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db", tarla_allowed_groups=("S0A", "S0B")) as app:
        app.slack.api.groups |= {"S0A": [], "S0B": ["U0SOMEONE"]}
        refused = await app.ask("ldh high")
        answered = await app.ask("ldh high", caller=Caller(user_id="U0SOMEONE"))
    assert "At this site Tarla is open to the members of certain user groups." in _words(refused.message)
    assert "CRS, any grade" in answered.text


CHANNEL = {"tarla_allowed_channels": ("C0WARD",)}


async def test_with_channels_it_says_where_to_ask(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db", **CHANNEL) as app:
        elsewhere = await app.ask("ldh high")
        there = await app.ask("ldh high", caller=Caller(channel_id="C0WARD"))
        await app.use_shortcut("tarla_ask")
        await app.send(event_request(home_opened()))
        await app.write("ldh high", kind="message")
        forms = [await app.submit(MODAL | {"private_metadata": text}, {}) for text in ("", "C0OTHER", "C0WARD")]
    for told in (
        elsewhere.message,
        *app.called("views.open"),
        *app.called("views.publish"),
        *app.called("chat.postMessage"),
    ):
        assert "Ask in <#C0WARD>" in _words(told)
        assert "E_NOT_LISTED" in _words(told)
    assert "CRS, any grade" in there.text
    assert ["E_NOT_LISTED" in form.text for form in forms] == [True, True, False]


@pytest.mark.parametrize("rules", [{"tarla_allowed_groups": ("S0A",)}, CHANNEL])
async def test_a_form_that_stayed_open_is_no_way_in(tmp_path: Path, rules: dict[str, Any]) -> None:
    """Opened by command in a listed place; sent, and its answer's buttons pressed, where the asker may ask no more."""
    async with over_http(tmp_path / "before.db", **rules) as app:
        app.slack.api.groups["S0A"] = [USER]
        await app.ask("", caller=Caller(channel_id="C0WARD"))
        form = app.opened_view()
        origin = json.loads(form["private_metadata"])
        sent = await app.submit(form | {"private_metadata": _origin(app, origin)}, filled())
        assert sent.status == 200
        assert "E_NOT_LISTED" not in sent.text
    closed: dict[str, Any] = (
        {"tarla_allowed_groups": ("S0A",)} if rules is not CHANNEL else {"tarla_allowed_channels": ("C0WARD2",)}
    )
    async with over_http(tmp_path / "after.db", **closed) as app:
        app.slack.api.groups["S0A"] = []
        view = form | {"private_metadata": _origin(app, origin)}
        assert "E_NOT_LISTED" in (await app.submit(view, filled())).text
        await app.press_in_view(BUTTON | {"value": "1-abcd"}, view)
        (pushed,) = app.called("views.push")
        kinds = {event.kind for event in await app.events()}
    assert "E_NOT_LISTED" in _words(pushed)
    assert kinds == {"refused", "delivered"}


def _origin(app: RunningApp, parts: dict[str, Any]) -> str:
    """The same origin with a response_url that is good at this stand-in."""
    return json.dumps(parts | {"response_url": app.slack.new_response_url()})


@pytest.mark.parametrize("error", ["fatal_error", "ratelimited", "missing_scope", "invalid_auth"])
async def test_nobody_gets_an_answer_while_slack_does_not_say_who_they_are(tmp_path: Path, error: str) -> None:
    async with over_http(tmp_path / "ledger.db") as app:
        app.slack.api.failing["users.info"] = error
        first = await app.ask("ldh high")
        del app.slack.api.failing["users.info"]
        second = await app.ask("ldh high")
        kinds = [event.kind for event in await app.events()]
    assert "Slack does not say who you are just now; try again." in first.message["text"]
    assert "E_WHO" in first.text
    assert "CRS, any grade" in second.text
    assert sorted(kinds) == ["computed", "delivered", "delivered", "refused"]


@pytest.mark.parametrize(
    "answer",
    [
        '{"ok": true, "user": {}}',
        '{"ok": true, "user": {"id": "U0OTHER", "team_id": "T0TARLADEV"}}',
        '{"ok": true, "user": {"id": "U0FELLOW01", "team_id": "T0TARLADEV", "is_restricted": "true"}}',
        "<html>Access blocked by the proxy</html>",
    ],
)
async def test_nobody_gets_an_answer_on_the_strength_of_a_malformed_one(tmp_path: Path, answer: str) -> None:
    async with over_http(tmp_path / "ledger.db") as app:
        app.slack.api.garbled["users.info"] = answer
        reply = await app.ask("ldh high")
    assert "E_WHO" in reply.text
    assert "CRS" not in reply.text


async def test_somebody_slack_does_not_know(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as app:
        reply = await app.ask("ldh high", caller=Caller(user_id="U0NOBODY"))
    assert "Tarla does not know who you are." in reply.message["text"]


async def test_a_known_person_is_asked_about_once(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as app:
        for _ in range(3):
            await app.ask("ldh high")
    assert len(app.called("users.info")) == len(app.called("auth.test")) == 1


async def test_a_request_that_comes_twice_is_refused_once(tmp_path: Path) -> None:
    mention = home_opened()["event"] | {"type": "app_mention", "text": "x", "ts": "1.0", "channel": "C0TUMOURBD"}
    async with over_http(tmp_path / "ledger.db") as app:
        app.slack.api.flags[USER] = {"is_restricted": True}
        for _ in range(2):
            await app.send(event_request(home_opened() | {"event": mention}))
            reply = await app.ask(trigger_id="1.2.3")
        kinds = [event.kind for event in await app.events()]
    assert len(app.called("chat.postEphemeral")) == 1
    assert reply.text == ""
    assert kinds.count("refused") == 2


@pytest.mark.parametrize(
    "event",
    [
        {"type": "message", "channel": "D0DM", "bot_id": "B0TARLADEV", "user": "U0TARLABOT", "text": "x", "ts": "1.0"},
        {"type": "message", "channel": "D0DM", "subtype": "message_changed", "message": {"user": USER}, "ts": "1.0"},
        {"type": "message", "channel": "D0DM", "subtype": "bot_message", "text": "x", "ts": "1.0"},
    ],
    ids=["its own message", "an edit", "a bot's message"],
)
async def test_what_nobody_wrote_is_taken_and_left_alone(tmp_path: Path, event: dict[str, Any]) -> None:
    async with over_http(tmp_path / "ledger.db") as app:
        assert (await app.send(event_request(home_opened() | {"event": event}))).status == 200
        assert await app.events() == []
    assert app.slack.calls == []


async def test_a_guest_in_the_messages_tab_is_told_nothing(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as app:
        app.slack.api.flags[USER] = {"is_restricted": True}
        assert (await app.send(event_request(home_opened(tab="messages")))).status == 200
        assert await app.events() == []
    assert app.slack.calls == []


@pytest.mark.parametrize("field", ["team", "channel", "enterprise", "type", "container"])
@pytest.mark.parametrize("value", [["x"], [], 7])
async def test_a_field_of_another_type_gets_past_nobody(tmp_path: Path, field: str, value: object) -> None:
    async with over_http(tmp_path / "ledger.db") as app:
        pressed = pressed_in_message(BUTTON, response_url=app.slack.new_response_url()) | {field: value}
        # Bolt itself cannot read some, which is 400.
        assert (await app.send(interaction_request(pressed))).status in (200, 400, 404)
        assert await app.events() == []
    assert app.slack.responses == []


async def test_a_closed_form_is_taken_without_a_word(tmp_path: Path) -> None:
    closed = {"type": "view_closed", "user": {"id": USER}, "team": {"id": "T0TARLADEV"}, "view": MODAL}
    async with over_http(tmp_path / "ledger.db") as app:
        app.slack.api.flags[USER] = {"is_restricted": True}
        reply = await app.send(interaction_request(closed))
        assert await app.events() == []
    assert (reply.status, reply.text) == (200, "")


async def test_a_denial_that_slack_does_not_take_is_recorded_as_such(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as app:
        app.slack.api.flags[USER] = {"is_restricted": True}
        app.slack.api.failing["chat.postEphemeral"] = "not_in_channel"
        assert (await app.write("ldh high")).status == 200
        refused, failed = await app.events()
    assert (refused.kind, failed.kind) == ("refused", "delivery_failed")
    assert failed.payload is not None
    assert failed.payload["reason"] == "slack_refused"


async def test_a_kind_of_request_that_is_not_known_gets_past_nobody(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as app:
        request = interaction_request({"type": "dialog_submission", "user": {"id": USER}, "team": {"id": "T0TARLADEV"}})
        assert (await app.send(request)).status == 404
        assert (await app.send(slash_command_request("help"))).status == 200
