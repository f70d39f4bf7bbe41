"""Every line of numbers.toml, which is also the manual of numbers, at every place where a number can be typed."""

from __future__ import annotations

import sys
import tomllib
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handlers.form import NotUnderstood, read_form
from handlers.lookup import LookUpRefusal
from handlers.lookup.registry import LOOK_UPS
from handlers.parsing import Refusal, RefusalCode, Understood, parse
from handlers.parsing.words import ascii_lower
from knowledge.factors import LdhMeasured
from tests.support.forms import filled

_SECTIONS: dict[str, dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("numbers.toml").read_text(encoding="utf-8")
)
_CASES = [pytest.param(case, id=f"{name}-{n}") for name, s in _SECTIONS.items() for n, case in enumerate(s["cases"], 1)]
# What is no plain number is none anywhere; one out of range for LDH may be in range elsewhere.
_PLAIN = (None, "E_OUT_OF_RANGE", "E_AMBIGUOUS_LDH")
_NO_NUMBERS = [case["number"] for s in _SECTIONS.values() for case in s["cases"] if case.get("refused") not in _PLAIN]
_FRAMES = ("ldh {}/250", "ldh 480/{}", "ldh {}x", "ldh {} x uln", "ldh={}", "uln={} ldh 480", "{}")
_LOOK_UPS = (
    *("dose c1d8 {}", "dose c1d8 {} days", "dose c{}d8 23", "toci {}", "toci {} kg", "manage crs {}"),
    *("monitor c{}", "grade {}", "evidence icans {}"),
)


def _every_character() -> Iterator[str]:
    """All but the ASCII ones."""
    return (chr(point) for point in range(128, sys.maxunicode + 1))


def _outcome(text: str) -> Understood | Refusal:
    try:
        return parse(text)
    except Refusal as refusal:
        return refusal


@pytest.mark.parametrize("case", _CASES)
def test_number(case: dict[str, Any]) -> None:
    assert case.keys() <= {"number", "read", "refused", "word"}
    _check(case, "ldh {} uln 250", 2, "ldh")
    _check(case, "ldh 480 uln {}", 4, "limit")


def _check(case: dict[str, Any], frame: str, word: int, of: str) -> None:
    outcome = _outcome(frame.format(case["number"]))
    if "read" in case:
        assert isinstance(outcome, Understood)
        ldh = outcome.factors.ldh
        assert isinstance(ldh, LdhMeasured)
        assert (ldh.value if of == "ldh" else ldh.uln.value) == case["read"]
        return
    assert isinstance(outcome, Refusal), outcome
    # No upper limit is below 100, so there is nothing to ask.
    code = "E_OUT_OF_RANGE" if case["refused"] == "E_AMBIGUOUS_LDH" and of == "limit" else case["refused"]
    assert outcome.token == f"{code}@{word + case.get('word', 1) - 1}"


@pytest.mark.parametrize("number", _NO_NUMBERS)
def test_what_is_no_number_is_none_anywhere(number: str) -> None:
    for frame in _FRAMES:
        assert isinstance(_outcome(frame.format(number)), Refusal)
    for field in ("ldh", "uln"):
        assert isinstance(read_form(filled(**{field: number}), None), NotUnderstood)
    for frame in _LOOK_UPS:
        name, *words = ascii_lower(frame.format(number)).split()
        with pytest.raises(LookUpRefusal):
            LOOK_UPS[name](words, "2026-11-24")


def test_digits_of_every_other_script_are_refused() -> None:
    zeros = [c for c in _every_character() if unicodedata.category(c) == "Nd" and unicodedata.digit(c) == 0]
    assert len(zeros) > 60
    for zero in zeros:
        number = "".join(chr(ord(zero) + digit) for digit in (4, 8, 0))
        assert float(number) == 480  # what Python itself would take
        for text in (f"ldh {number}/250", f"ldh 480/{number}", f"ldh {number}x", f"ldh 4{number[1]}0 uln 250"):
            outcome = _outcome(text)
            assert isinstance(outcome, Refusal)
            assert outcome.code is RefusalCode.NOT_CANONICAL_NUMBER
        assert isinstance(read_form(filled(ldh=number), None), NotUnderstood)


def test_every_other_numeral_is_refused() -> None:
    numerals = [c for c in _every_character() if c.isnumeric()]
    assert len(numerals) > 1_000
    for numeral in numerals:
        for text in (f"ldh {numeral} uln 250", f"ldh 4{numeral}0/250", f"ldh 480{numeral}/250"):
            outcome = _outcome(text)
            assert isinstance(outcome, Refusal), ascii(numeral)
            assert outcome.code is RefusalCode.NOT_CANONICAL_NUMBER


def test_the_table_is_a_manual() -> None:
    assert len(_CASES) > 130
    assert all(section["title"] for section in _SECTIONS.values())
