"""The end-to-end harness itself: a tiny Bolt app answers a person typing into a local Slack."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_server import AsyncSlackAppServer
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.localslack import LocalSlack, LocalSlackFailedError, LocalSlackUnsafeError
from bot.localslack.__main__ import serve
from bot.localslack.listening import Listener, listeners_of
from bot.localslack.program import PACKAGE, bound_to_loopback
from tests.support.browser import screenshot_blocks, slack_client
from tests.support.local_slack import local_slack
from tests.support.requirements import ROOT, require_e2e
from tests.support.slack_limits import check_message

pytestmark = pytest.mark.e2e

CELLS = (("Outcome", "this patient", "study"), ("CRS, any grade", "aa %", "16/30"))
TABLE = {"type": "table", "rows": [[{"type": "raw_text", "text": text} for text in row] for row in CELLS]}
FENCE = "CRS, any grade    aa % (bb to cc)\nCRS, >= 2         dd %"


def tiny_app(slack: LocalSlack) -> AsyncApp:
    app = AsyncApp(client=AsyncWebClient(slack.bot_token, base_url=slack.api_url), signing_secret=slack.signing_secret)

    @app.command("/tarla")
    async def answer(ack: AsyncAck, command: dict[str, Any]) -> None:
        text = f"You asked: {command['text']}"
        fence = FENCE.replace(">", "&gt;")
        section = {"type": "section", "text": {"type": "mrkdwn", "text": f"*{text}*\n```{fence}```"}}
        reply: dict[str, Any] = {"response_type": "ephemeral", "text": text, "blocks": [section, {"type": "divider"}]}
        check_message(reply)
        await ack(**reply)

    return app


@asynccontextmanager
async def in_socket_mode(slack: LocalSlack) -> AsyncIterator[None]:
    client = AsyncWebClient(slack.app_token, base_url=slack.api_url)
    handler = AsyncSocketModeHandler(tiny_app(slack), slack.app_token, web_client=client, ping_interval=3)
    await handler.connect_async()  # type: ignore[no-untyped-call]  # slack_bolt leaves it untyped
    try:
        await slack.wait_connected()
        yield
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]  # slack_bolt leaves it untyped


def ephemeral(message: dict[str, Any]) -> bool:
    return message.get("subtype") == "ephemeral"


async def test_it_listens_on_127_0_0_1_only_and_is_gone_afterwards() -> None:
    async with local_slack() as slack:
        pid, port = slack.pid, slack.port
        assert listeners_of(pid) == {Listener("127.0.0.1", port)}
    with pytest.raises(FileNotFoundError):
        listeners_of(pid)


async def test_any_other_release_is_refused() -> None:
    require_e2e()
    other = bytearray((ROOT / PACKAGE).read_bytes())
    other[-1] ^= 1
    with pytest.raises(LocalSlackUnsafeError):
        bound_to_loopback(bytes(other))


async def test_a_taken_port_is_an_error_that_says_so() -> None:
    require_e2e()
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(LocalSlackFailedError, match=r"(?i)in use"):
        async with LocalSlack(port=taken.getsockname()[1]):
            pass


async def test_a_command_in_socket_mode_is_answered_ephemerally() -> None:
    async with local_slack() as slack, in_socket_mode(slack):
        await slack.command("ldh 480/250")
        message = await slack.wait_for_message(ephemeral)
    assert message["text"] == "You asked: ldh 480/250"
    assert message["ephemeral_to"] == slack.caller.user_id


async def test_a_command_over_http_is_signed_and_answered_ephemerally() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with local_slack(mode="events", request_url=f"http://127.0.0.1:{port}/slack/events") as slack:
        app = tiny_app(slack)
        runner = web.AppRunner(AsyncSlackAppServer(port, "/slack/events", app).web_app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            await slack.command("liver yes")
            message = await slack.wait_for_message(ephemeral)
        finally:
            await runner.cleanup()
    assert message["text"] == "You asked: liver yes"


async def test_a_person_types_a_command_and_reads_the_answer() -> None:
    async with local_slack() as slack, in_socket_mode(slack), slack_client(slack.base_url) as client:
        await client.open_channel(slack.caller.channel_name)
        await client.type_and_send("/tarla ldh high")
        answer = await client.ephemeral_answer("You asked: ldh high")
        picture = await client.screenshot("harness-client")
        assert "only visible to you" in await answer.inner_text()
        assert await answer.locator("code").inner_text() == FENCE
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert client.problems == []


TINY_BOT = """
import asyncio, os, signal
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

async def main():
    url = os.environ["SLACK_API_URL"]
    app = AsyncApp(client=AsyncWebClient(os.environ["SLACK_BOT_TOKEN"], base_url=url))
    token = os.environ["SLACK_APP_TOKEN"]
    handler = AsyncSocketModeHandler(app, token, web_client=AsyncWebClient(token, base_url=url))
    await handler.connect_async()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await handler.close_async()

asyncio.run(main())
"""


async def test_slack_and_the_bot_run_together_until_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    require_e2e()
    stop = asyncio.Event()
    running = asyncio.create_task(serve(stop, bot_command=(sys.executable, "-c", TINY_BOT)))
    said = ""
    async with asyncio.timeout(20):
        while "Ctrl-C" not in said:
            await asyncio.sleep(0.05)
            said += capsys.readouterr().out
            assert not running.done()
    stop.set()
    await asyncio.wait_for(running, 10)
    assert "http://127.0.0.1:" in said
    assert "#tumour-board type   /tarla ldh" in said


async def test_a_bot_that_ends_by_itself_is_reported() -> None:
    require_e2e()
    with pytest.raises(LocalSlackFailedError, match="status 3"):
        await serve(asyncio.Event(), bot_command=(sys.executable, "-c", "raise SystemExit(3)"))


async def test_a_table_block_is_drawn() -> None:
    require_e2e()
    picture = await screenshot_blocks([TABLE], "harness-table")
    assert picture.read_bytes().startswith(b"\x89PNG")
