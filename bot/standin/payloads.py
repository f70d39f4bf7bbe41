"""What Slack puts on the wire for a slash command, for Socket Mode's hello and for its refresh."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Workspace:
    """The workspace that Slack speaks of, and the app installed in it."""

    team_id: str = "T0TARLADEV"
    team_domain: str = "oncology-example"
    team_name: str = "Oncology (example)"
    app_id: str = "A0TARLADEV"
    bot_id: str = "B0TARLADEV"
    bot_user_id: str = "U0TARLABOT"
    bot_name: str = "tarla"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who typed a command, and where."""

    user_id: str = "U0FELLOW01"
    user_name: str = "fellow"
    channel_id: str = "C0TUMOURBD"
    channel_name: str = "tumour-board"


def new_trigger_id() -> str:
    """A trigger id of Slack's shape: two numbers and a hexadecimal part."""
    return f"{secrets.randbelow(10**13):013d}.{secrets.randbelow(10**12):012d}.{secrets.token_hex(16)}"


def slash_command_payload(
    text: str,
    *,
    response_url: str,
    command: str = "/tarla",
    caller: Caller | None = None,
    workspace: Workspace | None = None,
    trigger_id: str | None = None,
) -> dict[str, str]:
    """The fields of a slash command: the form of the HTTP request, the payload of the envelope.

    Every value is a string, ``is_enterprise_install`` too. The organisation's
    two fields appear only in an Enterprise organisation and are left out.
    Source: Slack's reference for slash commands and Bolt's ``SlashCommand`` type.
    """
    caller = caller or Caller()
    workspace = workspace or Workspace()
    return {
        "token": "verification-token-unused",
        "team_id": workspace.team_id,
        "team_domain": workspace.team_domain,
        "channel_id": caller.channel_id,
        "channel_name": caller.channel_name,
        "user_id": caller.user_id,
        "user_name": caller.user_name,
        "command": command,
        "text": text,
        "api_app_id": workspace.app_id,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger_id or new_trigger_id(),
    }


def envelope(kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    """A Socket Mode envelope; only an event cannot be answered in its acknowledgement."""
    return {
        "envelope_id": str(uuid.uuid4()),
        "type": kind,
        "payload": payload,
        "accepts_response_payload": kind != "events_api",
    }


def hello(app_id: str, num_connections: int) -> dict[str, Any]:
    """The first message on a socket. ``num_connections`` counts the app's open sockets."""
    return {
        "type": "hello",
        "num_connections": num_connections,
        "connection_info": {"app_id": app_id},
        "debug_info": {"host": "loopback-standin", "approximate_connection_time": 3600},
    }


def disconnect(reason: str) -> dict[str, Any]:
    """Slack's notice that this socket will close: ``warning``, ``refresh_requested`` or ``link_disabled``."""
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "loopback-standin"}}
