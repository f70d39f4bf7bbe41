"""Asking Slack for the address of a link, and opening it: what can go wrong, in closed codes.

The address holds a ticket for one link, so one that failed is not tried again.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack_errors import slack_code

# A slow network may need this long; other attempts are made beside it meanwhile (keeper.SLOW_S).
TICKET_S = LINK_S = 8.0
# Where Slack names no time. Its own clients wait 30 s.
UNNAMED_WAIT_S = 30.0
# Slack's limits are by the minute; a longer wait would make the ward wait on the word of a proxy.
LONGEST_WAIT_S = 120.0
TOO_MANY_REQUESTS, SERVER_ERROR = 429, 500
# Answers of Slack's servers being unwell, or busy, in place of an answer about the app.
_UNWELL = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})


class NoLinkError(Exception):
    """No link this time. ``kind`` is a closed code.

    ``wait_s`` is how long Slack said to wait; ``slack_answers`` tells whether its Web API answered as one that works,
    so that the fault lies with the link, with the app's settings, or with this process.
    """

    def __init__(self, kind: str, *, wait_s: float | None = None, slack_answers: bool = False) -> None:
        super().__init__(kind)
        self.kind = kind
        self.wait_s = wait_s
        self.slack_answers = slack_answers


async def ask_for_address(client: AsyncWebClient, app_token: str) -> str:
    """The address of a fresh link.

    Raises:
        NoLinkError: there is none to be had now.
    """
    try:
        async with asyncio.timeout(TICKET_S):
            answer = await client.apps_connections_open(app_token=app_token)
        return str(answer["url"])
    except SlackApiError as error:
        raise _refused(error) from None
    except TimeoutError:
        raise NoLinkError("api_timeout") from None
    except (OSError, aiohttp.ClientError):
        raise NoLinkError("api_unreachable") from None
    except Exception as error:  # noqa: BLE001 - whatever a proxy or the client makes of it, there is no address
        raise NoLinkError(f"api_{type(error).__name__}") from None


def _refused(error: SlackApiError) -> NoLinkError:
    answer = error.response
    status, headers = _status_and_headers(answer)
    code = slack_code(error)
    if status == TOO_MANY_REQUESTS or code == "ratelimited":
        return NoLinkError("api_ratelimited", wait_s=_wait(headers))
    if code is None:
        return NoLinkError(f"api_http_{status}")
    well = status < SERVER_ERROR and code not in _UNWELL
    return NoLinkError(f"api_{code}", slack_answers=well)


def _status_and_headers(answer: Any) -> tuple[int, Any]:
    if isinstance(answer, AsyncSlackResponse):
        return answer.status_code, answer.headers
    # A body that is no JSON: slack_sdk hands on the response itself.
    return int(getattr(answer, "status", 0)), getattr(answer, "headers", {})


def _wait(headers: Any) -> float:
    named = str(headers.get("Retry-After", "")).strip()
    # Slack gives whole seconds; the other form, a date, would depend on the clock here.
    if not (named.isascii() and named.isdigit()):
        return UNNAMED_WAIT_S
    return min(float(named[:9]), LONGEST_WAIT_S)


async def open_socket(
    session: aiohttp.ClientSession, url: str, client: AsyncWebClient
) -> tuple[aiohttp.ClientWebSocketResponse, int | None]:
    """Open the link at ``url`` and wait until Slack greets; the socket, and how many links Slack counts.

    Raises:
        NoLinkError: it cannot be opened, or Slack does not greet.
    """
    try:
        async with asyncio.timeout(LINK_S):
            socket = await session.ws_connect(
                url,
                # Pings and pongs are answered and counted by the link itself.
                autoping=False,
                timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
                proxy=client.proxy,
                ssl=client.ssl if client.ssl is not None else True,
            )
            try:
                return socket, await _greeting(socket)
            except BaseException:
                await close_socket(socket)
                raise
    except aiohttp.WSServerHandshakeError as error:
        raise NoLinkError(f"link_http_{error.status}", slack_answers=True) from None
    except TimeoutError:
        raise NoLinkError("link_timeout", slack_answers=True) from None
    except (OSError, aiohttp.ClientError, ValueError):
        raise NoLinkError("link_unreachable", slack_answers=True) from None
    except NoLinkError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a proxy or the client makes of it, there is no link
        raise NoLinkError(f"link_{type(error).__name__}", slack_answers=True) from None


async def _greeting(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    while True:
        message = await socket.receive()
        if message.type is aiohttp.WSMsgType.PING:
            await socket.pong(message.data)
        elif message.type is aiohttp.WSMsgType.TEXT:
            greeting = json_object(message.data)
            if greeting.get("type") == "hello":
                count = greeting.get("num_connections")
                return count if isinstance(count, int) else None
            if greeting.get("type") == "disconnect":
                raise NoLinkError(disconnect_kind(greeting), slack_answers=True)
        elif message.type is not aiohttp.WSMsgType.PONG:
            raise NoLinkError("link_closed_at_once", slack_answers=True)


def json_object(text: str) -> dict[str, Any]:
    """A message as Slack sends it; empty for what is no JSON object (Slack sends a few plain words now and then)."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


_REASONS = frozenset({"warning", "refresh_requested", "too_many_websockets", "link_disabled"})


def disconnect_kind(message: dict[str, Any]) -> str:
    """Closed code of a ``disconnect`` message's reason."""
    reason = message.get("reason")
    return reason if isinstance(reason, str) and reason in _REASONS else "disconnect"


async def close_socket(socket: aiohttp.ClientWebSocketResponse, seconds: float = 1.0) -> None:
    """Say goodbye and close, whatever the other side does."""
    try:
        async with asyncio.timeout(seconds):
            await socket.close()
    except (TimeoutError, OSError, aiohttp.ClientError):
        return
