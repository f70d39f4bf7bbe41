"""A request as a conversation sees it, whatever door it came through."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.ports import Json


class MalformedPayloadError(Exception):
    """A payload is not of the shape Slack documents; the argument is the field's name."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and where: Slack ids, or the account at a terminal. Never a patient."""

    via: str
    user: str
    channel: str | None = None
    team: str | None = None
    enterprise: str | None = None

    def record(self) -> dict[str, Json]:
        """The same for the ledger, without what is not known."""
        parts = {"via": self.via, "user": self.user, "channel": self.channel, "team": self.team}
        parts["enterprise"] = self.enterprise
        return {name: value for name, value in parts.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Question:
    """What was typed, by whom. ``key`` is the same for every delivery of the same request.

    ``text`` is never stored, logged or sent back; its repr is withheld for that reason.
    """

    key: str
    text: str
    asker: Asker

    def __repr__(self) -> str:
        return f"Question(key={self.key!r}, asker={self.asker!r})"
