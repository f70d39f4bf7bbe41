"""Nothing that was typed comes back: not in messages, examples, suggestions, notes, logs or tracebacks."""

from __future__ import annotations

import re
import traceback

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.lookup.registry import LOOK_UPS
from handlers.parsing import Refusal, RefusalCode, Understood, parse
from handlers.parsing.refusal_texts import TEXTS
from handlers.parsing.symptoms import SYMPTOM_WORDS
from handlers.parsing.vocabulary import KNOWN_WORDS, PHRASES, SUGGESTIONS
from tests.support.closed import SENTENCES, SITE_LIMIT, assert_closed


def _outcome(text: str) -> Understood | Refusal:
    try:
        return parse(text, site_uln=SITE_LIMIT)
    except Refusal as refusal:
        return refusal


# Pieces that make a text likely to get past the first words.
_PIECES = st.sampled_from(
    [
        *sorted(" ".join(phrase) for phrase in PHRASES),
        *(
            "ldh 480/250",
            "ldh 480",
            "uln 250",
            "ldh 1.9x",
            "ldh 8.0 µkat/L",
            "liver yes",
            "no dm",
            "cvd+",
            "480",
            "4.1",
        ),
        *("fever", "htn", "stroke", "livr", "and", "but", "nondiabetic", "07805", "٤١٢", "1,9x", "4e2"),
        *("possible", "fhx", "pci", "68m", "?liver", "w/dm", "dm/cad", "what's the risk of crs with", "@tarla", "–dm"),
    ]
)
_SEPARATORS = st.sampled_from([" ", " ", " ", ", ", ";", "\n", "=", ": ", "", ".", " • ", "\n1. ", "*", "_", "?"])


@st.composite
def _guided(draw: st.DrawFn) -> str:
    pairs = draw(st.lists(st.tuples(_PIECES | st.text(max_size=6), _SEPARATORS), max_size=12))
    return "".join(piece + separator for piece, separator in pairs)


@settings(max_examples=300)
@given(_guided())
def test_guided_texts_give_an_understanding_or_a_closed_refusal(text: str) -> None:
    assert_closed(_outcome(text))


@given(st.text(max_size=400))
def test_any_text_gives_an_understanding_or_a_closed_refusal(text: str) -> None:
    assert_closed(_outcome(text))


_CANARIES = [
    "Zaphod Beeblebrox",
    "O'Hara-Quist",
    "MRN 40718829",
    "mrn:00012345",
    "07805",
    "12/03/1961",
    "1961-03-12",
    "+1-555-0142-771",
    "(555)0142771",
    "943-476-5919",
    "zaphod@heart.example",
    "https://ehr.example/p/40718829",
    "10.11.12.13",
    "91yo",
    "<@U40718829>",
    "<!channel>",
    "<http://x|y>",
    "*bold*",
    "`code`",
    "'; DROP TABLE event;--",
    "%s{0}",
    "\x1b[31m",
    "\x00",
    "\u202eldh",
    "l\u200ddh",
    "\u04cfdh",
    "ＬＤＨ",
    "№5",
    "\u212aathe",
]
_FRAMES = ["{}", "ldh={}", "ldh 480/{}", "ldh 480 uln {}", "liver {} dm no", "{} ldh 480/250", "dm yes, {}", "uln={}"]


@pytest.mark.parametrize("canary", _CANARIES)
@pytest.mark.parametrize("frame", _FRAMES)
def test_identifiers_are_refused_and_not_repeated(canary: str, frame: str) -> None:
    outcome = _outcome(frame.format(canary))
    assert isinstance(outcome, Refusal)
    assert_closed(outcome)
    shown = " ".join([outcome.message, outcome.example, outcome.suggestion or "", outcome.token, repr(outcome)])
    for piece in canary.split():
        assert len(piece) < 3 or piece.lower() not in shown.lower()
    assert canary not in "".join(traceback.format_exception(outcome))


@pytest.mark.parametrize("canary", _CANARIES)
@pytest.mark.parametrize(
    "frame",
    [
        "{}, T2DM",
        "PMH: {}, DM",
        "pt w/ {}",
        "no DM or {}",
        "1. {}\n2. DM",
        "what's the risk of CRS with {}",
        "• {}\n• CAD",
    ],
)
def test_identifiers_among_free_words_are_refused_and_not_repeated(canary: str, frame: str) -> None:
    test_identifiers_are_refused_and_not_repeated(canary, frame)


# What float(), int() or pydantic would take as a number, or nearly.
_TRAPS = """
    ٤١٢ ４１２ ½ ² 四百 1_000 1__0 1,000 1,5 4e2 1e-3 nan inf -inf infinity -0 +480 --480 480- 0x10 0b1 07805 00 .5
    480.0.0 480.000000 9999999999 4\u200b80 48\u00ad0 True
"""


@pytest.mark.parametrize("figure", _TRAPS.split())
@pytest.mark.parametrize("frame", ["ldh {}/250", "ldh 480/{}", "ldh {}x", "ldh {} uln 250", "ldh 480 uln {}", "ldh={}"])
def test_numeric_traps(figure: str, frame: str) -> None:
    outcome = _outcome(frame.format(figure))
    assert isinstance(outcome, Refusal), outcome
    assert_closed(outcome)


def test_every_code_has_its_sentence_and_every_sentence_a_code() -> None:
    assert {code for code, _ in TEXTS} == set(RefusalCode)
    assert len(SENTENCES) == len(TEXTS)
    assert all(str(code).startswith("E_") for code in RefusalCode)


@pytest.mark.parametrize("key", list(TEXTS), ids=str)
def test_examples_are_understood(key: tuple[RefusalCode, None]) -> None:
    message, example = TEXTS[key]
    commands = [example, *re.findall("`([^`]*)`", message)]
    for command in commands:
        assert command.startswith("/tarla ")
        first, *others = command.split()[1:]
        if first in LOOK_UPS:  # what the label says, no risk
            assert LOOK_UPS[first](others, "2026-11-24")
            continue
        assert parse(command.removeprefix("/tarla ")).factors is not None


def test_suggestions_are_words_of_the_vocabulary_and_name_no_symptom() -> None:
    assert set(SUGGESTIONS) <= KNOWN_WORDS
    assert not set(SUGGESTIONS) & SYMPTOM_WORDS
