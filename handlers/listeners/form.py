"""The doors to the form, and what happens when it is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from handlers.answer import TableMode
from handlers.conversation import Conversation
from handlers.delivery import CONFIRMED, UNCONFIRMED, message_before_acknowledgement, request_received
from handlers.form import Door, NotUnderstood, Origin, form_view, read_form
from handlers.form.origin import channel_of, read_origin
from handlers.home import HomeDesk
from handlers.listeners.failure import acknowledged_first
from handlers.listeners.payloads import identifier, interaction_asker, part
from handlers.listeners.presses import Press, read_press, recalled, tell
from handlers.modals.answer import (
    EXPIRED,
    NOT_CONFIRMED,
    NOT_TAKEN,
    answer_modal,
    answered_before_modal,
    not_shown_modal,
)
from handlers.outcomes import Answered, NotShown, Repeated
from handlers.replies import message
from handlers.sending import GONE, SEND_SECONDS, change_modal, open_modal, post
from handlers.sending import UNCONFIRMED as NO_WORD

# Slack waits three seconds for the acknowledgement of a form; what is left of this may go to the message.
ACKNOWLEDGED_WITHIN = 2.5
SEE_HOME = "If you have not seen the answer, App Home lists your last ones; or open the form and send it once more."
NO_FORM = NotShown(
    "form_not_opened",
    "The form could not be opened.",
    "Slack allows three seconds for that. Press once more, or type the findings after /tarla.",
)


async def open_from_command(conversation: Conversation, client: AsyncWebClient, command: dict[str, Any]) -> bool:
    """Open the form for a command without words; whether Slack took it."""
    channel, url = identifier(command, "channel_id"), str(command.get("response_url", ""))
    view = form_view(Origin(Door.COMMAND, url, _now(conversation), channel), conversation.site_uln)
    return await open_modal(client, identifier(command, "trigger_id"), view)


def shortcut_listener(conversation: Conversation) -> Callable[..., Awaitable[None]]:
    """The listener of the global shortcut."""

    async def open_form(body: dict[str, Any], client: AsyncWebClient) -> None:
        view = form_view(Origin(Door.SHORTCUT), conversation.site_uln)
        # A shortcut has no message and no channel: where its modal cannot be shown, nothing can be said.
        await open_modal(client, identifier(body, "trigger_id"), view)

    return acknowledged_first(open_form)


def form_button_listener(conversation: Conversation) -> Callable[..., Awaitable[None]]:
    """The listener of "Open the form", in a message or in App Home."""

    async def open_form(body: dict[str, Any], client: AsyncWebClient) -> None:
        press = read_press(body, client.base_url)
        origin = Origin(Door.HOME)
        if press.response_url is not None:
            origin = Origin(
                Door.BUTTON, press.response_url, _now(conversation), press.asker.channel, thread=press.thread
            )
        await _open(client, press, form_view(origin, conversation.site_uln))

    return acknowledged_first(open_form)


def edit_listener(conversation: Conversation) -> Callable[..., Awaitable[None]]:
    """The listener of *Edit*: the form with the answer's findings in it."""

    async def edit(body: dict[str, Any], client: AsyncWebClient) -> None:
        press = read_press(body, client.base_url)
        past = await recalled(conversation, client, press)
        if past is None:
            return
        receipt = past.recorded.receipt
        kept = channel_of(press.view.get("private_metadata")) if press.view is not None else None
        origin = Origin(Door.MODAL, channel=kept, receipt=receipt)
        if press.response_url is not None:
            origin = Origin(
                Door.EDIT, press.response_url, _now(conversation), press.asker.channel, receipt, press.thread
            )
        view = form_view(origin, conversation.site_uln, past.factors)
        if press.view is None or not press.in_modal:
            await _open(client, press, view)
        elif not await change_modal(client, identifier(press.view, "id"), identifier(press.view, "hash"), view):
            await tell(client, press, NO_FORM)

    return acknowledged_first(edit)


def submission_listener(conversation: Conversation, mode: TableMode, home: HomeDesk) -> Callable[..., Awaitable[None]]:
    """The listener of the sent form.

    The answer is recorded first, then sent where the form came from, and only then is the form closed; so what
    the transport records of the acknowledgement is true of the answer. Where Slack does not take the message, the
    acknowledgement itself shows the answer, in the form's place.
    """

    async def answer(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        received = request_received()
        # Slack's three seconds run from there, and the guard has had its part of them.
        started = conversation.clock.monotonic() if received is None else received
        view = part(body, "view")
        origin = read_origin(view.get("private_metadata"), client.base_url)
        asker = interaction_asker(body, "form", channel=origin.channel)
        understood = read_form(part(view, "state").get("values"), conversation.site_uln)
        if isinstance(understood, NotUnderstood):
            await ack(response_action="errors", errors=dict(understood.errors))
            return
        key = f"view:{identifier(view, 'id')}.{identifier(view, 'hash')}"
        said: str | None = ""
        with message_before_acknowledgement() as delivery:
            reply = await conversation.answer(key, understood.factors, understood.notes, asker, origin.edited)
            if isinstance(reply, Answered):
                left = ACKNOWLEDGED_WITHIN - (conversation.clock.monotonic() - started)
                said = await _sent_as_message(conversation, client, origin, reply, mode, min(SEND_SECONDS, left))
                delivery.message = CONFIRMED if said is None else UNCONFIRMED if said == NOT_CONFIRMED else None
        if isinstance(reply, Repeated):
            # Its answer was given once, but whoever sends the form again may not have seen it.
            await ack(response_action="update", view=answered_before_modal(reply, SEE_HOME))
        elif isinstance(reply, Answered):
            if said is None:
                await ack()
            else:
                await ack(response_action="update", view=answer_modal(reply, origin, said))
            if origin.door is Door.HOME:
                await home.refresh(client, asker.user, asker.team)
        elif isinstance(reply, NotShown):
            await ack(response_action="update", view=not_shown_modal(reply))

    return answer


async def _sent_as_message(
    conversation: Conversation,
    client: AsyncWebClient,
    origin: Origin,
    reply: Answered,
    mode: TableMode,
    seconds: float,
) -> str | None:
    """Send the answer to where the form was opened; None when Slack took it, else what to say above it in a modal."""
    if origin.response_url is None:
        return ""
    if origin.expired(_now(conversation)):
        return EXPIRED
    body = message(reply, mode)
    if body is None:
        return ""
    # Not tried again: the form itself shows the answer where Slack does not take the message.
    failed = await post(
        client, origin.response_url, body, replace=origin.door is Door.EDIT, thread=origin.thread, seconds=seconds
    )
    if failed is None:
        return None
    if failed in NO_WORD:
        return NOT_CONFIRMED
    return EXPIRED if failed in GONE else NOT_TAKEN


async def _open(client: AsyncWebClient, press: Press, view: dict[str, Any]) -> None:
    if not await open_modal(client, press.trigger_id, view, over=press.in_modal):
        await tell(client, press, NO_FORM)


def _now(conversation: Conversation) -> int:
    return int(conversation.clock.now().timestamp())
