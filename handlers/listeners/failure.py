"""Whatever went wrong: an apology with a reference, in the shape that the door takes."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Mapping
from typing import Any

from slack_bolt.response import BoltResponse

from handlers.blockkit import notice_modal
from handlers.replies import Message, failure

log = logging.getLogger("tarla.handlers")

HEADLINE = "Not shown: something went wrong inside Tarla."
ADVICE = "It is not your typing. Try once more, and if it happens again tell whoever runs Tarla here."


def apology(error: Exception) -> Message:
    """Log a failure without any value, and say that it happened; the reference leads from one to the other."""
    return failure(HEADLINE, ADVICE, _logged(error))


async def apologise(error: Exception, body: Mapping[str, Any], response: BoltResponse | None) -> BoltResponse | None:
    """Answer any unforeseen failure in the shape that the door takes."""
    if response is None:
        # Acknowledged before it failed: Bolt takes no answer any more.
        _logged(error)
        return None
    if body.get("type") == "view_submission":
        # A form takes a view for an answer, not a message.
        reply: dict[str, Any] = {
            "response_action": "update",
            "view": notice_modal(HEADLINE, ADVICE, _logged(error)),
        }
    else:
        reply = apology(error)
    return BoltResponse(status=200, body=json.dumps(reply), headers={"content-type": ["application/json"]})


def _logged(error: Exception) -> str:
    reference = secrets.token_hex(4)
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = f"{frame.tb_frame.f_code.co_name}:{frame.tb_lineno}" if frame is not None else "unknown"
    log.error("failure reference=%s type=%s at=%s", reference, type(error).__name__, place)
    return reference
