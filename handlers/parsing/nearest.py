"""The nearest word of the closed vocabulary, for a slip of the finger."""

from __future__ import annotations

from handlers.parsing.vocabulary import NO_SUGGESTION, SUGGESTIONS

# One slip in a short word, two in a long one; more is a different word.
SHORT_WORD = 5
MAX_WORD_LENGTH = 20  # longer words are not compared


def slips(a: str, b: str) -> int:
    """Letters inserted, left out, replaced, or swapped with their neighbour, to get from ``a`` to ``b``."""
    before_last: list[int] = []
    last = list(range(len(b) + 1))
    for i, from_a in enumerate(a, start=1):
        row = [i]
        for j, from_b in enumerate(b, start=1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (from_a != from_b))
            if i > 1 and j > 1 and from_a == b[j - 2] and a[i - 2] == from_b:
                cost = min(cost, before_last[j - 2] + 1)
            row.append(cost)
        before_last, last = last, row
    return last[-1]


def nearest(word: str) -> str | None:
    """A word of the vocabulary within reach of ``word`` (lower case), or None."""
    if len(word) > MAX_WORD_LENGTH or word in NO_SUGGESTION:
        return None
    reach = 1 if len(word) <= SHORT_WORD else 2
    near = [known for known in SUGGESTIONS if abs(len(known) - len(word)) <= reach]
    best = min(near, key=lambda known: slips(word, known), default=None)
    return best if best is not None and slips(word, best) <= reach else None
