"""The slash command; its acknowledgement is the answer. Without words it opens the form."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from handlers.access import Denial
from handlers.answer import TableMode
from handlers.conversation import Conversation
from handlers.listeners.form import open_from_command
from handlers.listeners.grade import asked_for_form, open_grade_form
from handlers.listeners.outcome import asked_for_outcome, open_outcome_form
from handlers.listeners.payloads import command_asker, identifier
from handlers.listeners.turned_away import denial_message
from handlers.outcome.desk import OutcomeDesk
from handlers.parsing.words import ascii_lower
from handlers.replies import message
from handlers.requests import MalformedPayloadError, Question
from handlers.site import SiteDesk
from handlers.site.desk import SITE_WORD


def command_listener(
    conversation: Conversation, mode: TableMode, desk: SiteDesk, outcomes: OutcomeDesk
) -> Callable[..., Awaitable[None]]:
    """The listener of the slash command."""

    async def answer(ack: AsyncAck, command: dict[str, Any], client: AsyncWebClient) -> None:
        question = question_from(command)
        if await _opened_form(conversation, client, command, question.text):
            await ack()
            return
        receipt = asked_for_outcome(question.text)
        if receipt is not None:
            not_opened = await open_outcome_form(outcomes, client, receipt, question.asker, command)
            # Acknowledged without words where the form is there.
            reply = None if not_opened is None else message(not_opened, mode)
        elif ascii_lower(question.text).split()[:1] == [SITE_WORD]:
            outcome = await desk.reply_to(question)
            reply = denial_message(outcome) if isinstance(outcome, Denial) else message(outcome, mode)
        else:
            reply = message(await conversation.reply_to(question), mode)
        if reply is None:
            # A form says the rest. Or it is the same request once more: it has its answer, a second one would confuse.
            await ack()
        else:
            await ack(**reply)

    return answer


async def _opened_form(conversation: Conversation, client: AsyncWebClient, command: dict[str, Any], text: str) -> bool:
    """Whether a form was asked for and Slack showed it; where it did not, the message says how to go on."""
    if not text.split():
        return await open_from_command(conversation, client, command)
    kind = asked_for_form(text)
    if kind is None:
        return False
    trigger, channel = identifier(command, "trigger_id"), identifier(command, "channel_id")
    return await open_grade_form(client, kind, trigger, channel)


def question_from(command: dict[str, Any]) -> Question:
    """The question in a slash command's payload.

    Raises:
        MalformedPayloadError: it is not of the shape Slack documents; the argument names the field.
    """
    asker = command_asker(command)
    text = command.get("text", "")
    if not isinstance(text, str):
        raise MalformedPayloadError("text")
    return Question(key=f"command:{identifier(command, 'trigger_id')}", text=text, asker=asker)
