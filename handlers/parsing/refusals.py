"""Why a text was not understood, in sentences written beforehand.

What a user typed may name a patient, so a refusal cannot carry it: message and
example are looked up by code, the suggestion is a word of the closed
vocabulary, and the position is a number.
"""

from __future__ import annotations

from handlers.parsing.codes import RefusalCode, Topic
from handlers.parsing.refusal_texts import TEXTS
from handlers.parsing.terms import Subject


class Refusal(Exception):  # noqa: N818 - not a fault of the program: an answer, and named so to its readers
    """A text that was not understood, or that asks for what Tarla does not give.

    ``position`` is the number of the word concerned, from 1, or None for the
    text as a whole. ``str()`` gives the token, so a log line or a traceback
    holds nothing that was typed.
    """

    def __init__(
        self,
        code: RefusalCode,
        position: int | None = None,
        *,
        about: Subject | Topic | None = None,
        suggestion: str | None = None,
    ) -> None:
        self.code = code
        # Numbers of further words that would be refused by themselves, so that all can be mended at once.
        self.also: tuple[int, ...] = ()
        self.position = position
        self.about = about
        self.message, self.example = TEXTS[code, about]
        self.suggestion = suggestion
        super().__init__(self.token)

    @property
    def token(self) -> str:
        """Code and position for the log and the ledger: ``E_UNKNOWN_WORD@3``; position 0 is the whole text."""
        return f"{self.code}@{self.position or 0}"
