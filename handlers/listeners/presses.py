"""A button pressed, as its listener sees it: by whom, where, with what, and how the user can be told something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from handlers.conversation import Conversation
from handlers.form.origin import is_slacks
from handlers.listeners.payloads import (
    MalformedPayloadError,
    identifier,
    interaction_asker,
    optional_identifier,
    optional_part,
    part,
)
from handlers.modals.answer import not_shown_modal
from handlers.outcomes import NotShown
from handlers.receipts import read_receipt
from handlers.records import PastAnswer
from handlers.replies import failure
from handlers.requests import Asker
from handlers.retrying import PATIENT
from handlers.sending import open_modal, post


@dataclass(frozen=True, slots=True)
class Press:
    """One press. ``view`` is the modal or Home it happened in; ``response_url`` belongs to a message. Not both.

    ``thread`` is the thread in which that message stands, if it stands in one: an answer belongs there too.

    The repr is withheld: the address is a secret while it is good.
    """

    asker: Asker
    trigger_id: str
    value: str | None
    response_url: str | None
    view: Mapping[str, Any] | None
    thread: str | None = None

    def __repr__(self) -> str:
        return "Press()"

    @property
    def in_modal(self) -> bool:
        """Whether it happened in a modal."""
        return self.view is not None and self.view.get("type") == "modal"

    @property
    def receipt(self) -> str:
        """The receipt of the answer under which the button stands.

        Raises:
            MalformedPayloadError: the button carries none.
        """
        if self.value is None or read_receipt(self.value) is None:
            raise MalformedPayloadError("value")
        return self.value


def read_press(body: Mapping[str, Any], slack: str) -> Press:
    """The press in a ``block_actions`` payload; ``slack`` is the address of Slack's API.

    Raises:
        MalformedPayloadError: it is not of the shape Slack documents, or names an address that is not Slack's; the
            argument names the field.
    """
    pressed, view, url = body.get("actions"), body.get("view"), body.get("response_url")
    if not isinstance(pressed, list) or len(pressed) != 1 or not isinstance(pressed[0], Mapping):
        raise MalformedPayloadError("actions")
    value = pressed[0].get("value")
    if value is not None and not isinstance(value, str):
        raise MalformedPayloadError("value")
    if url not in (None, "") and not is_slacks(url, slack):
        raise MalformedPayloadError("response_url")
    return Press(
        asker=interaction_asker(body, "button"),
        trigger_id=identifier(body, "trigger_id"),
        value=value,
        response_url=url or None,
        view=part(body, "view") if view is not None else None,
        thread=optional_identifier(optional_part(body, "container"), "thread_ts"),
    )


async def tell(client: AsyncWebClient, press: Press, notice: NotShown) -> None:
    """Say why nothing came of a press: in a modal, or where that is too late in a message."""
    if await open_modal(client, press.trigger_id, not_shown_modal(notice), over=press.in_modal):
        return
    if press.response_url is not None:
        said = failure(notice.headline, notice.advice, notice.reason)
        # Tried again: there is no other way left to say it, and without it a press seems to have had no effect.
        await post(client, press.response_url, said, thread=press.thread, again=PATIENT)


async def recalled(conversation: Conversation, client: AsyncWebClient, press: Press) -> PastAnswer | None:
    """The answer under which a button stands, as it was recorded; None once the user was told why there is none."""
    past = await conversation.recall(press.receipt, press.asker)
    if isinstance(past, NotShown):
        await tell(client, press, past)
        return None
    return past
