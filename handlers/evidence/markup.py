"""One text, written twice: as mrkdwn for Slack and as plain words for terminals and screen readers."""

from __future__ import annotations

import re
from typing import Protocol

from handlers.answer.figures import unbroken
from handlers.blockkit import escape

_PER_CENT = re.compile(r"(?<=\d)%")


class Markup(Protocol):
    """How a piece of text is set. Everything given to it is unescaped."""

    def text(self, words: str) -> str:
        """Words as they stand."""
        ...

    def bold(self, words: str) -> str:
        """Words that stand out."""
        ...

    def name(self, identifier: str) -> str:
        """The id of a record."""
        ...

    def command(self, words: str) -> str:
        """What one can type."""
        ...

    def link(self, address: str, label: str) -> str:
        """An address under a label."""
        ...


class _Mrkdwn:
    def text(self, words: str) -> str:
        return unbroken(escape(spaced(words)))

    def bold(self, words: str) -> str:
        return f"*{self.text(words)}*"

    def name(self, identifier: str) -> str:
        return f"`{escape(identifier)}`"

    def command(self, words: str) -> str:
        return f"`{escape(words)}`"

    def link(self, address: str, label: str) -> str:
        return f"<{escape(address)}|{escape(label)}>"


class _Plain:
    def text(self, words: str) -> str:
        return spaced(words)

    def bold(self, words: str) -> str:
        return spaced(words)

    def name(self, identifier: str) -> str:
        return f"[{identifier}]"

    def command(self, words: str) -> str:
        return words

    def link(self, address: str, label: str) -> str:
        return label if label.startswith("DOI ") else address


MRKDWN: Markup = _Mrkdwn()
PLAIN: Markup = _Plain()


def spaced(words: str) -> str:
    """Percentages as this program writes them, whatever the source: a space before the sign."""
    return _PER_CENT.sub(" %", words)


def capital(words: str) -> str:
    """Words with a capital at the head, unless they begin with a symbol or an acronym (``n``, ``p``)."""
    plain_word = words.startswith("a ") or (words[:2].isalpha() and words[:2].islower())
    return words[0].upper() + words[1:] if plain_word else words


def sentence(words: str) -> str:
    """Words as a sentence."""
    return capital(words) if words.endswith((".", "!", "?")) else f"{capital(words)}."
