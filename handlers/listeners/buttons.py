"""The answer's buttons other than *Edit*: what if, evidence, model, share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from handlers.answer import TableMode
from handlers.blockkit import ephemeral, escape, modal, section
from handlers.comparison import Compared, comparison_blocks, comparison_text
from handlers.conversation import Conversation, no_model
from handlers.delivery import own_delivery
from handlers.evidence.modal import answer_modal, evidence_action
from handlers.listeners.failure import acknowledged_first
from handlers.listeners.payloads import identifier, part
from handlers.listeners.presses import Press, read_press, recalled, tell
from handlers.modals.answer import NOT_CONFIRMED
from handlers.modals.model import model_modal
from handlers.outcomes import NotShown, Repeated
from handlers.requests import MalformedPayloadError
from handlers.sending import UNCONFIRMED, change_modal, open_modal, post
from handlers.sharing import shared_message
from knowledge import ModelError, PatientFactors

Listener = Callable[..., Awaitable[None]]

# Leaves time to open a modal with the same trigger, which Slack lets live three seconds.
MESSAGE_SECONDS = 1.0
NOT_SHARED = NotShown("not_shared", "Not shared: Slack did not take the message.", "Press Share once more.")
UNCONFIRMED_SHARE = NotShown(
    "unconfirmed",
    "Slack did not confirm that this was shared.",
    "It may be in the channel all the same: look there before you press Share again.",
)
NO_CHANNEL = NotShown("no_channel", "Not shared: there is no channel here.", "Ask in the channel and share it there.")


def what_if_listener(conversation: Conversation, mode: TableMode) -> Listener:
    """The listener of *What if*: a comparison as a message of its own, or as a modal where that fails."""

    async def what_if(body: dict[str, Any], client: AsyncWebClient) -> None:
        press = read_press(body, client.base_url)
        past = await recalled(conversation, client, press)
        if past is None:
            return
        async with own_delivery(conversation.ledger, conversation.clock, "response_url") as sending:
            compared = await conversation.compare(f"what_if:{press.trigger_id}", past, press.asker)
            if isinstance(compared, NotShown):
                await tell(client, press, compared)
            elif isinstance(compared, Compared):
                sending.via, sending.failure = await _show(client, press, compared, mode)

    return acknowledged_first(what_if)


async def _show(client: AsyncWebClient, press: Press, compared: Compared, mode: TableMode) -> tuple[str, str | None]:
    """By which way the comparison went, and what went wrong if it did."""
    failure: str | None = None
    if press.response_url is not None:
        text = comparison_text(compared)
        said = ephemeral(text, comparison_blocks(compared, mode))
        # Not tried again: where Slack does not take the message, a modal shows the comparison.
        failure = await post(client, press.response_url, said, thread=press.thread, seconds=MESSAGE_SECONDS)
        if failure is None:
            return "response_url", None
    also = [section(escape(NOT_CONFIRMED))] if failure in UNCONFIRMED else []
    view = modal("What if", [*also, *comparison_blocks(compared, TableMode.TEXT)])
    shown = await open_modal(client, press.trigger_id, view, over=press.in_modal)
    return "modal", None if shown else failure or "modal_not_shown"


def evidence_listener(conversation: Conversation) -> Listener:
    """The listener of *Evidence*: the records behind an answer's figures, and the topics of its findings first."""

    async def evidence(body: dict[str, Any], client: AsyncWebClient) -> None:
        press = read_press(body, client.base_url)
        past = await conversation.recall(press.receipt, press.asker)
        # What is published is the same without the answer; only the order of topics follows its findings.
        factors = PatientFactors() if isinstance(past, NotShown) else past.factors
        await _open(client, press, answer_modal(factors, conversation.today))

    return acknowledged_first(evidence)


def evidence_page_listener(conversation: Conversation) -> Listener:
    """The listener of the choices inside the evidence modal: another topic, another page."""

    async def turn(body: dict[str, Any], client: AsyncWebClient) -> None:
        view, pressed = part(body, "view"), body.get("actions")
        if not isinstance(pressed, list) or len(pressed) != 1 or not isinstance(pressed[0], Mapping):
            raise MalformedPayloadError("actions")
        changed = evidence_action(view, pressed[0], conversation.today)
        if not await change_modal(client, identifier(view, "id"), identifier(view, "hash"), changed):
            await tell(client, read_press(body, client.base_url), NOT_OPENED)

    return acknowledged_first(turn)


def model_listener(conversation: Conversation) -> Listener:
    """The listener of *Model*: the model in use now."""

    async def model(body: dict[str, Any], client: AsyncWebClient) -> None:
        press = read_press(body, client.base_url)
        try:
            view = model_modal(conversation.code_version, conversation.model())
        except ModelError as error:
            await tell(client, press, no_model(error))
        else:
            await _open(client, press, view)

    return acknowledged_first(model)


def share_listener(conversation: Conversation, mode: TableMode) -> Listener:
    """The listener of *Share*: recorded first, then posted to the channel through the button's response_url."""

    async def share(body: dict[str, Any], client: AsyncWebClient) -> None:
        press = read_press(body, client.base_url)
        past = await recalled(conversation, client, press)
        if past is None:
            return
        if press.response_url is None or press.asker.channel is None:
            await tell(client, press, NO_CHANNEL)
            return
        async with own_delivery(conversation.ledger, conversation.clock, "response_url") as sending:
            shared = await conversation.share(f"share:{press.trigger_id}", past, press.asker)
            if isinstance(shared, NotShown):
                await tell(client, press, shared)
            elif not isinstance(shared, Repeated):
                said = shared_message(shared[0], mode, press.asker.user, shared[1])
                # Not tried again: its reader is told at once and may press Share again, and then it would come twice.
                sending.failure = await post(client, press.response_url, said, thread=press.thread)
                if sending.failure is not None:
                    await tell(client, press, UNCONFIRMED_SHARE if sending.failure in UNCONFIRMED else NOT_SHARED)

    return acknowledged_first(share)


async def _open(client: AsyncWebClient, press: Press, view: dict[str, Any]) -> None:
    if not await open_modal(client, press.trigger_id, view, over=press.in_modal):
        await tell(client, press, NOT_OPENED)


NOT_OPENED = NotShown(
    "not_opened", "This could not be opened.", "Slack allows three seconds for that. Press once more."
)
