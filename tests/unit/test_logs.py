"""A record is one line without a secret, a traceback or what somebody typed, in both forms."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from aiohttp import web
from slack_sdk.socket_mode.aiohttp import SocketModeClient

from bot.address import read_address
from bot.logs import (
    MAX_FOREIGN_CHARACTERS,
    JsonLines,
    LogForm,
    PlainLines,
    bolt_logger,
    on_one_line,
    set_up_logs,
    without_secrets,
)
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
        assert "0a1b2c3d" in logging.Formatter().format(record)
    for formatter in (PlainLines(), JsonLines()):
        written = formatter.format(record)
        assert "Failed to connect" in written
        assert "/link" in written
        assert "0a1b2c3d" not in written
    if through_bolt:
        assert "0a1b2c3d" not in record.getMessage()


FORMATTERS = pytest.mark.parametrize("formatter", [PlainLines(), JsonLines()], ids=["text", "json"])


def record_of(message: str, *arguments: object, logger: str = "tarla.test", **more: Any) -> logging.LogRecord:
    """A record as the logging module makes it; ``more`` is its ``extra``."""
    return logging.getLogger(logger).makeRecord(
        logger, logging.ERROR, "x", 1, message, arguments, more.pop("exc_info", None), extra=more
    )


def failed(message: str) -> Any:
    """The failure of a function in this file, as ``sys.exc_info()`` gives it."""
    try:
        raise ConnectionError(message)  # noqa: TRY301 - it is the failure that is wanted
    except ConnectionError:
        return sys.exc_info()


@FORMATTERS
def test_of_an_exception_type_and_place_are_kept(formatter: logging.Formatter) -> None:
    """Its message may quote what somebody typed."""
    told = "https://hooks.slack.com/actions/T0TARLADEV/17/s3cr3t and ldh 487 of Smith"
    for logger in ("asyncio", "tarla.serve", "aiohttp.server"):
        written = formatter.format(record_of("a task failed", logger=logger, exc_info=failed(told)))
        assert "ConnectionError" in written
        assert "unit/test_logs.py:" in written
        for part in ("Traceback", "s3cr3t", "487", "Smith", "hooks"):
            assert part not in written


def test_the_place_is_the_last_in_our_own_code() -> None:
    try:
        read_address("no address at all")
    except ValueError:
        written = json.loads(JsonLines().format(record_of("failed", exc_info=sys.exc_info())))
    assert written["failure"] == "ValueError"
    assert re.fullmatch(r"bot/address\.py:[0-9]+", written["place"])
    try:
        without_secrets(None)  # type: ignore[arg-type]  # so that it fails inside the standard library or in ours
    except TypeError:
        written = json.loads(JsonLines().format(record_of("failed", exc_info=sys.exc_info())))
    assert written["place"].startswith("bot/logs.py:")


NASTY = "one\r\ntwo\x1b[31mred\x00\x07 \u202etrick\u2028line\x85next\u200dzero\ud800half"


@FORMATTERS
def test_a_record_is_one_line_that_steers_nothing(formatter: logging.Formatter) -> None:
    for logger in ("tarla.test", "someone.else"):
        written = formatter.format(record_of("said: %s", NASTY, logger=logger))
        assert written.isprintable()
        assert len(written.splitlines()) == 1
    written = formatter.format(record_of("said: %s", NASTY))
    said = json.loads(written)["message"] if isinstance(formatter, JsonLines) else written
    # Readers that decode the JSON get no control characters either.
    assert said.endswith(
        "one\\u000d\\u000atwo\\u001b[31mred\\u0000\\u0007 \\u202etrick\\u2028line\\u0085next\\u200dzero\\ud800half"
    )


@FORMATTERS
def test_of_others_records_the_first_line_is_kept_and_no_more(formatter: logging.Formatter) -> None:
    long = formatter.format(record_of("x" * 1000 + "\nldh 487", logger="slack_sdk.web"))
    assert "x" * MAX_FOREIGN_CHARACTERS in long
    assert "x" * (MAX_FOREIGN_CHARACTERS + 1) not in long
    assert "487" not in long
    asyncios = "Task exception was never retrieved\nfuture: <Task exception=ValueError('ldh 487')>"
    assert "487" not in formatter.format(record_of(asyncios, logger="asyncio"))
    assert "487" not in formatter.format(record_of("Exception in callback f('ldh 487')", logger="asyncio"))
    warned = formatter.format(record_of("%s", "a/b.py:3: UserWarning: ldh 487\n  f('ldh 487')", logger="py.warnings"))
    assert "UserWarning" in warned
    assert "487" not in warned


@FORMATTERS
def test_a_record_that_cannot_be_put_into_words_is_still_logged(formatter: logging.Formatter) -> None:
    written = formatter.format(record_of("%d events", "ldh 487"))
    assert "cannot be put into words (TypeError)" in written
    assert "487" not in written


def test_json_holds_time_level_logger_message_and_known_fields() -> None:
    record = record_of("turned away: %s", "E_GUEST", code="E_GUEST", door="slash_command", seq=7, user="U0FELLOW01")
    record.created = 1_795_521_600.0426
    assert json.loads(JsonLines().format(record)) == {
        "time": "2026-11-24T12:00:00.042Z",
        "level": "ERROR",
        "logger": "tarla.test",
        "message": "turned away: E_GUEST",
        "code": "E_GUEST",
        "door": "slash_command",
        "seq": 7,
    }
    assert PlainLines().format(record) == "2026-11-24T12:00:00.042Z ERROR tarla.test turned away: E_GUEST"


@pytest.mark.parametrize("value", ["two words", "a\nb", "Müller", "x" * 101, ["E_GUEST"], None])
def test_a_field_is_a_closed_word_or_a_number(value: object) -> None:
    assert "code" not in json.loads(JsonLines().format(record_of("said", code=value)))


def test_a_secret_in_a_field_is_cut() -> None:
    written = JsonLines().format(record_of("said", reason="xoxb-1-abc", address="https://hooks.slack.com/x/y"))
    assert "xoxb" not in written
    assert "/x/y" not in written


def test_plain_text_is_left_as_it_is() -> None:
    assert on_one_line("Grad ≥ 2, µkat/L – plain") == "Grad ≥ 2, µkat/L – plain"


@contextmanager
def logs_of_its_own() -> Iterator[None]:
    """Logging as in a new process; afterwards everything is as it was."""
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook, sys.unraisablehook)
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    try:
        yield
    finally:
        logging.captureWarnings(False)
        logging.raiseExceptions = True
        root.handlers[:] = handlers
        root.setLevel(level)
        sys.excepthook, threading.excepthook, sys.unraisablehook = hooks


class Terminal(io.StringIO):
    """A standard error that is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


@pytest.mark.parametrize(
    ("stream", "form", "is_json"),
    [
        (io.StringIO, None, True),
        (Terminal, None, False),
        (Terminal, LogForm.JSON, True),
        (io.StringIO, LogForm.TEXT, False),
    ],
)
def test_the_form_follows_the_stream_unless_told(
    monkeypatch: pytest.MonkeyPatch, stream: type[io.StringIO], form: LogForm | None, is_json: bool
) -> None:
    written = stream()
    monkeypatch.setattr(sys, "stderr", written)
    with logs_of_its_own():
        set_up_logs(form)
        logging.getLogger("tarla.test").info("begun")
    assert written.getvalue().startswith("{") is is_json
    assert written.getvalue().count("\n") == 1


def test_what_nobody_catches_is_one_line_without_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    with logs_of_its_own():
        set_up_logs(LogForm.JSON)
        sys.excepthook(*failed("ldh 487"))
        thread = threading.Thread(target=failing)
        thread.start()
        thread.join()
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [line.get("failure") for line in lines] == ["ConnectionError", "RuntimeError"]
    assert "487" not in written.getvalue()


def failing() -> None:
    """What a thread may come to."""
    raise RuntimeError("ldh 487")


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
