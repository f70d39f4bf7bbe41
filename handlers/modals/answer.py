"""An answer in a modal: where there is no channel to show it in, or no message left to change."""

from __future__ import annotations

from typing import Any

from handlers.answer import TableMode, answer_blocks
from handlers.blockkit import escape, modal, notice_modal, section
from handlers.controls import answer_buttons
from handlers.form.origin import Origin
from handlers.outcomes import Answered, NotShown, Repeated

EXPIRED = (
    "The message could no longer be changed or answered: Slack allows that for thirty minutes. "
    "Here is the answer instead."
)
NOT_TAKEN = "Slack did not take the message just now. Here is the answer instead."
NOT_CONFIRMED = "Also here, because Slack did not confirm the message."


def answer_modal(reply: Answered, origin: Origin, said: str | None = None) -> dict[str, Any]:
    """The whole answer, its figures as text because a modal holds no table; ``said`` comes before it."""
    before = [section(escape(said))] if said else []
    # Slack does not say from which channel a modal was opened, so nothing can be shared from here.
    blocks = answer_blocks(reply.view, TableMode.TEXT, answer_buttons(reply.receipt, channel=False))
    return modal("Tarla", [*before, *blocks], private_metadata=origin.without_message().written())


def not_shown_modal(reply: NotShown) -> dict[str, Any]:
    """An apology with its reference; no figure anywhere in it."""
    return notice_modal(reply.headline, reply.advice, reply.reason)


def answered_before_modal(reply: Repeated, advice: str) -> dict[str, Any]:
    """To a form that comes once more: that it has its answer, and what to do where nobody saw it."""
    return notice_modal("This form was answered already.", advice, f"receipt #{reply.receipt}")
