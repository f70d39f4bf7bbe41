"""What other libraries log through us is cut to one line, without a traceback."""

from __future__ import annotations

import asyncio
import logging
import sys

import pytest
from aiohttp import web
from slack_sdk.socket_mode.aiohttp import SocketModeClient

from bot.logs import FORMAT, MAX_FOREIGN_CHARACTERS, WithoutSecrets, bolt_logger, without_secrets
from bot.standin import proxies_dropped
from tests.support.app import until


def test_a_foreign_failure_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    logger = bolt_logger()
    try:
        int("x")
    except ValueError:
        logger.exception("Failed to connect (error: %s)\nbody: secret", "refused" * 100)
    (record,) = caplog.records
    assert record.exc_info is None
    assert record.getMessage().startswith("Failed to connect (error: refused")
    assert len(record.getMessage()) == MAX_FOREIGN_CHARACTERS
    assert "secret" not in record.getMessage()


def test_warnings_of_bolt_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """They may quote a request."""
    bolt_logger().warning("Unhandled request ({'text': 'Smith'})")
    assert caplog.records == []


def test_asking_twice_gives_one_filter() -> None:
    assert bolt_logger() is bolt_logger()
    assert len(bolt_logger().filters) == 1
    assert bolt_logger().level == logging.ERROR


@pytest.mark.parametrize("through_bolt", [True, False])
async def test_the_ticket_of_a_connection_that_fails_is_not_logged(
    caplog: pytest.LogCaptureFixture, through_bolt: bool
) -> None:
    """slack_sdk's own sentence and traceback, as it writes them when Slack turns a Socket Mode connection away."""
    refusing = web.AppRunner(web.Application(), access_log=None)
    await refusing.setup()
    await web.TCPSite(refusing, "127.0.0.1", 0).start()
    logger = bolt_logger() if through_bolt else logging.getLogger("tests.foreign")
    with proxies_dropped():
        client = SocketModeClient(app_token="xapp-test", logger=logger, ping_interval=0.01)  # noqa: S106
        client.wss_uri = f"ws://127.0.0.1:{refusing.addresses[0][1]}/link?ticket=0a1b2c3d&app_id=A0TARLADEV"
        connecting = asyncio.ensure_future(client.connect())
        await until(lambda: any(record.levelno >= logging.ERROR for record in caplog.records))
        connecting.cancel()
        await client.close()
        await refusing.cleanup()
    record = next(record for record in caplog.records if record.levelno >= logging.ERROR)
    if not through_bolt:
        assert record.exc_info is not None
        assert "0a1b2c3d" in logging.Formatter(FORMAT).format(record)
    written = WithoutSecrets(FORMAT).format(record)
    assert "Failed to connect" in written
    assert "/link" in written
    assert "0a1b2c3d" not in written
    if through_bolt:
        assert "0a1b2c3d" not in record.getMessage()


def test_nor_is_it_in_a_traceback() -> None:
    def fail() -> None:
        raise ConnectionError("https://hooks.slack.com/actions/T0TARLADEV/17/s3cr3t")

    try:
        fail()
    except ConnectionError:
        record = logging.LogRecord("asyncio", logging.ERROR, "x", 1, "a task failed", None, sys.exc_info())
    written = WithoutSecrets(FORMAT).format(record)
    assert "Traceback" in written
    assert "https://hooks.slack.com/\N{HORIZONTAL ELLIPSIS}" in written
    assert "s3cr3t" not in written


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("listening on http://127.0.0.1:3000/slack/events", "listening on http://127.0.0.1:3000/slack/events"),
        ("url='wss://wss-primary.slack.com/link/?ticket=abc'", "url='wss://wss-primary.slack.com/link/…'"),
        ("URL('https://hooks.slack.com/commands/T1/2/x')", "URL('https://hooks.slack.com/…')"),
        ("HTTPS://hooks.slack-gov.com/x", "HTTPS://hooks.slack-gov.com/…"),
        ("http://127.0.0.1:1/response/7", "http://127.0.0.1:1/…"),
        ("proxy http://user:word@proxy.example:3128/", "proxy http://proxy.example:3128/"),
        ("https://slack.com/api/users.info?user=U1#x", "https://slack.com/api/users.info…"),
        ("path /link?ticket=abc&app_id=A1", "path /link?…&app_id=A1"),
        ("xoxb-1-abc and xapp-1-A-b", "… and …"),
        ("nothing secret", "nothing secret"),
    ],
)
def test_what_is_cut(text: str, cut: str) -> None:
    assert without_secrets(text) == cut
