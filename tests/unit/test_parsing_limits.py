"""Size: what is too long is refused without being read."""

from __future__ import annotations

import time
import tomllib
from importlib.resources import files

import pytest

from handlers.parsing import Refusal, RefusalCode, parse
from handlers.parsing.limits import (
    LDH_RANGE,
    MAX_CHARACTERS,
    MAX_WORDS,
    RATIO_RANGE,
    ULN_HIGHEST_USUAL_U_L,
    ULN_LOWEST_KNOWN_U_L,
    ULN_RANGE,
)
from handlers.parsing.refusal_texts import TEXTS
from handlers.parsing.terms import Subject

# The slowest takes 1 ms; the rest is room for a busy machine. Slack waits 3 s.
SECONDS = 0.05

_LONG = {
    "one megabyte of a letter": "a" * 1_000_000,
    "digits": "1" * 1_000_000,
    "digits and points": "1." * 500_000,
    "digits and slashes": "1/" * 500_000,
    "spaces": " " * 1_000_000,
    "commas": "1," * 500_000,
    "a hundred thousand words": "ldh " * 100_000,
    "names without end": "liver no " * 100_000,
    "phrases without end": "upper limit of normal " * 50_000,
    "ampersands": "&amp;" * 200_000,
}


def _refusal(text: str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        parse(text)
    return caught.value


@pytest.mark.parametrize("name", _LONG)
def test_a_megabyte_is_refused_at_once(name: str) -> None:
    start = time.process_time()
    refusal = _refusal(_LONG[name])
    assert time.process_time() - start < SECONDS
    assert (refusal.code, refusal.position) == (RefusalCode.TOO_LONG, None)


@pytest.mark.parametrize("unit", ["1/", "1.", "a", "+", "?", "liver no ", "=", "no ", "1 ", "1,", "x/"])
def test_the_worst_text_of_full_length_is_quick(unit: str) -> None:
    text = (unit * MAX_CHARACTERS)[:MAX_CHARACTERS]
    start = time.process_time()
    _refusal(text)
    assert time.process_time() - start < SECONDS


def test_the_limits_are_where_they_are_said_to_be() -> None:
    whole = "ldh 480/250"
    assert parse(whole + " " * (MAX_CHARACTERS - len(whole))).factors.ldh is not None
    assert _refusal(whole + " " * (MAX_CHARACTERS - len(whole) + 1)).code is RefusalCode.TOO_LONG
    joined = "and " * (MAX_WORDS - 2)
    assert parse(joined + "dm no").factors.diabetes == "no"
    assert _refusal("and " + joined + "dm no").code is RefusalCode.TOO_LONG


def test_symptoms_come_before_length() -> None:
    assert _refusal("fever " * 100_000).token == "E_SYMPTOMS@1"  # noqa: S105 - a code, not a secret


def test_refusals_name_the_ranges() -> None:
    code = RefusalCode.OUT_OF_RANGE
    assert LDH_RANGE == "50 and 9,999 U/L (about 0.83 and 167 µkat/L)"
    assert ULN_RANGE == "100 and 600 U/L (about 1.7 and 10 µkat/L)"
    assert LDH_RANGE in TEXTS[code, Subject.LDH][0]
    assert ULN_RANGE in TEXTS[code, Subject.ULN][0]
    assert RATIO_RANGE == "0.1 and 40"
    assert RATIO_RANGE in TEXTS[code, None][0]


def test_the_upper_limits_that_are_warned_of_are_those_of_the_catalogues() -> None:
    text = files("knowledge").joinpath("data/evidence/covariates.toml").read_text(encoding="utf-8")
    limits = sorted(fact["value"] for fact in tomllib.loads(text)["fact"] if fact["endpoint"] == "ldh_upper_limit")
    assert limits[0] == ULN_LOWEST_KNOWN_U_L
    assert limits[-2] == ULN_HIGHEST_USUAL_U_L


def test_every_word_that_is_refused_by_itself_is_told_at_once() -> None:
    with pytest.raises(Refusal) as refused:
        parse("68M ES-SCLC, LDH 2x ULN, HTN, CAD s/p PCI, ECOG 1")
    assert (refused.value.token, refused.value.also) == ("E_UNKNOWN_WORD@1", (6, 9, 10))
