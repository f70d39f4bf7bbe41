"""Reading Slack's payloads: who, where and which request, and nothing that is not of the documented shape."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from handlers.requests import Asker
from handlers.requests import MalformedPayloadError as MalformedPayloadError

# Slack's ids and trigger ids; nothing else may reach the ledger as who, where or which request.
_IDENTIFIER = re.compile(r"[A-Za-z0-9._-]{1,150}", re.ASCII)

Payload = Mapping[str, Any]


def identifier(payload: Payload, name: str) -> str:
    """The id under ``name``.

    Raises:
        MalformedPayloadError: there is none, or it is no identifier.
    """
    value = payload.get(name)
    if not isinstance(value, str) or not _IDENTIFIER.fullmatch(value):
        raise MalformedPayloadError(name)
    return value


def part(payload: Payload, name: str) -> Payload:
    """The object under ``name``.

    Raises:
        MalformedPayloadError: there is none.
    """
    value = payload.get(name)
    if not isinstance(value, Mapping):
        raise MalformedPayloadError(name)
    return value


def optional_identifier(payload: Payload, name: str) -> str | None:
    """The id under ``name``; None where it is missing, null or empty.

    Raises:
        MalformedPayloadError: it is there and no identifier.
    """
    return identifier(payload, name) if payload.get(name) else None


def optional_part(payload: Payload, name: str) -> Payload:
    """The object under ``name``; an empty one where it is missing, null or empty text.

    Raises:
        MalformedPayloadError: it is there and no object.
    """
    return part(payload, name) if payload.get(name) not in (None, "") else {}


def command_asker(command: Payload) -> Asker:
    """Who typed a slash command, and where.

    Raises:
        MalformedPayloadError: it is not of the shape Slack documents.
    """
    return Asker(
        via="slash_command",
        user=identifier(command, "user_id"),
        channel=identifier(command, "channel_id"),
        team=identifier(command, "team_id"),
        enterprise=optional_identifier(command, "enterprise_id"),
    )


def interaction_asker(body: Payload, via: str, channel: str | None = None) -> Asker:
    """Who pressed a button, sent a form or used a shortcut, and where; a form and App Home have no channel.

    ``channel`` is the one in which the form was opened, where that is known.

    Raises:
        MalformedPayloadError: it is not of the shape Slack documents.
    """
    team, place, enterprise = (optional_part(body, name) for name in ("team", "channel", "enterprise"))
    user = part(body, "user")
    return Asker(
        via=via,
        user=identifier(user, "id"),
        channel=channel or optional_identifier(place, "id"),
        # In an organisation-wide installation the team is missing; the user's own is told beside their id.
        team=optional_identifier(team, "id") or optional_identifier(user, "team_id"),
        enterprise=optional_identifier(enterprise, "id"),
    )


def event_asker(body: Payload, event: Payload, via: str) -> Asker:
    """Who wrote a message, and where.

    Raises:
        MalformedPayloadError: it is not of the shape Slack documents.
    """
    return Asker(
        via=via,
        user=identifier(event, "user"),
        channel=identifier(event, "channel"),
        team=identifier(body, "team_id"),
        enterprise=optional_identifier(body, "enterprise_id"),
    )
