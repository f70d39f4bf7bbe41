"""Whatever went wrong: an apology with a reference, in the shape that the door takes."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from handlers.blockkit import notice_modal
from handlers.delivery import NOT_DRAWN, note_flaw
from handlers.form.origin import is_slacks
from handlers.replies import Message, failure
from handlers.retrying import PATIENT
from handlers.sending import open_modal, post

log = logging.getLogger("tarla.handlers")

# What is done for a button or shortcut once it is acknowledged.
Interaction = Callable[[dict[str, Any], AsyncWebClient], Awaitable[None]]

HEADLINE = "Not shown: something went wrong inside Tarla."
ADVICE = "It is not your typing. Try once more, and if it happens again tell whoever runs Tarla here."


def apology(error: Exception) -> Message:
    """Log a failure without any value, and say that it happened; the reference leads from one to the other."""
    note_flaw(NOT_DRAWN)
    return failure(HEADLINE, ADVICE, _logged(error))


async def apologise(error: Exception, body: Mapping[str, Any], response: BoltResponse | None) -> BoltResponse | None:
    """Answer any unforeseen failure in the shape that the door takes."""
    if response is None:
        # Acknowledged before it failed: Bolt takes no answer any more.
        _logged(error)
        return None
    if body.get("type") == "view_submission":
        # A form takes a view for an answer, not a message.
        note_flaw(NOT_DRAWN)
        reply: dict[str, Any] = {
            "response_action": "update",
            "view": notice_modal(HEADLINE, ADVICE, _logged(error)),
        }
    else:
        reply = apology(error)
    return BoltResponse(status=200, body=json.dumps(reply), headers={"content-type": ["application/json"]})


def acknowledged_first(work: Interaction) -> Callable[..., Awaitable[None]]:
    """The listener that acknowledges a button or shortcut and then does ``work``, apologising where that fails.

    Bolt itself would forget the acknowledgement when a listener fails right after it, and Slack would report a failure
    of its own.
    """

    async def listener(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        try:
            await work(body, client)
        except Exception as error:  # noqa: BLE001 - Bolt's own handler comes too late here
            await _say(body, client, _logged(error))

    return listener


async def _say(body: Mapping[str, Any], client: AsyncWebClient, reference: str) -> None:
    """Apologise in a modal, or where that is too late in a message."""
    trigger, view, url = body.get("trigger_id"), body.get("view"), body.get("response_url")
    in_modal = isinstance(view, Mapping) and view.get("type") == "modal"
    notice = notice_modal(HEADLINE, ADVICE, reference)
    shown = isinstance(trigger, str) and await open_modal(client, trigger, notice, over=in_modal)
    if not shown and isinstance(url, str) and is_slacks(url, client.base_url):
        # Tried again: there is no other way left to say it.
        await post(client, url, failure(HEADLINE, ADVICE, reference), again=PATIENT)


def _logged(error: Exception) -> str:
    """A reference for the user, logged with what failed and where."""
    reference = secrets.token_hex(4)
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = f"{frame.tb_frame.f_code.co_name}:{frame.tb_lineno}" if frame is not None else "unknown"
    facts = {"reference": reference, "failure": type(error).__name__, "place": place}
    log.error("failure reference=%s type=%s at=%s", *facts.values(), extra=facts)
    return reference
