"""Free words: a mention in a channel, answered to its writer alone, and a direct message, answered there."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from handlers.answer import TableMode
from handlers.conversation import Conversation
from handlers.delivery import own_delivery
from handlers.listeners.failure import apology
from handlers.listeners.payloads import MalformedPayloadError, Payload, event_asker, identifier
from handlers.replies import Message, message
from handlers.requests import Question
from handlers.retrying import PATIENT
from handlers.sending import insist, send_failure

# Ordinary messages, and those that only say so when a file hangs on them or a thread is shown in the channel too.
WRITTEN = (None, "file_share", "thread_broadcast")
_LEADING_MENTION = re.compile(r"^\s*<@[A-Z0-9]+(\|[^>]*)?>", re.ASCII)

# One try. Nobody waits with a watch in hand; but it must end, and before a stopping process gives up waiting.
MESSAGE_S = 5.0
REMEMBERED = 1_000

Listener = Callable[..., Awaitable[None]]


def mention_listener(conversation: Conversation, mode: TableMode) -> Listener:
    """The listener of ``app_mention``."""
    answered = Recent(REMEMBERED)

    async def answer(body: dict[str, Any], event: dict[str, Any], client: AsyncWebClient) -> None:
        if _is_written_by_a_person(event):
            question = question_from(body, event, "mention")
            if not answered.is_new(question.key):
                conversation.note_repeat()
                return
            await _answer(conversation, mode, question, event, client)

    return answer


def direct_message_listener(conversation: Conversation, mode: TableMode) -> Listener:
    """The listener of ``message`` in a direct message; a mention elsewhere comes as ``app_mention``."""
    answered = Recent(REMEMBERED)

    async def answer(body: dict[str, Any], event: dict[str, Any], client: AsyncWebClient) -> None:
        if event.get("channel_type") == "im" and _is_written_by_a_person(event):
            question = question_from(body, event, "direct_message")
            if not answered.is_new(question.key):
                conversation.note_repeat()
                return
            await _answer(conversation, mode, question, event, client)

    return answer


class Recent:
    """The last messages taken up, by key. Slack sends one again that it believes not to be taken, and what leaves no
    record (how to ask) has nothing else by which to know it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._keys: dict[str, None] = {}

    def is_new(self, key: str) -> bool:
        """Whether this is the first time; it is remembered, and beyond ``most`` the oldest is forgotten."""
        if key in self._keys:
            return False
        self._keys[key] = None
        if len(self._keys) > self._most:
            del self._keys[next(iter(self._keys))]
        return True


def question_from(body: Payload, event: Payload, via: str) -> Question:
    """The question in a message; the app's own mention is no word of it.

    The key is the message itself: a message has one answer, though Slack may send it more than once.

    Raises:
        MalformedPayloadError: it is not of the shape Slack documents; the argument names the field.
    """
    asker = event_asker(body, event, via)
    text = event.get("text") or ""
    if not isinstance(text, str):
        raise MalformedPayloadError("text")
    key = f"message:{asker.team}:{asker.channel}:{identifier(event, 'ts')}"
    return Question(key=key, text=_without_own_mention(text, body), asker=asker)


def _without_own_mention(text: str, body: Payload) -> str:
    own = {
        str(each["user_id"])
        for each in body.get("authorizations") or []
        if isinstance(each, dict) and each.get("is_bot") and each.get("user_id")
    }
    for user in own:
        text = re.sub(rf"<@{re.escape(user)}(\|[^>]*)?>", " ", text)
    # Where Slack does not tell who we are, the mention that a message begins with is taken for ours.
    return text if own else _LEADING_MENTION.sub(" ", text)


def _is_written_by_a_person(event: Payload) -> bool:
    return event.get("subtype") in WRITTEN and not event.get("bot_id") and bool(event.get("user"))


async def _answer(
    conversation: Conversation, mode: TableMode, question: Question, event: Payload, client: AsyncWebClient
) -> None:
    # A delivery of its own: the transport's is over once the event is acknowledged, which says nothing of the answer.
    async with own_delivery(conversation.ledger, conversation.clock, question.asker.via) as sending:
        try:
            reply = message(await conversation.reply_to(question), mode)
        except Exception as error:  # noqa: BLE001 - nobody else would answer this message
            reply = apology(error)
        if reply is None:
            return
        try:
            # Tried again where Slack refuses for now: nobody presses anything here, so there is no other way to answer.
            await insist(lambda: _send(client, question, event, reply), sending, MESSAGE_S, PATIENT)
        except Exception as error:
            sending.failure = send_failure(error)
            raise
        sending.failure = None


async def _send(client: AsyncWebClient, question: Question, event: Payload, reply: Message) -> None:
    thread = identifier(event, "thread_ts") if event.get("thread_ts") else None
    channel, text, blocks = str(question.asker.channel), reply["text"], reply["blocks"]
    if question.asker.via == "mention":
        user = question.asker.user
        await client.chat_postEphemeral(channel=channel, user=user, thread_ts=thread, text=text, blocks=blocks)
    else:
        await client.chat_postMessage(channel=channel, thread_ts=thread, text=text, blocks=blocks)
