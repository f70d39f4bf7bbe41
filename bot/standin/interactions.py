"""What Slack puts on the wire for buttons, forms, shortcuts and messages.

Source: Slack's reference for interaction payloads and for the events ``app_mention`` and ``message.im``.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from bot.standin.payloads import Caller, Workspace, new_trigger_id

View = Mapping[str, Any]


def _common(kind: str, caller: Caller, workspace: Workspace) -> dict[str, Any]:
    return {
        "type": kind,
        "team": {"id": workspace.team_id, "domain": workspace.team_domain},
        "user": {
            "id": caller.user_id,
            "username": caller.user_name,
            "name": caller.user_name,
            "team_id": workspace.team_id,
        },
        "api_app_id": workspace.app_id,
        "token": "verification-token-unused",
        "trigger_id": new_trigger_id(),
        "enterprise": None,
        "is_enterprise_install": False,
    }


def pressed_in_message(
    element: Mapping[str, Any],
    *,
    response_url: str,
    block_id: str = "b1",
    ephemeral: bool = True,
    caller: Caller | None = None,
    workspace: Workspace | None = None,
    message_ts: str = "1800000000.000100",
    thread_ts: str | None = None,
) -> dict[str, Any]:
    """``block_actions`` for a button of a message; an ephemeral message itself is not told, its thread is."""
    caller, workspace = caller or Caller(), workspace or Workspace()
    payload = _common("block_actions", caller, workspace)
    payload |= {
        "container": {
            "type": "message",
            "message_ts": message_ts,
            "channel_id": caller.channel_id,
            "is_ephemeral": ephemeral,
        },
        "channel": {"id": caller.channel_id, "name": caller.channel_name},
        "state": {"values": {}},
        "response_url": response_url,
        "actions": [_action(element, block_id)],
    }
    if thread_ts is not None:
        payload["container"]["thread_ts"] = thread_ts
    if not ephemeral:
        payload["message"] = {"type": "message", "ts": message_ts, "user": workspace.bot_user_id, "text": ""}
    return payload


def pressed_in_view(
    element: Mapping[str, Any],
    view: View,
    *,
    values: Mapping[str, Any] | None = None,
    block_id: str = "b1",
    caller: Caller | None = None,
    workspace: Workspace | None = None,
) -> dict[str, Any]:
    """``block_actions`` for an element of a modal or of App Home; there is no response_url."""
    caller, workspace = caller or Caller(), workspace or Workspace()
    payload = _common("block_actions", caller, workspace)
    return payload | {
        "container": {"type": "view", "view_id": view["id"]},
        "view": {**view, "state": {"values": dict(values or {})}},
        "actions": [_action(element, block_id)],
    }


def _action(element: Mapping[str, Any], block_id: str) -> dict[str, Any]:
    told = {key: element[key] for key in ("type", "action_id", "text", "value", "selected_option") if key in element}
    return {
        **told,
        "block_id": block_id,
        "action_ts": f"18000000{secrets.randbelow(90) + 10}.{secrets.randbelow(10**6):06d}",
    }


def submitted(
    view: View,
    values: Mapping[str, Mapping[str, Any]],
    *,
    caller: Caller | None = None,
    workspace: Workspace | None = None,
) -> dict[str, Any]:
    """``view_submission`` of an open modal. ``values`` by block_id and action_id, as Slack gives them."""
    payload = _common("view_submission", caller or Caller(), workspace or Workspace())
    return payload | {"view": {**view, "state": {"values": dict(values)}}, "response_urls": []}


def shortcut_used(
    callback_id: str, *, caller: Caller | None = None, workspace: Workspace | None = None
) -> dict[str, Any]:
    """A global shortcut; it comes without a channel and without a response_url."""
    payload = _common("shortcut", caller or Caller(), workspace or Workspace())
    return payload | {"callback_id": callback_id, "action_ts": "1800000000.000200"}


def message_event(
    text: str,
    *,
    kind: str = "app_mention",
    channel: str | None = None,
    ts: str | None = None,
    caller: Caller | None = None,
    workspace: Workspace | None = None,
    **more: Any,
) -> dict[str, Any]:
    """The body of an ``app_mention`` event, or of ``message`` in a direct message (``kind="message"``)."""
    caller, workspace = caller or Caller(), workspace or Workspace()
    direct = kind == "message"
    stamp = ts or f"18000{secrets.randbelow(90000) + 10000}.{secrets.randbelow(10**6):06d}"
    event: dict[str, Any] = {
        "type": kind,
        "user": caller.user_id,
        "text": text,
        "ts": stamp,
        "event_ts": stamp,
        "channel": channel or ("D0FELLOWDM" if direct else caller.channel_id),
        "team": workspace.team_id,
        **more,
    }
    if direct:
        event |= {"channel_type": "im"} | more
    return {
        "token": "verification-token-unused",
        "team_id": workspace.team_id,
        "api_app_id": workspace.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{secrets.token_hex(5).upper()}",
        "event_time": int(float(stamp)),
        "authorizations": [{"team_id": workspace.team_id, "user_id": workspace.bot_user_id, "is_bot": True}],
    }
