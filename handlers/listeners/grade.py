"""The forms that work out a grade of CRS or ICANS: opened by command or button, answered in the form's place."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from handlers.blockkit import modal
from handlers.controls import GRADE
from handlers.conversation import Conversation
from handlers.listeners.failure import acknowledged_first
from handlers.listeners.payloads import identifier, interaction_asker, part
from handlers.listeners.presses import read_press, tell
from handlers.lookup.grade import grade_result
from handlers.lookup.grade_form import GradeKind, grade_form_view, read_grade_form
from handlers.modals.answer import answered_before_modal, not_shown_modal
from handlers.outcomes import LookedUp, NotShown
from handlers.parsing.words import ascii_lower
from handlers.replies import look_up_blocks
from handlers.requests import MalformedPayloadError
from handlers.sending import open_modal

NOT_OPENED = NotShown(
    "not_opened", "The form could not be opened.", "Slack allows three seconds for that. Press once more."
)
SEND_AGAIN = "If you have not seen the grade, open the form and send it once more."
# Kept in the modal until it is sent: the channel, which Slack does not tell then.
_CHANNEL = re.compile(r"[A-Z][A-Z0-9]{1,30}|", re.ASCII)


def asked_for_form(text: str) -> GradeKind | None:
    """The form that a command asks for outright: ``grade crs`` or ``grade icans`` and no more."""
    words = ascii_lower(text).split()
    return next((kind for kind in GRADE if words == ["grade", kind]), None)


async def open_grade_form(client: AsyncWebClient, kind: GradeKind, trigger_id: str, channel: str) -> bool:
    """Open the form; whether Slack took it."""
    return await open_modal(client, trigger_id, grade_form_view(kind, channel))


def grade_button_listener(kind: GradeKind) -> Callable[..., Awaitable[None]]:
    """The listener of the button that opens the form."""

    async def open_form(body: dict[str, Any], client: AsyncWebClient) -> None:
        press = read_press(body, client.base_url)
        view = grade_form_view(kind, press.asker.channel or "")
        if not await open_modal(client, press.trigger_id, view, over=press.in_modal):
            await tell(client, press, NOT_OPENED)

    return acknowledged_first(open_form)


def grade_submission_listener(conversation: Conversation, kind: GradeKind) -> Callable[..., Awaitable[None]]:
    """The listener of the sent form: the grade is recorded, then shown in the form's place."""

    async def answer(ack: AsyncAck, body: dict[str, Any]) -> None:
        view = part(body, "view")
        channel = view.get("private_metadata") or ""
        if not isinstance(channel, str) or not _CHANNEL.fullmatch(channel):
            raise MalformedPayloadError("private_metadata")
        findings = read_grade_form(kind, part(part(view, "state"), "values"))
        if isinstance(findings, dict):
            await ack(response_action="errors", errors=findings)
            return
        asker = interaction_asker(body, "grade_form", channel=channel or None)
        key = f"view:{identifier(view, 'id')}.{identifier(view, 'hash')}"
        reply = await conversation.look_up(key, grade_result(findings, conversation.today), asker)
        if isinstance(reply, LookedUp):
            grade = reply.look_up.arguments["grade"]
            title = f"{kind.upper()} grade {grade}" if grade else f"{kind.upper()}: no grade"
            await ack(response_action="update", view=modal(title, look_up_blocks(reply)))
        elif isinstance(reply, NotShown):
            await ack(response_action="update", view=not_shown_modal(reply))
        else:
            await ack(response_action="update", view=answered_before_modal(reply, SEND_AGAIN))

    return answer
