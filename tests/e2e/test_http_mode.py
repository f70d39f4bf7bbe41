"""The real bot over HTTP, its commands signed and sent by a real Slack server."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest
from pytest_asyncio import fixture

from bot.transports.http import EVENTS_PATH
from tests.support import answers
from tests.support.running_bot import RunningBot, bot_over_http
from tests.support.signing import slash_command_request

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


@fixture(scope="module", loop_scope="module")
async def bot(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]  # an async fixture's type says nothing here
    async with bot_over_http(tmp_path_factory.mktemp("http")) as running:
        yield running


async def test_the_answer_is_the_engine_s_and_stands_in_the_ledger_before_it_is_seen(bot: RunningBot) -> None:
    before = len(await bot.events(0))
    message = await bot.ask(answers.WORDS)
    events = await bot.events(before + 2)
    answers.assert_ephemeral(message, bot.slack.caller.user_id)
    answers.assert_answered(message, events[before:], "http")
    answers.assert_whole(bot.ledger, before + 2)


async def test_a_refusal_says_what_to_type_and_keeps_nothing_of_what_was_typed(bot: RunningBot) -> None:
    before = len(await bot.events(0))
    message = await bot.ask(answers.REFUSED_WORDS)
    events = await bot.events(before + 2)
    answers.assert_ephemeral(message, bot.slack.caller.user_id)
    answers.assert_refused(message, events[before:], bot.ledger, bot.log)


async def test_help_says_how_to_ask(bot: RunningBot) -> None:
    message = await bot.ask("help")
    answers.assert_ephemeral(message, bot.slack.caller.user_id)
    answers.assert_how_to_ask(message)


async def test_a_command_signed_by_someone_else_gets_nothing(bot: RunningBot) -> None:
    before = len(await bot.events(0))
    forged = slash_command_request(answers.WORDS, signing_secret="another secret")  # noqa: S106 - valid nowhere
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{bot.address}{EVENTS_PATH}", data=forged.body, headers=forged.headers) as reply,
    ):
        assert reply.status == 401
        answers.assert_no_estimate(await reply.text())
    assert len(await bot.events(0)) == before


async def test_it_reports_itself_ready(bot: RunningBot) -> None:
    assert await bot.readiness() == (200, {"ready": True, "reasons": {}, "warnings": {}})


async def test_no_figure_leaves_a_bot_whose_ledger_lies_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    async with bot_over_http(tmp_path, ledger=tmp_path / "file" / "ledger.db") as bot:
        message = await bot.ask(answers.WORDS)
        answers.assert_ephemeral(message, bot.slack.caller.user_id)
        answers.assert_not_shown(message, "cannot_open")
        answers.assert_no_estimate(await answers.everything_said(bot.slack))
        answers.assert_no_estimate(bot.log.read_text())
        status, body = await bot.readiness()
    assert (status, body["reasons"]) == (503, {"ledger": "cannot_open"})
