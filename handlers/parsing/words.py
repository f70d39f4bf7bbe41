"""From text to words: what parts them, and where each stands.

A word is what stands between separators. Space, no-break space, tab and round
brackets part words; comma, bullet, semicolon, line break and a full stop at the end of a word part
words and are also a boundary that no name and value bind across; `=` and `:`
part words and link a value to the name before. A comma between two digits is
no separator (`480,250` may be one number or two, and is refused).

Some boundaries part the items of one list: comma, semicolon, bullet, `and`, and a full stop or line break
together with one of these. A full stop or line break alone ends the list, and so does `but`.

What Slack and its editor add is taken off first: entities, the signs of bold,
italic and code where they stand in pairs, bullets and running numbers at the
head of a line. Minus and apostrophe are read as on a plain keyboard. Nothing else
is normalised: control characters, zero-width characters and look-alike letters
stay in their word, which is then unknown.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass

from handlers.parsing.vocabulary import BREAKING_WORDS, JOINING_WORDS

_SPACES = frozenset(" \u00a0\t()")
_BULLETS = frozenset("\u2022\u25e6\u25aa\u2023\u00b7")  # bullet, white and small square bullet, triangle, middle dot
_LINE_BREAKS = frozenset("\n\r")
_BOUNDARIES = frozenset(",;") | _BULLETS | _LINE_BREAKS
_GOES_ON = frozenset(",;")
_LINKS = frozenset("=:")
_FULL_STOP = "."
# str.lower() would turn look-alikes such as the Kelvin sign into ASCII letters.
_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_PLAIN_SIGNS = str.maketrans("\u2212\u2019\u02bc", "-''")  # minus, right quote, modifier apostrophe
# Slack sends these as entities, whose semicolon is no separator; & last, so that nothing is decoded twice.
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", " & "))
_MARKED = re.compile(r"(?<![^\s(,;*_`])([*_`])(?=\S)([^\n*_`]*[^\s*_`])\1(?![^\s),;:.?*_`])")
_MARKS_DEEP = 2  # bold italic
_STAR_BULLET = re.compile(r"^[ \t]*\*(?=[ \t])", re.MULTILINE)
_LIST_NUMBER = re.compile(r"^[ \t]*([0-9]{1,2})[.)](?=[ \t])", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Word:
    """One word in ASCII lower case.

    ``position`` counts words from 1; ``opens`` is true after a boundary and for
    the first word; ``linked`` after `=` or `:`. ``breaks`` marks a boundary that ends a list,
    ``joined`` one made by `and`, ``heads_line`` the first word on one of several lines, and
    ``by_line`` a boundary with a line break but no full stop or `but`.
    """

    text: str
    position: int
    opens: bool
    linked: bool
    breaks: bool = False
    joined: bool = False
    heads_line: bool = False
    by_line: bool = False


def ascii_lower(text: str) -> str:
    """``text`` with ASCII letters in lower case and everything else as it was."""
    return text.translate(_ASCII_LOWER)


def split_words(text: str) -> list[Word]:
    """Words of ``text`` in order; joining words (`and`) are counted but given back as boundaries."""
    text = _plain(text)
    several_lines = len([line for line in text.splitlines() if line.strip()]) > 1
    words: list[Word] = []
    count = 0
    opens, linked, breaks, goes_on, joined, heads = True, False, True, False, False, True
    ended = True  # by a full stop, `but` or the head of the text
    for chunk in _chunks(text):
        if chunk in _BOUNDARIES:
            opens, linked = True, False
            goes_on = goes_on or chunk in _GOES_ON
            if chunk in _LINE_BREAKS:
                breaks, heads = True, True
        elif chunk in _LINKS:
            linked = True
        elif chunk == _FULL_STOP:
            opens, linked, breaks, ended = True, False, True, True
        else:
            count += 1
            bare = chunk.removesuffix(_FULL_STOP)
            stops = bare != chunk
            if bare in JOINING_WORDS:
                opens, linked, goes_on, joined = True, False, True, True
            elif bare in BREAKING_WORDS:
                opens, linked, breaks, goes_on, joined, ended = True, False, True, False, True, True
            else:
                ends_list = breaks and not goes_on
                by_line = heads and not ended
                words.append(Word(bare, count, opens, linked, ends_list, joined, heads and several_lines, by_line))
                opens, linked, breaks, goes_on, joined, heads = stops, False, stops, False, False, False
                ended = stops
    return words


def _plain(text: str) -> str:
    """``text`` in ASCII lower case and without what Slack's editor adds; every character else as it was."""
    text = ascii_lower(text).translate(_PLAIN_SIGNS)
    for entity, character in _ENTITIES:
        text = text.replace(entity, character)
    for _ in range(_MARKS_DEEP):
        text = _MARKED.sub(r"\2", text)
    text = _STAR_BULLET.sub("", text)
    numbers = [int(number) for number in _LIST_NUMBER.findall(text)]
    # A list is numbered from 1 without a gap; anything else may be a figure.
    if len(numbers) > 1 and numbers == list(range(1, len(numbers) + 1)):
        text = _LIST_NUMBER.sub("", text)
    return text


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
    """Whether position ``i`` holds a comma or a middle dot between two digits of any script."""
    return text[i] in ",\u00b7" and text[i - 1 : i].isdigit() and text[i + 1 : i + 2].isdigit()
