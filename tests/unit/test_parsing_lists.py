"""Laws of lists: what may be denied, past or a bullet is asked about, in the whole family and not in one row."""

from __future__ import annotations

from itertools import permutations

import pytest

from handlers.parsing import Refusal, RefusalCode, parse
from handlers.parsing.terms import Alternative, Filler, Form, Meaning, Name, Noun, Side, Subject, Value
from handlers.parsing.vocabulary import SYNONYMS
from knowledge.factors import PatientFactors, Presence
from tests.support.grammar import DENIALS, NAMES, VALUES, outcome_of, said_of

_NOT_PRESENT = [*DENIALS, *((value, word) for value, word in VALUES if value.meaning is Meaning.UNKNOWN)]
_HISTORIES = [word for value, word in VALUES if value.form is Form.HISTORY]
_LATER = {Subject.LIVER: "liver mets", Subject.DIABETES: "DM", Subject.CVD: "MI"}
_UNPARTED = [
    *((Subject.LIVER, name) for name in ("liver mets", "liver")),
    *((Subject.DIABETES, name) for name in ("DM", "type 2 diabetes")),
    *((Subject.CVD, name) for name in ("CVD", "cardiac hx", "MI")),
]
_GOING_ON = [
    *(", ", " and ", ",", "; ", " • ", " ", " (", ",\n", " & ", ", and ", "\nand ", ", pt ", ", hx ", ": "),
    *(", with ", " with ", ", w/ ", " or "),
]


@pytest.mark.parametrize(("value", "denial"), _NOT_PRESENT)
@pytest.mark.parametrize("history", _HISTORIES)
def test_after_a_denied_name_a_history_is_asked_about(value: Value, denial: str, history: str) -> None:
    """`denies DM, h/o MI`: is MI denied?"""
    for first, earlier in ((Subject.LIVER, "liver mets"), (Subject.DIABETES, "diabetes"), (Subject.CVD, "CVD")):
        for then, later in _LATER.items():
            if then is first:
                continue
            texts = [f"{denial} {earlier}{between}{history} {later}" for between in _GOING_ON]
            for text in (*texts, f"LDH high, {texts[0]} and CHF", f"{texts[0]}, LDH high"):
                outcome = outcome_of(text)
                assert said_of(then, outcome) is not Presence.YES, text
                if value.side is not Side.AFTER and value.only in (None, first):
                    assert isinstance(outcome, Refusal), text
                    assert outcome.code is RefusalCode.AMBIGUOUS


_EITHER_SIDED = [(value, word) for value, word in _NOT_PRESENT if value.side is Side.EITHER]
_BEFORE_PRESENT = [
    word for value, word in VALUES if (value.meaning, value.side) == (Meaning.YES, Side.BEFORE) and value.only is None
]
_CARDIAC_PAST = [word for value, word in VALUES if value.form is Form.HISTORY and value.only is Subject.CVD]


@pytest.mark.parametrize("denial", [word for _, word in _EITHER_SIDED])
@pytest.mark.parametrize("present", [*_BEFORE_PRESENT, *_CARDIAC_PAST])
def test_between_two_names_a_denial_is_asked_about(denial: str, present: str) -> None:
    """`DM denied prior MI`: which of them is denied?"""
    for first, earlier in _UNPARTED:
        for then, later in _UNPARTED:
            if then is first or (present in _CARDIAC_PAST and then is not Subject.CVD):
                continue
            for form in ("{} {} {} {}", "{} ({} {} {})", "{} {} ({} {})", "PMH: {} {} {} {}", "LDH high, {} {} {} {}"):
                text = form.format(earlier, denial, present, later)
                outcome = outcome_of(text)
                assert isinstance(outcome, Refusal), text
                # `no prior` is one denial, which leaves the name before it without a value.
                if f"{denial} {present}" not in [word for _, word in DENIALS]:
                    assert outcome.code is RefusalCode.AMBIGUOUS, text
            linked = outcome_of(f"{earlier}: {denial}, has {later}")
            # One kind absent is not all of it absent, and `liver` may lack its noun.
            if earlier not in ("MI", "type 2 diabetes") and later != "liver":
                assert said_of(then, linked) is Presence.YES


@pytest.mark.parametrize(("value", "denial"), _NOT_PRESENT)
@pytest.mark.parametrize("line", ["\n", "\n\n", "\r\n", "\n• ", "\n* ", "\npt ", "\nhx "])
def test_on_the_line_after_a_denied_name_a_diagnosis_is_asked_about(value: Value, denial: str, line: str) -> None:
    """`No DM`, `CAD`, `CHF` on lines of their own: does the `No` head the list?"""
    if value.side is Side.AFTER or value.only is Subject.CVD:
        return
    for tail in ("", f"{line}afib", ", CHF", "\nLDH high"):
        outcome = outcome_of(f"{denial} liver mets{line}CAD{tail}")
        assert isinstance(outcome, Refusal)
        assert outcome.code is RefusalCode.AMBIGUOUS


_PAST = [word for value, word in VALUES if value.form in (Form.HISTORY, Form.KNOWN_HISTORY)]
_PAST += SYNONYMS[Filler(history=True)]


@pytest.mark.parametrize("past", _PAST)
@pytest.mark.parametrize(("term", "name"), [pair for pair in NAMES if pair[0].subject is Subject.LIVER])
def test_past_liver_metastases_are_asked_about(past: str, term: Name, name: str) -> None:
    """They may have been resected; and a history of `liver` may be of liver disease."""
    for text in (
        f"{past} {name}",
        f"no DM. {past} {name}",
        f"LDH high, {past} {name}, no CVD",
        f"pt with {past} {name}",
    ):
        outcome = outcome_of(text)
        assert isinstance(outcome, Refusal), text
        if past in SYNONYMS[Filler(history=True)] and text.startswith(past):
            assert outcome.code is (RefusalCode.QUALIFIED if term.diagnosis else RefusalCode.AMBIGUOUS)


@pytest.mark.parametrize("past", ["was", "were", "had"])
@pytest.mark.parametrize("text", ["LDH {} normal", "LDH {} 600/250", "LDH {} high", "LDH 480 uln {} 250", "pt {} DM"])
def test_what_was_is_asked_about(past: str, text: str) -> None:
    outcome = outcome_of(text.format(past))
    assert isinstance(outcome, Refusal)
    assert outcome.code is RefusalCode.QUALIFIED


@pytest.mark.parametrize("end", [". ", "\n", " but ", ", but ", ", pmh: ", ", has ", ", known "])
def test_where_the_list_has_ended_a_history_is_present(end: str) -> None:
    for history in ("h/o", "hx of", "history of"):
        # `has` and `known` stand for themselves: `no DM, has CAD`.
        text = f"no DM{end}CAD" if end == ", has " else f"no DM{end}{history} CAD"
        outcome = outcome_of(text)
        assert (said_of(Subject.DIABETES, outcome), said_of(Subject.CVD, outcome)) == (Presence.NO, Presence.YES)


_SHARED = [word for term, word in NAMES if term.noun is Noun.DISEASE]
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


@pytest.mark.parametrize("denial", [*(word for _, word in DENIALS), "neither"])
@pytest.mark.parametrize("disease", _SHARED)
def test_liver_disease_is_not_liver_metastases(denial: str, disease: str) -> None:
    """`no liver or heart disease` leaves liver metastases open."""
    for form in _LIST_FORMS:
        for either in SYNONYMS[Alternative()]:
            text = form.format(denial=denial, either=either, disease=disease)
            assert said_of(Subject.LIVER, outcome_of(text)) in (None, Presence.UNKNOWN), text


_HEADS = [
    *("", "PMH: ", "PMH ", "PMH:\n", "pt ", "hx: ", "comorbidities: ", "ES-SCLC, ", "LDH 480/250. ", "LDH high\n"),
    *("LDH high but ", "LDH high, PMH: ", "LDH high, hx ", "risk of CRS with ", "@Tarla "),
]
_MINUSES = ["-{a}", "-{a} -{b}", "-{a}, -{b}", "-{a}; {b}", "-{a} and -{b}", "-{a}. -{b}", "-{a}\n-{b}", "−{a}, no {b}"]


@pytest.mark.parametrize("head", _HEADS)
@pytest.mark.parametrize("form", _MINUSES)
def test_a_minus_that_may_be_a_bullet_denies_nothing(head: str, form: str) -> None:
    for a, b in (("liver mets", "DM"), ("DM", "liver mets"), ("DM", "CVD"), ("CVD", "diabetes"), ("liver", "CVD")):
        outcome = outcome_of(head + form.format(a=a, b=b))
        assert isinstance(outcome, Refusal)
        assert outcome.code is RefusalCode.AMBIGUOUS


@pytest.mark.parametrize("plus", ["+CVD", "CVD+"])
@pytest.mark.parametrize("between", [" ", ", ", "; ", " and "])
def test_beside_a_plus_a_minus_is_a_sign_in_every_order(plus: str, between: str) -> None:
    expected = PatientFactors(liver_metastases=Presence.NO, diabetes=Presence.NO, cardiovascular_disease=Presence.YES)
    for items in permutations(["-liver mets", "-DM", plus]):
        assert parse(between.join(items)).factors == expected
