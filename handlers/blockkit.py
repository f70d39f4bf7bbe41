"""The few Block Kit shapes that Tarla sends, each kept within Slack's limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Block = dict[str, Any]

# More channels than these are not listed: whoever looks for one needs one.
CHANNELS_SHOWN = 20

# Slack cuts or refuses beyond these (docs.slack.dev, Block Kit reference).
SECTION_TEXT_MAX = 3_000
FALLBACK_TEXT_MAX = 4_000


def escape(text: str) -> str:
    """Text made safe for mrkdwn: Slack's three control characters escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def channel_links(channels: Sequence[str]) -> str:
    """Links to channels by their ids; Slack names a channel only to those who may see it."""
    links = [f"<#{channel}>" for channel in channels[:CHANNELS_SHOWN]]
    return ", ".join(links) + (" and others" if len(channels) > CHANNELS_SHOWN else "")


def section(mrkdwn: str) -> Block:
    """A paragraph of mrkdwn; parts that are not ours must be escaped by the caller."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": _fitting(mrkdwn, SECTION_TEXT_MAX)}}


def context(*mrkdwn: str) -> Block:
    """Small print."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text} for text in mrkdwn]}


def code_section(text: str) -> Block:
    """Monospaced lines as mrkdwn, which every client draws."""
    return section(f"```{escape(text)}```")


def table(rows: list[list[str]]) -> Block:
    """A table; the first row is its head. Slack refuses an empty cell, so it gets a dash."""
    cells = [[{"type": "raw_text", "text": cell or "–"} for cell in row] for row in rows]
    return {"type": "table", "column_settings": [{"is_wrapped": True} for _ in rows[0]], "rows": cells}


def ephemeral(text: str, blocks: list[Block]) -> dict[str, Any]:
    """A message only its reader sees; ``text`` is what notifications and screen readers get."""
    return {"response_type": "ephemeral", "text": _fitting(escape(text), FALLBACK_TEXT_MAX), "blocks": blocks}


def in_channel(text: str, blocks: list[Block]) -> dict[str, Any]:
    """A message that everyone in the channel sees."""
    return {**ephemeral(text, blocks), "response_type": "in_channel"}


def plain(text: str) -> dict[str, Any]:
    """A plain text object, as titles, labels and buttons take it."""
    return {"type": "plain_text", "text": text, "emoji": False}


def button(
    text: str, action_id: str, value: str | None = None, confirm: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A button; ``value`` comes back when it is pressed, after ``confirm`` where something has to be agreed to."""
    element: dict[str, Any] = {"type": "button", "action_id": action_id, "text": plain(text)}
    if value is not None:
        element["value"] = value
    if confirm is not None:
        element["confirm"] = confirm
    return element


def actions(*elements: dict[str, Any]) -> Block:
    """A row of buttons."""
    return {"type": "actions", "elements": list(elements)}


def modal(title: str, blocks: list[Block], **more: Any) -> dict[str, Any]:
    """A modal that is closed, not sent, unless ``more`` gives it a ``submit``."""
    return {"type": "modal", "title": plain(title), "close": plain("Close"), "blocks": blocks, **more}


def notice_modal(headline: str, advice: str, reference: str) -> dict[str, Any]:
    """A modal that only says something; ``reference`` is a closed code or a number the operator can find."""
    said = section(f"*{escape(headline)}*\n{escape(advice)}")
    return modal("Tarla", [said, context(f"reference: {escape(reference)}")])


def _fitting(text: str, limit: int) -> str:
    if len(text) > limit:
        raise ValueError(f"a text of {len(text)} characters does not fit Slack's limit of {limit}")
    return text
