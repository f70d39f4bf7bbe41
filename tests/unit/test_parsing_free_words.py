"""Laws of free words: what is denied is never read as present, and nothing is found that was not named."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.answer import understood_line
from handlers.answer.findings import describe
from handlers.parsing import Refusal, RefusalCode, Understood, parse
from handlers.parsing.parse import unvalued_note
from handlers.parsing.terms import Alternative, Finding, Form, Name, Noun, Side, Subject, Value
from handlers.parsing.vocabulary import PHRASES, SYNONYMS
from knowledge.factors import PatientFactors, Presence
from tests.support.grammar import DENIALS, DIAGNOSES, FIELD, NAMES, outcome_of, said_of

_ONE_OF_EACH = {Subject.LIVER: "liver mets", Subject.DIABETES: "diabetes", Subject.CVD: "CAD"}


@pytest.mark.parametrize(("term", "name"), NAMES)
def test_a_name_alone_is_present_exactly_when_it_is_a_diagnosis(term: Name, name: str) -> None:
    for text in (
        name,
        f"ldh high, {name}",
        f"{name}; ldh high",
        f"PMH: {name}",
        f"pt {name}.",
        f"1. {name}\n2. ldh high",
    ):
        outcome = outcome_of(text)
        if term.diagnosis:
            assert isinstance(outcome, Understood), text
            assert said_of(term.subject, outcome) is Presence.YES
            assert unvalued_note(term.subject) in outcome.notes
        else:
            assert isinstance(outcome, Refusal)
            assert outcome.code is RefusalCode.MISSING_VALUE


@pytest.mark.parametrize(("term", "name"), NAMES)
def test_a_denied_name_is_absent_in_every_order_or_asked_about_but_never_present(term: Name, name: str) -> None:
    for value, denial in DENIALS:
        for side, text in (
            (Side.BEFORE, f"{denial} {name}"),
            (Side.AFTER, f"{name} {denial}"),
            (Side.AFTER, f"{name}: {denial}"),
        ):
            outcome = outcome_of(text)
            fits = value.only in (None, term.subject) and value.side in (side, Side.EITHER)
            if fits and value.form is Form.LONE_SIGN and text == f"{name} {denial}":
                # A dash with nothing after it, perhaps.
                assert isinstance(outcome, Refusal), text
                assert outcome.code is RefusalCode.AMBIGUOUS
            elif fits and term.narrower:
                assert isinstance(outcome, Refusal), text
                assert outcome.code is RefusalCode.NARROWER_TERM
            elif fits and value.form is Form.DENIED_HISTORY and term.noun is Noun.LEFT_OUT and name == "liver":
                # A history of liver is one of liver disease.
                assert isinstance(outcome, Refusal), text
            else:
                assert said_of(term.subject, outcome) is (Presence.NO if fits else None), text


_CLAUSES = [
    *(f"{name}" for _, name in DIAGNOSES if len(name) < 12),
    *("pt w/ liver mets", "known DM", "DM yes", "yes DM", "DM+", "+DM", "has CVD", "CVD: yes", "hx of CAD", "PMH: DM"),
    *("with known CAD", "prior MI", "liver mets confirmed", "w/DM", "what's the CRS risk with DM yes"),
]


@pytest.mark.parametrize(("value", "denial"), DENIALS)
def test_a_negation_put_anywhere_into_a_clause_leaves_nothing_present(value: Value, denial: str) -> None:
    for clause in _CLAUSES:
        words = clause.split()
        for i in range(len(words) + 1):
            text = " ".join([*words[:i], denial, *words[i:]])
            outcome = outcome_of(text)
            assert all(said_of(subject, outcome) is not Presence.YES for subject in FIELD), text
            if isinstance(outcome, Understood):
                assert value.form is not Form.GLUED_SIGN
                assert any(said_of(subject, outcome) is Presence.NO for subject in FIELD), text


@pytest.mark.parametrize(("value", "denial"), DENIALS)
@pytest.mark.parametrize("between", [", ", " and ", ",", "; ", " • ", " , and ", ", hx ", ",\n", "\nand ", "; and "])
def test_after_a_denied_name_a_list_goes_on_to_be_asked_about(value: Value, denial: str, between: str) -> None:
    """`no liver mets, DM`: is DM denied?"""
    if value.side is Side.AFTER or value.only is Subject.CVD:
        return
    outcome = outcome_of(f"{denial} liver mets{between}DM")
    assert isinstance(outcome, Refusal)
    assert outcome.code is RefusalCode.AMBIGUOUS
    ended = outcome_of(f"{denial} liver mets. DM")
    assert (said_of(Subject.LIVER, ended), said_of(Subject.DIABETES, ended)) == (Presence.NO, Presence.YES)


@pytest.mark.parametrize(("value", "denial"), DENIALS)
@pytest.mark.parametrize("between", [", ", " and ", ",", "; ", " • ", " , and ", ",\n"])
def test_before_a_denied_name_a_list_is_asked_about(value: Value, denial: str, between: str) -> None:
    """`DM, CVD none`: is DM denied?"""
    if value.side is Side.BEFORE or value.only is Subject.LIVER:
        return
    for text in (f"DM{between}CVD {denial}", f"liver mets{between}DM{between}CVD: {denial}"):
        outcome = outcome_of(text)
        assert isinstance(outcome, Refusal)
        assert outcome.code is RefusalCode.AMBIGUOUS


@pytest.mark.parametrize(("value", "denial"), DENIALS)
@pytest.mark.parametrize("either", SYNONYMS[Alternative()])
def test_a_denied_alternative_is_absent_throughout(value: Value, denial: str, either: str) -> None:
    for text in (f"{denial} liver mets {either} DM", f"{denial} liver mets, CVD, {either} DM"):
        outcome = outcome_of(text)
        if value.side is Side.AFTER or value.only is not None:
            assert isinstance(outcome, Refusal)
        else:
            assert said_of(Subject.LIVER, outcome) is said_of(Subject.DIABETES, outcome) is Presence.NO


_ANY_CLAUSE = {
    "ldh": ["LDH 480/250", "LDH elevated at 512 (ULN 250)", "LDH wnl", "LDH of 480 (ULN 250)", "ldh pending"],
    "liver": ["liver mets", "no liver mets", "pt w/ liver mets", "liver mets?", "mets to liver", "liver: neg"],
    "dm": ["T2DM", "DM", "denies diabetes", "no hx of DM", "PMH: DM", "DM-", "nondiabetic"],
    "cvd": ["CAD", "no cardiac hx", "s/p CABG", "cardiac hx: none", "hx: afib", "CVD?"],
}


@st.composite
def _shuffled(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    clauses = [draw(st.sampled_from(choices)) for choices in _ANY_CLAUSE.values()]
    return clauses, draw(st.permutations(clauses))


@given(_shuffled(), st.sampled_from([". ", ".\n", " but ", ", but ", "\nbut "]))
def test_order_of_clauses_that_end_a_list_does_not_matter(both: tuple[list[str], list[str]], end: str) -> None:
    first, second = both
    assert parse(end.join(first)) == parse(end.join(second))


@given(_shuffled())
def test_a_numbered_list_is_its_lines(both: tuple[list[str], list[str]]) -> None:
    _, clauses = both
    numbered = "\n".join(f"{i}. {clause}" for i, clause in enumerate(clauses, 1))
    bulleted = "\n".join(f"• {clause}" for clause in clauses)
    plain = outcome_of("\n".join(clauses))
    for listed in (outcome_of(numbered), outcome_of(bulleted)):
        if isinstance(plain, Understood):
            assert listed == plain
        else:
            assert isinstance(listed, Refusal)
            assert listed.token == plain.token


@given(_shuffled(), st.lists(st.sampled_from([", ", " and ", "; ", " & ", "\n"]), min_size=3, max_size=3))
def test_a_list_says_what_its_items_say_or_is_asked_about(
    both: tuple[list[str], list[str]], parting: list[str]
) -> None:
    """A weaker boundary may make a list ambiguous; it never changes what is understood."""
    _, clauses = both
    outcome = outcome_of("".join(text for pair in zip(clauses, [*parting, ""], strict=True) for text in pair))
    if isinstance(outcome, Understood):
        assert outcome == parse(". ".join(clauses))
    else:
        assert outcome.code is RefusalCode.AMBIGUOUS


_WORDS = sorted({word for phrase in PHRASES for word in phrase})
_ANY_WORDS = st.lists(
    st.sampled_from([*_WORDS, *_ONE_OF_EACH.values(), "LDH 480/250", ",", ";", "and", "but", "?", "\n", "—", "*"])
    | st.text(max_size=4),
    max_size=8,
).map(" ".join)
_TOLD = {
    subject: re.compile(
        "|".join(
            r"\b" + r"\W+".join(map(re.escape, phrase)) + r"\b"
            for phrase, term in PHRASES.items()
            if isinstance(term, Name | Finding) and term.subject is subject
        )
    )
    for subject in FIELD
}


@settings(max_examples=600)
@given(_ANY_WORDS)
def test_nothing_is_found_that_was_not_named(text: str) -> None:
    outcome = outcome_of(text)
    if not isinstance(outcome, Understood):
        return
    for subject, told in _TOLD.items():
        if said_of(subject, outcome) is not Presence.UNKNOWN:
            assert told.search(text.lower())
    assert outcome.factors.ldh is None or "ldh" in text.lower() or "lactate dehydrogenase" in text.lower()


@settings(max_examples=600)
@given(_ANY_WORDS)
def test_where_nothing_is_denied_nothing_is_absent_and_the_reverse(text: str) -> None:
    outcome = outcome_of(text)
    if not isinstance(outcome, Understood):
        return
    found = {said_of(subject, outcome) for subject in FIELD}
    denied = re.search(
        r"\b(no|non\S*|not|n|nil|neg|negative|none|without|den\w+|abs\w+|doesn't|neither)\b|[-–—−]|w/o|out", text
    )
    assert Presence.NO not in found or denied


@pytest.mark.parametrize("phrase", [" ".join(phrase) for phrase in PHRASES])
@pytest.mark.parametrize(
    "question", ["risk of CRS", "what's the CRS risk", "what's the risk of ICANS and CRS", "CRS risk"]
)
def test_an_outcome_is_asked_about_at_the_head_of_the_text_alone(phrase: str, question: str) -> None:
    for text in (f"{phrase} {question} with DM yes", f"{phrase}, {question}?", f"DM yes {phrase} {question}"):
        outcome = outcome_of(text)
        assert isinstance(outcome, Refusal)
        assert outcome.code is RefusalCode.SYMPTOMS


@pytest.mark.parametrize("phrase", [" ".join(phrase) for phrase in PHRASES])
def test_after_a_question_an_outcome_is_a_symptom_again(phrase: str) -> None:
    for text in (
        f"what's the risk of CRS with {phrase} ICANS",
        f"risk of ICANS {phrase} CRS",
        f"CRS {phrase} risk of ICANS",
    ):
        outcome = outcome_of(text)
        assert isinstance(outcome, Refusal), text
        assert outcome.code is RefusalCode.SYMPTOMS


@given(_shuffled())
def test_what_was_understood_is_told_in_one_line(both: tuple[list[str], list[str]]) -> None:
    understood = parse(". ".join(both[1]))
    line = understood_line(understood.factors, understood.notes)
    assert line.startswith(f"Understood: {describe(understood.factors)}")
    assert "\n" not in line
    assert all(note in line for note in understood.notes)


def test_the_line_for_a_fellows_line() -> None:
    understood = parse("LDH 512 uln 250, liver mets, T2DM, no cardiac hx")
    assert understood_line(understood.factors) == (
        "Understood: LDH 512 U/L = 2.0 × ULN (250) · liver metastases yes · diabetes yes · CVD no"
    )


def test_a_question_alone_says_nothing_of_a_patient() -> None:
    assert parse("what's the CRS risk with LDH 480/250").factors == parse("LDH 480/250").factors
    assert parse("what's the CRS risk with DM unknown").factors == PatientFactors()
