"""Every question through the whole conversation: reply, record and message, with nothing of what was typed in them."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

from hypothesis import given, seed

from bot.terminal import _whole as whole_look_up
from handlers.answer import TableMode
from handlers.conversation import Conversation
from handlers.outcomes import Answered, HowToAsk, LookedUp, Refused, Reply
from handlers.ports import History
from handlers.replies import message
from handlers.requests import Asker, Question
from knowledge.model import load as load_model
from tests.support.app import allowed_links
from tests.support.chaos import SEED, tally
from tests.support.closed import SITE_LIMIT
from tests.support.fakes import FakeClock, FakeLedger
from tests.support.fuzz_choices import Choices, cases, choices
from tests.support.fuzz_look_ups import question
from tests.support.fuzz_text import CANARIES, typed
from tests.support.slack_limits import check_message

ASKER = Asker(via="slash_command", user="U0FELLOW01", channel="C0TUMOURBD", team="T0TARLADEV")
TOKEN = re.compile(r"E_[A-Z0-9_]+@[0-9]+")
# Never in anything that Tarla writes: controls other than the line break, invisible and bidirectional characters.
UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def conversation(ledger: FakeLedger) -> Conversation:
    """A conversation whose ledger is in memory; a question alone needs no history."""
    return Conversation(ledger, cast("History", None), FakeClock(), SITE_LIMIT, "0.0-test", load_model)


def outcome_of(reply: Reply) -> str:
    """The kind of reply, refusals by code."""
    return str(reply.code) if isinstance(reply, Refused) else type(reply).__name__


def strings(content: object) -> Iterator[str]:
    """Every text in a JSON value, names too."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        yield from content
        for each in content.values():
            yield from strings(each)
    elif isinstance(content, list):
        for each in content:
            yield from strings(each)


def check(text: str, runner: asyncio.Runner, mode: TableMode) -> str:
    """Ask, and look at everything that comes of it; the kind of reply."""
    ledger = FakeLedger()
    reply = runner.run(conversation(ledger).reply_to(Question("command:1", text, ASKER)))
    body: dict[str, Any] | None = message(reply, mode)
    assert body is not None
    check_message(body, allowed_links=allowed_links(body))
    stored = json.dumps([dict(entry.payload) for entry in ledger.entries], ensure_ascii=False)
    shown = "\n".join(strings(body))
    if isinstance(reply, LookedUp):
        shown += whole_look_up(reply.look_up)
    for canary in CANARIES:
        assert canary.lower() not in shown.lower()
        assert canary.lower() not in stored.lower()
    assert not UNSEEN.search(shown)
    assert not UNSEEN.search("\n".join(strings([dict(entry.payload) for entry in ledger.entries])))
    if isinstance(reply, HowToAsk):
        assert ledger.entries == []
        return outcome_of(reply)
    (entry,) = ledger.entries
    assert entry.kind == {Answered: "computed", LookedUp: "looked_up", Refused: "refused"}[type(reply)]
    if isinstance(reply, Refused):
        assert TOKEN.fullmatch(f"{entry.payload['reason']}@{entry.payload['word']}")
        assert entry.payload["length"] == len(text)
    return outcome_of(reply)


def test_replies() -> None:
    codes: Counter[str] = Counter()
    with asyncio.Runner() as runner:

        @seed(SEED)
        @cases(150, 20_000)
        @given(choices())
        def run(choose: Choices) -> None:
            mode = choose.pick((TableMode.BLOCK, TableMode.TEXT))
            codes[check(typed(choose).text, runner, mode)] += 1

        run()
    whole = codes.total()
    tally("questions through the conversation", cases=whole, share_answered=f"{codes['Answered'] / whole:.0%}", **codes)
    assert codes["Answered"] > whole / 6


def test_look_ups() -> None:
    codes: Counter[str] = Counter()
    with asyncio.Runner() as runner:

        @seed(SEED)
        @cases(250, 25_000)
        @given(choices())
        def run(choose: Choices) -> None:
            codes[check(question(choose), runner, TableMode.BLOCK)] += 1

        run()
    whole = codes.total()
    tally("look-ups through the conversation", cases=whole, share_found=f"{codes['LookedUp'] / whole:.0%}", **codes)
    assert codes["LookedUp"] > whole / 10
