"""What is said where more is asked at once than can be answered in time, in the shape that each door takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slack_bolt.response import BoltResponse

from handlers.blockkit import context, ephemeral, section
from handlers.form.origin import is_slacks
from handlers.replies import Message

BUSY = "Busy: try again in a few seconds. Nothing was computed or recorded."
# Slack sends events again by itself: at once, after a minute and after five. It reads no more into this header.
AGAIN_AFTER_S = "5"


def busy_message() -> Message:
    """The words alone, for their reader only."""
    return ephemeral(BUSY, [section(f"*{BUSY}*"), context("`E_BUSY`")])


def busy_reply(body: Mapping[str, Any]) -> BoltResponse:
    """The reply to a request that is not taken; ``body`` as Slack sent it, of whatever shape.

    An event that is not taken comes again. Where no words reach the user in the reply (buttons, shortcuts), Slack
    shows by its own sign that nothing came of it, unless ``busy_note_to`` gives another way.
    """
    if isinstance(body.get("command"), str):
        return BoltResponse(status=200, body=busy_message())
    kind = body.get("type")
    if kind == "view_submission" and (field := _first_field(body.get("view"))) is not None:
        # An error under a field leaves the form open, with what was chosen in it.
        return BoltResponse(status=200, body={"response_action": "errors", "errors": {field: BUSY}})
    if kind == "view_closed":
        return BoltResponse(status=200, body="")  # nobody asks for anything
    if kind == "block_suggestion":
        return BoltResponse(status=200, body={"options": []})
    return BoltResponse(status=503, body="", headers={"Retry-After": AGAIN_AFTER_S})


def busy_note_to(body: Mapping[str, Any], slack: str) -> str | None:
    """The address to which a press of a message's button can be told; ``slack`` is the address of Slack's API."""
    url = body.get("response_url")
    pressed = body.get("type") == "block_actions"
    return url if pressed and isinstance(url, str) and is_slacks(url, slack) else None


def _first_field(view: object) -> str | None:
    blocks = view.get("blocks") if isinstance(view, Mapping) else None
    for block in blocks if isinstance(blocks, list) else []:
        if isinstance(block, Mapping) and block.get("type") == "input" and isinstance(block.get("block_id"), str):
            return str(block["block_id"])
    return None
