"""What a text states, before it is checked as a whole: one subject, one content, one place."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.parsing.terms import Meaning, Subject
from knowledge.factors import LdhUnit


@dataclass(frozen=True, slots=True)
class Amount:
    """An activity as written: ``unit`` is None when none was; ``said`` is high or normal if the text says so too."""

    value: float
    unit: LdhUnit | None
    said: Meaning | None = None


@dataclass(frozen=True, slots=True)
class Multiple:
    """An LDH as a multiple of its upper limit; ``said`` as in an amount."""

    value: float
    said: Meaning | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """``position`` is the word to point at; ``narrower`` that a single diagnosis was named.

    ``unvalued`` marks a diagnosis that was named without a value and taken as present.

    An LDH states an amount, a multiple or a meaning, an upper limit states an
    amount, and every other subject a meaning.
    """

    subject: Subject
    content: Amount | Multiple | Meaning
    position: int
    narrower: bool = False
    unvalued: bool = False
