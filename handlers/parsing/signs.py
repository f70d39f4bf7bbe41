"""Signs that stand alone, which may as well be dashes or bullets.

In `ldh 480/250 - liver mets - diabetes` the writer parts findings, in
`liver - dm +` each sign is a value. A lone `+` or `-` is read as a value only
directly after its name, and only where it ends its clause or where the whole
text is written that way: every name directly followed by its own value, and
the name after the sign by a sign. A lone minus may be a dash with nothing after
it (`liver -`): it is read only where another name has a sign too. After `=` or
`:` there is nothing to doubt.

A minus written onto the head of a name (`ldh 480/250 -dm`) is read as no in running text alone: at the
head of the text, of a line or of a sentence, after a heading (`PMH: -dm`), or where there are several,
whatever parts them (`-dm; -cvd`), it may be a bullet and is asked about, unless a plus is written onto
another name (`-dm +cvd`).
"""

from __future__ import annotations

from handlers.parsing.codes import RefusalCode, Topic
from handlers.parsing.refusals import Refusal
from handlers.parsing.terms import Figure, Form, Meaning, Name, Placed, Side, Value

_SIGNS = frozenset({Form.LONE_SIGN, Form.GLUED_SIGN})
_PLUS = Value(Meaning.YES, Side.AFTER, Form.LONE_SIGN)


def check_signs(terms: list[Placed]) -> None:
    """Pass a text in which every lone sign can only be the value of the name before it.

    Raises:
        Refusal: a lone sign may be a dash; the position is that of the first such sign.
    """
    for i, placed in enumerate(terms):
        lone = _is_lone_plus_or_minus(placed) and not placed.linked and not _is_value_of_name_before(terms, i)
        if lone or (_is_minus_before_name(placed) and _may_be_bullet(terms, i)):
            raise Refusal(RefusalCode.AMBIGUOUS, placed.position, about=Topic.LONE_SIGN)


def _is_lone_plus_or_minus(placed: Placed) -> bool:
    term = placed.term
    return isinstance(term, Value) and term.form is Form.LONE_SIGN and term.meaning is not Meaning.UNKNOWN


def _is_minus_before_name(placed: Placed) -> bool:
    term = placed.term
    if not isinstance(term, Value) or term.form is not Form.GLUED_SIGN:
        return False
    return term.side is Side.BEFORE and term.meaning is Meaning.NO


def _may_be_bullet(terms: list[Placed], i: int) -> bool:
    if any(_is_plus_on_name(placed) for placed in terms):
        return False
    here = terms[i]
    several = sum(_is_minus_before_name(placed) for placed in terms) > 1
    return i == 0 or (here.opens and here.breaks) or here.headed or several


def _is_plus_on_name(placed: Placed) -> bool:
    term = placed.term
    return isinstance(term, Value) and term.form is Form.GLUED_SIGN and term.meaning is Meaning.YES


def _is_value_of_name_before(terms: list[Placed], i: int) -> bool:
    if i == 0 or terms[i].opens or not isinstance(terms[i - 1].term, Name):
        return False
    if _next_in_clause(terms, i) is None:
        return terms[i].term == _PLUS or _is_written_in_signs(terms, i)
    return (
        isinstance(terms[i + 1].term, Name)
        and _has_sign_after(terms, i + 1)
        and all(_has_value_after(terms, j) for j, placed in enumerate(terms) if isinstance(placed.term, Name))
    )


def _is_written_in_signs(terms: list[Placed], i: int) -> bool:
    """Whether a name other than the one before the sign at ``i`` has a plus, a minus or a question mark for a value."""
    return any(
        isinstance(placed.term, Name) and j != i - 1 and (_has_sign_after(terms, j) or _has_sign_before(terms, j))
        for j, placed in enumerate(terms)
    )


def _has_sign_before(terms: list[Placed], i: int) -> bool:
    before = terms[i - 1].term if i > 0 and not terms[i].opens else None
    return isinstance(before, Value) and before.form is Form.GLUED_SIGN and before.side is Side.BEFORE


def _next_in_clause(terms: list[Placed], i: int) -> Placed | None:
    return terms[i + 1] if i + 1 < len(terms) and not terms[i + 1].opens else None


def _has_sign_after(terms: list[Placed], i: int) -> bool:
    following = _next_in_clause(terms, i)
    return following is not None and isinstance(following.term, Value) and following.term.form in _SIGNS


def _has_value_after(terms: list[Placed], i: int) -> bool:
    following = _next_in_clause(terms, i)
    if following is None:
        return False
    term = following.term
    return isinstance(term, Figure) or (isinstance(term, Value) and term.side is not Side.BEFORE)
