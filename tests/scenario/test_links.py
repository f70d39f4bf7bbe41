"""Socket Mode keeps its link, says how it stands, and gives up in words where none can be had."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
import sys
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_sdk.web.async_client import AsyncWebClient

from bot.ledger import check_ledger, read_events
from bot.standin import SlackStandin, proxies_dropped
from bot.transports import socket as transport
from bot.transports import watchdog
from bot.transports.keeper import LAST_PAUSE_S, Pauses
from bot.transports.tickets import NoLinkError, ask_for_address, open_socket
from bot.transports.watchdog import NoLinkInSightError, Outage
from tests.support.app import APP_TOKEN, BOT_TOKEN, WORDS, HeldLedger, open_held, over_socket, until
from tests.support.program import environment
from tests.support.serving import SECRETS, START_S

OPEN = "apps.connections.open"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


async def test_the_state_follows_the_link(path: Path) -> None:
    async with over_socket(path) as (running, handler):
        state = handler.state
        await until(lambda: state.connected)
        assert (state.connections, state.expected, dict(state.reconnects)) == (1, 1, {})
        await until(lambda: state.last_pong_age_s() is not None)
        age = state.last_pong_age_s()
        assert age is not None
        assert 0 <= age < watchdog.PING_EVERY_S
        running.slack.sockets.refuse_status = 403
        running.slack.sockets.cut()
        await until(lambda: not state.connected)
        running.slack.sockets.refuse_status = None
        await until(lambda: state.connected)
        assert dict(state.reconnects) == {"lost": 1}
    assert not state.connected


async def test_a_refresh_brings_the_new_link_before_the_old_one_goes(path: Path) -> None:
    """What Slack still sends on the old one, and what was taken from it, is answered there."""
    async with over_socket(path) as (running, handler):
        sockets = running.slack.sockets
        await sockets.request_refresh(close_after=1.0)
        await running.slack.wait_connected(2)
        await until(lambda: len(handler.keeper.links) == 2)
        await running.slack.wait_connected(1)
        await until(lambda: len(handler.keeper.links) == 1)
        assert dict(handler.state.reconnects) == {"refresh_requested": 1}
        assert "receipt #1-" in (await running.slack.slash_command(WORDS))["text"]


async def test_an_answer_whose_link_was_lost_goes_over_the_next_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slack may take it, so it is sent; nobody says whether it did, so it does not count as delivered."""
    monkeypatch.setattr("bot.compose.open_ledger", open_held)
    async with over_socket(path) as (running, _handler):
        ledger = running.tarla.ledger.writer
        assert isinstance(ledger, HeldLedger)
        asking = asyncio.create_task(running.slack.slash_command(WORDS))
        await asyncio.wait_for(ledger.recorded_answer.wait(), 5.0)
        running.slack.sockets.cut()
        await until(lambda: running.slack.sockets.opened == 2)
        ledger.let_go.set()
        assert "receipt #1-" in (await asking)["text"]
        assert list(running.slack.sockets.acknowledged.values()) == [1]
        await until(lambda: len(list(read_events(path))) == 2)
        _computed, failed = await running.events()
    assert failed.payload is not None
    assert (failed.kind, failed.payload["reason"]) == ("delivery_failed", "connection_lost")


async def test_more_links_than_expected_are_warned_of(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "tarla.transport")
    async with over_socket(path) as (running, handler), running.slack.another_link():
        running.slack.sockets.cut(oldest=True)
        await until(lambda: handler.state.connections == 2)
    assert "Slack counts 2 links of this app, 1 are expected" in caplog.text


async def test_a_refresh_is_no_reason_to_warn(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "tarla.transport")
    async with over_socket(path) as (running, handler):
        await running.slack.sockets.request_refresh(close_after=0.5)
        await until(lambda: len(handler.keeper.links) == 2)
        assert handler.state.connections == 1  # it stands until the next refresh, hours later: no alert for all of them
        await until(lambda: len(handler.keeper.links) == 1)
        assert handler.state.connections == 1
    assert caplog.text == ""


async def test_envelopes_that_come_while_it_stops_are_answered_or_told(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Slack sends a command to nobody else, so silence would be its only other fate."""
    monkeypatch.setattr(transport, "DRAIN_S", 0.3)
    monkeypatch.setattr(transport, "TURN_AWAY_S", 0.3)
    # As if it were never quiet.
    monkeypatch.setattr(transport, "QUIET_S", 60.0)
    async with over_socket(path) as (running, handler):
        draining = asyncio.create_task(handler.drain())
        asking = []
        for _ in range(15):
            asking.append(asyncio.create_task(running.slack.slash_command(WORDS)))
            await asyncio.sleep(0.03)
        texts = [(await each)["text"] for each in asking]
        await draining
    answered = [text for text in texts if "receipt #" in text]
    told = [text for text in texts if text == transport.RESTARTING]
    assert answered
    assert told
    assert len(answered) + len(told) == len(texts)
    assert check_ledger(path).ok
    assert [event.kind for event in read_events(path)].count("computed") == len(answered)
    assert f"{len(told)} envelopes turned away" in caplog.text


async def test_a_process_without_a_link_ends_so_that_it_is_started_again(tmp_path: Path) -> None:
    """Slack's Web API answers, but every link is refused: the exit status asks for another start."""
    code = (
        "import bot.transports.watchdog as w; w.GIVE_UP_AFTER_S = 0.5; "
        "from bot.cli import main; main(['serve', '--socket'])"
    )
    async with SlackStandin(bot_token=BOT_TOKEN, app_token=APP_TOKEN) as slack:
        slack.sockets.refuse_status = 403
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            code,
            cwd=tmp_path,
            env=environment(tmp_path, SLACK_API_URL=slack.api_url, PYTHONPATH=str(Path.cwd()), **SECRETS),
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            _out, log = await asyncio.wait_for(process.communicate(), START_S)
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
    assert process.returncode == 75, log.decode()
    assert b"although its Web API answers (last: link_http_403): ending" in log
    assert b"stopped" in log
    assert b"Traceback" not in log


async def test_while_slack_itself_is_away_it_waits(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "GIVE_UP_AFTER_S", 0.2)
    async with over_socket(path) as (running, handler):
        running.slack.api.script[OPEN] = [(503, {})] * 1_000
        running.slack.sockets.cut()
        await until(lambda: [call.method for call in running.slack.calls].count(OPEN) >= 4)
        del running.slack.api.script[OPEN]
        await until(lambda: handler.state.connected, 10.0)


def test_an_outage_is_counted_only_while_slack_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(watchdog.time, "monotonic", lambda: now)
    outage = Outage(100.0)
    outage.failed("link_timeout", slack_answers=True)
    now = 99.0
    outage.failed("link_timeout", slack_answers=True)
    outage.failed("api_unreachable", slack_answers=False)
    now = 150.0
    outage.failed("link_timeout", slack_answers=True)
    outage.over()
    now = 260.0
    outage.failed("link_timeout", slack_answers=True)
    now = 360.0
    with pytest.raises(NoLinkInSightError, match=r"for 100 s although .*link_timeout"):
        outage.failed("link_timeout", slack_answers=True)


def test_pauses_grow_to_a_bound_and_begin_anew() -> None:
    pauses = Pauses(lambda _low, high: high)
    assert [pauses.next() for _ in range(8)] == [0.0, 0.25, 0.5, 1.0, 2.0, 4.0, LAST_PAUSE_S, LAST_PAUSE_S]
    pauses.held()
    assert pauses.next() == 0.0


async def test_what_is_no_envelope_costs_no_link(path: Path) -> None:
    """Whatever comes instead of one, what comes after it is answered on the same link."""
    hostile = [
        "",
        "null",
        "[]",
        "[" * 100_000,
        '{"type":"slash_commands","envelope_id":"1","payload":[]}',
        '{"type":"slash_commands","envelope_id":"1","payload":null}',
        '{"type":{},"envelope_id":0,"payload":{}}',
        '{"type":"slash_commands","envelope_id":"2","payload":"a word"}',
        '{"type":"slash_commands","envelope_id":"3","payload":{"command":{},"text":[1]}}',
        '{"type":"interactive","envelope_id":"4","payload":' + '{"view":' * 900 + "1" + "}" * 901,
    ]
    async with over_socket(path) as (running, handler):
        (socket,) = running.slack.sockets._open
        for message in hostile:
            await socket.response.send_str(message)
        await socket.response.send_bytes(b"\xff\x00")
        assert "receipt #" in (await running.slack.slash_command(WORDS))["text"]
        assert running.slack.sockets.opened == 1
        assert dict(handler.state.reconnects) == {}


async def test_a_link_that_is_told_too_much_is_made_anew(path: Path) -> None:
    async with over_socket(path) as (running, handler):
        (socket,) = running.slack.sockets._open
        with contextlib.suppress(ConnectionError):  # hung up on before all of it is sent
            await socket.response.send_str(json.dumps({"type": "hello", "more": "x" * 5_000_000}))
        await until(lambda: running.slack.sockets.opened == 2 and handler.state.connected)
        assert "receipt #1-" in (await running.slack.slash_command(WORDS))["text"]


@pytest.mark.parametrize(
    ("greeting", "kind"),
    [
        (["[" * 100_000, '{"type":"hello","num_connections":2}'], None),
        (['{"type":"disconnect","reason":[]}'], "disconnect"),
        (['{"type":"disconnect","reason":{}}'], "disconnect"),
    ],
)
async def test_a_strange_greeting_ends_nothing_but_the_attempt(greeting: list[str], kind: str | None) -> None:
    async def greet(request: web.Request) -> web.WebSocketResponse:
        response = web.WebSocketResponse()
        await response.prepare(request)
        for each in greeting:
            await response.send_str(each)
        await response.receive()
        return response

    application = web.Application()
    application.router.add_get("/link", greet)
    with proxies_dropped():
        async with TestServer(application) as server, aiohttp.ClientSession() as session:
            opening = open_socket(session, str(server.make_url("/link")), AsyncWebClient())
            if kind is None:
                socket, counted = await opening
                assert counted == 2
                await socket.close()
            else:
                with pytest.raises(NoLinkError, match=kind):
                    await opening


@pytest.mark.parametrize(
    ("named", "waits"), [("0", 0.0), ("7", 7.0), ("99999", 120.0), ("9" * 400, 120.0), ("x", 30.0)]
)
async def test_nobody_makes_it_wait_for_hours(named: str, waits: float) -> None:
    async with SlackStandin(bot_token=BOT_TOKEN, app_token=APP_TOKEN) as slack:
        slack.api.script[OPEN] = [(429, {"Retry-After": named})]
        with proxies_dropped(), pytest.raises(NoLinkError) as refused:
            await ask_for_address(AsyncWebClient(base_url=slack.api_url, retry_handlers=[]), APP_TOKEN)
    assert (refused.value.kind, refused.value.wait_s) == ("api_ratelimited", waits)
