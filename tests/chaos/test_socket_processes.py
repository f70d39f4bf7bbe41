"""Two copies of Tarla on one ledger, their links lost again and again, stopped and killed in the middle of work."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

from bot.standin import SlackStandin, proxies_dropped
from bot.standin.sockets import Sockets
from bot.transports.socket import RESTARTING
from tests.support.app import APP_TOKEN, BOT_TOKEN, until
from tests.support.chaos import FULL, rng, scale, tally
from tests.support.command_stream import Stream, holds
from tests.support.serving import SECRETS, START_S, Served, serving

ROUNDS = scale(1, 10)
CUTTING_S = scale(1, 60)
BETWEEN_CUTS_S = (1.0, 10.0) if FULL else (0.2, 0.6)
COMMANDS_EVERY_S = 0.05
BURST = scale(30, 60)
DEAF_LIMIT_S = 10.0
KINDS = ("close", "finish", "cut", "reset", "silence", "refresh")


async def lose(sockets: Sockets, kind: str, chance: random.Random) -> None:
    """Lose one link or all of them."""
    oldest = chance.random() < 0.5
    if kind == "close":
        await sockets.close(oldest=oldest)
    elif kind == "refresh":
        await sockets.request_refresh(close_after=chance.uniform(0.2, 3.0))
    elif kind == "silence":
        sockets.silence(chance.uniform(1.0, 12.0) if FULL else 1.0, oldest=oldest)
    else:
        {"finish": sockets.finish, "cut": sockets.cut, "reset": sockets.reset}[kind](oldest=oldest)


async def lose_again_and_again(slack: SlackStandin, chance: random.Random) -> Counter[str]:
    """Lose links for ``CUTTING_S``; how often in which way."""
    lost: Counter[str] = Counter()
    end = time.monotonic() + CUTTING_S
    while time.monotonic() < end:
        await asyncio.sleep(chance.uniform(*BETWEEN_CUTS_S))
        kind = chance.choice(KINDS)
        lost[kind] += 1
        await lose(slack.sockets, kind, chance)
    return lost


async def burst(slack: SlackStandin, chance: random.Random) -> Stream:
    """Send many commands at once; returns in the midst of their being answered."""
    stream = Stream(slack)
    for _ in range(BURST):
        stream.start()
    await until(lambda: len(stream.receipts) > chance.randrange(BURST // 2))
    return stream


async def test_nothing_is_answered_twice_and_nothing_shown_is_lost(tmp_path: Path) -> None:
    """In turn: links lost for a while, SIGTERM in a burst, kill -9 in a burst; each time a new process takes over."""
    chance = rng("sockets")
    lost: Counter[str] = Counter()
    bursts: list[Stream] = []
    with proxies_dropped():
        async with SlackStandin(bot_token=BOT_TOKEN, app_token=APP_TOKEN) as slack, AsyncExitStack() as stack:

            async def start() -> Served:
                """One more copy on the same ledger."""
                more = {"SLACK_API_URL": slack.api_url, "TARLA_CONNECTIONS": "2"}
                return await stack.enter_async_context(serving(tmp_path, "--socket", **more, **SECRETS))

            copies = list(await asyncio.gather(start(), start()))
            await slack.wait_connected(2, START_S)
            stream, going = Stream(slack), True
            streaming = asyncio.create_task(stream.every(COMMANDS_EVERY_S, lambda: going))
            for left in reversed(range(ROUNDS)):
                lost += await lose_again_and_again(slack, chance)
                # What was silenced last is still counted, and lost on.
                await until(lambda: slack.sockets.count == 2 and slack.sockets.well, 3 * DEAF_LIMIT_S)

                stopped = await burst(slack, chance)
                copies[0].stop()
                assert await copies[0].ended() == 0
                # All of it was in hand: nobody saw an error.
                await stopped.all_done()
                assert (len(stopped.receipts) + stopped.told.total(), stopped.lost) == (BURST, 0)
                copies[0] = await start()
                await slack.wait_connected(2, START_S)

                killed = await burst(slack, chance)
                copies[1].process.kill()
                await copies[1].process.wait()
                bursts += [stopped, killed]
                if left:
                    copies[1] = await start()
                    await slack.wait_connected(2, START_S)
            going = False
            await streaming
            for each in (stream, *bursts):
                await each.all_done()
            assert await stream.one()
            copies[0].stop()
            assert await copies[0].ended() == 0
            assert not any("Traceback" in copy.log for copy in copies)
    computed = holds(tmp_path / "ledger.db", stream, *bursts)
    gaps = sorted(later - earlier for earlier, later in zip(stream.answered_at, stream.answered_at[1:], strict=False))
    sent = len(stream.receipts) + stream.lost + stream.told.total()
    # Whoever was told that Tarla is restarting, or busy, has nothing in the ledger, and knows it.
    told = sum((each.told for each in (stream, *bursts)), Counter[str]())
    assert all(text.startswith(("Busy", RESTARTING[:30])) for text in told)
    assert gaps[-1] < DEAF_LIMIT_S
    tally("links lost under a stream of commands", **lost)
    tally(
        "two copies on one ledger",
        rounds=ROUNDS,
        commands=sent + BURST * len(bursts),
        told_to_ask_again=told.total(),
        error_shown=stream.lost + sum(each.lost for each in bursts),
        computed=computed,
        longest_time_without_an_answer_s=f"{gaps[-1]:.2f}",
        stopped=ROUNDS,
        killed=ROUNDS,
    )
