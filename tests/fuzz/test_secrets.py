"""Tokens, signing secret, response_urls and keys: whatever fails, they stand in no log, message, record or repr."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from typing import Any

import pytest

from bot.ledger.note import NoteError, new_key, read_signing_key
from bot.logs import JsonLines, PlainLines
from bot.settings import Settings, SettingsError, read_settings
from bot.standin import pressed_in_message
from handlers import controls
from handlers.form import Door, Origin
from handlers.listeners.presses import read_press
from handlers.ports import LedgerUnavailableError
from handlers.requests import Asker, Question
from tests.support import app as support
from tests.support.app import RunningApp, over_http, over_socket, settings_for
from tests.support.chaos import scale, tally
from tests.support.forms import filled
from tests.support.program import tarla
from tests.support.signing import SIGNING_SECRET
from tests.support.surfaces import all_bytes, log_lines

BOT, APP = "xoxb-77130442-canarybot", "xapp-1-A77-canaryapp"
URL = "https://hooks.slack.com/commands/T0/77130442/canaryurl"
KEY = "canarykeyMC4CAQAwBQYDK2VwBCIEIA"
CANARIES = (BOT, APP, SIGNING_SECRET, "canarybot", "canaryapp", "canaryurl", KEY)


FAULTS = ("none", "ledger", "slack refuses", "slack garbled", "slack slow", "mistake", "response_url")
BUTTONS = (controls.WHAT_IF, controls.SHARE, controls.EVIDENCE, controls.MODEL, controls.EDIT, controls.OPEN_FORM)
WORDS = (("doctor",), ("serve", "--socket"), ("serve", "--http", "--port", "1"), ("ask", BOT))
VIEWS = ("views.open", "views.push", "views.update")


@pytest.fixture
def own_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(support, "BOT_TOKEN", BOT)
    monkeypatch.setattr(support, "APP_TOKEN", APP)


def assert_nowhere(content: str | bytes, where: str, *more: str) -> None:
    """No secret, nor any of ``more``, stands in ``content``."""
    whole = content.encode() if isinstance(content, str) else content
    for canary in (*CANARIES, *more):
        assert canary.lower().encode() not in whole.lower(), where


def written(records: list[logging.LogRecord]) -> str:
    """Every line that the operator's log would hold: ours, and the libraries' warnings and errors, tracebacks too."""
    return "\n".join(
        line.format(record)
        for record in records
        for line in (PlainLines(), JsonLines())
        if record.levelno >= (logging.INFO if record.name.startswith("tarla") else logging.WARNING)
    )


async def everything(running: RunningApp) -> str:
    """Use every door once; what came back."""
    urls = [running.slack.new_response_url() for _ in range(6)]
    said = [await running.ask(response_url=urls[0]), await running.ask("site")]
    said.append(await running.ask("", response_url=urls[1]))
    said.append(await running.ask(signing_secret="f" * 32))
    for name in BUTTONS:
        pressed = {"type": "button", "action_id": name, "value": "1-0000"}
        said.append(await running.press(pressed, response_url=urls[2]))
        said.append(await running.press({**pressed, "value": BOT}, response_url=URL))
    if running.slack.api.views:
        said.append(await running.submit(running.opened_view(), filled()))
    said.append(await running.write(f"<@U0TARLABOT> {BOT} {APP}"))
    said.append(await running.write(SIGNING_SECRET, kind="message"))
    said.append(await running.use_shortcut(controls.SHORTCUT))
    await running.tarla.background.drain(support.PATIENCE_S)
    assert_nowhere("".join(reply.text for reply in said), "replies", *urls)
    return "\n".join(urls)


async def _ledger_down(_ledger: Any, _entry: Any) -> Any:
    raise LedgerUnavailableError("locked")


async def _mistake(*_args: Any, **_more: Any) -> Any:
    raise RuntimeError(f"{BOT} {APP} {SIGNING_SECRET} {URL} {KEY}")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.usefixtures("own_tokens")
async def test_whatever_fails_over_http(
    tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if fault == "ledger":
        monkeypatch.setattr("bot.ledger.LedgerWriter.record", _ledger_down)
    if fault == "mistake":
        monkeypatch.setattr("handlers.conversation.Conversation.reply_to", _mistake)
        monkeypatch.setattr("handlers.conversation.Conversation.recall", _mistake)
        monkeypatch.setattr("handlers.conversation.Conversation.answer", _mistake)
    methods = ("views.open", "views.push", "chat.postMessage", "chat.postEphemeral", "views.publish")
    with caplog.at_level(logging.INFO):
        async with over_http(tmp_path / "ledger.db", tarla_admin_group="S0ADMINS") as running:
            running.slack.api.groups["S0ADMINS"] = ["U0FELLOW01"]
            if fault == "slack refuses":
                running.slack.api.failing |= dict.fromkeys(methods, "invalid_auth")
            if fault == "slack garbled":
                running.slack.api.garbled |= dict.fromkeys(methods, f"<html>{BOT} {URL}</html>")
            if fault == "slack slow":
                running.slack.api.slow |= dict.fromkeys(methods, 0.1)
            if fault == "response_url":
                running.slack.response_status = 500
            urls = (await everything(running)).split("\n")
            for thing in (running.tarla, running.tarla.conversation, running.tarla.app, running.tarla.ledger):
                assert_nowhere(f"{thing!r} {thing!s}", "repr")
    assert_nowhere(written(caplog.records), "logs", *urls)
    log_lines(caplog.records)
    for name, content in all_bytes(tmp_path).items():
        assert_nowhere(content, name, *urls)
    shown = [call.args for call in running.slack.calls if call.method not in VIEWS]
    assert_nowhere(repr(shown), "messages")
    tally(f"secrets, fault: {fault}", log_lines=len(caplog.records), hits=0)


@pytest.mark.usefixtures("own_tokens")
async def test_whatever_fails_over_the_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        async with over_socket(tmp_path / "ledger.db", spent_ticket=True) as (running, _):
            await running.slack.slash_command(f"{BOT} {APP}")
            monkeypatch.setattr("handlers.conversation.Conversation.reply_to", _mistake)
            assert_nowhere(str(await running.slack.slash_command("ldh high")), "reply")
            running.slack.sockets.cut()
            await running.slack.wait_connected(1, seconds=8.0)
            addresses = [call.answer["url"] for call in running.slack.calls if "url" in call.answer]
    tickets = [address.partition("ticket=")[2].partition("&")[0] for address in addresses]
    assert any(tickets)
    assert_nowhere(written(caplog.records), "logs", *filter(None, tickets))
    for name, content in all_bytes(tmp_path).items():
        assert_nowhere(content, name)


@pytest.mark.usefixtures("own_tokens")
def test_no_object_shows_what_it_holds(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "ledger.db")
    body = pressed_in_message({"type": "button", "action_id": "x", "value": "v"}, response_url=URL)
    things = (
        settings,
        settings.site,
        settings.slack_bot_token,
        read_press(body, "https://slack.com/api/"),
        Origin(Door.COMMAND, URL, 1),
        Question("k", f"{BOT} {SIGNING_SECRET}", Asker("x", "U1")),
    )
    for thing in things:
        assert_nowhere(f"{thing!r} {thing!s} {[thing]} {thing}", type(thing).__name__)
    with pytest.raises(ZeroDivisionError) as failed:
        _fail(settings)
    assert_nowhere("".join(traceback.format_exception(failed.value)), "traceback")
    # With the values of our own frame, as some reporters of errors show them.
    inner = failed.value.with_traceback(failed.tb.tb_next)
    shown = "".join(traceback.TracebackException.from_exception(inner, capture_locals=True).format())
    assert "own = Settings(" in shown
    assert_nowhere(shown, "traceback with values")


def _fail(settings: Settings) -> float:
    own = settings
    return 1 / (len(repr(own)) * 0)


# A secret pasted into the wrong line of .env, one after another.
_NAMES = tuple(name.upper() for name in Settings.model_fields)


@pytest.mark.parametrize("name", _NAMES)
def test_a_secret_in_the_wrong_setting_is_not_repeated(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for secret in (BOT, APP, KEY, URL, f"{SIGNING_SECRET}\n{BOT}"):
        monkeypatch.setenv(name, secret)
        try:
            settings = read_settings()
        except SettingsError as error:
            assert_nowhere("".join(traceback.format_exception(error)), name)
        else:
            if name.startswith("SLACK_") and name != "SLACK_API_URL":
                assert_nowhere(repr(settings), name)


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_the_program_says_no_secret(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Slack cannot be reached, the upper limit is a token, and nothing starts."""
    secrets = {"SLACK_BOT_TOKEN": BOT, "SLACK_APP_TOKEN": APP, "SLACK_SIGNING_SECRET": SIGNING_SECRET}
    for more in ({"SLACK_API_URL": "http://127.0.0.1:9/api/"}, {"TARLA_LDH_ULN": BOT}):
        # Where only Slack is away the server would wait for it, and the question is answered.
        if (words[0] == "doctor") != ("SLACK_API_URL" in more):
            continue
        done = tarla(tmp_path, *words, **secrets, **more)
        assert done.returncode != 0
        assert_nowhere(done.stdout + done.stderr, str(words))
    for name, content in all_bytes(tmp_path).items():
        assert_nowhere(content, name)


def test_a_signing_key_is_shown_by_its_public_half_alone(tmp_path: Path) -> None:
    key = new_key("tarla.example")
    line = key.secret_line()
    secret = line.rpartition("+")[2]
    assert read_signing_key(line) == key
    for shown in (repr(key), str(key), f"{[key]}", str(key.public), repr(key.public)):
        assert secret not in shown
        assert key.seed.hex() not in shown
    for spoilt in (line[:-3], line + "AA", line.replace("+", "-"), f"{line} {line}", line.swapcase()):
        with pytest.raises(NoteError) as failed:
            read_signing_key(spoilt)
        told = "".join(traceback.format_exception(failed.value))
        assert secret[:12] not in told
        assert secret.swapcase()[:12] not in told
    file = tmp_path / "keys" / "tarla.key"
    file.parent.mkdir()
    for content in (line, line[:-3], f"{KEY}\n{BOT}")[: scale(1, 3)]:
        file.write_text(content, encoding="utf-8")
        done = tarla(tmp_path, "ask", "ldh high", TARLA_SIGNING_KEY=str(file), TARLA_CHECKPOINTS=str(tmp_path / "out"))
        assert_nowhere(done.stdout + done.stderr, "program", secret)
    assert_nowhere((tmp_path / "ledger.db").read_bytes(), "ledger", secret)
