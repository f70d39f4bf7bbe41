"""What goes through a response_url: taken or not, in time or not, and its address in no log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.standin import proxies_dropped
from handlers.blockkit import ephemeral, notice_modal, section
from handlers.sending import open_modal, post, send_failure

MESSAGE = ephemeral("A message.", [section("A message.")])
SECRET = "T0TARLADEV-secret-part"  # noqa: S105 - made up


@asynccontextmanager
async def answering(handler: web.Handler) -> AsyncIterator[tuple[AsyncWebClient, str]]:
    """A client, and a response_url that answers so."""
    application = web.Application()
    application.router.add_route("*", "/{any:.*}", handler)  # type: ignore[arg-type]
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    with proxies_dropped():
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield AsyncWebClient(token="xoxb-test", base_url=f"{base}/api/"), f"{base}/{SECRET}"  # noqa: S106
        finally:
            await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        (200, "ok", None),
        (200, "ok\n", None),
        (200, '{"ok":true}', None),
        (200, "<html>Access blocked</html>", "response_url_200"),
        (200, "", None),
        (200, "[]", "response_url_200"),
        (200, '{"ok":false,"error":"used_url"}', "response_url_refused"),
        (404, '{"ok":false,"error":"used_url"}', "response_url_404"),
        (500, "", "response_url_500"),
        (429, "", "response_url_429"),
    ],
)
async def test_slacks_answer_decides(
    status: int, text: str, expected: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    taken: list[dict[str, object]] = []

    async def answer(request: web.Request) -> web.Response:
        taken.append(await request.json())
        return web.Response(status=status, text=text)

    with caplog.at_level(logging.DEBUG):
        async with answering(answer) as (client, url):
            assert await post(client, url, MESSAGE, replace=True) == expected
    assert taken == [{**MESSAGE, "replace_original": True}]
    assert SECRET not in caplog.text
    assert "A message." not in caplog.text


async def test_it_does_not_wait_for_long(caplog: pytest.LogCaptureFixture) -> None:
    async def never(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    with caplog.at_level(logging.DEBUG):
        async with answering(never) as (client, url):
            assert await post(client, url, MESSAGE, seconds=0.0) == "response_url_timeout"
    assert SECRET not in caplog.text


async def test_nobody_there_is_told_too(caplog: pytest.LogCaptureFixture) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response()

    async with answering(answer) as (client, _):
        pass
    with caplog.at_level(logging.DEBUG), proxies_dropped():
        assert await post(client, f"http://127.0.0.1:9/{SECRET}", MESSAGE) == "response_url_unreachable"
    assert SECRET not in caplog.text


@pytest.mark.parametrize("body", ["not json", '{"ok":false,"error":"expired_trigger_id"}', '{"ok":true}'])
async def test_a_modal_is_shown_or_not(body: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=body, content_type="application/json")

    async with answering(answer) as (client, _):
        shown = await open_modal(client, "1.2.trigger", notice_modal("Not shown.", "Ask once more.", "none"))
    assert shown is (body == '{"ok":true}')


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"ok":false,"error":"channel_not_found"}', "channel_not_found"),
        ('{"ok":false,"error":"A page with 480/250"}', "slack_refused"),
        ("<html>Access blocked</html>", "slack_refused"),
        (None, "connection_lost"),
    ],
)
async def test_why_a_message_was_not_sent_is_a_closed_code(body: str | None, expected: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        if body is None and request.transport is not None:
            request.transport.abort()
        return web.Response(text=body, content_type="application/json")

    async with answering(answer) as (client, _):
        with pytest.raises(Exception) as caught:  # noqa: PT011 - whichever slack_sdk raises
            await client.chat_postMessage(channel="C1", text="A message.")
    assert isinstance(caught.value, Exception)
    assert send_failure(caught.value) == expected
    assert send_failure(TimeoutError()) == "timeout"
