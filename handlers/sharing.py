"""An answer shown to a whole channel: the same figures, with who shared it, and nothing to press."""

from __future__ import annotations

from handlers.answer import TableMode, answer_blocks
from handlers.blockkit import context, in_channel, section
from handlers.outcomes import Answered
from handlers.replies import Message


def shared_message(reply: Answered, mode: TableMode, user: str, receipt: str) -> Message:
    """The answer as shared by ``user`` (a Slack id); ``receipt`` is that of the sharing."""
    blocks = [
        section(f"Shared by <@{user}>"),
        *answer_blocks(reply.view, mode),
        context(f"receipt of the sharing #{receipt}, of answer #{reply.receipt}"),
    ]
    return in_channel(f"Shared answer. {reply.view.title}: {reply.view.summary}", blocks)
