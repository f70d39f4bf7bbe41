"""Socket Mode under every kind of lost link: how long nobody is answered, and that nothing is answered twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from bot.standin import SlackStandin, proxies_dropped
from tests.support.app import over_socket, until
from tests.support.chaos import scale, tally
from tests.support.command_stream import Stream, holds

# Slack reachable again to the next command answered.
DEAF_LIMIT_S = 10.0
# What Slack is away for, where it is the fault.
AWAY_S = scale(1, 30)
OPEN = "apps.connections.open"
Lose = Callable[[SlackStandin], Awaitable[None]]


# --- each kind by itself ------------------------------------------------------------------------------------------


async def close_frame(slack: SlackStandin) -> None:
    await slack.sockets.close()


async def fin(slack: SlackStandin) -> None:
    slack.sockets.finish()


async def cut(slack: SlackStandin) -> None:
    slack.sockets.cut()


async def rst(slack: SlackStandin) -> None:
    slack.sockets.reset()


async def silence(slack: SlackStandin) -> None:
    # Slack never notices: what it goes on sending there is lost.
    slack.sockets.silence(60.0)


async def refresh(slack: SlackStandin) -> None:
    await slack.sockets.request_refresh(close_after=0.5)


async def connection_refused(slack: SlackStandin) -> None:
    await slack.go_away()
    await asyncio.sleep(AWAY_S)
    await slack.come_back()


async def link_refused(slack: SlackStandin) -> None:
    slack.sockets.refuse_status = 403
    slack.sockets.cut()
    await asyncio.sleep(AWAY_S)
    slack.sockets.refuse_status = None


async def link_without_hello(slack: SlackStandin) -> None:
    slack.sockets.greet_after = 60.0
    slack.sockets.cut()
    await asyncio.sleep(AWAY_S)
    slack.sockets.greet_after = 0.0


async def too_many_websockets(slack: SlackStandin) -> None:
    slack.sockets.full = True
    await slack.sockets.request_refresh(reason="too_many_websockets")
    await asyncio.sleep(AWAY_S)
    slack.sockets.full = False


async def api_429(slack: SlackStandin) -> None:
    """Slack may be asked again once the time is over that it named, and is not asked before."""
    slack.api.script[OPEN] = [(429, {"Retry-After": "2"})] * 1_000
    slack.sockets.cut()
    await until(lambda: asked(slack) == 1)
    del slack.api.script[OPEN]
    await asyncio.sleep(1.9)
    assert asked(slack) == 1


async def api_500(slack: SlackStandin) -> None:
    slack.api.script[OPEN] = [(500, {})] * 1_000
    slack.sockets.cut()
    await asyncio.sleep(AWAY_S)
    del slack.api.script[OPEN]


async def api_hangs(slack: SlackStandin) -> None:
    slack.api.slow[OPEN] = 60.0
    slack.sockets.cut()
    await asyncio.sleep(AWAY_S)
    del slack.api.slow[OPEN]


async def api_garbled(slack: SlackStandin) -> None:
    slack.api.garbled[OPEN] = "<html>sign in to the hospital's network</html>"
    slack.sockets.cut()
    await asyncio.sleep(AWAY_S)
    del slack.api.garbled[OPEN]


MODES: list[Lose] = [
    close_frame, fin, cut, rst, silence, refresh, connection_refused, link_refused, link_without_hello,
    too_many_websockets, api_429, api_500, api_hangs, api_garbled,
]  # fmt: skip


def asked(slack: SlackStandin) -> int:
    """How often a link's address was asked for."""
    return [call.method for call in slack.calls].count(OPEN)


@dataclass(frozen=True)
class Found:
    """One lost link: seconds deaf, and how often an address was asked for until then."""

    mode: str
    deaf: float
    asked: int
    lost: int


async def lose_and_measure(lose: Lose, folder: Path, together: asyncio.Barrier) -> Found:
    path = folder / f"{lose.__name__}.db"
    async with over_socket(path) as (running, handler):
        stream = Stream(running.slack)
        assert await stream.one()
        running.slack.calls.clear()
        # Starting takes the processor, and is not what is measured.
        await together.wait()
        await lose(running.slack)
        back = time.perf_counter()

        def deaf() -> bool:
            waited = time.perf_counter() - back
            return waited < (1.0 if lose is refresh else 2 * DEAF_LIMIT_S if len(stream.answered_at) == 1 else 0.0)

        await stream.every(0.05, deaf)
        if lose is refresh:
            await stream.all_done()
        await stream.give_up()
        assert len(stream.answered_at) > 1, lose.__name__
        assert handler.state.connected
        assert sum(handler.state.reconnects.values()) >= 1
    holds(path, stream)
    return Found(lose.__name__, stream.answered_at[1] - back, asked(running.slack), stream.lost)


async def test_every_kind_of_lost_link_is_mended_within_ten_seconds(tmp_path: Path) -> None:
    """All at the same time, each with a stand-in of its own: nearly all of it is waiting."""
    found: list[Found] = []
    with proxies_dropped():
        for number in range(scale(1, 5)):
            folder = tmp_path / str(number)
            folder.mkdir()
            together = asyncio.Barrier(len(MODES))
            found += await asyncio.gather(*(lose_and_measure(lose, folder, together) for lose in MODES))
    for lose in MODES:
        mine = [each for each in found if each.mode == lose.__name__]
        deaf = sorted(each.deaf for each in mine)
        tally(
            f"link lost by {lose.__name__}",
            times=len(mine),
            deaf_p50_s=f"{deaf[len(deaf) // 2]:.2f}",
            deaf_max_s=f"{deaf[-1]:.2f}",
            commands_unanswered=sum(each.lost for each in mine),
        )
    assert max(each.deaf for each in found) < DEAF_LIMIT_S
    # Pauses between attempts grow to at least two seconds: nobody runs in circles.
    assert all(each.asked <= 6 + (AWAY_S + each.deaf) / 2 for each in found)
    assert not any(each.lost for each in found if each.mode == "refresh")
