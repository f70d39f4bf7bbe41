"""Laws of free words: what is denied is never read as present, and nothing is found that was not named."""

from __future__ import annotations

import re
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.answer import understood_line
from handlers.answer.view import describe
from handlers.parsing import Refusal, RefusalCode, Understood, parse
from handlers.parsing.parse import unvalued_note
from handlers.parsing.terms import Alternative, Filler, Finding, Form, Meaning, Name, Noun, Side, Subject, Value
from handlers.parsing.vocabulary import PHRASES, SYNONYMS
from knowledge.factors import PatientFactors, Presence

_FIELD = {Subject.LIVER: "liver_metastases", Subject.DIABETES: "diabetes", Subject.CVD: "cardiovascular_disease"}
_NAMES = [
    (term, word)
    for term, words in SYNONYMS.items()
    if isinstance(term, Name) and term.subject in _FIELD
    for word in words
]
_DIAGNOSES = [(term, word) for term, word in _NAMES if term.diagnosis]
_VALUES = [(term, word) for term, words in SYNONYMS.items() if isinstance(term, Value) for word in words]
_DENIALS = [(term, word) for term, word in _VALUES if term.meaning is Meaning.NO]
_ONE_OF_EACH = {Subject.LIVER: "liver mets", Subject.DIABETES: "diabetes", Subject.CVD: "CAD"}


def _outcome(text: str) -> Understood | Refusal:
    try:
        return parse(text)
    except Refusal as refusal:
        return refusal


def _said_of(subject: Subject, outcome: Understood | Refusal) -> Presence | None:
    """What was understood of the subject; None when the text was refused."""
    return getattr(outcome.factors, _FIELD[subject]) if isinstance(outcome, Understood) else None


@pytest.mark.parametrize(("term", "name"), _NAMES)
def test_a_name_alone_is_present_exactly_when_it_is_a_diagnosis(term: Name, name: str) -> None:
    for text in (
        name,
        f"ldh high, {name}",
        f"{name}; ldh high",
        f"PMH: {name}",
        f"pt {name}.",
        f"1. {name}\n2. ldh high",
    ):
        outcome = _outcome(text)
        if term.diagnosis:
            assert isinstance(outcome, Understood), text
            assert _said_of(term.subject, outcome) is Presence.YES
            assert unvalued_note(term.subject) in outcome.notes
        else:
            assert isinstance(outcome, Refusal)
            assert outcome.code is RefusalCode.MISSING_VALUE


@pytest.mark.parametrize(("term", "name"), _NAMES)
def test_a_denied_name_is_absent_in_every_order_or_asked_about_but_never_present(term: Name, name: str) -> None:
    for value, denial in _DENIALS:
        for side, text in (
            (Side.BEFORE, f"{denial} {name}"),
            (Side.AFTER, f"{name} {denial}"),
            (Side.AFTER, f"{name}: {denial}"),
        ):
            outcome = _outcome(text)
            fits = value.only in (None, term.subject) and value.side in (side, Side.EITHER)
            if fits and term.narrower:
                assert isinstance(outcome, Refusal), text
                assert outcome.code is RefusalCode.NARROWER_TERM
            else:
                assert _said_of(term.subject, outcome) is (Presence.NO if fits else None), text


_CLAUSES = [
    *(f"{name}" for _, name in _DIAGNOSES if len(name) < 12),
    *("pt w/ liver mets", "known DM", "DM yes", "yes DM", "DM+", "+DM", "has CVD", "CVD: yes", "hx of CAD", "PMH: DM"),
    *("with known CAD", "prior MI", "liver mets confirmed", "w/DM", "what's the CRS risk with DM yes"),
]


@pytest.mark.parametrize(("value", "denial"), _DENIALS)
def test_a_negation_put_anywhere_into_a_clause_leaves_nothing_present(value: Value, denial: str) -> None:
    for clause in _CLAUSES:
        words = clause.split()
        for i in range(len(words) + 1):
            text = " ".join([*words[:i], denial, *words[i:]])
            outcome = _outcome(text)
            assert all(_said_of(subject, outcome) is not Presence.YES for subject in _FIELD), text
            if isinstance(outcome, Understood):
                assert value.form is not Form.GLUED_SIGN
                assert any(_said_of(subject, outcome) is Presence.NO for subject in _FIELD), text


@pytest.mark.parametrize(("value", "denial"), _DENIALS)
@pytest.mark.parametrize("between", [", ", " and ", ",", "; ", " • ", " , and ", ", hx ", ",\n", "\nand ", "; and "])
def test_after_a_denied_name_a_list_goes_on_to_be_asked_about(value: Value, denial: str, between: str) -> None:
    """`no liver mets, DM`: is DM denied?"""
    if value.side is Side.AFTER or value.only is Subject.CVD:
        return
    outcome = _outcome(f"{denial} liver mets{between}DM")
    assert isinstance(outcome, Refusal)
    assert outcome.code is RefusalCode.AMBIGUOUS
    ended = _outcome(f"{denial} liver mets. DM")
    assert (_said_of(Subject.LIVER, ended), _said_of(Subject.DIABETES, ended)) == (Presence.NO, Presence.YES)


_NOT_PRESENT = [*_DENIALS, *((value, word) for value, word in _VALUES if value.meaning is Meaning.UNKNOWN)]
_HISTORIES = [word for value, word in _VALUES if value.form is Form.HISTORY]
_LATER = {Subject.LIVER: "liver mets", Subject.DIABETES: "DM", Subject.CVD: "MI"}
_GOING_ON = [", ", " and ", ",", "; ", " • ", " ", " (", ",\n", " & ", ", pt ", ", with "]


@pytest.mark.parametrize(("value", "denial"), _NOT_PRESENT)
@pytest.mark.parametrize("history", _HISTORIES)
def test_after_a_denied_name_a_history_is_asked_about(value: Value, denial: str, history: str) -> None:
    """`denies DM, h/o MI`: is MI denied?"""
    for first, earlier in ((Subject.LIVER, "liver mets"), (Subject.DIABETES, "diabetes"), (Subject.CVD, "CVD")):
        for then, later in _LATER.items():
            if then is first:
                continue
            for between in _GOING_ON:
                for text in (
                    f"{denial} {earlier}{between}{history} {later}",
                    f"{denial} {earlier}{between}{history} {later}, LDH high",
                    f"LDH high, {denial} {earlier}{between}{history} {later} and CHF",
                ):
                    outcome = _outcome(text)
                    assert _said_of(then, outcome) is not Presence.YES or value.side is Side.AFTER, text
                    if value.side is not Side.AFTER and value.only in (None, first):
                        assert isinstance(outcome, Refusal), text
                        assert outcome.code is RefusalCode.AMBIGUOUS


@pytest.mark.parametrize(("value", "denial"), _NOT_PRESENT)
@pytest.mark.parametrize("line", ["\n", "\n\n", "\r\n", "\n• ", "\n* ", "\npt ", "\nhx "])
def test_on_the_line_after_a_denied_name_a_diagnosis_is_asked_about(value: Value, denial: str, line: str) -> None:
    """`No DM`, `CAD`, `CHF` on lines of their own: does the `No` head the list?"""
    if value.side is Side.AFTER or value.only is Subject.CVD:
        return
    for tail in ("", f"{line}afib", ", CHF", "\nLDH high"):
        outcome = _outcome(f"{denial} liver mets{line}CAD{tail}")
        assert isinstance(outcome, Refusal)
        assert outcome.code is RefusalCode.AMBIGUOUS


_PAST = [word for value, word in _VALUES if value.form in (Form.HISTORY, Form.KNOWN_HISTORY)]
_PAST += SYNONYMS[Filler(history=True)]


@pytest.mark.parametrize("past", _PAST)
@pytest.mark.parametrize(("term", "name"), [pair for pair in _NAMES if pair[0].subject is Subject.LIVER])
def test_past_liver_metastases_are_asked_about(past: str, term: Name, name: str) -> None:
    """They may have been resected; and a history of `liver` may be of liver disease."""
    for text in (
        f"{past} {name}",
        f"no DM. {past} {name}",
        f"LDH high, {past} {name}, no CVD",
        f"pt with {past} {name}",
    ):
        outcome = _outcome(text)
        assert isinstance(outcome, Refusal), text
        if past in SYNONYMS[Filler(history=True)] and text.startswith(past):
            assert outcome.code is (RefusalCode.QUALIFIED if term.diagnosis else RefusalCode.AMBIGUOUS)


@pytest.mark.parametrize("past", ["was", "were", "had"])
@pytest.mark.parametrize("text", ["LDH {} normal", "LDH {} 600/250", "LDH {} high", "LDH 480 uln {} 250", "pt {} DM"])
def test_what_was_is_asked_about(past: str, text: str) -> None:
    outcome = _outcome(text.format(past))
    assert isinstance(outcome, Refusal)
    assert outcome.code is RefusalCode.QUALIFIED


@pytest.mark.parametrize("end", [". ", "\n", " but ", ", but ", ", pmh: ", ", has ", ", known "])
def test_where_the_list_has_ended_a_history_is_present(end: str) -> None:
    for history in ("h/o", "hx of", "history of"):
        # `has` and `known` stand for themselves: `no DM, has CAD`.
        text = f"no DM{end}CAD" if end == ", has " else f"no DM{end}{history} CAD"
        outcome = _outcome(text)
        assert (_said_of(Subject.DIABETES, outcome), _said_of(Subject.CVD, outcome)) == (Presence.NO, Presence.YES)


@pytest.mark.parametrize(("value", "denial"), _DENIALS)
@pytest.mark.parametrize("between", [", ", " and ", ",", "; ", " • ", " , and ", ",\n"])
def test_before_a_denied_name_a_list_is_asked_about(value: Value, denial: str, between: str) -> None:
    """`DM, CVD none`: is DM denied?"""
    if value.side is Side.BEFORE or value.only is Subject.LIVER:
        return
    for text in (f"DM{between}CVD {denial}", f"liver mets{between}DM{between}CVD: {denial}"):
        outcome = _outcome(text)
        assert isinstance(outcome, Refusal)
        assert outcome.code is RefusalCode.AMBIGUOUS


@pytest.mark.parametrize(("value", "denial"), _DENIALS)
@pytest.mark.parametrize("either", SYNONYMS[Alternative()])
def test_a_denied_alternative_is_absent_throughout(value: Value, denial: str, either: str) -> None:
    for text in (f"{denial} liver mets {either} DM", f"{denial} liver mets, CVD, {either} DM"):
        outcome = _outcome(text)
        if value.side is Side.AFTER or value.only is not None:
            assert isinstance(outcome, Refusal)
        else:
            assert _said_of(Subject.LIVER, outcome) is _said_of(Subject.DIABETES, outcome) is Presence.NO


_SHARED = [word for term, word in _NAMES if term.noun is Noun.DISEASE]
_LIST_FORMS = [
    "{denial} liver {either} {disease}",
    "{denial} liver, {disease} {either} diabetes",
    "{denial} diabetic, liver {either} {disease}",
    "{denial} diabetes, liver, {either} {disease}",
    "{denial} {disease} {either} liver",
    "{denial} liver, {denial} {disease}",
    "{denial} liver and {denial} {disease}",
    "LDH high, {denial} liver {either} {disease}",
]


@pytest.mark.parametrize("denial", [*(word for _, word in _DENIALS), "neither"])
@pytest.mark.parametrize("disease", _SHARED)
def test_liver_disease_is_not_liver_metastases(denial: str, disease: str) -> None:
    """`no liver or heart disease` leaves liver metastases open."""
    for form in _LIST_FORMS:
        for either in SYNONYMS[Alternative()]:
            text = form.format(denial=denial, either=either, disease=disease)
            assert _said_of(Subject.LIVER, _outcome(text)) in (None, Presence.UNKNOWN), text


_HEADS = [
    *("", "PMH: ", "PMH ", "PMH:\n", "pt ", "hx: ", "comorbidities: ", "ES-SCLC, ", "LDH 480/250. ", "LDH high\n"),
    *("LDH high but ", "LDH high, PMH: ", "LDH high, hx ", "risk of CRS with ", "@Tarla "),
]
_MINUSES = ["-{a}", "-{a} -{b}", "-{a}, -{b}", "-{a}; {b}", "-{a} and -{b}", "-{a}. -{b}", "-{a}\n-{b}", "−{a}, no {b}"]


@pytest.mark.parametrize("head", _HEADS)
@pytest.mark.parametrize("form", _MINUSES)
def test_a_minus_that_may_be_a_bullet_denies_nothing(head: str, form: str) -> None:
    for a, b in (("liver mets", "DM"), ("DM", "liver mets"), ("DM", "CVD"), ("CVD", "diabetes"), ("liver", "CVD")):
        outcome = _outcome(head + form.format(a=a, b=b))
        assert isinstance(outcome, Refusal)
        assert outcome.code is RefusalCode.AMBIGUOUS


@pytest.mark.parametrize("plus", ["+CVD", "CVD+"])
@pytest.mark.parametrize("between", [" ", ", ", "; ", " and "])
def test_beside_a_plus_a_minus_is_a_sign_in_every_order(plus: str, between: str) -> None:
    expected = PatientFactors(liver_metastases=Presence.NO, diabetes=Presence.NO, cardiovascular_disease=Presence.YES)
    for items in permutations(["-liver mets", "-DM", plus]):
        assert parse(between.join(items)).factors == expected


_ANY_CLAUSE = {
    "ldh": ["LDH 480/250", "LDH elevated at 512 (ULN 250)", "LDH wnl", "LDH of 480 (ULN 250)", "ldh pending"],
    "liver": ["liver mets", "no liver mets", "pt w/ liver mets", "liver mets?", "mets to liver", "liver: neg"],
    "dm": ["T2DM", "DM", "denies diabetes", "no hx of DM", "PMH: DM", "DM -", "nondiabetic"],
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
    plain = _outcome("\n".join(clauses))
    for listed in (_outcome(numbered), _outcome(bulleted)):
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
    outcome = _outcome("".join(text for pair in zip(clauses, [*parting, ""], strict=True) for text in pair))
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
    for subject in _FIELD
}


@settings(max_examples=600)
@given(_ANY_WORDS)
def test_nothing_is_found_that_was_not_named(text: str) -> None:
    outcome = _outcome(text)
    if not isinstance(outcome, Understood):
        return
    for subject, told in _TOLD.items():
        if _said_of(subject, outcome) is not Presence.UNKNOWN:
            assert told.search(text.lower())
    assert outcome.factors.ldh is None or "ldh" in text.lower() or "lactate dehydrogenase" in text.lower()


@settings(max_examples=600)
@given(_ANY_WORDS)
def test_where_nothing_is_denied_nothing_is_absent_and_the_reverse(text: str) -> None:
    outcome = _outcome(text)
    if not isinstance(outcome, Understood):
        return
    found = {_said_of(subject, outcome) for subject in _FIELD}
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
        outcome = _outcome(text)
        assert isinstance(outcome, Refusal)
        assert outcome.code is RefusalCode.SYMPTOMS


@pytest.mark.parametrize("phrase", [" ".join(phrase) for phrase in PHRASES])
def test_after_a_question_an_outcome_is_a_symptom_again(phrase: str) -> None:
    for text in (
        f"what's the risk of CRS with {phrase} ICANS",
        f"risk of ICANS {phrase} CRS",
        f"CRS {phrase} risk of ICANS",
    ):
        outcome = _outcome(text)
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
