"""Receipts: an event's number in the ledger and the first digits of its leaf hash, such as ``1284-3f9a``."""

from __future__ import annotations

import re
from dataclasses import dataclass

DIGITS = 4
_SHOWN = re.compile(rf"([1-9][0-9]{{0,17}})-([0-9a-f]{{{DIGITS}}})", re.ASCII)
_COPIED = re.compile(rf"#?([1-9][0-9]{{0,17}})-([0-9a-f]{{{DIGITS}}})", re.ASCII)
_DASHES = re.compile("[\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{FIGURE DASH}\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}]")
_TYPED = re.compile(rf"#?([1-9][0-9]{{0,17}})(?:-([0-9a-f]{{{DIGITS},64}}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A number, and what its leaf hash must begin with (hexadecimal; empty where only the number was given)."""

    seq: int
    start: str

    def __str__(self) -> str:
        return f"{self.seq}-{self.start}" if self.start else str(self.seq)

    def fits(self, leaf: bytes) -> bool:
        """Whether an event of this number with this leaf hash is the one meant."""
        return leaf.hex().startswith(self.start)


def receipt_of(seq: int, leaf: bytes) -> str:
    """As shown to a reader."""
    return f"{seq}-{leaf.hex()[:DIGITS]}"


def read_receipt(text: str) -> Receipt | None:
    """A receipt exactly as Tarla writes it; None for anything else."""
    return _receipt(_SHOWN.fullmatch(text))


def read_typed_receipt(text: str) -> Receipt | None:
    """A receipt as a person copies it: also with ``#`` before it, in capitals, with more digits or with none."""
    return _receipt(_TYPED.fullmatch(text.strip().lower()))


def read_copied_receipt(text: str) -> Receipt | None:
    """A whole receipt as it gets into a command: with blanks, ``#``, a code's backticks, a telephone's long dash.

    The first digits of the leaf hash must be there: they tell a slip in the number from another patient's receipt.
    """
    words = [word for word in _DASHES.sub("-", text.lower()).replace("`", " ").split() if word != "receipt"]
    return _receipt(_COPIED.fullmatch("".join(words).rstrip(".,;")))


def _receipt(match: re.Match[str] | None) -> Receipt | None:
    return None if match is None else Receipt(int(match[1]), match[2] or "")
