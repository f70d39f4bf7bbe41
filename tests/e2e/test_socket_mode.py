"""The real bot over Socket Mode, its commands sent by a real Slack server."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from pytest_asyncio import fixture

from bot.clock import SystemClock
from bot.ledger import open_ledger, read_events
from handlers.ports import Entry, Kind
from tests.support import answers
from tests.support.running_bot import RunningBot, bot_over_socket

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


@fixture(scope="module", loop_scope="module")
async def bot(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]  # an async fixture's type says nothing here
    async with bot_over_socket(tmp_path_factory.mktemp("socket")) as running:
        yield running


async def test_the_answer_is_the_engine_s_and_stands_in_the_ledger_before_it_is_seen(bot: RunningBot) -> None:
    before = len(await bot.events(0))
    message = await bot.ask(answers.WORDS)
    events = await bot.events(before + 2)
    answers.assert_ephemeral(message, bot.slack.caller.user_id)
    answers.assert_answered(message, events[before:], "socket")
    answers.assert_whole(bot.ledger, before + 2)


async def test_a_refusal_says_what_to_type_and_keeps_nothing_of_what_was_typed(bot: RunningBot) -> None:
    before = len(await bot.events(0))
    message = await bot.ask(answers.REFUSED_WORDS)
    events = await bot.events(before + 2)
    answers.assert_ephemeral(message, bot.slack.caller.user_id)
    answers.assert_refused(message, events[before:], bot.ledger, bot.log)


async def test_help_says_how_to_ask(bot: RunningBot) -> None:
    before = len(await bot.events(0))
    message = await bot.ask("help")
    answers.assert_ephemeral(message, bot.slack.caller.user_id)
    answers.assert_how_to_ask(message)
    assert len(await bot.events(0)) == before


async def test_no_figure_leaves_a_bot_whose_ledger_lies_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    async with bot_over_socket(tmp_path, ledger=tmp_path / "file" / "ledger.db") as bot:
        message = await bot.ask(answers.WORDS)
        answers.assert_ephemeral(message, bot.slack.caller.user_id)
        answers.assert_not_shown(message, "cannot_open")
        answers.assert_no_estimate(await answers.everything_said(bot.slack))
        answers.assert_no_estimate(bot.log.read_text())
        # A refusal holds no figure, so it still helps; and the bot did not fall over.
        assert "Word 3" in "\n".join(answers.texts(await bot.ask(answers.REFUSED_WORDS)))
    assert "ledger unusable (cannot_open)" in bot.log.read_text()


async def test_no_figure_leaves_a_bot_whose_ledger_lies_on_a_read_only_mount(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    inside = read_only(disk)
    ledger = disk / "ledger.db"
    await earlier_event(ledger)
    held = ledger.read_bytes()
    async with bot_over_socket(tmp_path, ledger=ledger, inside=inside) as bot:
        message = await bot.ask(answers.WORDS)
        answers.assert_not_shown(message, "read_only")
        answers.assert_no_estimate(await answers.everything_said(bot.slack))
    assert ledger.read_bytes() == held
    assert [event.kind for event in read_events(ledger)] == ["refused"]


async def earlier_event(ledger: Path) -> None:
    writer = open_ledger(ledger, clock=SystemClock())
    await writer.record(Entry("earlier", Kind.REFUSED, {"version": 1}))
    await writer.aclose()


def read_only(folder: Path) -> list[str]:
    """A command that runs its arguments with ``folder`` read-only, by a mount of their own; skips without the right."""
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("no unshare program to make a private mount with")
    mount = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
    reasons = []
    # As the machine's root, else as the root of a user namespace.
    for namespace in (["--mount"], ["--user", "--map-root-user", "--mount"]):
        command = [unshare, *namespace, "sh", "-c", mount, str(folder)]
        tried = subprocess.run([*command, "true"], capture_output=True, text=True, timeout=10, check=False)
        if tried.returncode == 0:
            return command
        reasons.append(tried.stderr.strip())
    return pytest.skip(f"a private read-only mount is not permitted here: {'; '.join(reasons)}")
