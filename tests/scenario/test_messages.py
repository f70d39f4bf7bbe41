"""Free words: a mention is answered to its writer alone, a direct message where it was written; each once."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from bot.standin import Caller, message_event
from handlers.listeners.messages import Recent
from tests.support import answers
from tests.support.app import PATIENCE_S, RunningApp, over_http, over_socket, until

BOT = "<@U0TARLABOT>"
METHODS = {"app_mention": "chat.postEphemeral", "message": "chat.postMessage"}


async def _answers(running: RunningApp, kind: str, count: int = 1) -> list[dict[str, Any]]:
    """The answers to a kind of message, once there are ``count`` and their delivery is recorded."""
    await until(lambda: len(running.called(METHODS[kind])) >= count)
    return running.called(METHODS[kind])


async def _kinds(running: RunningApp, count: int) -> list[str]:
    """Kinds of the ledger's events, once there are ``count``."""
    async with asyncio.timeout(PATIENCE_S):
        while len(await running.events()) < count:
            await asyncio.sleep(0.01)
    return [event.kind for event in await running.events()]


@pytest.mark.parametrize("kind", METHODS)
async def test_the_same_answer_as_to_the_command(tmp_path: Path, kind: str) -> None:
    text = f"{BOT} {answers.WORDS}" if kind == "app_mention" else answers.WORDS
    async with over_http(tmp_path / "ledger.db") as running:
        assert (await running.write(text, kind=kind)).status == 200
        (answer,) = await _answers(running, kind)
        assert await _kinds(running, 2) == ["computed", "delivered"]
        computed, delivered = await running.events()
        (asked,) = (await running.ask(answers.WORDS)).message["blocks"][:1]
    assert answer["blocks"][0] == asked
    receipt = f"{computed.seq}-{computed.leaf.hex()[:4]}"
    assert receipt in str(answer["blocks"][-1])
    assert delivered.ref == computed.seq
    assert computed.payload is not None
    assert computed.payload["asker"]["via"] == {"app_mention": "mention", "message": "direct_message"}[kind]  # type: ignore[index,call-overload] # JSON


async def test_a_mention_is_answered_to_its_writer_alone_and_in_its_thread(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        await running.write(f"{answers.WORDS} {BOT}", caller=Caller(user_id="U0SOMEONE"), thread_ts="1700000000.000100")
        (answer,) = await _answers(running, "app_mention")
    assert (answer["user"], answer["channel"]) == ("U0SOMEONE", "C0TUMOURBD")
    assert answer["thread_ts"] == "1700000000.000100"
    assert running.called("chat.postMessage") == []


async def test_over_socket_mode_too(tmp_path: Path) -> None:
    async with over_socket(tmp_path / "ledger.db") as (running, _):
        assert await running.slack.send("events_api", message_event(answers.WORDS, kind="message")) == {}
        await _answers(running, "message")
        assert await _kinds(running, 2) == ["computed", "delivered"]


@pytest.mark.parametrize("kind", METHODS)
async def test_a_message_sent_again_by_slack_has_one_answer(tmp_path: Path, kind: str) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        for _ in range(3):
            await running.write(answers.WORDS, kind=kind, ts="1800000123.000100")
        await running.write(answers.WORDS, kind=kind, ts="1800000124.000100")
        assert len(await _answers(running, kind, 2)) == 2
        assert sorted(await _kinds(running, 4)) == ["computed", "computed", "delivered", "delivered"]


async def test_how_to_ask_is_said_once_however_often_the_message_comes(tmp_path: Path) -> None:
    """It leaves no record by which the message could be known again."""
    async with over_http(tmp_path / "ledger.db") as running:
        for ts in ("1800000123.000100", "1800000123.000100", "1800000124.000100"):
            await running.write(f"{BOT} help", ts=ts)
        assert len(await _answers(running, "app_mention", 2)) == 2
        assert await running.events() == []


def test_only_the_last_messages_are_remembered() -> None:
    recent = Recent(2)
    assert [recent.is_new(key) for key in "aabbcab"] == [True, False, True, False, True, True, True]


@pytest.mark.parametrize("kind", METHODS)
async def test_after_a_restart_too_a_message_has_one_answer(tmp_path: Path, kind: str) -> None:
    for _ in range(2):
        async with over_http(tmp_path / "ledger.db") as running:
            await running.write(answers.WORDS, kind=kind, ts="1800000123.000100")
            await _kinds(running, 2)
            assert await running.tarla.in_flight.drain(PATIENCE_S, 0.0) == 0
    assert running.called(METHODS[kind]) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"{BOT} what about Mr Miller", "Word 1"),
        (BOT, "How to ask"),
        (f"{BOT} hello", "How to ask"),
        (f"{BOT} <@U0SOMEONE> ldh 480/250", "Word 1"),
        ("@Tarla manage crs 2", "CRS grade 2: what the label says"),
        (f"{BOT} LDH 512 uln 250, liver mets, T2DM, no cardiac hx", "Tarlatamab, before cycle 1 day 1"),
        (f"{BOT} fever ldh 480/250", "No risk is given"),
    ],
)
async def test_what_is_not_understood_is_asked_about(tmp_path: Path, text: str, says: str) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        await running.write(text)
        (answer,) = await _answers(running, "app_mention")
    assert says in answer["text"]
    assert "Miller" not in str(answer)
    assert "U0SOMEONE" not in str(answer)


@pytest.mark.parametrize(
    "more",
    [
        {"subtype": "message_changed"},
        {"subtype": "message_deleted"},
        {"subtype": "bot_message", "bot_id": "B1"},
        {"bot_id": "B0TARLADEV"},
        {"channel_type": "channel"},
        {"user": None},
    ],
    ids=str,
)
async def test_what_no_person_wrote_to_tarla_is_left_alone(tmp_path: Path, more: dict[str, Any]) -> None:
    """Its own messages above all: an answer to an answer would never end."""
    async with over_http(tmp_path / "ledger.db") as running:
        await running.write(answers.WORDS, kind="message", **more)
        await running.write("help", kind="message")
        (answer,) = await _answers(running, "message")
        assert "How to ask" in answer["text"]
        assert await running.events() == []


async def test_an_answer_that_slack_refuses_is_recorded_as_not_delivered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        running.slack.api.failing["chat.postEphemeral"] = "user_not_in_channel"
        with caplog.at_level(logging.ERROR):
            await running.write(f"{BOT} {answers.WORDS}")
            assert await _kinds(running, 2) == ["computed", "delivery_failed"]
            await until(lambda: "failure reference=" in caplog.text)
        (_, failed) = await running.events()
    assert failed.payload is not None
    assert failed.payload["reason"] == "user_not_in_channel"
    assert "480" not in caplog.text


async def test_without_a_ledger_there_is_no_figure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    async with over_http(tmp_path / "file" / "ledger.db") as running:
        await running.write(f"{BOT} {answers.WORDS}")
        (answer,) = await _answers(running, "app_mention")
    assert "cannot be written" in answer["text"]
    answers.assert_no_estimate(str(answer["blocks"]))
