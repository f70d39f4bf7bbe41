"""From words to terms: the longest phrase of the vocabulary at each place."""

from __future__ import annotations

from dataclasses import dataclass, replace

from handlers.parsing.asked import ASKED_WORDS, is_age, is_treatment_day
from handlers.parsing.codes import RefusalCode, Topic
from handlers.parsing.figures import canonical_number, figure_parts, looks_like_figure
from handlers.parsing.nearest import nearest
from handlers.parsing.nouns import check_past_liver
from handlers.parsing.refusals import Refusal
from handlers.parsing.terms import (
    Connector,
    Figure,
    Filler,
    Form,
    Meaning,
    Name,
    Placed,
    Side,
    Slash,
    Subject,
    Term,
    Value,
)
from handlers.parsing.vocabulary import (
    DASH,
    KNOWN_WORDS,
    LONG_DASH,
    LONGEST_PHRASE,
    NAME_WORDS,
    PHRASES,
    SIGNS_AFTER_NAME,
    SIGNS_BEFORE_NAME,
    WITH_BEFORE_NAME,
)
from handlers.parsing.words import Word

_NAMES_BEFORE_FIGURE = ("ldh", "uln")
_DIGITS = frozenset("0123456789")
_OF_LDH = frozenset({Subject.LDH, Subject.ULN})
_AFTER_NAME = frozenset({"of", "at", "is"})
_AFTER_WORD = {Meaning.HIGH: frozenset({"of", "at", "to"}), Meaning.NORMAL: frozenset({"at"})}


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
    pieces = _all_pieces(words)
    terms: list[Placed] = []
    headed = False
    i = 0
    while i < len(pieces):
        length, term = _longest_phrase(pieces, i)
        first = pieces[i]
        if isinstance(term, Filler):
            _leave_out(pieces, i, length, term)
            headed = True
            i += length
            continue
        if isinstance(term, Connector):
            if not _connects(terms, pieces, i):
                raise Refusal(RefusalCode.MISPLACED_WORD, first.word.position)
            i += length
            continue
        if isinstance(term, Value) and first.glued:
            term = replace(term, side=first.glued, form=Form.GLUED_SIGN)
        placed = replace(_placed(term, first.word), headed=headed)
        headed = False
        if isinstance(term, Slash) and terms and isinstance(terms[-1].term, Name):
            raise Refusal(RefusalCode.AMBIGUOUS, placed.position, about=Topic.ALTERNATIVE)
        if placed.linked and not _is_named(terms, placed):
            raise Refusal(RefusalCode.MISPLACED_WORD, placed.position)
        terms.append(placed)
        i += length
    return terms


def _all_pieces(words: list[Word]) -> list[_Piece]:
    """The pieces of every word.

    Raises:
        Refusal: of the first word that is refused by itself; it also tells the numbers of the others.
    """
    pieces: list[_Piece] = []
    refusals: list[Refusal] = []
    for word in words:
        try:
            pieces += _pieces(word)
        except Refusal as refusal:
            refusals.append(refusal)
    if refusals:
        first, *others = refusals
        first.also = tuple(dict.fromkeys(other.position for other in others if other.position is not None))
        raise first
    return pieces


def _pieces(word: Word) -> list[_Piece]:
    text = word.text
    if looks_like_figure(text):
        parts = figure_parts(text)
        if parts is None and is_age(text):
            raise Refusal(RefusalCode.UNKNOWN_WORD, word.position, about=Topic.AGE)
        if parts is None:
            raise Refusal(RefusalCode.NOT_CANONICAL_NUMBER, word.position)
        return [_Piece(part) for part in _split(word, *parts)]
    if text in KNOWN_WORDS:
        return [_Piece(word)]
    if text.startswith(SIGNS_BEFORE_NAME) and text[1:] in NAME_WORDS:
        if text[0] == "-" and word.heads_line:
            raise Refusal(RefusalCode.AMBIGUOUS, word.position, about=Topic.LONE_SIGN)
        sign, name = _split(word, text[0], text[1:])
        return [_Piece(sign, Side.BEFORE), _Piece(name)]
    if text.endswith(SIGNS_AFTER_NAME) and text[:-1] in NAME_WORDS:
        name, sign = _split(word, text[:-1], text[-1])
        return [_Piece(name), _Piece(sign, Side.AFTER)]
    if text.startswith(_NAMES_BEFORE_FIGURE) and text[3:4] in _DIGITS:
        # `ldh480/250`: the name and its figure, written without the space.
        name, figure = _split(word, text[:3], text[3:])
        return [_Piece(name), *_pieces(figure)]
    if text.startswith(WITH_BEFORE_NAME) and text.removeprefix(WITH_BEFORE_NAME) in NAME_WORDS:
        return [_Piece(part) for part in _split(word, WITH_BEFORE_NAME, text.removeprefix(WITH_BEFORE_NAME))]
    raise _refused(word)


def _refused(word: Word) -> Refusal:
    """Why a word outside the vocabulary is refused."""
    text = word.text
    if is_treatment_day(text):
        return Refusal(RefusalCode.NOT_TAKEN, word.position, about=Topic.TREATMENT)
    if text.startswith("?") and text[1:] in NAME_WORDS:
        return Refusal(RefusalCode.UNCERTAIN, word.position)
    if text == LONG_DASH or text.strip(DASH + LONG_DASH) in NAME_WORDS:
        return Refusal(RefusalCode.AMBIGUOUS, word.position, about=Topic.LONE_SIGN)
    parts = [part.rstrip("?") for part in text.split("/")]
    for part in (text, *parts):
        if part in ASKED_WORDS:
            code, about = ASKED_WORDS[part]
            return Refusal(code, word.position, about=about)
    if len(parts) > 1 and all(part in NAME_WORDS for part in parts):
        return Refusal(RefusalCode.AMBIGUOUS, word.position, about=Topic.ALTERNATIVE)
    return Refusal(RefusalCode.UNKNOWN_WORD, word.position, suggestion=nearest(text))


def _placed(term: Term, word: Word) -> Placed:
    return Placed(term, word.position, word.opens, word.linked, word.breaks, word.joined, by_line=word.by_line)


def _leave_out(pieces: list[_Piece], i: int, length: int, term: Filler) -> None:
    """Let what follows the filler at ``i`` stand where the filler stood.

    Raises:
        Refusal: the filler does not stand at the head of a clause, nothing follows, or it makes liver metastases past.
    """
    filler = pieces[i].word
    following = pieces[i + length].word if i + length < len(pieces) else None
    if following is None or not filler.opens:
        raise Refusal(RefusalCode.MISPLACED_WORD, filler.position)
    if not following.opens:
        if term.history and not following.linked:
            check_past_liver(filler.position, _longest_phrase(pieces, i + length)[1], following.position)
        # `PMH:` is a heading, after which a list begins anew.
        breaks = filler.breaks or following.linked
        by_line = filler.by_line and not following.linked
        word = replace(following, opens=True, linked=False, breaks=breaks, joined=filler.joined, by_line=by_line)
        pieces[i + length] = replace(pieces[i + length], word=word)


def _connects(before: list[Placed], pieces: list[_Piece], i: int) -> bool:
    """Whether the connector at ``i`` stands between LDH or its limit and a figure or a value, in one clause."""
    here = pieces[i].word
    if here.opens or here.linked or not before or i + 1 == len(pieces):
        return False
    following = pieces[i + 1]
    if following.word.opens or following.word.linked or following.glued:
        return False
    said = before[-1]
    allowed, then = _AFTER_NAME, Figure | Value
    if isinstance(said.term, Value) and not said.opens and len(before) > 1:
        # `normal at 200`, but `normal is 250` tells the limit.
        allowed, then = _AFTER_WORD.get(said.term.meaning, frozenset()), Figure
        said = before[-2]
    if not isinstance(said.term, Name) or said.term.subject not in _OF_LDH or here.text not in allowed:
        return False
    return isinstance(_longest_phrase(pieces, i + 1)[1], then)


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
        if term is not None and not (isinstance(term, Value) and _ends_in_longer_name(phrase, length)):
            return length, term
    number = canonical_number(phrase[0])
    if number is None:
        raise Refusal(RefusalCode.MISPLACED_WORD, pieces[start].word.position)
    return 1, Figure(number)


def _ends_in_longer_name(phrase: list[str], length: int) -> bool:
    """Whether the value's last word begins a name: in `no mets to liver` it is `no` and not `no mets` that is said."""
    names = (PHRASES.get(tuple(phrase[length - 1 : end])) for end in range(length + 1, len(phrase) + 1))
    return length > 1 and tuple(phrase[: length - 1]) in PHRASES and any(isinstance(name, Name) for name in names)


def _is_named(before: list[Placed], linked: Placed) -> bool:
    """Whether a linked term is a value or a figure with a name directly before it."""
    fits = isinstance(linked.term, Value | Figure)
    return fits and not linked.opens and bool(before) and isinstance(before[-1].term, Name)
