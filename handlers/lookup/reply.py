"""What a look-up gives back: blocks that quote records by their ids, or a refusal that says what to type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from handlers.blockkit import Block
from handlers.ports import Json


@dataclass(frozen=True)
class LookUp:
    """One look-up, answered.

    ``code`` is a closed name for the ledger (``dose.restart``, ``evidence.icans``) and ``arguments`` what was
    understood: closed vocabulary and numbers in range, never typed text. ``records`` are the ids of everything quoted;
    each is visible in the block that quotes it. ``about_patient`` is true where a figure was worked out for one
    patient: such a look-up is shown only once it stands in the ledger. ``text`` is the whole in plain words, for
    notifications, screen readers and terminals; where that is more than Slack takes, ``text`` says so and
    ``long_text`` is the whole, for a terminal.
    """

    code: str
    text: str
    blocks: tuple[Block, ...]
    records: tuple[str, ...]
    arguments: Mapping[str, Json] = field(default_factory=dict)
    about_patient: bool = False
    long_text: str | None = None


class LookUpCode(StrEnum):
    """Closed list of reasons why a look-up was refused; kept in the ledger, never changing meaning."""

    UNKNOWN_TOPIC = "E_LOOKUP_TOPIC"
    NOT_UNDERSTOOD = "E_LOOKUP_NOT_UNDERSTOOD"
    OUT_OF_RANGE = "E_LOOKUP_OUT_OF_RANGE"
    NOT_IN_LABEL = "E_LOOKUP_NOT_IN_LABEL"


class LookUpRefusal(Exception):  # noqa: N818 - an answer, as ``parsing.Refusal`` is
    """A look-up that was not understood. Message and example are fixed texts; nothing in them was typed by the user."""

    def __init__(self, code: LookUpCode, message: str, example: str, position: int = 0) -> None:
        super().__init__(f"{code}@{position}")
        self.code = code
        self.message = message
        self.example = example
        self.position = position

    @property
    def token(self) -> str:
        """Code and number of the word, for log and ledger; 0 is the whole."""
        return f"{self.code}@{self.position}"
