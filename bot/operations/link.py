"""The Socket Mode connection as the operator sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from bot.operations.operations import Operations
from bot.operations.readiness import NOT_CONNECTED


class LinkFigures(Protocol):
    """What whoever keeps the connection knows of it.

    ``connections`` is how many Slack counts for the app, None before it said so; ``reconnects`` how many had to be
    made anew, by what ended the one before.
    """

    @property
    def connected(self) -> bool:
        """Whether a connection is open."""

    @property
    def connections(self) -> int | None:
        """Connections of the app that Slack counts."""

    @property
    def reconnects(self) -> Mapping[str, int]:
        """Connections made anew."""

    def last_pong_age_s(self) -> float | None:
        """Seconds since Slack last answered a ping; None before any answer."""


def watch_link(operations: Operations, link: LinkFigures) -> None:
    """Readiness and figures of the connection."""
    operations.readiness.watch("slack", lambda: None if link.connected else NOT_CONNECTED)
    operations.measure("tarla_slack_connected", lambda: float(link.connected))
    operations.measure("tarla_slack_connections", lambda: link.connections)
    operations.measure("tarla_slack_reconnects", lambda: float(sum(link.reconnects.values())))
    operations.measure("tarla_slack_pong_age_seconds", link.last_pong_age_s)
