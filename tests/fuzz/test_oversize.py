"""Too much of anything: refused early, by little work and memory, at the door where that can be.

Work is the processor time of this process; a bound on it has room for a busy machine, and where texts of two lengths
are compared it is the ratio that counts.
"""

from __future__ import annotations

import asyncio
import io
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import aiohttp
import pytest

from bot.standin import message_event, pressed_in_view, slash_command_payload, submitted
from handlers import controls
from handlers.conversation import Conversation
from handlers.form import Door, Origin, form_view
from handlers.form.origin import channel_of, read_origin
from handlers.listeners.messages import question_from as message_question
from handlers.lookup import LookUpRefusal
from handlers.lookup.registry import LOOK_UPS
from handlers.outcomes import Refused
from handlers.parsing import Refusal, parse
from handlers.parsing.limits import MAX_CHARACTERS
from handlers.ports import History
from handlers.requests import Asker, MalformedPayloadError, Question
from knowledge.model import load as load_model
from tests.support.app import PATIENCE_S, RunningApp, over_http, over_socket
from tests.support.chaos import FULL, tally
from tests.support.fakes import FakeClock, FakeLedger
from tests.support.forms import filled
from tests.support.signing import FORM, SignedRequest, interaction_request, signed

SECONDS = 0.25  # the slowest takes some milliseconds
MEMORY = 10_000_000  # bytes beyond the text itself
# Whatever the grammar or a look-up treats in a way of its own, without end.
UNITS = (
    *(
        "a",
        "1",
        " ",
        ",",
        ".",
        "1.",
        "1/",
        "1,",
        "-",
        "+",
        "?",
        "=",
        ":",
        "*",
        "*a",
        "*a*",
        "_x_ ",
        "`",
        "(",
        "\n",
        "\n1. ",
    ),
    *("ldh ", "liver no ", "no ", "or ", "and ", "dm, ", "upper limit of normal ", "no dm or cvd ", "&lt;", "&amp;lt;"),
    *("fever", "c1d1 ", "1 ", "kg ", "crs ", "label ", "a,,", "ü", "٤", "\u200b", "<@U0TARLABOT", "<@U0TARLABOT|", "<"),
    *("(", "\n"),
)
FIRST_WORDS = (
    "",
    "ldh ",
    *(f"{name} " for name in LOOK_UPS),
    "grade crs ",
    "site ",
    "@tarla ",
    "what's the risk of CRS with ",
)


def cost_of(work: Callable[[], object]) -> float:
    """Processor seconds."""
    start = time.process_time()
    work()
    return time.process_time() - start


def _conversation() -> Conversation:
    return Conversation(FakeLedger(), cast("History", None), FakeClock(), None, "0.0-test", load_model)


@pytest.mark.parametrize("size", [100_000, 1_000_000])
def test_a_text_of_any_kind_is_refused_at_once(size: int) -> None:
    slowest, tried = 0.0, 0
    with asyncio.Runner() as runner:
        for first in FIRST_WORDS:
            for unit in UNITS:
                text = first + unit * ((size - len(first)) // len(unit))
                question = Question("k", text, Asker("cli", "U1"))
                reply: list[Any] = []
                seconds = cost_of(lambda q=question, r=reply: r.append(runner.run(_conversation().reply_to(q))))  # type: ignore[misc]  # defaults bind
                assert seconds < SECONDS, (first, unit)
                slowest, tried = max(slowest, seconds), tried + 1
                if unit.strip():
                    assert isinstance(reply[0], Refused)
    tally(f"texts of {size} characters", tried=tried, slowest_ms=f"{slowest * 1000:.1f}")


def test_a_megabyte_takes_no_memory_of_its_own() -> None:
    texts = ["liver no " * 110_000, "toci " + "1 " * 500_000, "\n1. dm" * 160_000, "evidence " + "crs " * 250_000]
    with asyncio.Runner() as runner:
        runner.run(
            _conversation().reply_to(Question("k", "evidence crs", Asker("cli", "U1")))
        )  # the data is loaded once
        for text in texts:
            tracemalloc.start()
            try:
                runner.run(_conversation().reply_to(Question("k", text, Asker("cli", "U1"))))
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert peak < MEMORY, text[:20]


@pytest.mark.parametrize("unit", UNITS)
def test_what_is_read_takes_time_in_proportion_to_its_length(unit: str) -> None:
    """Each function by itself, beyond the limit that keeps long texts from it: at twice the length twice the time."""
    for work in _READERS:
        short, long = (unit * (size // len(unit)) for size in (10_000, 20_000))
        for _ in range(3):  # a busy machine may spoil one
            first = max(cost_of(lambda w=work, t=short: w(t)), 0.002)  # type: ignore[misc]  # defaults bind
            second = cost_of(lambda w=work, t=long: w(t))  # type: ignore[misc]  # defaults bind
            if second / first <= 3.2:
                break
        assert second / first <= 3.2, (work, first, second)


def _look_up(name: str) -> Callable[[str], object]:
    def read(text: str) -> object:
        try:
            return LOOK_UPS[name](text.split(), "2026-11-24")
        except LookUpRefusal as refusal:
            return refusal

    return read


def _mention(text: str) -> object:
    body = message_event(text)
    return message_question(body, body["event"], "mention")


_READERS: tuple[Callable[[str], object], ...] = (_mention, *(_look_up(name) for name in LOOK_UPS))


@pytest.mark.parametrize("unit", UNITS)
def test_the_longest_text_that_is_read_is_read_in_proportion(unit: str) -> None:
    """From half the limit to the whole of it; nothing there may take a second, however the machine is."""
    full, half = (unit * max(1, size // len(unit)) for size in (MAX_CHARACTERS, MAX_CHARACTERS // 2))
    assert cost_of(lambda: _tried(full)) < SECONDS
    if FULL:
        # The least of several, since whatever else the machine does only adds to it.
        whole, part = (
            min(cost_of(lambda t=text: [_tried(t) for _ in range(100)]) for _ in range(7))  # type: ignore[misc]  # defaults bind
            for text in (full, half)
        )
        assert whole / part < 5


def _tried(text: str) -> object:
    try:
        return parse(text)
    except Refusal as refusal:
        return refusal


DEEP = "[" * 100_000 + "]" * 100_000


def test_nesting_without_end_is_malformed() -> None:
    for deep in (DEEP, '{"channel":' * 50_000, '{"version":1,"door":' * 20_000):
        with pytest.raises(MalformedPayloadError):
            read_origin(deep, "https://slack.com/api/")
        assert channel_of(deep) is None


async def _post(running: RunningApp, request: SignedRequest) -> int:
    timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(running.address, data=io.BytesIO(request.body.encode()), headers=request.headers) as response,
    ):
        await response.read()
        return response.status


async def test_over_http(tmp_path: Path) -> None:
    """Up to a megabyte is read and refused with words; beyond it the body is not taken: 413."""
    form = {**form_view(Origin(Door.SHORTCUT), None), "id": "V1", "hash": "1.a"}

    def command(text: str) -> SignedRequest:
        return signed(urlencode(slash_command_payload(text, response_url="http://127.0.0.1:9/x")), content_type=FORM)

    async with over_http(tmp_path / "ledger.db") as running:
        assert "E_TOO_LONG" in (await running.send(command("liver no " * 50_000))).text
        assert "E_TOO_LONG" in (await running.send(command("toci " + "1 " * 150_000))).text
        assert (
            "response_action"
            in (await running.send(interaction_request(submitted(form, filled(ldh="1" * 200_000))))).text
        )
        assert (await running.write("dm no " * 60_000)).status == 200
        for huge in (command("a" * 1_100_000), interaction_request(submitted(form, {"x" * 1_100_000: {}}))):
            assert await _post(running, huge) == 413
        deep_view = {**form, "private_metadata": DEEP}
        assert (
            await _post(running, interaction_request(submitted(deep_view, filled()))) == 200
        )  # an apology in its place
        pressed = {"type": "button", "action_id": controls.EVIDENCE_PAGES[1], "value": "1"}
        assert await _post(running, interaction_request(pressed_in_view(pressed, deep_view))) == 200
        for deep in (f"payload={DEEP}", "payload=" + '{"a":' * 100_000):
            assert await _post(running, signed(deep, content_type=FORM)) == 400
        assert "receipt #" in (await running.ask()).text
        kinds = [event.kind for event in await running.events()]
    assert kinds.count("computed") == 1
    assert kinds.count("refused") == 3


async def test_over_the_socket(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The same refusals, and an envelope that nothing can read neither stops the bot nor stands in its log."""
    async with over_socket(tmp_path / "ledger.db") as (running, _):
        for text in ("liver no " * 100_000, "toci " + "1 " * 300_000):
            assert "E_TOO_LONG" in str(await running.slack.slash_command(text))
        deep: Any = []
        for _ in range(400):
            deep = [deep]
        pressed = pressed_in_view({"type": "button", "action_id": controls.MODEL}, {"id": "V"})
        assert "[" * 9 not in str(await running.slack.send("interactive", {**pressed, "view": deep}))
        assert "receipt #" in str(await running.slack.slash_command("ldh 480/250 liver yes"))
    assert all("[[[" not in line and "\n" not in line for line in caplog.messages if "tarla" in line)
