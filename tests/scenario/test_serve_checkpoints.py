"""``tarla serve`` and its checkpoints: an older ledger gets no answer, a kill is marked, a channel is told."""

from __future__ import annotations

import asyncio
import shutil
import signal
from pathlib import Path
from typing import Any

from bot.audit.verification import verify
from bot.checkpoints import Made
from bot.ledger import read_events
from bot.standin import SlackStandin, message_event
from tests.support.app import APP_TOKEN, BOT_TOKEN, WORDS, until
from tests.support.program import tarla
from tests.support.serving import SECRETS, Served, serving
from tests.support.vouched import Vouched


def standin() -> SlackStandin:
    return SlackStandin(bot_token=BOT_TOKEN, app_token=APP_TOKEN)


async def asked(slack: SlackStandin, served: Served) -> dict[str, Any]:
    await served.logged("connected to Slack")
    await slack.wait_connected(seconds=20.0)
    return await slack.slash_command(WORDS)


async def run(made: Vouched, slack: SlackStandin, **more: str) -> tuple[dict[str, Any], str]:
    """One run with one question; the answer and the log."""
    variables = SECRETS | made.variables | more | {"SLACK_API_URL": slack.api_url}
    async with serving(made.home, "--socket", **variables) as served:
        answer = await asked(slack, served)
        served.stop()
        assert await served.ended() == 0
    return answer, served.log


async def test_an_older_ledger_put_back_is_seen_before_the_first_answer(tmp_path: Path) -> None:
    made = Vouched(tmp_path)
    async with standin() as slack:
        await run(made, slack, TARLA_CHECKPOINT_CHANNEL="C0AUDIT")
        older = shutil.copy(made.ledger, tmp_path / "older.db")
        posts = [call.args["text"] for call in slack.calls if call.method == "chat.postMessage"]
        (last,) = [event.ref for event in read_events(made.ledger) if event.kind == "checkpoint"][-1:]
        assert posts[-1] == f"Audit ledger: checkpoint of {last} events. It holds no patient's data."
        made.record("later")
        assert isinstance(made.checkpoint(), Made)
        newest = shutil.copy(made.ledger, tmp_path / "newest.db")
        shutil.copy(older, made.ledger)
        answer, log = await run(made, slack)
        assert "the audit ledger cannot be written" in answer["text"]
        assert "#" not in answer["text"]
        assert "older_file" in log
        assert list(read_events(made.ledger)) == list(read_events(Path(older)))
    shutil.copy(newest, made.ledger)
    assert verify(made.ledger, [made.folder], [made.ring().key.public]).ok
    secret = made.key_path.read_text("ascii").strip()[-40:]
    assert secret not in log


async def test_a_killed_process_leaves_a_request_that_the_next_start_marks(tmp_path: Path) -> None:
    made = Vouched(tmp_path)
    async with standin() as slack:
        variables = SECRETS | made.variables | {"SLACK_API_URL": slack.api_url}
        async with serving(tmp_path, "--socket", **variables) as served:
            await asked(slack, served)
            slack.api.slow = {"chat.postEphemeral": 30.0}
            await slack.send("events_api", message_event(f"<@U0TARLABOT> {WORDS}"))
            await until(lambda: [event.kind for event in read_events(made.ledger)].count("computed") == 2)
            served.process.send_signal(signal.SIGKILL)
            await served.process.wait()
        (cut,) = [event for event in read_events(made.ledger) if event.kind == "computed"][1:]
        async with serving(tmp_path, "--socket", **variables) as served:
            await until(lambda: "interrupted" in [event.kind for event in read_events(made.ledger)], seconds=20.0)
            served.stop()
            assert await served.ended() == 0
    (marked,) = [event for event in read_events(made.ledger) if event.kind == "interrupted"]
    assert (marked.ref, marked.idem_key) == (cut.seq, f"interrupted-{cut.seq}")
    done = await asyncio.to_thread(tarla, tmp_path, "audit", "verify", **made.variables)
    assert done.returncode == 0, done.stdout
