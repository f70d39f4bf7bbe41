"""manifest.yml declares exactly what the application listens to and needs, within Slack's limits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from slack_bolt.async_app import AsyncBoltRequest

from bot.standin import message_event, shortcut_used
from handlers.controls import ACTIONS, SHORTCUT, VIEWS
from handlers.listeners import COMMAND, EVENTS, SCOPES
from handlers.parsing.refusal_texts import EXAMPLE
from tests.support.app import RunningApp, event_body, home_opened, over_http, until
from tests.support.requirements import ROOT
from tests.support.signing import SignedRequest, event_request, interaction_request, slash_command_request

MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
FEATURES, SETTINGS = MANIFEST["features"], MANIFEST["settings"]
# docs.slack.dev, App manifest reference; lengths in characters.
LIMITS = {"name": 35, "description": 140}
LONG_DESCRIPTION = range(175, 4_001)
SHORTCUT_NAME_MAX, SHORTCUT_DESCRIPTION_MAX, CALLBACK_ID_MAX = 24, 150, 255
COMMAND_MAX, COMMAND_DESCRIPTION_MAX, USAGE_HINT_MAX, BOT_NAME_MAX = 32, 2_000, 1_000, 80


def test_commands_are_those_listened_to() -> None:
    assert [each["command"] for each in FEATURES["slash_commands"]] == [COMMAND]


def test_events_are_those_listened_to() -> None:
    assert tuple(SETTINGS["event_subscriptions"]["bot_events"]) == EVENTS
    assert "user_events" not in SETTINGS["event_subscriptions"]


def test_shortcuts_are_those_listened_to_and_buttons_work() -> None:
    assert [(each["type"], each["callback_id"]) for each in FEATURES["shortcuts"]] == [("global", SHORTCUT)]
    assert SETTINGS["interactivity"] == {"is_enabled": True}


def test_scopes_are_those_needed_and_no_more() -> None:
    assert MANIFEST["oauth_config"]["scopes"] == {"bot": list(SCOPES)}


def test_socket_mode_and_the_home_tab_are_on() -> None:
    assert SETTINGS["socket_mode_enabled"] is True
    assert FEATURES["app_home"]["home_tab_enabled"] is True


def test_names_in_a_command_are_not_turned_into_mentions() -> None:
    """With escaping, Slack would send ``<@U…|name>`` where somebody typed a name."""
    assert all(each.get("should_escape", False) is False for each in FEATURES["slash_commands"])


def test_lengths_are_within_slacks_limits() -> None:
    shown = MANIFEST["display_information"]
    for key, most in LIMITS.items():
        assert 1 <= len(shown[key]) <= most
    assert len(shown["long_description"]) in LONG_DESCRIPTION
    assert 1 <= len(FEATURES["bot_user"]["display_name"]) <= BOT_NAME_MAX
    for each in FEATURES["shortcuts"]:
        assert 1 <= len(each["name"]) <= SHORTCUT_NAME_MAX
        assert 1 <= len(each["description"]) <= SHORTCUT_DESCRIPTION_MAX
        assert len(each["callback_id"]) <= CALLBACK_ID_MAX
    for each in FEATURES["slash_commands"]:
        assert each["command"].startswith("/")
        assert len(each["command"]) <= COMMAND_MAX
        assert 1 <= len(each["description"]) <= COMMAND_DESCRIPTION_MAX
        assert 1 <= len(each["usage_hint"]) <= USAGE_HINT_MAX


def test_the_usage_hint_is_a_command_that_works() -> None:
    (command,) = FEATURES["slash_commands"]
    assert f"{command['command']} {command['usage_hint']}" == EXAMPLE


def test_no_address_is_needed_with_socket_mode() -> None:
    assert "url" not in FEATURES["slash_commands"][0]
    assert "request_url" not in SETTINGS["event_subscriptions"]


async def _status(running: RunningApp, request: SignedRequest) -> int:
    """How the application answers: 200 for what it listens to, 404 for what it does not."""
    bolt_request = AsyncBoltRequest(
        body=request.body, headers={name: [value] for name, value in request.headers.items()}
    )
    response = await running.tarla.app.async_dispatch(bolt_request)
    return int(response.status)


async def test_what_is_declared_is_handled(tmp_path: Path) -> None:
    bodies = {
        "app_home_opened": home_opened(),
        "app_mention": message_event("help"),
        "message.im": message_event("help", kind="message"),
    }
    async with over_http(tmp_path / "ledger.db") as running:
        for each in FEATURES["slash_commands"]:
            assert await _status(running, slash_command_request("help", command=each["command"])) == 200
        for each in FEATURES["shortcuts"]:
            assert await _status(running, interaction_request(shortcut_used(each["callback_id"]))) == 200
        for event in SETTINGS["event_subscriptions"]["bot_events"]:
            assert await _status(running, event_request(bodies[event])) == 200
        # An event is acknowledged first and handled after.
        wanted = {"views.publish", "chat.postEphemeral", "chat.postMessage"}
        await until(lambda: wanted <= {call.method for call in running.slack.calls})


# Made in the test: a signature is good for five minutes, and all tests together take longer.
@pytest.mark.parametrize(
    "request_of",
    [
        lambda: event_request(home_opened(tab="messages")),
        lambda: event_request(
            message_event("ldh high", kind="message") | {"event": {**message_event("x")["event"], "type": "message"}}
        ),
        lambda: slash_command_request("help", command="/other"),
        lambda: event_request(event_body({"type": "reaction_added", "user": "U1", "event_ts": "1.0"})),
        lambda: interaction_request(
            {"type": "shortcut", "callback_id": "any", "user": {"id": "U1"}, "team": {"id": "T0TARLADEV"}}
        ),
        lambda: interaction_request(
            {
                "type": "block_actions",
                "user": {"id": "U1"},
                "team": {"id": "T0TARLADEV"},
                "actions": [{"type": "button", "action_id": "any", "block_id": "any"}],
            }
        ),
    ],
    ids=["messages tab", "message in a channel", "command", "event", "shortcut", "button"],
)
async def test_what_is_not_declared_is_not_handled(tmp_path: Path, request_of: Callable[[], SignedRequest]) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        # Slack sends an event again that is not taken.
        request = request_of()
        taken = "event_callback" in request.body
        assert await _status(running, request) == (200 if taken else 404)
        assert await running.events() == []
    # The guard asks who it is, and nothing is said.
    assert {call.method for call in running.slack.calls} <= {"auth.test", "users.info"}
    assert running.slack.responses == []


async def test_no_listener_is_undeclared(tmp_path: Path) -> None:
    """One listener for each command, shortcut and event of the manifest, each button and each form; no other waits."""
    async with over_http(tmp_path / "ledger.db") as running:
        listeners = running.tarla.app._async_listeners
    declared = len(FEATURES["slash_commands"]) + len(FEATURES["shortcuts"])
    declared += len(SETTINGS["event_subscriptions"]["bot_events"])
    assert len(listeners) == declared + len(ACTIONS) + len(VIEWS)
