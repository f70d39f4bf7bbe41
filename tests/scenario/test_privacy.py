"""What was typed may name a patient: it is nowhere afterwards, neither in the ledger, nor in replies, nor in logs."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from bot.standin import Caller
from handlers import controls
from handlers.form import fields
from tests.support import app as support
from tests.support.app import over_http, over_socket, until
from tests.support.forms import button_of, filled
from tests.support.signing import SIGNING_SECRET

CANARIES = ("Zaphod", "Beeblebrox", "MRN40718829", "40718829", "555-0142-771", "zaphod@heart.example", "1961-03-12")
TYPED = (
    "Zaphod Beeblebrox ldh 480/250 liver yes",
    "ldh 480/250 liver yes MRN40718829",
    "ldh 480/250 dm no, phone 555-0142-771",
    "ldh 40718829/250",
    "zaphod@heart.example",
    "ldh 480/250 dob 1961-03-12 fever",
    "liver yes " + "Beeblebrox " * 40,
)


def _assert_nowhere(path: Path, replies: str, logs: str) -> None:
    files = {file.name: file.read_bytes().lower() for file in path.parent.iterdir()}
    assert path.name in files
    for canary in CANARIES:
        assert canary.lower() not in replies.lower()
        assert canary.lower() not in logs.lower()
        for name, content in files.items():
            assert canary.lower().encode() not in content, name


async def test_over_http(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "ledger.db"
    caller = Caller(user_name="zaphod", channel_name="Beeblebrox-MRN40718829")
    with caplog.at_level(logging.DEBUG):
        async with over_http(path) as running:
            replies = [await running.ask(text, caller=caller) for text in TYPED]
            answered = await running.ask(caller=caller)
            events = await running.events()
    assert [event.kind for event in events] == ["refused", "delivered"] * len(TYPED) + ["computed", "delivered"]
    assert "receipt #" in answered.text
    _assert_nowhere(path, "\n".join(reply.text for reply in [*replies, answered]), caplog.text)


async def test_over_socket_mode(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "ledger.db"
    with caplog.at_level(logging.DEBUG):
        async with over_socket(path) as (running, _):
            replies = [str(await running.slack.slash_command(text)) for text in TYPED]
            events = await running.events()
    assert [event.kind for event in events] == ["refused", "delivered"] * len(TYPED)
    _assert_nowhere(path, "\n".join(replies), caplog.text)


async def test_through_the_form_and_the_buttons(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A number field takes only a number; what else somebody gets into it is refused, and nowhere afterwards."""
    path = tmp_path / "ledger.db"
    caller = Caller(user_name="zaphod", channel_name="Beeblebrox-MRN40718829")
    with caplog.at_level(logging.DEBUG):
        async with over_http(path) as running:
            urls = [running.slack.new_response_url() for _ in range(2)]
            await running.ask("", caller=caller, response_url=urls[0])
            form = running.opened_view()
            replies = [await running.submit(form, filled(ldh=each), caller=caller) for each in CANARIES]
            replies += [await running.submit(form, filled(uln=each), caller=caller) for each in CANARIES]
            chosen = {"selected_option": {"text": {"type": "plain_text", "text": "Zaphod"}, "value": "Zaphod"}}
            replies.append(await running.submit(form, {**filled(), fields.LIVER: {fields.LIVER: chosen}}))
            more = {**filled(), "name": {"name": {"type": "plain_text_input", "value": "Zaphod Beeblebrox"}}}
            replies.append(await running.submit(form, more, caller=caller))
            (sent,) = running.slack.responses
            share = button_of(sent.body, controls.SHARE)
            await running.press(share, caller=caller, response_url=urls[1])
            await until(lambda: len(running.slack.responses) == 2)
            await running.press({**share, "value": "Zaphod Beeblebrox"}, caller=caller)
            await until(lambda: len(running.called("views.open")) == 2)
            kinds = [event.kind for event in await running.events()]
    assert kinds[:3] == ["computed", "delivered", "shared"]
    shown = [reply.text for reply in replies]
    shown += [str(response.body) for response in running.slack.responses]
    shown += [str(call["view"]["blocks"]) for call in running.called("views.open")]
    _assert_nowhere(path, "\n".join(shown), caplog.text)
    # An address at which anybody could write into the channel is a secret too.
    assert not any(url in caplog.text for url in urls)
    for file in path.parent.iterdir():
        assert not any(url.encode() in file.read_bytes() for url in urls)


async def test_when_the_program_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bot.compose.open_ledger", support.open_broken)
    path = tmp_path / "ledger.db"
    with caplog.at_level(logging.DEBUG):
        async with over_http(path) as running:
            replies = [await running.ask(text) for text in TYPED]
    assert all("reference: " in reply.text for reply in replies)
    _assert_nowhere(path, "\n".join(reply.text for reply in replies), caplog.text)


async def test_logs_hold_no_finding_and_no_secret(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with over_http(tmp_path / "ledger.db") as running:
            await running.ask("ldh 4873/251 liver yes")
            await running.ask("ldh 4873/251", signing_secret="forged")  # noqa: S106 - wrong on purpose
    for word in ("4873", "251", "liver", support.BOT_TOKEN, support.APP_TOKEN, SIGNING_SECRET):
        assert word not in caplog.text
