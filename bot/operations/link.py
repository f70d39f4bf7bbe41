"""The Socket Mode connection as the operator sees it."""

from __future__ import annotations

import time

from slack_sdk.socket_mode.aiohttp import SocketModeClient

from bot.operations.operations import Operations
from bot.operations.readiness import NOT_CONNECTED


def watch_link(operations: Operations, client: SocketModeClient) -> None:
    """Readiness and figures of ``client``'s connection."""
    operations.readiness.watch("slack", lambda: None if is_connected(client) else NOT_CONNECTED)
    operations.measure("tarla_slack_connected", lambda: float(is_connected(client)))
    operations.measure("tarla_slack_pong_age_seconds", lambda: pong_age(client))


def is_connected(client: SocketModeClient) -> bool:
    """Whether a connection is open and, as far as its pings tell, alive."""
    session = client.current_session
    return not client.closed and not client.stale and session is not None and not session.closed


def pong_age(client: SocketModeClient) -> float | None:
    """Seconds since Slack last answered a ping, by the wall clock as slack_sdk keeps it; None before any answer."""
    last = client.last_ping_pong_time
    return None if last is None else max(0.0, time.time() - last)
