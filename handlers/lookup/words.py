"""Reading the words of a look-up: a closed set of patterns, everything else refused with its place.

Words come in ASCII lower case. Nothing of them leaves this module but what a pattern took in.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# One spelling of a number: ASCII digits, no sign, no leading zero, no exponent; up to two decimals.
WHOLE = r"(?:0|[1-9][0-9]{0,3})"
NUMBER = rf"{WHOLE}(?:\.[0-9]{{1,2}})?"
_END = r"(?![^ ])"
# A point or comma before a digit is never dropped: `.82` is not 82. Of full stops only the last one of a word is.
_HEAD = re.compile(r"(?:[;:()]|,(?![0-9]))*", re.ASCII)
_TAIL = ",;:()"


@dataclass(frozen=True)
class Token:
    """A pattern's name, its groups, and the number of its first word; the look-up's own name is word 1."""

    kind: str
    groups: tuple[str, ...]
    position: int


class UnreadWordError(Exception):
    """A word that no pattern takes; ``position`` is its number."""

    def __init__(self, position: int) -> None:
        super().__init__(f"word {position}")
        self.position = position


def read(words: Sequence[str], patterns: Mapping[str, str]) -> list[Token]:
    """Tokens from left to right; the first pattern that fits up to the end of a word is taken.

    Commas, semicolons, colons, brackets and a final full stop count as spaces, but not a point or comma in front of a
    digit, nor a point alone: they may be a decimal sign.

    Raises:
        UnreadWordError: no pattern fits at some word.
    """
    compiled = {kind: re.compile(pattern + _END, re.ASCII) for kind, pattern in patterns.items()}
    bare = [_bare(word) for word in words]
    text, starts = "", []
    for word in bare:
        starts.append(len(text))
        text += f"{word} "
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        if text[at] == " ":
            at += 1
            continue
        position = 1 + bisect_right(starts, at)
        for kind, pattern in compiled.items():
            if match := pattern.match(text, at):
                tokens.append(Token(kind, tuple(group or "" for group in match.groups()), position))
                at = match.end()
                break
        else:
            raise UnreadWordError(position)
    return tokens


def _bare(word: str) -> str:
    """The word without the punctuation around it."""
    if set(word) == {"."}:
        return word
    head = _HEAD.match(word)
    bare = word[head.end() :] if head else word
    return bare.rstrip(_TAIL).removesuffix(".").rstrip(_TAIL)
