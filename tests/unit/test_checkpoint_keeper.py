"""When checkpoints are made while the bot runs, what an alarm does to answers, and the Slack channel."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.checkpoints import Alarm, Made, Nothing
from bot.checkpoints.keeper import CheckpointKeeper, Post, Rhythm
from bot.checkpoints.posting import post_checkpoint
from bot.clock import SystemClock
from bot.ledger import LedgerWriter
from bot.ledger.note import Checkpoint, open_checkpoint
from bot.standin import SlackStandin, proxies_dropped
from handlers.ports import Entry, Kind, LedgerUnavailableError
from tests.support.app import APP_TOKEN, BOT_TOKEN, until
from tests.support.fakes import FakeClock
from tests.support.slack_limits import check_message
from tests.support.vouched import Vouched, rebuild, vouched

FAST = Rhythm(poll_s=0.01, retry_s=0.0)


@asynccontextmanager
async def keeping(
    made: Vouched, *, rhythm: Rhythm = FAST, post: Post | None = None, clock: FakeClock | None = None
) -> AsyncIterator[tuple[CheckpointKeeper, LedgerWriter]]:
    with made.writing() as writer:
        keeper = CheckpointKeeper(
            made.ledger, made.folder, made.key_path, writer, clock or SystemClock(), post=post, rhythm=rhythm
        )
        await keeper.begin()
        try:
            yield keeper, writer
        finally:
            await keeper.finish()


async def record(writer: LedgerWriter, *names: str) -> None:
    for name in names:
        await writer.record(Entry(name, Kind.COMPUTED, {"risk": "0.5"}))


async def test_one_after_so_many_events_and_one_at_the_end(tmp_path: Path) -> None:
    made = Vouched(tmp_path)
    async with keeping(made, rhythm=Rhythm(events=5, poll_s=0.01)) as (keeper, writer):
        keeper.start()
        await until(lambda: keeper.status.compared)
        await record(writer, "a", "b", "c", "d")
        await asyncio.sleep(0.05)
        assert keeper.status.made == 0
        await record(writer, "e")
        await until(lambda: keeper.status.made == 1)
        assert (keeper.status.size, keeper.status.alarm) == (5, None)
        assert keeper.status.time is not None
        await record(writer, "f")
    assert made.folder.sizes() == [5, 7]  # the record of the first is the sixth event


async def test_one_after_so_long_if_there_was_a_request(tmp_path: Path) -> None:
    made, clock = Vouched(tmp_path), FakeClock()
    async with keeping(made, rhythm=Rhythm(seconds=900, poll_s=0.005), clock=clock) as (keeper, writer):
        keeper.start()
        await until(lambda: keeper.status.compared)
        await record(writer, "a")
        clock.advance(899)
        await asyncio.sleep(0.05)
        assert keeper.status.made == 0
        clock.advance(2)
        await until(lambda: keeper.status.made == 1)
        # Its own record is no reason for another.
        clock.advance(901)
        await asyncio.sleep(0.1)
        assert keeper.status.made == 1


async def test_a_start_covers_what_a_cut_off_run_left(tmp_path: Path) -> None:
    made = vouched(tmp_path, rounds=1)
    async with keeping(made) as (keeper, _writer):
        keeper.start()
        await until(lambda: keeper.status.made == 1)
    assert made.folder.sizes()[:2] == [6, 9]


@pytest.mark.parametrize("how", ["older", "rewritten"])
async def test_a_ledger_that_is_not_the_one_signed_takes_no_answer(
    tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    made = Vouched(tmp_path)
    made.record("a")
    older = shutil.copy(made.ledger, tmp_path / "older.db")
    made.record("b")
    made.checkpoint()
    right = shutil.copy(made.ledger, tmp_path / "right.db")
    if how == "older":
        shutil.copy(older, made.ledger)
    else:
        rebuild(made.ledger, lambda rows: [row | {"time": rows[0]["time"]} for row in rows])
    async with keeping(made) as (keeper, writer):
        if how == "older":  # seen before the first answer
            assert keeper.status.alarm == "older_file"
            with pytest.raises(LedgerUnavailableError, match="damaged"):
                await record(writer, "early")
        keeper.start()
        await until(lambda: keeper.status.alarm == ("older_file" if how == "older" else "rewritten"))
        assert (writer.status().ok, writer.status().code) == (False, "damaged")
        with pytest.raises(LedgerUnavailableError, match="damaged"):
            await record(writer, "c")
        Path(right).rename(made.ledger)  # in one step, as whoever puts a file back beside a running bot should
        await until(lambda: keeper.status.alarm is None)
        if how == "older":
            await record(writer, "c")
        else:  # the writer itself misses the event that it found last: only a new start forgets that
            with pytest.raises(LedgerUnavailableError, match="damaged"):
                await record(writer, "c")
    async with keeping(made) as (keeper, writer):
        await record(writer, "d")
    assert [record.levelno for record in caplog.records if "no checkpoint" in record.message] == [logging.ERROR]
    assert not isinstance(made.checkpoint(), Alarm)


async def test_an_older_copy_under_a_running_process_is_not_signed(tmp_path: Path) -> None:
    """Receipts beyond its end are out, under no checkpoint yet: nobody but this process can know."""
    made = Vouched(tmp_path)
    made.record("a")
    async with keeping(made) as (keeper, writer):
        await keeper.make()
        older = shutil.copy(made.ledger, tmp_path / "older.db")
        await record(writer, "b", "c")
        newer = shutil.copy(made.ledger, tmp_path / "newer.db")
        sizes = made.folder.sizes()
        shutil.copy(older, made.ledger)
        assert isinstance(found := await keeper.make(), Alarm)
        assert found.code == "older_file"
        assert made.folder.sizes() == sizes
        with pytest.raises(LedgerUnavailableError):
            await record(writer, "d")
        shutil.copy(newer, made.ledger)
        assert isinstance(await keeper.make(), Made)
        assert keeper.status.alarm is None
        await record(writer, "d")


async def test_without_folder_or_key_answers_go_on_and_it_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = vouched(tmp_path, rounds=1)
    secret = made.key_path.read_text("ascii").strip()[-40:]
    made.key_path.chmod(0o644)
    async with keeping(made) as (keeper, writer):
        assert keeper.status.alarm == "key_unusable"
        await record(writer, "goes-on")
        made.key_path.chmod(0o600)
        shutil.move(made.folder.path, tmp_path / "away")
        made.folder.path.write_text("a file")
        keeper.start()
        await until(lambda: keeper.status.alarm == "folder_unwritable")
        await record(writer, "goes-on-too")
        made.folder.path.unlink()
        shutil.move(tmp_path / "away", made.folder.path)
        await until(lambda: keeper.status.alarm is None)
    assert "chmod 600" in caplog.text
    assert secret not in caplog.text


async def test_a_ledger_older_than_its_checkpoints_is_seen_without_the_key_too(tmp_path: Path) -> None:
    made = Vouched(tmp_path)
    made.record("a")
    older = shutil.copy(made.ledger, tmp_path / "older.db")
    made.record("b")
    made.checkpoint()
    shutil.copy(older, made.ledger)
    made.key_path.unlink()
    async with keeping(made) as (keeper, writer):
        assert keeper.status.alarm == "older_file"
        assert not writer.status().ok


async def test_the_end_does_not_wait_for_a_comparison_without_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.checkpoints.signing.PAGE_LEAVES", 1)
    monkeypatch.setattr("bot.checkpoints.signing.PAUSE_S", 0.05)
    made = Vouched(tmp_path)
    made.record(*map(str, range(20)))
    with made.writing() as writer:
        keeper = CheckpointKeeper(made.ledger, made.folder, made.key_path, writer, SystemClock())
        await keeper.begin()
        keeper.start()
        await keeper.finish(seconds=0.1)
    assert made.folder.sizes() == []


async def test_a_last_checkpoint_that_slack_does_not_take_in_time_is_not_said_to_be_missing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def never(_checkpoint: object, _note: str) -> None:
        await asyncio.Event().wait()

    made = Vouched(tmp_path)
    made.record("a")
    with made.writing() as writer:
        keeper = CheckpointKeeper(made.ledger, made.folder, made.key_path, writer, SystemClock(), post=never)
        await keeper.begin()
        await keeper.finish(seconds=0.3)
    assert made.folder.sizes() == [2]
    assert "no last checkpoint" not in caplog.text
    assert "not posted to Slack in time" in caplog.text


async def test_a_run_that_answered_nobody_ends_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Vouched(tmp_path)
    made.record(*map(str, range(20)))
    with made.writing() as writer:
        keeper = CheckpointKeeper(made.ledger, made.folder, made.key_path, writer, SystemClock(), rhythm=FAST)
        await keeper.make()
        monkeypatch.setattr("bot.checkpoints.signing.PAGE_LEAVES", 1)
        monkeypatch.setattr("bot.checkpoints.signing.PAUSE_S", 0.05)
        monkeypatch.setattr("bot.checkpoints.keeper.IDLE_STOP_S", 0.1)
        again = CheckpointKeeper(made.ledger, made.folder, made.key_path, writer, SystemClock(), rhythm=FAST)
        await again.begin()
        again.start()
        await again.finish(seconds=60.0)
    assert not again.status.compared
    assert made.folder.sizes() == [40]


@asynccontextmanager
async def slack() -> AsyncIterator[tuple[SlackStandin, AsyncWebClient]]:
    with proxies_dropped():
        async with SlackStandin(bot_token=BOT_TOKEN, app_token=APP_TOKEN) as standin:
            yield standin, AsyncWebClient(token=BOT_TOKEN, base_url=standin.api_url, retry_handlers=[])


async def test_a_channel_gets_the_note_as_it_is(tmp_path: Path) -> None:
    made = Vouched(tmp_path)
    async with (
        slack() as (standin, client),
        keeping(made, post=partial(post_checkpoint, client, "C0AUDIT")) as (
            keeper,
            writer,
        ),
    ):
        await record(writer, "a")
        result = await keeper.make()
        assert isinstance(result, Made)
        assert keeper.status.posted == 1
        (call,) = [call for call in standin.calls if call.method == "chat.postMessage"]
        assert call.args["channel"] == "C0AUDIT"
        check_message({"text": call.args["text"], "blocks": call.args["blocks"]}, response=False)
        shown = call.args["blocks"][1]["text"]["text"]
        note = shown.removeprefix("```\n").removesuffix("```")
        assert open_checkpoint(note, [made.ring().key.public])[0] == result.checkpoint


async def test_a_channel_out_of_reach_stops_nothing_and_the_next_one_is_posted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = Vouched(tmp_path)
    async with (
        slack() as (standin, client),
        keeping(made, post=partial(post_checkpoint, client, "C0AUDIT")) as (
            keeper,
            writer,
        ),
    ):
        standin.api.failing = {"chat.postMessage": "not_in_channel"}
        await record(writer, "a")
        assert isinstance(await keeper.make(), Made)
        assert (keeper.status.posted, keeper.status.post_failures, keeper.status.alarm) == (0, 1, None)
        standin.api.failing = {}
        await record(writer, "b")
        assert isinstance(await keeper.make(), Made)
        assert (keeper.status.posted, keeper.status.post_failures) == (1, 1)
        assert BOT_TOKEN not in caplog.text


async def test_two_processes_keep_checkpoints_of_one_ledger(tmp_path: Path) -> None:
    made = Vouched(tmp_path)
    rhythm = Rhythm(events=3, poll_s=0.005)
    async with keeping(made, rhythm=rhythm) as (one, a), keeping(made, rhythm=rhythm) as (other, b):
        one.start()
        other.start()
        await asyncio.gather(*(record(a if n % 2 else b, f"request-{n}") for n in range(40)))
        results = await asyncio.gather(one.make(), other.make())
        assert all(isinstance(result, Made | Nothing) for result in results)
        assert (one.status.alarm, other.status.alarm) == (None, None)
        assert one.ledger == other.ledger
    from bot.audit.verification import verify

    found = verify(made.ledger, [made.folder], [made.ring().key.public])
    assert found.ok, found.problems
    assert found.checkpoints >= 2


async def test_what_it_posts_is_short(tmp_path: Path) -> None:
    del tmp_path
    async with slack() as (standin, client):
        await post_checkpoint(client, "C0AUDIT", Checkpoint("x", 10**17, bytes(32)), "x" * 700 + "\n")
        (call,) = standin.calls
        check_message({"text": call.args["text"], "blocks": call.args["blocks"]}, response=False)
