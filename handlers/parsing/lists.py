"""How far a negation reaches in a list, and which diagnoses stand alone.

1. `no liver mets, dm or cvd` denies each: a negation before the first name, and
   `or` or `nor` before the last. Any other `or` is asked about.
2. A diagnosis alone in its clause is present. But after `no dm,` it may be denied
   as well, and so may it be before `, cvd no`: these are asked about. A full stop, a
   line break or `but` ends the list, and so does an item with its own value. A diagnosis alone on the
   line after `no dm` may be of a list that the `no` heads: a line break alone does not end that one.
3. Two negations of one name are asked about.
4. `with` begins a clause; where it follows a denied name (`no dm with cad`) it is asked about.
5. A history after a denied name may be denied as well (`denies dm, h/o mi`, `no dm; prior mi`):
   asked about where the list goes on. `has`, `known` and `positive for` state what they are said of.
6. In `dm denied prior mi`, with nothing to part them, `denied` may be said of either: asked about, and so is
   every word of absence or doubt that may stand on both sides, before a word that says present. A link decides.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from handlers.parsing.codes import RefusalCode, Topic
from handlers.parsing.nouns import check_nouns, check_past_liver
from handlers.parsing.refusals import Refusal
from handlers.parsing.terms import (
    Alternative,
    Finding,
    Form,
    Meaning,
    Name,
    Neither,
    Placed,
    Side,
    Subject,
    Value,
)
from knowledge.factors import Presence

_NEITHER = Value(Meaning.NO, Side.BEFORE)
_NOT_PRESENT = frozenset({Meaning.NO, Meaning.UNKNOWN})
_OF_LDH = frozenset({Subject.LDH, Subject.ULN})
_HISTORIES = frozenset({Form.HISTORY, Form.KNOWN_HISTORY})
_WORDS = _HISTORIES | {Form.WORD}


def settle_lists(terms: list[Placed]) -> list[Placed]:
    """Terms with every list written out: each negation beside its own name, each lone diagnosis a finding.

    Raises:
        Refusal: it is not certain what holds for each item.
    """
    terms = _written_out(terms)
    check_nouns(terms)
    _check_values_between(terms)
    terms = _with_prepositions(terms)
    _check_double_negation(terms)
    _check_histories(terms)
    return _with_lone_diagnoses(terms)


def _written_out(terms: list[Placed]) -> list[Placed]:
    """Rule 1."""
    out: list[Placed] = []
    i = 0
    while i < len(terms):
        here = terms[i]
        end = _end_of_denied_list(terms, i)
        if end is not None:
            denial = replace(here.term, side=Side.BEFORE) if isinstance(here.term, Value) else _NEITHER
            opening = replace(here, term=denial)
            for name in terms[i + 1 : end]:
                if isinstance(name.term, Name):
                    out += [opening, replace(name, opens=False)]
                    opening = replace(opening, opens=True, breaks=False)
            i = end
            continue
        if isinstance(here.term, Alternative | Neither):
            raise Refusal(RefusalCode.AMBIGUOUS, here.position, about=Topic.ALTERNATIVE)
        out.append(here)
        i += 1
    return out


def _end_of_denied_list(terms: list[Placed], i: int) -> int | None:
    """Index after the list that the negation at ``i`` opens and `or` ends; None if there is no such list."""
    if not _opens_denial(terms, i) or not _is_item(terms, i + 1) or terms[i + 1].opens:
        return None
    at, end = i + 2, None
    while at < len(terms):
        here = terms[at]
        if isinstance(here.term, Alternative):
            if here.breaks or not _is_item(terms, at + 1) or terms[at + 1].opens:
                return None
            at, end = at + 2, at + 2
        elif end is None and _is_item(terms, at) and here.opens and not (here.breaks or here.joined):
            at += 1
        else:
            break
    if end is not None and end < len(terms) and not terms[end].opens:
        after = terms[end].term
        if isinstance(after, Value) and after.side is not Side.BEFORE:
            return None
    return end


# `no`, and `no history of`.
_DENYING = (Form.WORD, Form.DENIED_HISTORY)


def _opens_denial(terms: list[Placed], i: int) -> bool:
    term = terms[i].term
    if not terms[i].opens and i > 0 and isinstance(terms[i - 1].term, Name):
        return False  # `liver no dm or cvd`
    if isinstance(term, Value):
        return term.meaning is Meaning.NO and term.side is not Side.AFTER and term.form in _DENYING
    return isinstance(term, Neither)


def _is_item(terms: list[Placed], i: int) -> bool:
    if i >= len(terms):
        return False
    term = terms[i].term
    return isinstance(term, Name) and term.subject not in _OF_LDH


def _check_double_negation(terms: list[Placed]) -> None:
    """Rule 3. In `liver no no dm` each negation has its own name."""
    for i, (here, following) in enumerate(pairwise(terms)):
        term, after = here.term, following.term
        if following.opens or not isinstance(term, Value) or term.meaning is not Meaning.NO:
            continue
        denied_again = (isinstance(after, Value) and after.meaning is Meaning.NO) or (
            isinstance(after, Finding) and after.presence is Presence.NO
        )
        may_bind_back = (
            i > 0 and not here.opens and isinstance(terms[i - 1].term, Name) and term.side is not Side.BEFORE
        )
        if denied_again and not may_bind_back:
            raise Refusal(RefusalCode.AMBIGUOUS, following.position, about=Topic.DOUBLE_NEGATION)


def _check_values_between(terms: list[Placed]) -> None:
    """Rule 6. Nothing doubts `ldh unknown with liver mets`, nor `dm no with ldh high`."""
    for i, (name, here, following) in enumerate(zip(terms, terms[1:], terms[2:], strict=False)):
        value, present = here.term, following.term
        if not isinstance(name.term, Name) or not isinstance(value, Value) or not isinstance(present, Value):
            continue
        if here.opens or here.linked or following.opens or value.side is not Side.EITHER:
            continue
        if value.meaning not in _NOT_PRESENT or present.meaning is not Meaning.YES or present.side is not Side.BEFORE:
            continue
        of_ldh = name.term.subject in _OF_LDH or _is_about_ldh(terms, i + 3)
        if present.form is not Form.GLUED_SIGN and not (of_ldh and present.form is Form.PREPOSITION):
            raise Refusal(RefusalCode.AMBIGUOUS, here.position)


def _with_prepositions(terms: list[Placed]) -> list[Placed]:
    """Rule 4. Before LDH, or before another word that says present, `with` says nothing and is left out."""
    out: list[Placed] = []
    opening: Placed | None = None
    for i, placed in enumerate(terms):
        here = placed
        if opening is not None:
            here = replace(here, opens=True, linked=False, breaks=opening.breaks, joined=opening.joined)
            opening = None
        if isinstance(here.term, Value) and here.term.form is Form.PREPOSITION:
            if _is_about_ldh(terms, i + 1):
                opening = here
                continue
            if not here.opens and _ends_denied(out):
                raise Refusal(RefusalCode.AMBIGUOUS, here.position, about=Topic.REACH_FORWARD)
            if _says_present(terms, i + 1):
                opening = here
                continue
            here = replace(here, opens=True)
        out.append(here)
    return out


def _is_about_ldh(terms: list[Placed], i: int) -> bool:
    if i >= len(terms) or terms[i].opens:
        return False
    term = terms[i].term
    if isinstance(term, Name):
        return term.subject in _OF_LDH
    return isinstance(term, Value) and term.meaning in (Meaning.HIGH, Meaning.NORMAL)


def _says_present(terms: list[Placed], i: int) -> bool:
    if i + 1 >= len(terms) or terms[i].opens or terms[i + 1].opens:
        return False
    term = terms[i].term
    present = isinstance(term, Value) and term.meaning is Meaning.YES and term.form in _WORDS
    return present and _is_item(terms, i + 1)


def _check_histories(terms: list[Placed]) -> None:
    """Rule 5."""
    for i, here in enumerate(terms):
        if not isinstance(here.term, Value) or here.term.form not in _HISTORIES:
            continue
        stated = here.term.form is Form.KNOWN_HISTORY or (here.opens and here.breaks)
        if not stated and _ends_denied(terms[:i]):
            raise Refusal(RefusalCode.AMBIGUOUS, here.position, about=Topic.REACH_FORWARD)
        if here.term.only is None and i + 1 < len(terms) and not terms[i + 1].opens:
            check_past_liver(here.position, terms[i + 1].term, terms[i + 1].position)


def _with_lone_diagnoses(terms: list[Placed]) -> list[Placed]:
    """Rule 2."""
    out: list[Placed] = []
    after_lone = False
    for i, here in enumerate(terms):
        if here.opens and not _is_lone_diagnosis(terms, i):
            _check_reach_back(terms, i, after_lone=after_lone)
            after_lone = False
        if not _is_lone_diagnosis(terms, i):
            out.append(here)
            continue
        if (here.by_line or not here.breaks) and _ends_denied(terms[:i]):
            raise Refusal(RefusalCode.AMBIGUOUS, here.position, about=Topic.REACH_FORWARD)
        name = here.term
        assert isinstance(name, Name)  # noqa: S101 - what a lone diagnosis is
        out.append(replace(here, term=Finding(name.subject, Presence.YES, name.narrower, unvalued=True)))
        after_lone = True
    return out


def _is_lone_diagnosis(terms: list[Placed], i: int) -> bool:
    here = terms[i]
    alone = here.opens and (i + 1 == len(terms) or terms[i + 1].opens)
    return alone and isinstance(here.term, Name) and here.term.diagnosis


def _ends_denied(terms: list[Placed]) -> bool:
    """Whether the last clause ends in a name with a value before it that says absent or not known."""
    if len(terms) < 2 or terms[-1].opens or not isinstance(terms[-1].term, Name):
        return False
    value = terms[-2].term
    return isinstance(value, Value) and value.meaning in _NOT_PRESENT and value.side is not Side.AFTER


def _check_reach_back(terms: list[Placed], i: int, *, after_lone: bool) -> None:
    """Refuse a value after the first name of a clause that may be said of the lone diagnosis before it too."""
    if not after_lone or terms[i].breaks or not _is_item(terms, i) or i + 1 == len(terms) or terms[i + 1].opens:
        return
    value = terms[i + 1].term
    if not isinstance(value, Value) or value.meaning not in _NOT_PRESENT or value.side is Side.BEFORE:
        return
    # A minus written onto a name is said of that name alone; a question mark may end the list.
    if value.form is not Form.GLUED_SIGN or value.meaning is Meaning.UNKNOWN:
        raise Refusal(RefusalCode.AMBIGUOUS, terms[i + 1].position, about=Topic.REACH_BACK)
