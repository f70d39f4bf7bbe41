"""Turning away what cannot be answered in time, before Bolt spends its ten milliseconds on it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from slack_bolt.request.internals import parse_body
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.tasks import Background
from handlers.listeners.busy import busy_message, busy_note_to, busy_reply
from handlers.sending import post

# A note costs a connection of its own, when there is much to do: a few at once, and Slack's own sign for the rest.
MOST_NOTES = 20
LOGGED_EVERY_S = 10.0

log = logging.getLogger("tarla.transport")


class Shedding:
    """Says "busy" in the shape that a request's door takes."""

    def __init__(self, client: AsyncWebClient, background: Background, monotonic: Callable[[], float]) -> None:
        self._client = client
        self._background = background
        self._monotonic = monotonic
        self._notes = 0
        self._unlogged = 0
        self._logged_at: float | None = None

    def reply(self, body: Mapping[str, Any]) -> BoltResponse:
        """The reply; a press of a message's button is also told by a message of its own."""
        self._log()
        url = busy_note_to(body, self._client.base_url)
        if url is None or self._notes >= MOST_NOTES:
            return busy_reply(body)
        self._notes += 1
        self._background.start(self._note(url))
        return BoltResponse(status=200, body="")

    async def _note(self, url: str) -> None:
        try:
            await post(self._client, url, busy_message())
        finally:
            self._notes -= 1

    def _log(self) -> None:
        self._unlogged += 1
        now = self._monotonic()
        if self._logged_at is None or now - self._logged_at >= LOGGED_EVERY_S:
            log.warning("busy: %d requests not taken", self._unlogged)
            self._logged_at, self._unlogged = now, 0


def read_body(raw: bytes, content_type: str) -> Mapping[str, Any]:
    """The body as Bolt would read it; empty where it is not of a shape that Slack sends."""
    try:
        body = parse_body(raw.decode(), content_type)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, Mapping) else {}
