"""From text to words: what parts them, and where each stands.

A word is what stands between separators. Space, no-break space, tab and round
brackets part words; comma, semicolon, line break and a full stop at the end of a word part
words and are also a boundary that no name and value bind across; `=` and `:`
part words and link a value to the name before. A comma between two digits is
no separator (`480,250` may be one number or two, and is refused).

Nothing else is normalised: control characters, zero-width characters and
look-alike letters stay in their word, which is then unknown.
"""

from __future__ import annotations

import string
from dataclasses import dataclass

from handlers.parsing.vocabulary import JOINING_WORDS

_SPACES = frozenset(" \u00a0\t()")
_BOUNDARIES = frozenset(",;\n\r")
_LINKS = frozenset("=:")
_FULL_STOP = "."
# str.lower() would turn look-alikes such as the Kelvin sign into ASCII letters.
_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
# Slack sends & as an entity, whose semicolon is no separator.
_SLACK_AND = "&amp;"


@dataclass(frozen=True, slots=True)
class Word:
    """One word in ASCII lower case.

    ``position`` counts words from 1; ``opens`` is true after a boundary and for
    the first word; ``linked`` after `=` or `:`.
    """

    text: str
    position: int
    opens: bool
    linked: bool


def ascii_lower(text: str) -> str:
    """``text`` with ASCII letters in lower case and everything else as it was."""
    return text.translate(_ASCII_LOWER)


def split_words(text: str) -> list[Word]:
    """Words of ``text`` in order; joining words (`and`) are counted but given back as boundaries."""
    text = ascii_lower(text).replace(_SLACK_AND, " & ")
    words: list[Word] = []
    count = 0
    opens, linked = True, False
    for chunk in _chunks(text):
        if chunk in _BOUNDARIES:
            opens, linked = True, False
        elif chunk in _LINKS:
            linked = True
        elif chunk != _FULL_STOP:
            count += 1
            bare = chunk.removesuffix(_FULL_STOP)
            joins = bare in JOINING_WORDS
            if not joins:
                words.append(Word(bare, count, opens, linked))
            opens, linked = joins or bare != chunk, False
        else:
            opens, linked = True, False
    return words


def _chunks(text: str) -> list[str]:
    """Words and single separators other than spaces, in order."""
    chunks: list[str] = []
    start: int | None = None
    for i, char in enumerate(text):
        parts = char in _SPACES or char in _LINKS or (char in _BOUNDARIES and not _inside_number(text, i))
        if not parts:
            start = i if start is None else start
            continue
        if start is not None:
            chunks.append(text[start:i])
            start = None
        if char not in _SPACES:
            chunks.append(char)
    if start is not None:
        chunks.append(text[start:])
    return chunks


def _inside_number(text: str, i: int) -> bool:
    """Whether position ``i`` holds a comma between two digits of any script."""
    return text[i] == "," and text[i - 1 : i].isdigit() and text[i + 1 : i + 2].isdigit()
