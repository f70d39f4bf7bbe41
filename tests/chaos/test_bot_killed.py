"""The whole bot killed while many ask: whoever was shown figures has them in the ledger, under the number shown."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urljoin

import aiohttp

from bot.clock import SystemClock
from bot.ledger import open_ledger
from bot.standin import SlackStandin, proxies_dropped
from handlers.ports import Kind
from tests.support.app import APP_TOKEN, BOT_TOKEN, WORDS
from tests.support.chaos import rng, scale, tally
from tests.support.invariants import check_invariants
from tests.support.program import command, environment
from tests.support.signing import SIGNING_SECRET, slash_command_request

PEOPLE = 16
START_S, LONGEST_LIFE_S = 20.0, 0.6
SECRETS = {"SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_APP_TOKEN": APP_TOKEN, "SLACK_SIGNING_SECRET": SIGNING_SECRET}
RECEIPT = re.compile(r"#([1-9][0-9]*)-([0-9a-f]{4})")


@asynccontextmanager
async def serving(folder: Path, api_url: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """``tarla serve --http`` and where it listens; killed at the end, as by the kernel when memory runs out."""
    process = await asyncio.create_subprocess_exec(
        *command("serve", "--http", "--port", "0"),
        cwd=folder,
        env=environment(folder, SLACK_API_URL=api_url, **SECRETS),
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    said = []
    try:
        async with asyncio.timeout(START_S):
            while b"listening for Slack on" not in (line := await process.stderr.readline()):
                said.append(line)
                assert line, b"".join(said)
        rest = asyncio.create_task(process.stderr.read())
        yield process, line.decode().split()[-1]
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    await rest


async def keep_asking(session: aiohttp.ClientSession, address: str, name: str, shown: list[tuple[int, str]]) -> None:
    """Ask again and again until nobody answers; note the receipt of every answer that came whole."""
    for number in range(10_000):
        request = slash_command_request(WORDS, trigger_id=f"{name}.{number}")
        try:
            async with session.post(address, data=request.body.encode(), headers=request.headers) as response:
                text = await response.text()
        except (aiohttp.ClientError, ConnectionError):
            return
        assert response.status == 200
        assert "%" in text
        seq, leaf = RECEIPT.findall(json.dumps(json.loads(text)["blocks"]))[-1]
        shown.append((int(seq), leaf))


async def one_life(folder: Path, name: str, chance: random.Random) -> list[tuple[int, str]]:
    """Start the bot, let people ask, kill it; the receipts they were shown."""
    shown: list[tuple[int, str]] = []
    with proxies_dropped():
        async with (
            SlackStandin(bot_token=BOT_TOKEN, app_token=APP_TOKEN) as slack,
            serving(folder, slack.api_url) as (process, address),
            aiohttp.ClientSession() as session,
        ):
            people = [
                asyncio.create_task(keep_asking(session, urljoin(address, "/slack/events"), f"{name}.{person}", shown))
                for person in range(PEOPLE)
            ]
            while not shown:  # however slow the machine is today
                await asyncio.sleep(0.005)
            await asyncio.sleep(chance.uniform(0, LONGEST_LIFE_S))
            process.kill()
            await asyncio.gather(*people)
    return shown


async def test_killed_bot_has_shown_nothing_that_is_not_recorded(tmp_path: Path) -> None:
    path, lives, chance = tmp_path / "ledger.db", scale(1, 40), rng("bot killed")
    shown: list[tuple[int, str]] = []
    cut_off = 0
    for life in range(lives):
        shown += await one_life(tmp_path, f"{life + 1}", chance)
        cut_off += path.with_name(path.name + "-journal").exists()
    open_ledger(path, clock=SystemClock()).close()  # undoes what the last kill cut off
    events = check_invariants(path, {})
    stored = {(event.seq, event.leaf.hex()[:4]) for event in events if event.kind == Kind.COMPUTED}
    assert len(shown) == len(set(shown)) >= lives
    assert set(shown) <= stored
    told_of = {event.ref for event in events if event.kind in (Kind.DELIVERED, Kind.DELIVERY_FAILED)}
    unfinished = sum(event.kind == Kind.COMPUTED and event.seq not in told_of for event in events)
    tally(
        "whole bot killed", kills=lives, answers_shown=len(shown), lost=0, journals_left=cut_off, no_outcome=unfinished
    )
