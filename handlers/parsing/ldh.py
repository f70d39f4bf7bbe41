"""LDH and its upper limit: the figures after `ldh` and `uln`, their units and ranges.

Units. A figure takes the unit written after it; the limit takes the unit of the
LDH when it has none; the LDH takes the unit of the limit when it has none and
that leaves one reading. An LDH with no unit at all is in U/L from 50 upwards
and is asked about below. No reading is preferred to another.

`high` or `normal` between `ldh` and its figure must agree with the figure.
"""

from __future__ import annotations

from dataclasses import replace

from handlers.parsing.codes import RefusalCode
from handlers.parsing.refusals import Refusal
from handlers.parsing.statements import Amount, Multiple, Statement
from handlers.parsing.terms import Figure, Meaning, Name, Placed, Side, Slash, Subject, Times, Unit, Value
from knowledge.factors import (
    LDH_MAX_U_L,
    LDH_MIN_U_L,
    RATIO_MAX,
    RATIO_MIN,
    U_PER_MICROKATAL,
    ULN_MAX_U_L,
    ULN_MIN_U_L,
    LdhMeasured,
    LdhMultiple,
    LdhUnit,
    UpperLimit,
)


def read_figures(subject: Subject, terms: list[Placed], i: int) -> tuple[list[Statement], int] | None:
    """Read the figures after the name (`ldh` or `uln`) at ``i``, in the same clause.

    Returns the statements (LDH, upper limit or both) and the index after them,
    or None when no figure follows.

    Raises:
        Refusal: a slash is not followed by a figure.
    """
    at, said = i + 1, None
    if subject is Subject.LDH and at < len(terms) and not terms[at].opens:
        said = _said_before_figure(terms, at)
        at = at if said is None else at + 1
    read = _amount(terms, at)
    if read is None:
        return None
    amount, after = replace(read[0], said=said), read[1]
    first = Statement(subject, amount, terms[at].position)
    if subject is Subject.ULN or after >= len(terms) or terms[after].opens:
        return [first], after
    match terms[after].term:
        case Times() if amount.unit is None:
            return [Statement(subject, Multiple(amount.value, said), first.position)], after + 1
        case Slash():
            before = after + 1 if _names_limit(terms, after + 1) else after  # `480 / uln 250`
            limit = _amount(terms, before + 1)
            if limit is None:
                raise Refusal(RefusalCode.MISSING_VALUE, terms[before].position, about=Subject.ULN)
            return [first, Statement(Subject.ULN, limit[0], terms[before + 1].position)], limit[1]
    return [first], after


def _said_before_figure(terms: list[Placed], i: int) -> Meaning | None:
    """High or normal as said at ``i`` of the figure after it: `ldh elevated at 512`.

    In `ldh above uln 250` the figure is the limit, and so it may be in `ldh normal 250`: not read.
    """
    word = terms[i].term
    if not isinstance(word, Value) or word.side is not Side.EITHER or i + 1 == len(terms):
        return None
    connected = terms[i + 1].position > terms[i].position + 1  # by `at`, which is not among the terms
    if word.meaning is Meaning.HIGH or (word.meaning is Meaning.NORMAL and connected):
        return word.meaning
    return None


def _names_limit(terms: list[Placed], i: int) -> bool:
    return i < len(terms) and not terms[i].opens and terms[i].term == Name(Subject.ULN)


def _amount(terms: list[Placed], i: int) -> tuple[Amount, int] | None:
    """The figure at ``i`` with its unit, and the index after it; None if there is no figure in this clause."""
    if i >= len(terms) or terms[i].opens:
        return None
    figure = terms[i].term
    if not isinstance(figure, Figure):
        return None
    if i + 1 < len(terms) and not terms[i + 1].opens:
        unit = terms[i + 1].term
        if isinstance(unit, Unit):
            return Amount(figure.value, unit.unit), i + 2
    return Amount(figure.value, None), i + 1


def multiple(content: Multiple, position: int) -> LdhMultiple:
    """An LDH given as a multiple of the upper limit.

    Raises:
        Refusal: out of range.
    """
    if not RATIO_MIN <= content.value <= RATIO_MAX:
        raise Refusal(RefusalCode.OUT_OF_RANGE, position)
    return LdhMultiple(multiple=content.value)


def measured(ldh: Amount, position: int, limit: Statement | None, site_uln: UpperLimit | None) -> LdhMeasured:
    """A measured LDH with the limit that was written, or else the site's.

    Raises:
        Refusal: the unit is ambiguous, a figure is out of range, or there is no limit.
    """
    written = limit.content if limit is not None and isinstance(limit.content, Amount) else None
    unit = _unit(ldh, position, written, site_uln)
    if not LDH_MIN_U_L <= unit.to_u_per_l(ldh.value) <= LDH_MAX_U_L:
        raise Refusal(RefusalCode.OUT_OF_RANGE, position, about=Subject.LDH)
    if written is not None and limit is not None:
        uln_unit = written.unit or unit
        if not ULN_MIN_U_L <= uln_unit.to_u_per_l(written.value) <= ULN_MAX_U_L:
            raise Refusal(RefusalCode.OUT_OF_RANGE, limit.position, about=Subject.ULN)
        uln = UpperLimit(value=written.value, unit=uln_unit)
    elif site_uln is not None:
        uln = site_uln
    else:
        raise Refusal(RefusalCode.NO_ULN, position)
    if not RATIO_MIN <= unit.to_u_per_l(ldh.value) / uln.u_per_l <= RATIO_MAX:
        raise Refusal(RefusalCode.OUT_OF_RANGE, position)
    return LdhMeasured(value=ldh.value, unit=unit, uln=uln, uln_from="site" if written is None else "given")


def _unit(ldh: Amount, position: int, written: Amount | None, site_uln: UpperLimit | None) -> LdhUnit:
    """The unit of an LDH, where there is one reading only."""
    if ldh.unit is not None:
        return ldh.unit
    limit_unit = written.unit if written is not None else site_uln.unit if site_uln is not None else None
    if ldh.value < min(RATIO_MIN, LDH_MIN_U_L / U_PER_MICROKATAL):
        raise Refusal(RefusalCode.OUT_OF_RANGE, position, about=Subject.LDH)  # in every reading
    if ldh.value < LDH_MIN_U_L:
        # Too low for U/L, so a limit written in µkat/L settles it. The site's
        # own limit does not: a multiple of it may be meant.
        if written is not None and limit_unit is LdhUnit.MICROKATAL_PER_L:
            return LdhUnit.MICROKATAL_PER_L
        raise Refusal(RefusalCode.AMBIGUOUS_LDH, position)
    if limit_unit is LdhUnit.MICROKATAL_PER_L and LdhUnit.MICROKATAL_PER_L.to_u_per_l(ldh.value) <= LDH_MAX_U_L:
        raise Refusal(RefusalCode.AMBIGUOUS_LDH, position)
    return LdhUnit.U_PER_L
