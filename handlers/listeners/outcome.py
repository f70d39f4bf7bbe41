"""Recording what became of a patient: the ways to the form, and what happens when it is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from handlers.conversation import OUTCOME_WORDS
from handlers.home import HomeDesk
from handlers.listeners.failure import acknowledged_first
from handlers.listeners.payloads import identifier, interaction_asker, part
from handlers.listeners.presses import read_press, tell
from handlers.modals.answer import not_shown_modal
from handlers.outcome.desk import OutcomeDesk, OutcomeRecorded
from handlers.outcome.origin import read_outcome_origin
from handlers.outcome.reading import read_outcome_form
from handlers.outcome.view import outcome_form, recorded_view
from handlers.outcomes import HowToRecord, NotShown
from handlers.parsing.limits import MAX_CHARACTERS
from handlers.parsing.words import ascii_lower
from handlers.receipts import Receipt, read_copied_receipt
from handlers.requests import Asker
from handlers.sending import open_modal

NOT_OPENED = NotShown(
    "form_not_opened", "The form could not be opened.", "Slack allows three seconds for that. Try once more."
)


def asked_for_outcome(text: str) -> Receipt | HowToRecord | None:
    """The receipt after ``outcome``; how to do it where there is none; None where something else is asked."""
    first, *rest = text.split(maxsplit=1) or [""]
    if ascii_lower(first) not in OUTCOME_WORDS:
        return None
    typed = rest[0] if rest else ""
    receipt = read_copied_receipt(typed) if len(typed) <= MAX_CHARACTERS else None
    return receipt or HowToRecord()


async def open_outcome_form(
    desk: OutcomeDesk, client: AsyncWebClient, asked: Receipt | HowToRecord, asker: Asker, command: dict[str, Any]
) -> NotShown | HowToRecord | None:
    """Open the form for a command; None where Slack took it, else what to say instead."""
    if isinstance(asked, HowToRecord):
        return asked
    found = await desk.find(str(asked), asker)
    if isinstance(found, NotShown):
        return found
    view = outcome_form(found, channel=asker.channel)
    return None if await open_modal(client, identifier(command, "trigger_id"), view) else NOT_OPENED


def outcome_button_listener(desk: OutcomeDesk) -> Callable[..., Awaitable[None]]:
    """The listener of *Record outcome* and *Change outcome*."""

    async def open_form(body: dict[str, Any], client: AsyncWebClient) -> None:
        press = read_press(body, client.base_url)
        found = await desk.find(press.receipt, press.asker)
        if isinstance(found, NotShown):
            await tell(client, press, found)
            return
        in_home = press.view is not None and not press.in_modal
        view = outcome_form(found, home=in_home, channel=press.asker.channel)
        if not await open_modal(client, press.trigger_id, view, over=press.in_modal):
            await tell(client, press, NOT_OPENED)

    return acknowledged_first(open_form)


def outcome_submission_listener(desk: OutcomeDesk, home: HomeDesk) -> Callable[..., Awaitable[None]]:
    """The listener of the sent form: the outcome is recorded, then the form's place says so.

    Whatever is in the way of recording leaves the form open, with what was chosen in it.
    """

    async def record(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        view = part(body, "view")
        origin = read_outcome_origin(view.get("private_metadata"))
        outcome = read_outcome_form(part(view, "state").get("values"))
        if isinstance(outcome, dict):
            await ack(response_action="errors", errors=outcome)
            return
        asker = interaction_asker(body, "outcome_form", channel=origin.channel)
        done = await desk.record(origin, outcome, asker)
        if isinstance(done, NotShown):
            await ack(response_action="update", view=not_shown_modal(done))
        elif isinstance(done, OutcomeRecorded):
            await ack(response_action="update", view=recorded_view(done))
            if origin.home:
                await home.refresh(client, asker.user, asker.team)
        else:
            await ack(response_action="errors", errors=dict(done.errors))

    return record
