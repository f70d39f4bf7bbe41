"""A denial in the shape that each door takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from handlers.access import Denial
from handlers.blockkit import Block, channel_links, context, ephemeral, escape, plain, section
from handlers.form.origin import is_slacks
from handlers.listeners.arrivals import Arrival, Door
from handlers.listeners.payloads import optional_identifier, optional_part
from handlers.sending import post

# These take the denial in the acknowledgement itself.
ACKNOWLEDGED = frozenset({Door.COMMAND, Door.FORM, Door.FORM_CLOSED, Door.OPTIONS})


def denial_blocks(denial: Denial) -> list[Block]:
    """What a denial says, channels as links."""
    blocks = [section(f"*{escape(denial.headline)}*\n{escape(denial.advice)}")]
    if denial.channels:
        blocks.append(section(f"Ask in {channel_links(denial.channels)}"))
    return [*blocks, context(f"`{denial.code}`")]


def denial_message(denial: Denial) -> dict[str, Any]:
    """The denial as a message that only its reader sees."""
    return ephemeral(f"{denial.headline} {denial.advice} ({denial.code})", denial_blocks(denial))


def denial_view(denial: Denial, kind: str) -> dict[str, Any]:
    """The denial as a ``modal`` or as the ``home`` tab."""
    view: dict[str, Any] = {"type": kind, "blocks": denial_blocks(denial)}
    if kind == "modal":
        view |= {"title": plain("Tarla"), "close": plain("Close")}
    return view


def acknowledgement(arrival: Arrival, denial: Denial | None) -> BoltResponse:
    """What is answered at once: the denial where the door takes it so, else nothing."""
    body: dict[str, Any] | str = ""
    if arrival.door is Door.OPTIONS:
        body = {"options": []}
    elif denial is not None and arrival.door is Door.COMMAND:
        body = denial_message(denial)
    elif denial is not None and arrival.door is Door.FORM:
        body = {"response_action": "update", "view": denial_view(denial, "modal")}
    return BoltResponse(status=200, body=body)


async def tell(arrival: Arrival, denial: Denial, body: Mapping[str, Any], client: AsyncWebClient) -> str | None:
    """Say it through Slack's API where the acknowledgement says nothing; None, or a closed code of what went wrong.

    Not tried again: whoever asks or presses once more is told once more, and nothing waits for it meanwhile.

    Raises:
        Exception: Slack does not take it, as the client puts it.
    """
    event = optional_part(body, "event")
    user, channel = arrival.asker.user, arrival.asker.channel
    message = denial_message(denial)
    text, blocks = message["text"], message["blocks"]
    thread = event["thread_ts"] if isinstance(event.get("thread_ts"), str) else None
    if arrival.door is Door.BUTTON_IN_MESSAGE:
        url = body.get("response_url")
        if not is_slacks(url, client.base_url):
            return "no_response_url"
        thread_ts = optional_identifier(optional_part(body, "container"), "thread_ts")
        return await post(client, str(url), message, thread=thread_ts)
    if arrival.door is Door.BUTTON_IN_FORM:
        await client.views_push(trigger_id=arrival.trigger, view=denial_view(denial, "modal"))
    elif arrival.door in (Door.SHORTCUT, Door.BUTTON_IN_HOME):
        await client.views_open(trigger_id=arrival.trigger, view=denial_view(denial, "modal"))
    elif arrival.door is Door.MENTION and channel is not None:
        await client.chat_postEphemeral(channel=channel, user=user, text=text, blocks=blocks, thread_ts=thread)
    elif arrival.door is Door.DIRECT_MESSAGE and channel is not None:
        await client.chat_postMessage(channel=channel, text=text, blocks=blocks, thread_ts=thread)
    elif arrival.door is Door.HOME and event.get("tab", "home") == "home":
        await client.views_publish(user_id=user, view=denial_view(denial, "home"))
    return None
