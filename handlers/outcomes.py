"""What a conversation can come to: plain data, before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.answer import AnswerView
from handlers.lookup import LookUp, LookUpCode
from handlers.parsing import RefusalCode
from knowledge import Assessment
from knowledge.model import Model


@dataclass(frozen=True)
class Answered:
    """An answer that stands in the ledger, and the model that gave it."""

    view: AnswerView
    assessment: Assessment
    notes: tuple[str, ...]
    receipt: str
    model: Model


@dataclass(frozen=True)
class Refused:
    """No answer, and what to type instead. Nothing in it was typed by the user."""

    code: RefusalCode | LookUpCode
    message: str
    example: str
    position: int | None = None
    suggestion: str | None = None
    also: tuple[int, ...] = ()


@dataclass(frozen=True)
class NotShown:
    """No answer because it could not be recorded or computed: ``reason`` is a closed code."""

    reason: str
    headline: str
    advice: str


@dataclass(frozen=True)
class HowToAsk:
    """Asked for help, or said nothing."""

    example: str


@dataclass(frozen=True)
class HowToRecord:
    """Asked to record an outcome where no form can open, or under nothing that is a receipt; nothing is recorded."""


@dataclass(frozen=True)
class LookedUp:
    """What evidence or label say; ``receipt`` is None where the ledger could not keep that it was shown."""

    look_up: LookUp
    receipt: str | None


@dataclass(frozen=True)
class Repeated:
    """The same request again: it has had its answer."""

    receipt: str


Reply = Answered | Refused | NotShown | HowToAsk | HowToRecord | LookedUp | Repeated
