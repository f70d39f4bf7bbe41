"""What Slack refuses for now is tried again, within its five uses and thirty minutes; what it may have taken, never."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from handlers import retrying
from handlers.delivery import Sending
from handlers.form.origin import RESPONSE_URL_SECONDS
from handlers.retrying import FIRST_PAUSE_S, LONGEST_PAUSE_S, SPREAD_S, TRIES, WITHIN_S, Retrying
from handlers.sending import GONE, UNCONFIRMED, insist, post
from tests.unit.test_sending import MESSAGE, SECRET, answering

RESET = -1
SILENT = -2


@dataclass
class Paused:
    """Pauses that take no time and move a clock of their own."""

    chance: float = 0.0
    time: float = 1_000.0
    pauses: list[float] = field(default_factory=list)

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds

    def retrying(self) -> Retrying:
        return Retrying(pause=self.pause, chance=lambda: self.chance, monotonic=lambda: self.time)


@dataclass
class Scripted:
    """A response_url that answers by a script; the last line of it for ever after."""

    script: list[tuple[int, str, dict[str, str]]]
    taken: int = 0

    async def answer(self, request: web.Request) -> web.Response:
        await request.read()
        status, text, headers = self.script[min(self.taken, len(self.script) - 1)]
        self.taken += 1
        if status == SILENT:
            await asyncio.Event().wait()
        if status == RESET:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return web.Response(status=status, text=text, headers=headers)


OK = (200, "ok", {})
TOO_MANY = (429, "", {"Retry-After": "7"})
BROKEN = (500, "", {})


@pytest.mark.parametrize(
    ("script", "failure", "tries", "pauses"),
    [
        ([OK], None, 1, []),
        ([TOO_MANY, OK], None, 2, [7.0]),
        ([TOO_MANY, BROKEN, OK], None, 3, [7.0, 1.0]),
        ([(503, "", {"Retry-After": "2"}), OK], None, 2, [2.0]),
        ([BROKEN], "response_url_500", TRIES, [0.5, 1.0, 2.0]),
        ([TOO_MANY], "response_url_429", TRIES, [7.0, 7.0, 7.0]),
        # Not what anybody waits for: never sooner than Slack asks, so not at all.
        ([(429, "", {"Retry-After": "3600"})], "response_url_429", 1, []),
        ([(429, "", {"Retry-After": "soon"}), OK], None, 2, [0.5]),
        ([(404, '{"ok":false,"error":"used_url"}', {})], "response_url_404", 1, []),
        ([(410, "", {})], "response_url_410", 1, []),
        ([(403, "", {})], "response_url_403", 1, []),
        ([(502, "", {})], "response_url_502", 1, []),
        ([(504, "", {})], "response_url_504", 1, []),
        ([(200, "<html>", {})], "response_url_200", 1, []),
        ([(200, '{"ok":false}', {})], "response_url_refused", 1, []),
        ([(SILENT, "", {})], "response_url_timeout", 1, []),
        ([(RESET, "", {})], "response_url_unreachable", 1, []),
        # A refusal, and then a try that may have been taken: no third one.
        ([BROKEN, (RESET, "", {}), OK], "response_url_unreachable", 2, [0.5]),
    ],
)
async def test_what_is_tried_again(
    script: list[tuple[int, str, dict[str, str]]],
    failure: str | None,
    tries: int,
    pauses: list[float],
    caplog: pytest.LogCaptureFixture,
) -> None:
    paused, url_of = Paused(), Scripted(script)
    with caplog.at_level(logging.DEBUG):
        async with answering(url_of.answer) as (client, url):
            said = await post(client, url, MESSAGE, seconds=0.3, again=paused.retrying())
    assert (said, url_of.taken, paused.pauses) == (failure, tries, pauses)
    assert SECRET not in caplog.text


async def test_without_leave_nothing_is_tried_again() -> None:
    url_of = Scripted([BROKEN])
    async with answering(url_of.answer) as (client, url):
        assert await post(client, url, MESSAGE) == "response_url_500"
    assert url_of.taken == 1


def test_it_stays_within_what_slack_allows() -> None:
    """Five uses and thirty minutes, one use and the time before the first try taken off."""
    assert TRIES <= 5 - 1
    assert WITHIN_S < RESPONSE_URL_SECONDS / 2
    assert GONE.isdisjoint(UNCONFIRMED)
    assert not {f"response_url_{status}" for status in retrying.REFUSED_FOR_NOW} & (UNCONFIRMED | GONE)


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
async def test_pauses_grow_are_spread_and_end(chance: float) -> None:
    paused = Paused(chance)
    again = paused.retrying()
    tries = 1
    while await again.wait(tries, 1_000.0, None):
        tries += 1
    assert tries == TRIES
    for number, pause in enumerate(paused.pauses):
        whole = min(FIRST_PAUSE_S * 2**number, LONGEST_PAUSE_S)
        assert pause == whole * (0.5 + chance / 2)


async def test_slacks_time_is_never_cut_short_but_spread() -> None:
    paused = Paused(chance=1.0)
    assert await paused.retrying().wait(1, paused.time, "60")
    assert paused.pauses == [60.0 + SPREAD_S]


async def test_time_is_measured_from_the_first_try() -> None:
    paused = Paused()
    again = paused.retrying()
    started = paused.time
    assert await again.wait(1, started, "200")
    assert not await again.wait(2, started, "101")
    assert paused.time - started <= WITHIN_S


async def test_no_more_wait_than_agreed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "MOST_WAITING", 2)
    let_go = asyncio.Event()
    again = Retrying(pause=lambda _: let_go.wait(), chance=lambda: 0.0)
    started = again.now()
    two = [asyncio.create_task(again.wait(1, started, None)) for _ in range(2)]
    await asyncio.sleep(0)
    assert again.waiting == 2
    assert not await again.wait(1, started, None)
    let_go.set()
    assert await asyncio.gather(*two) == [True, True]
    assert again.waiting == 0


@pytest.mark.parametrize(
    ("script", "attempts", "raises"),
    [
        ([(429, '{"ok":false,"error":"ratelimited"}', {"Retry-After": "3"}), (200, '{"ok":true}', {})], 2, False),
        ([(500, "<html>", {}), (200, '{"ok":true}', {})], 2, False),
        ([(503, '{"ok":false}', {})], TRIES, True),
        ([(200, '{"ok":false,"error":"ratelimited"}', {}), (200, '{"ok":true}', {})], 2, False),
        # Slack documents of these that part of it may have been done.
        ([(200, '{"ok":false,"error":"internal_error"}', {})], 1, True),
        ([(200, '{"ok":false,"error":"fatal_error"}', {})], 1, True),
        ([(500, '{"ok":false,"error":"internal_error"}', {})], 1, True),
        ([(503, '{"ok":false,"error":"fatal_error"}', {})], 1, True),
        ([(200, '{"ok":false,"error":"channel_not_found"}', {})], 1, True),
        ([(504, "", {})], 1, True),
        ([(RESET, "", {})], 1, True),
        ([(SILENT, "", {})], 1, True),
    ],
)
async def test_the_web_api_likewise(script: list[tuple[int, str, dict[str, str]]], attempts: int, raises: bool) -> None:
    paused, sending = Paused(), Sending("mention")
    api = Scripted([(status, text, headers | {"Content-Type": "application/json"}) for status, text, headers in script])
    async with answering(api.answer) as (client, _):
        client.retry_handlers = []
        speaking = insist(
            lambda: client.chat_postMessage(channel="C1", text="A message."), sending, 0.3, paused.retrying()
        )
        if raises:
            with pytest.raises(Exception):  # noqa: B017, PT011 - whichever slack_sdk raises
                await speaking
        else:
            await speaking
    assert (sending.attempts, api.taken) == (attempts, attempts)
