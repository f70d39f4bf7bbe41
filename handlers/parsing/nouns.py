"""Names whose noun may be left out: `no liver or heart disease` says nothing of liver metastases.

In a list, a bare `liver` may mean the noun of another item, before it or after: asked
about where a value stands before it and the list holds a disease or a history. `liver no, cardiac hx no`
gives each its own value and stays. A bare `cardiac` may share the `mets` that follow under one negation.
"""

from __future__ import annotations

from handlers.parsing.codes import RefusalCode, Topic
from handlers.parsing.refusals import Refusal
from handlers.parsing.terms import Form, Name, Noun, Placed, Side, Subject, Term, Value


def check_nouns(terms: list[Placed]) -> None:
    """Pass terms, lists written out, in which no bare name may share the noun of another one.

    Raises:
        Refusal: one may; the position is that of the bare name.
    """
    for i, here in enumerate(terms):
        if not _is(here, Noun.LEFT_OUT) or not _has_value_before(terms, i):
            continue
        if _is_of_a_history(terms, i) or _may_be_liver_disease(terms, i) or _may_be_cardiac_metastases(terms, i):
            raise Refusal(RefusalCode.AMBIGUOUS, here.position, about=Topic.LEFT_OUT_NOUN)


def check_past_liver(history: int, of: Term, position: int) -> None:
    """Pass a history, at word ``history``, of anything but the liver; ``position`` is where what it is of begins.

    Raises:
        Refusal: past liver metastases may have been resected, and a history of liver may be of liver disease.
    """
    if isinstance(of, Name) and of.subject is Subject.LIVER:
        if of.noun is Noun.LEFT_OUT:
            raise Refusal(RefusalCode.AMBIGUOUS, position, about=Topic.LEFT_OUT_NOUN)
        raise Refusal(RefusalCode.QUALIFIED, history)


def _is_of_a_history(terms: list[Placed], i: int) -> bool:
    """Whether a bare liver is said to have no history, which is one of liver disease rather than of metastases."""
    name, before = terms[i].term, terms[i - 1].term
    of_liver = isinstance(name, Name) and name.subject is Subject.LIVER
    return of_liver and isinstance(before, Value) and before.form is Form.DENIED_HISTORY


def _may_be_liver_disease(terms: list[Placed], i: int) -> bool:
    name = terms[i].term
    if not isinstance(name, Name) or name.subject is not Subject.LIVER:
        return False
    start, end = i, i + 1
    while start > 0 and not terms[start].breaks:
        start -= 1
    while end < len(terms) and not terms[end].breaks:
        end += 1
    return any(_is(placed, Noun.DISEASE) for placed in terms[start:end])


def _may_be_cardiac_metastases(terms: list[Placed], i: int) -> bool:
    """In a list that is written out, the one negation stands with its own place beside each name."""
    name = terms[i].term
    if not isinstance(name, Name) or name.subject is not Subject.CVD:
        return False
    return any(
        _is(terms[j], Noun.METASTASES) and terms[j - 1].position == terms[i - 1].position
        for j in range(i + 2, len(terms))
    )


def _is(placed: Placed, noun: Noun) -> bool:
    return isinstance(placed.term, Name) and placed.term.noun is noun


def _has_value_before(terms: list[Placed], i: int) -> bool:
    """Whether the name's value stands before it: names and values take turns from the head of the chain."""
    start = i
    while start > 0 and not terms[start].opens and _may_bind(terms[start - 1], terms[start]):
        start -= 1
    return (i - start) % 2 == 1


def _may_bind(left: Placed, right: Placed) -> bool:
    match left.term, right.term:
        case Name(), Value(side=side):
            return side is not Side.BEFORE
        case Value(side=side), Name():
            return side is not Side.AFTER and not left.linked
    return False
