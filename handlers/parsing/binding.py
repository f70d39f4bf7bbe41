"""Which value belongs to which name.

Names and values that stand side by side in one clause form a chain. A value may
bind to the name directly before it or directly after it, as far as it fits:

1. It never binds across a boundary (comma, semicolon, line break, full stop,
   `and`), nor across a figure or anything else between.
2. Some words stand on one side only: `without` and `known` before their name,
   `present`, `none known` and `n` after it. A value after `=` or `:` belongs to
   the name before; a sign written onto a name belongs to that name, and one
   that stands alone to the name before it (see ``signs``). How far a value
   reaches over the items of a list is settled before (see ``lists``).
3. `high` and `normal` fit LDH alone, `yes` and `no` everything but LDH,
   `unknown` fits all. Some fit one name only: `prior` CVD, `no mets` liver.
4. A chain is understood when every name gets exactly one value and every value
   exactly one name. There is at most one way to do so: the first of a chain can
   only go with the second, the third with the fourth, and so on.
5. Otherwise it is refused. `liver no dm` is ambiguous (is it liver or diabetes
   that is absent?); in `liver dm no` liver has no value.
"""

from __future__ import annotations

from handlers.parsing.codes import RefusalCode
from handlers.parsing.ldh import read_figures
from handlers.parsing.lists import settle_lists
from handlers.parsing.refusals import Refusal
from handlers.parsing.signs import check_signs
from handlers.parsing.statements import Statement
from handlers.parsing.terms import Figure, Finding, Form, Meaning, Name, Placed, Side, Subject, Unit, Value

_OF_LDH_ONLY = frozenset({Meaning.HIGH, Meaning.NORMAL})


def read_statements(terms: list[Placed]) -> list[Statement]:
    """Statements in the order of the text.

    Raises:
        Refusal: a name lacks its value, a value or a figure its name, or there are two ways to bind them.
    """
    check_signs(terms)
    terms = settle_lists(terms)
    statements: list[Statement] = []
    chain: list[Placed] = []
    i = 0
    while i < len(terms):
        here = terms[i]
        if chain and not _binds(chain[-1], here):
            statements += _bind(chain)
            chain = []
        match here.term:
            case Name(Subject.LDH | Subject.ULN as subject) if (read := read_figures(subject, terms, i)) is not None:
                statements += _bind(chain) + read[0]
                chain, i = [], read[1]
                continue
            case Name(Subject.ULN):
                raise Refusal(RefusalCode.MISSING_VALUE, here.position, about=Subject.ULN)
            case Name() | Value():
                chain.append(here)
            case Finding(subject, presence, narrower, unvalued):
                finding = Statement(subject, Meaning(presence.value), here.position, narrower, unvalued)
                statements += [*_bind(chain), finding]
                chain = []
            case Figure():
                second = i > 0 and isinstance(terms[i - 1].term, Figure | Unit)
                raise Refusal(RefusalCode.NUMBER_WITHOUT_NAME, here.position, about=Subject.LDH if second else None)
            case _:
                raise Refusal(RefusalCode.MISPLACED_WORD, here.position)
        i += 1
    return statements + _bind(chain)


def _binds(left: Placed, right: Placed) -> bool:
    """Whether two neighbours can be a name and its value."""
    if right.opens:
        return False
    match left.term, right.term:
        case Name(subject), Value(side=side) as value:
            return side is not Side.BEFORE and _fits(subject, value)
        case Value(side=side) as value, Name(subject):
            return side is not Side.AFTER and not left.linked and _fits(subject, value)
    return False


def _fits(subject: Subject, value: Value) -> bool:
    if subject is Subject.ULN or value.only not in (None, subject):
        return False
    return value.meaning is Meaning.UNKNOWN or (value.meaning in _OF_LDH_ONLY) == (subject is Subject.LDH)


def _bind(chain: list[Placed]) -> list[Statement]:
    """Bind a chain in which each neighbour could go with the next: names and values take turns."""
    names = [(placed.term, placed.position) for placed in chain if isinstance(placed.term, Name)]
    values = [placed.term.meaning for placed in chain if isinstance(placed.term, Value)]
    if len(names) == len(values):
        pairs = zip(names, values, strict=True)
        return [Statement(name.subject, meaning, position, name.narrower) for (name, position), meaning in pairs]
    if not values:
        name, position = names[0]
        raise Refusal(RefusalCode.MISSING_VALUE, position, about=name.subject)
    if not names:
        first = chain[0].term
        if isinstance(first, Value) and first.meaning is Meaning.UNKNOWN and first.form is Form.LONE_SIGN:
            raise Refusal(RefusalCode.UNCERTAIN, chain[0].position)
        about = Subject.LDH if values[0] in _OF_LDH_ONLY else None
        raise Refusal(RefusalCode.VALUE_WITHOUT_NAME, chain[0].position, about=about)
    if len(names) == 1:  # two values around one name: `no dm yes`
        code = RefusalCode.REPEATED if values[0] is values[1] else RefusalCode.CONTRADICTION
        raise Refusal(code, chain[-1].position)
    # One name or one value too many: point at the first value that could go either way.
    raise Refusal(RefusalCode.AMBIGUOUS, chain[1].position if len(names) > len(values) else chain[2].position)
