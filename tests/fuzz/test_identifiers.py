"""Identifiers of the eighteen HIPAA kinds, typed wherever one can type: they are nowhere afterwards."""

from __future__ import annotations

import base64
import json
import logging
from collections import Counter
from pathlib import Path
from typing import cast
from urllib.parse import quote

import aiohttp
import pytest

from bot.address import Address
from bot.ledger import check_ledger
from bot.operations.server import serve_operations
from bot.terminal import ask_in_terminal
from handlers.answer import TableMode
from handlers.conversation import Conversation
from handlers.outcomes import Answered, LookedUp
from handlers.ports import History
from handlers.replies import message
from handlers.requests import Asker, Question
from knowledge.model import load as load_model
from tests.support import app as support
from tests.support.app import RunningApp, over_http, over_socket, settings_for
from tests.support.chaos import rng, scale, tally
from tests.support.fakes import FakeClock, FakeLedger
from tests.support.identifiers import COUNT, Identifier, identifiers, traces_in
from tests.support.program import tarla
from tests.support.surfaces import (
    COMMANDS,
    LOOK_UPS,
    all_bytes,
    backup_of,
    log_lines,
    sent_through_slack,
    type_everywhere,
)

LOOPBACK = Address("127.0.0.1", 0)
ALL, EXCLUDED = identifiers()


def some(name: str, short: int) -> list[Identifier]:
    """A few of them in the short form, all in the full one."""
    return rng(name).sample(ALL, scale(short, COUNT))


def assert_nowhere(content: bytes, typed: list[Identifier], where: str) -> None:
    """None of what was typed stands in ``content``."""
    found = {each.text: traces for each in typed if (traces := traces_in(content.lower(), each))}
    assert not found, (where, found)


def test_there_are_identifiers_of_every_kind() -> None:
    kinds = Counter(each.kind[0] for each in ALL)
    assert len(ALL) == COUNT
    assert "".join(sorted(kinds)) == "ABCDEFGHIJKLMNOPQR"
    assert min(kinds.values()) > 20
    assert EXCLUDED < COUNT / 10
    tally("identifiers", identifiers=COUNT, kinds=len(kinds), left_out_as_naming_nobody=EXCLUDED)


def test_a_trace_is_found_however_it_is_written() -> None:
    name = next(each for each in ALL if each.kind.startswith("A") and not each.text.isascii() and len(each.text) > 8)
    for written in (
        name.text.encode(),
        name.text.encode("utf-16-le"),
        json.dumps(name.text).encode(),
        quote(name.text).encode(),
        base64.b64encode(b"xy" + name.text.encode() + b"zzz"),
    ):
        assert traces_in(b"before " + written.lower() + b" after", name)


async def test_no_reply_and_no_record_holds_an_identifier() -> None:
    asked = 0
    for identifier in some("conversation", 60):
        for frame in (*COMMANDS, *LOOK_UPS):
            ledger = FakeLedger()
            talk = Conversation(ledger, cast("History", None), FakeClock(), None, "0.0-test", load_model)
            reply = await talk.reply_to(Question("k", frame.format(identifier.text), Asker("cli", "U1")))
            assert not isinstance(reply, Answered | LookedUp), (frame, identifier)
            content = repr(message(reply, TableMode.TEXT)) + repr([entry.payload for entry in ledger.entries])
            assert_nowhere(content.encode(), [identifier], frame)
            asked += 1
    tally("identifiers through the conversation", questions=asked, hits=0)


async def test_typed_into_every_door_over_http(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    typed, surfaces = some("http", 3), 0
    path = tmp_path / "ledger.db"
    with caplog.at_level(logging.DEBUG):
        async with over_http(path) as running:
            for identifier in typed:
                replies = await type_everywhere(running, identifier.text)
                surfaces = len(replies)
                for surface, reply in replies.items():
                    assert_nowhere(reply.encode(), [identifier], surface)
            events = await running.events()
            backup_of(path)
            metrics = await metrics_of(running)
            outgoing = sent_through_slack(running)
    assert {event.kind for event in events} <= {"refused", "looked_up", "delivered", "delivery_failed"}
    files = all_bytes(tmp_path)
    assert {"ledger.db", "backup.db"} <= files.keys()
    for name, content in files.items():
        assert_nowhere(content, typed, name)
    assert_nowhere(outgoing.encode(), typed, "messages and modals")
    assert_nowhere(caplog.text.encode(), typed, "logs")
    assert b'outcome="refused"' in metrics
    assert_nowhere(metrics, typed, "metrics")
    log_lines(caplog.records)
    assert check_ledger(path).ok
    tally("identifiers over HTTP", identifiers=len(typed), surfaces=surfaces, events=len(events), hits=0)


async def test_typed_into_a_command_over_the_socket(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    typed = some("socket", 10)
    with caplog.at_level(logging.DEBUG):
        async with over_socket(tmp_path / "ledger.db") as (running, _):
            replies = [
                str(await running.slack.slash_command(each.text, trigger_id=f"1.2.t{n}"))
                for n, each in enumerate(typed)
            ]
            await running.events()
    for identifier, reply in zip(typed, replies, strict=True):
        assert_nowhere(reply.encode(), [identifier], "reply")
    for name, content in all_bytes(tmp_path).items():
        assert_nowhere(content, typed, name)
    # The stand-in sends what was typed, so the socket's own debug lines are not the app's.
    assert_nowhere("\n".join(log_lines(caplog.records)).encode(), typed, "logs")
    tally("identifiers over the socket", identifiers=len(typed), hits=0)


async def test_typed_where_the_program_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The ledger's mistake quotes what it was given, and Slack refuses everything."""
    monkeypatch.setattr("bot.compose.open_ledger", support.open_broken)
    typed = some("failing", 2)
    with caplog.at_level(logging.DEBUG):
        async with over_http(tmp_path / "ledger.db") as running:
            running.slack.api.failing |= dict.fromkeys(
                ("views.open", "chat.postMessage", "chat.postEphemeral"), "fatal"
            )
            for identifier in typed:
                for surface, reply in (await type_everywhere(running, identifier.text)).items():
                    assert_nowhere(reply.encode(), [identifier], surface)
    assert_nowhere(caplog.text.encode(), typed, "logs")
    for name, content in all_bytes(tmp_path).items():
        assert_nowhere(content, typed, name)
    tally(
        "identifiers while everything fails", identifiers=len(typed), log_lines=len(log_lines(caplog.records)), hits=0
    )


def test_typed_at_a_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    typed = some("terminal", 20)
    settings = settings_for(tmp_path / "ledger.db")
    for identifier in typed:
        ask_in_terminal(identifier.text, as_json=False, settings=settings)
        out, err = capfd.readouterr()
        assert_nowhere((out + err).encode(), [identifier], "terminal")
    for name, content in all_bytes(tmp_path).items():
        assert_nowhere(content, typed, name)
    tally("identifiers at a terminal", identifiers=len(typed), hits=0)


def test_typed_as_arguments_of_the_program(tmp_path: Path) -> None:
    typed = rng("program").sample(ALL, scale(1, 40))
    for identifier in typed:
        done = tarla(tmp_path, "ask", "ldh", "480/250", identifier.text)
        assert done.returncode == 2
        assert_nowhere((done.stdout + done.stderr).encode(), [identifier], "terminal")
    for name, content in all_bytes(tmp_path).items():
        assert_nowhere(content, typed, name)


async def metrics_of(running: RunningApp) -> bytes:
    """What ``/metrics`` says."""
    async with (
        serve_operations(running.tarla.operations, LOOPBACK) as base,
        aiohttp.ClientSession() as session,
        session.get(f"{base}/metrics") as response,
    ):
        assert response.status == 200
        return await response.read()
