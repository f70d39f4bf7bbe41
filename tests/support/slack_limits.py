"""What Slack would refuse, or show otherwise than meant, in a message or a view.

Local stand-ins accept anything, so every body that leaves the app in a test is
checked here against Slack's published limits. Lengths are in UTF-16 units, the
stricter of the ways to count a character.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from tests.support.slack_limits_blocks import check_blocks
from tests.support.slack_limits_text import Report, check_mrkdwn, check_text_object

FALLBACK_TEXT_MAX = 4_000
MESSAGE_BLOCKS_MAX, VIEW_BLOCKS_MAX = 50, 100
ATTACHMENTS_MAX = 100
VIEW_TITLE_MAX = 24
PRIVATE_METADATA_MAX = 3_000
VIEW_ID_MAX = 255

MESSAGE_KEYS = frozenset(
    {
        *("text", "blocks", "attachments", "response_type", "replace_original", "delete_original", "thread_ts"),
        *("channel", "user", "ts", "mrkdwn", "unfurl_links", "unfurl_media", "metadata", "reply_broadcast"),
    }
)
VIEW_KEYS = {
    "home": frozenset({"type", "blocks", "private_metadata", "callback_id", "external_id"}),
    "modal": frozenset(
        {
            *("type", "blocks", "private_metadata", "callback_id", "external_id", "title", "submit", "close"),
            *("clear_on_close", "notify_on_close", "submit_disabled"),
        }
    ),
}


def check_message(payload: Mapping[str, Any], *, response: bool = True, allowed_links: Collection[str] = ()) -> None:
    """Check a message as the app sends it.

    Args:
        payload: the acknowledgement's or ``response_url``'s body (``response=True``),
            or the arguments of ``chat.postMessage`` and the like (``response=False``).
        allowed_links: what may stand between ``<`` and ``>``, up to any ``|``:
            addresses, or ``@U…`` and ``!date…`` in full.

    Raises:
        AssertionError: with one line for every violation found.
    """
    report = Report(allowed_links=frozenset(allowed_links))
    _serialisable(payload, report)
    if response and payload.get("delete_original") is True and set(payload) == {"delete_original"}:
        return
    if unknown := set(payload) - MESSAGE_KEYS:
        report.add("message", f"unknown keys {sorted(unknown)}")
    if response and payload.get("response_type") not in ("ephemeral", "in_channel"):
        report.add("response_type", "must say 'ephemeral' or 'in_channel'; the default differs between Slacks")
    text = payload.get("text")
    if not isinstance(text, str) or not text.strip():
        report.add("text", "missing or empty: notifications and screen readers need it beside the blocks")
    else:
        report.longest("text", text, FALLBACK_TEXT_MAX)
        check_mrkdwn("text", text, report)
    if "blocks" in payload:
        check_blocks(payload["blocks"], "message", MESSAGE_BLOCKS_MAX, report)
    attachments = payload.get("attachments") or []
    if len(attachments) > ATTACHMENTS_MAX:
        report.add("attachments", f"{len(attachments)} of at most {ATTACHMENTS_MAX}")
    report.finish()


def check_view(view: Mapping[str, Any], *, allowed_links: Collection[str] = ()) -> None:
    """Check a Home or modal view as the app sends it.

    Raises:
        AssertionError: with one line for every violation found.
    """
    report = Report(allowed_links=frozenset(allowed_links))
    _serialisable(view, report)
    kind = view.get("type")
    if kind not in VIEW_KEYS:
        report.add("view", f"type {kind!r} is neither 'home' nor 'modal'")
        report.finish()
    if unknown := set(view) - VIEW_KEYS[str(kind)]:
        report.add("view", f"keys {sorted(unknown)} do not belong in a {kind} view")
    if kind == "modal":
        _check_modal_texts(view, report)
    report.longest("private_metadata", str(view.get("private_metadata", "")), PRIVATE_METADATA_MAX)
    for key in ("callback_id", "external_id"):
        report.longest(key, str(view.get(key, "")), VIEW_ID_MAX)
    check_blocks(view.get("blocks"), str(kind), VIEW_BLOCKS_MAX, report)
    report.finish()


def _check_modal_texts(view: Mapping[str, Any], report: Report) -> None:
    if "title" not in view:
        report.add("title", "a modal must have one")
    for key in ("title", "submit", "close"):
        if key in view:
            check_text_object(key, view[key], VIEW_TITLE_MAX, report, plain=True)
    blocks = view.get("blocks")
    has_input = isinstance(blocks, list) and any(isinstance(b, dict) and b.get("type") == "input" for b in blocks)
    if has_input and "submit" not in view:
        report.add("submit", "a modal with an input block must have one")


def _serialisable(payload: Mapping[str, Any], report: Report) -> None:
    try:
        json.dumps(payload, allow_nan=False)
    except (TypeError, ValueError) as error:
        report.add("body", f"is not JSON: {error}")
