"""The stand-in for Slack behaves as Slack does, seen by a real Bolt app."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.localslack.listening import listeners_of
from bot.standin import NotAcknowledgedError, NotConnectedError, SlackStandin, proxies_dropped, without_proxies
from tests.support.signing import SIGNING_SECRET, interaction_request, slash_command_request

BOT_TOKEN, APP_TOKEN = "xoxb-standin", "xapp-standin"


@pytest.fixture
async def slack() -> AsyncIterator[SlackStandin]:
    async with SlackStandin(bot_token=BOT_TOKEN, app_token=APP_TOKEN) as standin:
        yield standin


def echo_app(slack: SlackStandin) -> AsyncApp:
    app = AsyncApp(client=AsyncWebClient(BOT_TOKEN, base_url=slack.api_url), signing_secret=SIGNING_SECRET)

    @app.command("/tarla")
    async def answer(ack: AsyncAck, command: dict[str, Any], respond: AsyncRespond) -> None:
        if command["text"] == "silence":
            return
        await ack(response_type="ephemeral", text=f"{command['user_id']} asked {command['text']}")
        if command["text"] == "later":
            await respond("and later")

    return app


@asynccontextmanager
async def connected(slack: SlackStandin, app: AsyncApp) -> AsyncIterator[None]:
    client = AsyncWebClient(APP_TOKEN, base_url=slack.api_url)
    handler = AsyncSocketModeHandler(app, APP_TOKEN, web_client=client, ping_interval=1)
    await handler.connect_async()  # type: ignore[no-untyped-call]  # slack_bolt leaves it untyped
    try:
        await slack.wait_connected()
        yield
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]  # slack_bolt leaves it untyped


async def test_a_command_reaches_the_app_and_its_acknowledgement_comes_back(slack: SlackStandin) -> None:
    async with connected(slack, echo_app(slack)):
        answer = await slack.slash_command("ldh 480/250", user="U0SOMEONE1")
    assert answer == {"response_type": "ephemeral", "text": "U0SOMEONE1 asked ldh 480/250"}
    assert slack.acknowledgements == [answer]


async def test_calls_are_recorded_without_the_token(slack: SlackStandin) -> None:
    async with connected(slack, echo_app(slack)):
        await slack.slash_command("help")
    assert {call.method for call in slack.calls} >= {"auth.test", "apps.connections.open"}
    assert all("token" not in call.args and call.answer["ok"] for call in slack.calls)


async def test_a_command_nobody_acknowledges_is_an_error(slack: SlackStandin) -> None:
    async with connected(slack, echo_app(slack)):
        with pytest.raises(NotAcknowledgedError):
            await slack.slash_command("silence", seconds=0.2)


async def test_without_a_connection_there_is_nobody_to_send_to(slack: SlackStandin) -> None:
    with pytest.raises(NotConnectedError):
        await slack.slash_command("help")


async def test_a_response_url_records_what_it_is_sent(slack: SlackStandin) -> None:
    async with connected(slack, echo_app(slack)):
        await slack.slash_command("later")
        async with asyncio.timeout(2):
            while not slack.responses:
                await asyncio.sleep(0.01)
    assert [(response.body["text"], response.status) for response in slack.responses] == [("and later", 200)]


@pytest.mark.parametrize(("status", "expected"), [(200, [200] * 5 + [404]), (500, [500] * 5 + [404])])
async def test_a_response_url_is_good_for_five_uses(slack: SlackStandin, status: int, expected: list[int]) -> None:
    slack.response_status = status
    url = slack.new_response_url()
    async with aiohttp.ClientSession() as session:
        statuses = [(await session.post(url, json={"text": "x"})).status for _ in range(6)]
    assert statuses == expected


@pytest.mark.parametrize("break_link", ["cut", "close", "request_refresh"])
async def test_the_app_comes_back_after_a_lost_connection(slack: SlackStandin, break_link: str) -> None:
    async with connected(slack, echo_app(slack)):
        opened = sum(call.method == "apps.connections.open" for call in slack.calls)
        broken = getattr(slack.sockets, break_link)()
        if broken is not None:
            await broken
        async with asyncio.timeout(5):
            while sum(call.method == "apps.connections.open" for call in slack.calls) == opened:
                await asyncio.sleep(0.01)
        await slack.wait_connected()
        assert (await slack.slash_command("again"))["text"].endswith("asked again")


@pytest.mark.parametrize(
    ("token", "method", "error"),
    [
        ("xoxb-wrong", "auth.test", "invalid_auth"),
        ("", "auth.test", "not_authed"),
        (BOT_TOKEN, "apps.connections.open", "not_allowed_token_type"),
        (APP_TOKEN, "auth.test", "not_allowed_token_type"),
        (BOT_TOKEN, "chat.scheduleMessage", "unknown_method"),
        (BOT_TOKEN, "users.info", "user_not_found"),
        (BOT_TOKEN, "views.publish", "invalid_arguments"),
        (BOT_TOKEN, "chat.postMessage", "invalid_arguments"),
    ],
)
async def test_refusals_are_those_of_slack(slack: SlackStandin, token: str, method: str, error: str) -> None:
    with pytest.raises(SlackApiError) as refused:
        await AsyncWebClient(token, base_url=slack.api_url).api_call(method, json={})
    assert refused.value.response["error"] == error


async def test_methods_that_tarla_calls_are_answered(slack: SlackStandin) -> None:
    client = AsyncWebClient(BOT_TOKEN, base_url=slack.api_url)
    place = slack.workspace
    assert (await client.team_info())["team"]["domain"] == place.team_domain
    assert (await client.users_info(user=slack.caller.user_id))["user"]["name"] == slack.caller.user_name
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    assert (await client.views_publish(user_id="U0SOMEONE1", view=home))["view"]["blocks"] == home["blocks"]
    assert (await client.chat_postMessage(channel="C1", text="seen"))["message"]["text"] == "seen"
    assert (await client.chat_postEphemeral(channel="C1", user="U1", text="seen"))["message_ts"]
    with pytest.raises(SlackApiError, match="no_text"):
        await client.api_call("chat.postMessage", json={"channel": "C1"})
    sent = next(call for call in slack.calls if call.method == "views.publish")
    assert sent.args["view"] == home


async def test_a_socket_needs_a_fresh_ticket(slack: SlackStandin) -> None:
    url = (await AsyncWebClient(APP_TOKEN, base_url=slack.api_url).apps_connections_open(app_token=APP_TOKEN))["url"]
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url) as socket:
            assert (await socket.receive_json())["type"] == "hello"
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)


async def test_it_listens_on_the_loopback_interface_only(slack: SlackStandin) -> None:
    hosts = {listener.host for listener in listeners_of(os.getpid()) if str(listener.port) in slack.base_url}
    assert hosts == {"127.0.0.1"}


async def test_bolt_accepts_our_signed_command_and_refuses_a_forged_one(slack: SlackStandin) -> None:
    app = echo_app(slack)
    good = slash_command_request("ldh high", caller=slack.caller)
    accepted = await app.async_dispatch(AsyncBoltRequest(body=good.body, headers=dict(good.headers)))
    forged = slash_command_request("ldh high", signing_secret=SIGNING_SECRET[::-1])
    refused = await app.async_dispatch(AsyncBoltRequest(body=forged.body, headers=dict(forged.headers)))
    assert (accepted.status, refused.status) == (200, 401)
    assert "asked ldh high" in accepted.body


def test_signatures_follow_slacks_scheme_and_expire() -> None:
    verifier = SignatureVerifier(SIGNING_SECRET)
    fresh = interaction_request({"type": "block_actions"})
    stale = interaction_request({"type": "block_actions"}, timestamp=1_700_000_000)
    assert verifier.is_valid_request(fresh.body, fresh.headers)
    assert not verifier.is_valid_request(fresh.body + "&x=1", fresh.headers)
    assert not verifier.is_valid_request(stale.body, stale.headers)


def test_proxy_variables_are_dropped_and_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert "HTTPS_PROXY" not in without_proxies(os.environ)
    with proxies_dropped():
        assert "HTTPS_PROXY" not in os.environ
        assert "http_proxy" not in os.environ
    assert os.environ["HTTPS_PROXY"] == "http://127.0.0.1:9"
