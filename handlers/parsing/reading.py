"""From words to terms: the longest phrase of the vocabulary at each place."""

from __future__ import annotations

from dataclasses import dataclass, replace

from handlers.parsing.figures import canonical_number, figure_parts, looks_like_figure
from handlers.parsing.nearest import nearest
from handlers.parsing.refusals import Refusal, RefusalCode, Topic
from handlers.parsing.terms import Figure, Form, Name, Placed, Side, Term, Value
from handlers.parsing.vocabulary import (
    ALTERNATIVE_WORDS,
    HYPERTENSION_WORDS,
    KNOWN_WORDS,
    LONGEST_PHRASE,
    NAME_WORDS,
    PHRASES,
    SIGNS_AFTER_NAME,
    SIGNS_BEFORE_NAME,
    VASCULAR_WORDS,
)
from handlers.parsing.words import Word

_NAMES_BEFORE_FIGURE = ("ldh", "uln")
_DIGITS = frozenset("0123456789")


@dataclass(frozen=True, slots=True)
class _Piece:
    """A word, or the part of one that has a meaning of its own; ``glued`` says where its name is."""

    word: Word
    glued: Side | None = None


def read_terms(words: list[Word]) -> list[Placed]:
    """Terms of the text in order.

    Raises:
        Refusal: a word is unknown, not a canonical number, or says nothing where it stands.
    """
    pieces = [piece for word in words for piece in _pieces(word)]
    terms: list[Placed] = []
    i = 0
    while i < len(pieces):
        length, term = _longest_phrase(pieces, i)
        first = pieces[i]
        if isinstance(term, Value) and first.glued:
            term = replace(term, side=first.glued, form=Form.GLUED_SIGN)
        placed = Placed(term, first.word.position, first.word.opens, first.word.linked)
        if placed.linked and not _is_named(terms, placed):
            raise Refusal(RefusalCode.MISPLACED_WORD, placed.position)
        terms.append(placed)
        i += length
    return terms


def _pieces(word: Word) -> list[_Piece]:
    text = word.text
    if looks_like_figure(text):
        parts = figure_parts(text)
        if parts is None:
            raise Refusal(RefusalCode.NOT_CANONICAL_NUMBER, word.position)
        return [_Piece(part) for part in _split(word, *parts)]
    if text in KNOWN_WORDS:
        return [_Piece(word)]
    if text.startswith(SIGNS_BEFORE_NAME) and text[1:] in NAME_WORDS:
        sign, name = _split(word, text[0], text[1:])
        return [_Piece(sign, Side.BEFORE), _Piece(name)]
    if text.endswith(SIGNS_AFTER_NAME) and text[:-1] in NAME_WORDS:
        name, sign = _split(word, text[:-1], text[-1])
        return [_Piece(name), _Piece(sign, Side.AFTER)]
    if text.startswith(_NAMES_BEFORE_FIGURE) and text[3:4] in _DIGITS:
        # `ldh480/250`: the name and its figure, written without the space.
        name, figure = _split(word, text[:3], text[3:])
        return [_Piece(name), *_pieces(figure)]
    if text in ALTERNATIVE_WORDS:
        raise Refusal(RefusalCode.AMBIGUOUS, word.position, about=Topic.ALTERNATIVE)
    if text in HYPERTENSION_WORDS:
        raise Refusal(RefusalCode.HYPERTENSION, word.position)
    if text in VASCULAR_WORDS:
        raise Refusal(RefusalCode.CVD_UNDEFINED, word.position)
    raise Refusal(RefusalCode.UNKNOWN_WORD, word.position, suggestion=nearest(text))


def _split(word: Word, first: str, *others: str) -> list[Word]:
    """Parts of one word: only the first can stand after a boundary or a link."""
    return [replace(word, text=first), *(Word(text, word.position, opens=False, linked=False) for text in others)]


def _longest_phrase(pieces: list[_Piece], start: int) -> tuple[int, Term]:
    """Number of pieces and the term; a phrase never runs across a boundary or a link."""
    phrase = [pieces[start].word.text]
    for piece in pieces[start + 1 : start + LONGEST_PHRASE]:
        if piece.word.opens or piece.word.linked or piece.glued:
            break
        phrase.append(piece.word.text)
    for length in range(len(phrase), 0, -1):
        term = PHRASES.get(tuple(phrase[:length]))
        if term is not None:
            return length, term
    number = canonical_number(phrase[0])
    if number is None:
        raise Refusal(RefusalCode.MISPLACED_WORD, pieces[start].word.position)
    return 1, Figure(number)


def _is_named(before: list[Placed], linked: Placed) -> bool:
    """Whether a linked term is a value or a figure with a name directly before it."""
    fits = isinstance(linked.term, Value | Figure)
    return fits and not linked.opens and bool(before) and isinstance(before[-1].term, Name)
