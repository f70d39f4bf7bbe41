"""Markup, mentions, other scripts' letters, SQL and log lines typed in: they come out nowhere and change nothing."""

from __future__ import annotations

import logging
import re
import sqlite3
from pathlib import Path

import pytest

from bot.ledger import check_ledger
from bot.ledger.schema import fingerprint
from handlers.parsing import Refusal, parse
from handlers.parsing.terms import Name, Value
from handlers.parsing.vocabulary import SYNONYMS
from tests.support.app import over_http, over_socket
from tests.support.chaos import rng, scale, tally
from tests.support.surfaces import all_bytes, log_lines, sent_through_slack, type_everywhere, type_into_ids

MARK = "q7zx"  # stands in every text below and in nothing of Tarla's
TEXTS = (
    *("<!channel> q7zx", "<!here|q7zx>", "<@U1|q7zx>", "<#C1|q7zx>", "<http://q7zx.example|y>", "<mailto:q7zx@x|y>"),
    *("&lt;!channel&gt; q7zx", "&amp;lt;q7zx&amp;gt;", "<!date^1^{q7zx}|x>", "<!subteam^S1|@q7zx>", "<q7zx", "q7zx|>"),
    *("*q7zx*", "_q7zx_", "~q7zx~", "`q7zx`", "```q7zx```", "> q7zx", ":q7zx:", "\n• q7zx", "[q7zx](http://x)"),
    *(
        "\u202eq7zx\u202c",
        "q7\u200dzx q7zx",
        "\u2066q7zx\u2069",
        "q7zx\u0301\u0338",
        "q7zx\ufe0f\u20e3",
        "\u200f\u200eq7zx",
    ),
    *("'; DROP TABLE event;-- q7zx", '"q7zx"', "q7zx' OR '1'='1", "q7zx); DELETE FROM payload;", "q7zx\\'", "%27q7zx"),
    *(
        "q7zx\r\nERROR forged line",
        "q7zx\nINFO tarla ok",
        "\x1b[31mq7zx\x1b[0m",
        "q7zx\x00tail",
        "\x07\x08q7zx",
        "q7zx\x85x",
    ),
    *(
        "%s%s%n q7zx",
        "{0} {q7zx}",
        "${jndi:q7zx}",
        "$(q7zx)",
        "%(q7zx)s",
        "{{q7zx}}",
        "\\u0041q7zx",
        "\u2028q7zx",
        "q7zx\x85x",
    ),
    *('{"text":"q7zx"}', "</script>q7zx", "q7zx\ud83d\ude00", "../q7zx", "-q7zx", "--q7zx=1", "/tarla q7zx", "@q7zx"),
)
# Letters of other scripts that are drawn like ASCII ones.
LOOK_ALIKES = {
    "a": "аα",
    "c": "сϲ",
    "d": "ԁ",
    "e": "еε",
    "h": "һ",
    "i": "іι",
    "j": "ј",
    "k": "κк",
    "l": "ӏΙ",
    "m": "м",
    "n": "ո",
    "o": "оο",
    "p": "рρ",
    "r": "г",
    "s": "ѕ",
    "t": "тτ",
    "u": "υս",
    "v": "νѵ",
    "w": "ԝω",
    "x": "хχ",
    "y": "уγ",
    "b": "Ьв",
    "f": "ϝ",
    "1": "１",
    "2": "２",
}
_TAGS = re.compile(r"<(?:!|@|#|http|mailto)")


async def test_nothing_comes_through_any_door(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The bodies themselves, with their links, are checked by the running app against the list of what is allowed."""
    texts = rng("injection").sample(TEXTS, scale(4, len(TEXTS)))
    path = tmp_path / "ledger.db"
    with caplog.at_level(logging.INFO):
        async with over_http(path) as running:
            await running.ask("dm maybe")  # now the ledger is there
            before = _fingerprint(path)
            requests = 0
            for text in texts:
                replies = await type_everywhere(running, text)
                requests += len(replies)
                assert MARK not in "".join(replies.values()).lower()
            events = await running.events()
            outgoing = sent_through_slack(running)
    assert MARK not in outgoing.lower()
    assert _fingerprint(path) == before
    assert check_ledger(path).ok
    assert all(MARK.encode() not in content for content in all_bytes(tmp_path).values())
    lines = log_lines(caplog.records)
    assert MARK not in "\n".join(lines).lower()
    assert len(lines) <= 2 * requests
    tally("injected texts", texts=len(texts), requests=requests, events=len(events), log_lines=len(lines), hits=0)


async def test_nothing_comes_through_the_places_of_ids(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    # What has the shape of an id is one: Slack gives them, nobody types them.
    no_ids = [text for text in TEXTS if not re.fullmatch(r"[A-Za-z0-9._-]+", text)]
    texts = rng("ids").sample(no_ids, scale(6, len(no_ids)))
    path = tmp_path / "ledger.db"
    with caplog.at_level(logging.INFO):
        async with over_http(path) as running:
            await running.ask("dm maybe")  # now the ledger is there
            before = _fingerprint(path)
            for text in texts:
                for reply in await type_into_ids(running, text):
                    assert MARK not in reply.lower()
            await running.events()
            outgoing = sent_through_slack(running)
    assert MARK not in outgoing.lower()
    assert _fingerprint(path) == before
    assert all(MARK.encode() not in content for content in all_bytes(tmp_path).values())
    assert MARK not in "\n".join(log_lines(caplog.records)).lower()
    tally("injected ids", texts=len(texts), hits=0)


async def test_nothing_comes_through_the_socket(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    texts = rng("socket").sample(TEXTS, scale(12, len(TEXTS)))
    with caplog.at_level(logging.INFO):
        async with over_socket(tmp_path / "ledger.db") as (running, _):
            replies = [str(await running.slack.slash_command(f"ldh 480/250 {text}")) for text in texts]
            await running.events()
    assert MARK not in "".join(replies).lower()
    assert not any(_TAGS.search(reply) for reply in replies)
    assert all(MARK.encode() not in content for content in all_bytes(tmp_path).values())
    assert MARK not in "\n".join(log_lines(caplog.records)).lower()


def test_no_word_is_read_in_letters_that_look_like_its_own() -> None:
    """Every name and value of the vocabulary, each letter in turn, in every letter that is drawn like it.

    In the short form one spelling in four.
    """
    random_, tried = rng("look-alikes"), 0
    for term, words in SYNONYMS.items():
        if not isinstance(term, Name | Value):
            continue
        for word in words:
            for at, letter in enumerate(word):
                for other in LOOK_ALIKES.get(letter, ""):
                    spelt = word[:at] + other + word[at + 1 :]
                    if random_.randrange(4) >= scale(1, 4):
                        continue
                    for frame in ("{} yes", "dm {}", "{} 480/250"):
                        with pytest.raises(Refusal):
                            parse(frame.format(spelt))
                        tried += 1
    assert tried > 1_000
    tally("look-alike words", tried=tried, read=0)


def _fingerprint(path: Path) -> str:
    connection = sqlite3.connect(path)
    try:
        return fingerprint(connection)
    finally:
        connection.close()
