"""``tarla serve`` as a process: it stops when told, and finishes what is in hand first."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from bot.ledger import StoredEvent, check_ledger, read_events
from bot.ledger.schema import KEPT_KINDS
from bot.standin import NotAcknowledgedError, SlackStandin, message_event, pressed_in_message
from handlers import controls
from tests.support.app import APP_TOKEN, BOT_TOKEN, WORDS, home_opened, until
from tests.support.forms import button_of
from tests.support.program import tarla
from tests.support.serving import SECRETS, START_S, STOP_S, serving
from tests.support.signing import (
    SignedRequest,
    event_request,
    interaction_request,
    slash_command_request,
)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """The ledger locked by another program, so that an answer has to wait."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def _events(path: Path, *, ended: bool = True) -> list[StoredEvent]:
    """What came of requests; the process's own begin and end stand around it, and a checkpoint covers both."""
    assert check_ledger(path).ok
    events = list(read_events(path))
    assert events[0].kind == "started"
    assert ([event.kind for event in events[-2:]] == ["stopped", "checkpoint"]) is ended
    return [event for event in events if event.kind not in KEPT_KINDS]


async def test_sigterm_lets_a_request_over_http_be_answered(tmp_path: Path) -> None:
    path, request = tmp_path / "ledger.db", slash_command_request(WORDS)
    async with (
        SlackStandin(bot_token=BOT_TOKEN, app_token=APP_TOKEN) as slack,
        serving(tmp_path, "--http", "--port", "0", SLACK_API_URL=slack.api_url, **SECRETS) as served,
    ):
        url = urlsplit((await served.logged("listening for Slack on")).split()[-1])
        reader, writer = await asyncio.open_connection(url.hostname, url.port)
        headers = request.headers | {"Host": url.netloc, "Content-Length": str(len(request.body))}
        # The server asks for the body once the request is in its hands: from then on it must be answered.
        headers |= {"Expect": "100-continue", "Connection": "close"}
        lines = [f"POST {url.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        with locked(path):
            writer.write("\r\n".join([*lines, "", ""]).encode())
            assert b"100 Continue" in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), STOP_S)
            writer.write(request.body.encode())
            served.stop()
            await served.logged("stopping")
        answer = (await asyncio.wait_for(reader.read(), STOP_S)).decode()
        writer.close()
        assert await served.ended() == 0
    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 200")
    computed, delivered = _events(path)
    assert f"#{computed.seq}-{computed.leaf.hex()[:4]}" in json.loads(body)["text"]
    assert (computed.kind, delivered.kind, delivered.ref) == ("computed", "delivered", computed.seq)
    assert "stopped" in served.lines[-1]


async def test_sigterm_lets_an_envelope_over_socket_mode_be_answered(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    async with (
        SlackStandin(bot_token=BOT_TOKEN, app_token=APP_TOKEN) as slack,
        serving(tmp_path, "--socket", SLACK_API_URL=slack.api_url, **SECRETS) as served,
    ):
        await slack.wait_connected(seconds=START_S)
        await served.logged("connected to Slack")
        with locked(path):
            asking = asyncio.create_task(slack.slash_command(WORDS))
            await asyncio.sleep(0)
            # Envelopes are taken up in order: once the later one has its effect, the command is in hand.
            await slack.send("events_api", home_opened())
            await until(lambda: "views.publish" in {call.method for call in slack.calls})
            assert not asking.done()
            served.stop()
            await served.logged("stopping")
        message = await asking
        assert await served.ended() == 0
    computed, delivered = _events(path)
    assert f"#{computed.seq}-{computed.leaf.hex()[:4]}" in message["text"]
    assert (computed.kind, delivered.kind, delivered.ref) == ("computed", "delivered", computed.seq)


async def test_a_second_sigterm_ends_it_at_once(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    async with (
        SlackStandin(bot_token=BOT_TOKEN, app_token=APP_TOKEN) as slack,
        serving(tmp_path, "--socket", SLACK_API_URL=slack.api_url, **SECRETS) as served,
    ):
        await served.logged("connected to Slack")
        with locked(path):
            asking = asyncio.create_task(slack.slash_command(WORDS))
            await asyncio.sleep(0)
            await slack.send("events_api", home_opened())
            served.stop()
            await served.logged("stopping")
            served.stop()
            assert await served.ended() == 128 + signal.SIGTERM
            assert not asking.done()
        await asyncio.wait({asking})
        assert isinstance(asking.exception(), NotAcknowledgedError)
    assert "a second time" in served.log
    assert _events(path, ended=False) == []


async def _posted(url: str, request: SignedRequest) -> str:
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=request.body.encode(), headers=request.headers) as response,
    ):
        assert response.status == 200
        return await response.text()


@pytest.mark.parametrize("transport", ["http", "socket"])
async def test_sigterm_lets_what_was_acknowledged_be_sent(tmp_path: Path, transport: str) -> None:
    """A mention, *What if* and *Share* are acknowledged first; what they bring comes after the transport has ended."""
    path = tmp_path / "ledger.db"
    words = ("--http", "--port", "0") if transport == "http" else ("--socket",)
    async with (
        SlackStandin(bot_token=BOT_TOKEN, app_token=APP_TOKEN) as slack,
        serving(tmp_path, *words, SLACK_API_URL=slack.api_url, **SECRETS) as served,
    ):
        if transport == "http":
            url = (await served.logged("listening for Slack on")).split()[-1]
            answer = json.loads(await _posted(url, slash_command_request(WORDS)))
        else:
            await served.logged("connected to Slack")
            await slack.wait_connected(seconds=START_S)
            answer = await slack.slash_command(WORDS)
        slack.api.slow = {"chat.postEphemeral": 0.8}
        slack.response_delay = 0.8
        mention = message_event(f"<@U0TARLABOT> {WORDS}")
        presses = [
            pressed_in_message(button_of(answer, button), response_url=slack.new_response_url())
            for button in (controls.WHAT_IF, controls.SHARE)
        ]
        if transport == "http":
            requests = [event_request(mention), *map(interaction_request, presses)]
            await asyncio.gather(*(_posted(url, request) for request in requests))
        else:
            await slack.send("events_api", mention)
            for press in presses:
                await slack.send("interactive", press)
        await until(lambda: len([event for event in read_events(path) if event.kind in ("computed", "shared")]) == 4)
        served.stop()
        assert await served.ended() == 0
    events = _events(path)
    assert {event.ref for event in events if event.kind == "delivered"} == {
        event.seq for event in events if event.kind in ("computed", "shared")
    }
    assert "delivery_failed" not in {event.kind for event in events}
    assert len([call for call in slack.calls if call.method == "chat.postEphemeral"]) == 1
    assert len(slack.responses) == 2


@pytest.fixture
def unreachable() -> str:
    """A Web API address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return f"http://127.0.0.1:{port}/api/"


async def test_sigterm_ends_it_while_slack_is_out_of_reach(tmp_path: Path, unreachable: str) -> None:
    async with serving(tmp_path, "--socket", SLACK_API_URL=unreachable, **SECRETS) as served:
        await served.logged("Slack cannot be reached")
        served.stop()
        assert await served.ended() == 0
    assert "connected to Slack" not in served.log
    assert not any(secret in served.log for secret in SECRETS.values())


async def test_sigterm_ends_it_while_slack_keeps_it_waiting(tmp_path: Path) -> None:
    """A firewall that drops packets is as silent as a server that never answers."""
    called = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.set()
        while await reader.read(1024):
            pass  # until the caller hangs up
        writer.close()

    silent = await asyncio.start_server(listen, "127.0.0.1", 0)
    api_url = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}/api/"
    async with silent, serving(tmp_path, "--socket", SLACK_API_URL=api_url, **SECRETS) as served:
        await asyncio.wait_for(called.wait(), START_S)
        served.stop()
        assert await served.ended() == 0
    assert "stopped" in served.log


@pytest.mark.parametrize(
    ("transport", "given", "named"),
    [
        ("--socket", (), ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN")),
        ("--socket", ("SLACK_BOT_TOKEN",), ("SLACK_APP_TOKEN",)),
        ("--http", ("SLACK_BOT_TOKEN",), ("SLACK_SIGNING_SECRET",)),
    ],
)
def test_missing_secrets_are_named_and_end_the_start(
    tmp_path: Path, transport: str, given: tuple[str, ...], named: tuple[str, ...]
) -> None:
    done = tarla(tmp_path, "serve", transport, **{name: SECRETS[name] for name in given})
    assert done.returncode == 1
    assert all(name in done.stderr for name in named)
    assert "Traceback" not in done.stderr
    assert not any(secret in done.stdout + done.stderr for secret in SECRETS.values())


@pytest.mark.parametrize("name", ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"])
async def test_a_refused_token_is_named_and_ends_the_start(tmp_path: Path, name: str) -> None:
    wrong = SECRETS | {name: "xoxb-revoked-0042"}
    async with (
        SlackStandin(bot_token=BOT_TOKEN, app_token=APP_TOKEN) as slack,
        serving(tmp_path, "--socket", SLACK_API_URL=slack.api_url, **wrong) as served,
    ):
        assert await asyncio.wait_for(served.process.wait(), START_S) == 1
        await until(lambda: name in served.log)
    assert re.search(rf"Slack refuses {name} \(invalid_auth\)", served.log)
    assert "Traceback" not in served.log
    assert "xoxb-revoked-0042" not in served.log


async def test_a_port_in_use_is_named_and_ends_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        async with (
            SlackStandin(bot_token=BOT_TOKEN, app_token=APP_TOKEN) as slack,
            serving(tmp_path, "--http", "--port", port, SLACK_API_URL=slack.api_url, **SECRETS) as served,
        ):
            assert await asyncio.wait_for(served.process.wait(), START_S) == 1
            await until(lambda: "choose another" in served.log)
    assert f"cannot listen on 127.0.0.1:{port} (EADDRINUSE)" in served.log
    assert "Traceback" not in served.log


def test_the_server_takes_as_many_open_files_as_it_may() -> None:
    """The default of 1,024 is used up by the connections of one burst, and then no answer can be recorded."""
    code = (
        "import resource as r; hard = r.getrlimit(r.RLIMIT_NOFILE)[1]\n"
        "r.setrlimit(r.RLIMIT_NOFILE, (256, hard))\n"
        "from bot.serve import MOST_FILES, allow_files; allow_files()\n"
        "print(r.getrlimit(r.RLIMIT_NOFILE) == (min(hard, MOST_FILES) if hard > 0 else MOST_FILES, hard))\n"
        "r.setrlimit(r.RLIMIT_NOFILE, (256, 256)); allow_files(); print(r.getrlimit(r.RLIMIT_NOFILE))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["True", "(256, 256)"]
