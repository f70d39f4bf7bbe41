"""Canonical numbers, and the figures that are written without spaces (`480/250u/l`).

Python's own ``float`` takes `4e2`, `1_000`, `nan`, and digits of other scripts.
Here a number has one spelling only, which also keeps most identifiers out:
record numbers with leading zeros, dates and telephone numbers are not numbers.
"""

from __future__ import annotations

import re

from handlers.parsing.vocabulary import FIGURE_SUFFIXES, UNIT_SUFFIXES

MAX_NUMBER_LENGTH = 8  # characters; 9999.999 is as long as any laboratory's figure

_CANONICAL = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_DIGITS_AND_POINT = "0123456789."
_SIGNS = "+-/<>~\u2264\u2265\u2013"  # at most, at least, dash
_NOT_FINITE = frozenset({"nan", "inf", "infinity"})


def canonical_number(text: str) -> float | None:
    """The number that ``text`` spells, or None: ASCII digits, at most one point, no sign, no leading zero."""
    if len(text) > MAX_NUMBER_LENGTH or not _CANONICAL.fullmatch(text):
        return None
    return float(text)


def looks_like_figure(word: str) -> bool:
    """Whether the writer meant ``word`` (lower case, not empty) as a number, right or wrong."""
    bare = word.lstrip(_SIGNS)
    if not bare:
        return False
    return bare[0] in _DIGITS_AND_POINT or bare in _NOT_FINITE or any(c.isnumeric() and not c.isascii() for c in word)


def figure_parts(word: str) -> tuple[str, ...] | None:
    """Split a figure into numbers, `/`, units after a number and a final `x`; None if it is not spelt canonically."""
    parts: list[str] = []
    rest = word
    while rest:
        if rest[0] == "/":
            parts.append("/")
            rest = rest[1:]
            if not rest:
                break
        number = rest[: len(rest) - len(rest.lstrip(_DIGITS_AND_POINT))]
        if canonical_number(number) is None:
            return None
        parts.append(number)
        rest = rest[len(number) :]
        if rest in FIGURE_SUFFIXES:
            parts.append(rest)
            break
        unit = next((suffix for suffix in UNIT_SUFFIXES if rest.startswith(f"{suffix}/")), "")
        if unit:
            parts.append(unit)
            rest = rest[len(unit) :]
        if rest and rest[0] != "/":
            return None
    return tuple(parts)
