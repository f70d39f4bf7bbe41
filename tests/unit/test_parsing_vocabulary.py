"""The vocabulary hangs together: no word means two things, and none can be misread."""

from __future__ import annotations

import pytest

from handlers.parsing import Refusal, RefusalCode, parse
from handlers.parsing.asked import ASKED_WORDS
from handlers.parsing.nearest import nearest, slips
from handlers.parsing.reading import _longest_phrase, _Piece
from handlers.parsing.refusal_texts import TEXTS
from handlers.parsing.symptoms import SYMPTOM_WORDS, tells_of_symptoms
from handlers.parsing.vocabulary import (
    BREAKING_WORDS,
    HYPERTENSION_WORDS,
    JOINING_WORDS,
    KNOWN_WORDS,
    PHRASES,
    SYNONYMS,
    VASCULAR_WORDS,
)
from handlers.parsing.words import split_words


def test_each_phrase_stands_in_the_table_once() -> None:
    assert sum(len(entries) for entries in SYNONYMS.values()) == len(PHRASES)


@pytest.mark.parametrize("word", sorted(KNOWN_WORDS - JOINING_WORDS - BREAKING_WORDS))
def test_a_known_word_is_one_word_in_lower_case_and_no_symptom(word: str) -> None:
    assert [read.text for read in split_words(word)] == [word]
    assert [read.text for read in split_words(word.upper() if word.isascii() else word)] == [word]
    assert not tells_of_symptoms(word)
    assert word not in ASKED_WORDS


@pytest.mark.parametrize("word", sorted(ASKED_WORDS))
def test_a_word_that_is_asked_about_is_refused_negated_or_not(word: str) -> None:
    assert not tells_of_symptoms(word)
    code, about = ASKED_WORDS[word]
    message = TEXTS[code, about][0]
    for text in (f"dm no {word}", f"dm no, {word.upper()} yes", f"dm no, no {word}"):
        with pytest.raises(Refusal) as caught:
            parse(text)
        assert (caught.value.code, caught.value.message, caught.value.suggestion) == (code, message, None)


@pytest.mark.parametrize("phrase", sorted(PHRASES))
def test_a_phrase_is_read_whole(phrase: tuple[str, ...]) -> None:
    """No shorter phrase takes a part of it, whatever its kind."""
    assert _longest_phrase([_Piece(word) for word in split_words(" ".join(phrase))], 0) == (
        len(phrase),
        PHRASES[phrase],
    )


@pytest.mark.parametrize("word", sorted(SYMPTOM_WORDS))
def test_a_symptom_word_ends_the_question_wherever_it_stands(word: str) -> None:
    for text in (word.upper(), f"ldh 480/250 no {word}", f"({word}!) liver yes", f"zzz 07805 {word}/x"):
        with pytest.raises(Refusal) as caught:
            parse(text)
        assert caught.value.code is RefusalCode.SYMPTOMS


@pytest.mark.parametrize("word", sorted(HYPERTENSION_WORDS))
def test_hypertension_is_not_cvd(word: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse(f"dm no {word} yes")
    assert (caught.value.code, caught.value.position) == (RefusalCode.HYPERTENSION, 3)


@pytest.mark.parametrize("word", sorted(VASCULAR_WORDS))
def test_vascular_disease_outside_the_heart_is_left_to_the_clinician(word: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse(f"no {word}")
    assert (caught.value.code, caught.value.position) == (RefusalCode.CVD_UNDEFINED, 2)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("liver", "liver", 0),
        ("livr", "liver", 1),
        ("lhd", "ldh", 1),  # neighbours swapped
        ("diabetis", "diabetes", 1),
        ("ldhh", "ldh", 1),
        ("abc", "", 3),
        ("ca", "abc", 3),
    ],
)
def test_slips(a: str, b: str, expected: int) -> None:
    assert slips(a, b) == slips(b, a) == expected


@pytest.mark.parametrize("word", ["smith", "zz", "q", "liverliverliverliverliver", "j"])
def test_no_suggestion_for_another_word(word: str) -> None:
    assert nearest(word) is None
