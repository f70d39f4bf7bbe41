"""The Socket Mode connection as the operator sees it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Protocol

from slack_sdk.socket_mode.aiohttp import SocketModeClient

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


class ClientFigures:
    """The figures of slack_sdk's own client, which does not tell what Slack counts."""

    connections = None

    def __init__(self, client: SocketModeClient) -> None:
        self._client = client

    @property
    def connected(self) -> bool:
        """Whether a connection is open and, as far as its pings tell, alive."""
        client = self._client
        session = client.current_session
        return not client.closed and not client.stale and session is not None and not session.closed

    @property
    def reconnects(self) -> Mapping[str, int]:
        """Not counted by the client."""
        return {}

    def last_pong_age_s(self) -> float | None:
        """By the wall clock, as the client keeps it."""
        last = self._client.last_ping_pong_time
        return None if last is None else max(0.0, time.time() - last)
