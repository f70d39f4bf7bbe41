"""What Tarla listens to in Slack: the command, App Home, and whatever went wrong."""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from handlers.answer import TableMode
from handlers.conversation import Conversation
from handlers.home import home_view
from handlers.replies import failure, message
from handlers.requests import Asker, Question

COMMAND = "/tarla"
EVENTS = ("app_home_opened",)
# Bot scopes for the above: commands for /tarla; publishing App Home needs none.
SCOPES = ("commands",)

# Slack's ids and trigger ids; nothing else may reach the ledger as who, where or which request.
_IDENTIFIER = re.compile(r"^[A-Za-z0-9._-]{1,150}$", re.ASCII)

log = logging.getLogger("tarla.handlers")


class MalformedPayloadError(Exception):
    """A payload is not of the shape Slack documents; the argument is the field's name."""


def register_listeners(app: AsyncApp, conversation: Conversation, mode: TableMode) -> None:
    """Attach every listener to the app."""
    app.command(COMMAND)(command_listener(conversation, mode))
    app.event(EVENTS[0])(home_listener(conversation))
    app.error(apologise)


def command_listener(conversation: Conversation, mode: TableMode) -> Callable[..., Awaitable[None]]:
    """The listener of the slash command; its acknowledgement is the answer."""

    async def answer(ack: AsyncAck, command: dict[str, Any]) -> None:
        question = question_from(command)
        reply = message(await conversation.reply_to(question), mode)
        if reply is None:
            # The same request once more: it has its answer, a second one would confuse.
            await ack()
        else:
            await ack(**reply)

    return answer


def question_from(command: dict[str, Any]) -> Question:
    """The question in a slash command's payload.

    Raises:
        MalformedPayloadError: it is not of the shape Slack documents; the key names the field.
    """
    asker = Asker(
        via="slash_command",
        user=_identifier(command, "user_id"),
        channel=_identifier(command, "channel_id"),
        team=_identifier(command, "team_id"),
        enterprise=_identifier(command, "enterprise_id") if command.get("enterprise_id") else None,
    )
    text = command.get("text", "")
    if not isinstance(text, str):
        raise MalformedPayloadError("text")
    return Question(key=f"command:{_identifier(command, 'trigger_id')}", text=text, asker=asker)


def _identifier(payload: dict[str, Any], name: str) -> str:
    value = payload.get(name)
    if not isinstance(value, str) or not _IDENTIFIER.match(value):
        raise MalformedPayloadError(name)
    return value


def home_listener(conversation: Conversation) -> Callable[..., Awaitable[None]]:
    """The listener that fills App Home when a user opens it."""

    async def show_home(event: dict[str, Any], client: AsyncWebClient) -> None:
        if event.get("tab") == "home":
            await client.views_publish(user_id=_identifier(event, "user"), view=home_view(conversation.site_uln))

    return show_home


async def apologise(error: Exception, response: BoltResponse | None) -> BoltResponse | None:
    """Answer any unforeseen failure with an apology and a reference; the log gets no value of any kind."""
    reference = secrets.token_hex(4)
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = f"{frame.tb_frame.f_code.co_name}:{frame.tb_lineno}" if frame is not None else "unknown"
    log.error("failure reference=%s type=%s at=%s", reference, type(error).__name__, place)
    if response is None:
        # Acknowledged before it failed: Bolt takes no answer any more.
        return None
    body = failure(
        "Risk not shown: something went wrong inside Tarla.",
        "It is not your typing. Try once more, and if it happens again tell whoever runs Tarla here.",
        reference,
    )
    return BoltResponse(status=200, body=json.dumps(body), headers={"content-type": ["application/json"]})
