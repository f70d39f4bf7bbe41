"""HTTP requests as Slack signs and sends them."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from bot.standin import Caller, Workspace, slash_command_payload

SIGNING_SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105 - a test's own secret, valid nowhere
UNUSED_RESPONSE_URL = "http://127.0.0.1:9/response/unused"
_made: set[str] = set()
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """Body and headers of one request to the app."""

    body: str
    headers: dict[str, str]


def signed(
    body: str, *, content_type: str, signing_secret: str = SIGNING_SECRET, timestamp: int | None = None
) -> SignedRequest:
    """Sign a body with Slack's version 0 scheme: HMAC-SHA256 over ``v0:<timestamp>:<body>``.

    ``timestamp`` is in whole seconds since 1970 and defaults to now; Slack's
    receivers refuse one more than five minutes away. The same body signed once
    more within the second gets another time, as what Slack sends again does; to
    send a copy, send the same ``SignedRequest``.
    """
    second = int(time.time()) if timestamp is None else timestamp
    while True:
        when = str(second)
        mac = hmac.new(signing_secret.encode(), f"v0:{when}:{body}".encode(), hashlib.sha256).hexdigest()
        if timestamp is not None or mac not in _made:
            break
        second -= 1
    _made.add(mac)
    return SignedRequest(
        body,
        {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": when,
            "X-Slack-Signature": f"v0={mac}",
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "Accept": "application/json,*/*",
        },
    )


def slash_command_request(
    text: str,
    *,
    command: str = "/tarla",
    caller: Caller | None = None,
    workspace: Workspace | None = None,
    response_url: str = UNUSED_RESPONSE_URL,
    trigger_id: str | None = None,
    signing_secret: str = SIGNING_SECRET,
    timestamp: int | None = None,
) -> SignedRequest:
    """A slash command as a signed form."""
    fields = slash_command_payload(
        text, response_url=response_url, command=command, caller=caller, workspace=workspace, trigger_id=trigger_id
    )
    return signed(urlencode(fields), content_type=FORM, signing_secret=signing_secret, timestamp=timestamp)


def interaction_request(
    payload: Mapping[str, Any], *, signing_secret: str = SIGNING_SECRET, timestamp: int | None = None
) -> SignedRequest:
    """A button, a shortcut or a modal's submission: one form field ``payload`` that holds JSON."""
    body = urlencode({"payload": json.dumps(payload)})
    return signed(body, content_type=FORM, signing_secret=signing_secret, timestamp=timestamp)


def event_request(
    payload: Mapping[str, Any], *, signing_secret: str = SIGNING_SECRET, timestamp: int | None = None
) -> SignedRequest:
    """An event, or the URL verification, as signed JSON."""
    return signed(
        json.dumps(payload), content_type="application/json", signing_secret=signing_secret, timestamp=timestamp
    )
