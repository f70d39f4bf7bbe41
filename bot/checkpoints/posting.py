"""A checkpoint into a Slack channel: kept there by others than those who hold ledger and key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.ledger.note import Checkpoint

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient


async def post_checkpoint(client: AsyncWebClient, channel: str, checkpoint: Checkpoint, note: str) -> None:
    """Post the note as it is; from the message's text it can be checked without Tarla.

    Raises:
        Exception: Slack cannot be reached or refuses, as slack_sdk tells it.
    """
    words = f"Audit ledger: checkpoint of {checkpoint.size} events. It holds no patient's data."
    # Base64, a name and an em dash: nothing in it that Slack would read as a mark.
    blocks = [
        {"type": "section", "text": {"type": "plain_text", "text": words}},
        {"type": "section", "text": {"type": "mrkdwn", "text": f"```\n{note}```", "verbatim": True}},
    ]
    await client.chat_postMessage(channel=channel, text=words, blocks=blocks, unfurl_links=False, unfurl_media=False)
