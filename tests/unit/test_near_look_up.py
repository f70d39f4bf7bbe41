"""A slip of the finger in a look-up's name is told as such, and no finding is mistaken for one."""

from __future__ import annotations

import pytest

from handlers.lookup.registry import COMMANDS, EXAMPLES, LOOK_UPS, near_look_up
from handlers.parsing.vocabulary import KNOWN_WORDS
from tests.support.lookups import look_up


@pytest.mark.parametrize(
    ("word", "name"),
    [
        *(("evidnce", "evidence"), ("evidenc", "evidence"), ("monitr", "monitor"), ("mange", "manage")),
        *(("manag", "manage"), ("grde", "grade"), ("dosee", "dose"), ("toic", "toci")),
        *(("outcom", "outcome"), ("otucome", "outcome")),
    ],
)
def test_a_slip_is_told(word: str, name: str) -> None:
    refusal = near_look_up(word)
    assert refusal is not None
    assert refusal.example == {**EXAMPLES, **COMMANDS}[name]
    assert word not in refusal.message


@pytest.mark.parametrize("word", ["does", "miller", "ldh", "liver", "dm", "dmt", "evening", "toast", "crs", "", "68m"])
def test_what_is_no_slip_is_left_to_the_grammar(word: str) -> None:
    assert near_look_up(word) is None


def test_no_word_of_the_grammar_is_taken_for_a_slip() -> None:
    assert [word for word in KNOWN_WORDS if near_look_up(word)] == []


@pytest.mark.parametrize("name", sorted(LOOK_UPS))
def test_every_example_works(name: str) -> None:
    assert look_up(EXAMPLES[name].removeprefix("/tarla ")).code.startswith(name)
