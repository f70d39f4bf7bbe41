"""What goes to Slack on the app's own account: modals, and messages, through a response_url or the Web API.

Whatever Slack or the network does, the caller learns whether it was taken, and can say it another way. What was refused
outright is tried again only where there is no other way; what Slack may have taken, never: nobody is to read an answer
twice.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from slack_sdk.webhook.async_client import AsyncWebhookClient

from handlers.delivery import Sending
from handlers.replies import Message
from handlers.retrying import REFUSED_FOR_NOW, Retrying

# Slack gives a request three seconds, and a trigger_id too; these leave room for the ledger and the way back.
SEND_SECONDS = 1.5
ALMOST_NO_TIME = 0.3
HTTP_OK = 200

# What ``post`` says where Slack may have taken the message all the same: no answer, a page in the answer's place, or a
# gateway that did not hear Slack's.
UNCONFIRMED = frozenset(
    {
        "response_url_timeout",
        "response_url_unreachable",
        "response_url_200",
        "response_url_502",
        "response_url_504",
    }
)
# The address was used up, or is older than thirty minutes.
GONE = frozenset({"response_url_404", "response_url_410"})

_SLACK_CODE = re.compile(r"[a-z_]{1,60}")
_TOO_MANY = frozenset({"ratelimited", "rate_limited"})
# Slack documents of these, whatever status they come with, that part of the work may have been done.
_PERHAPS_DONE = frozenset({"internal_error", "fatal_error"})

log = logging.getLogger("tarla.sending")


async def open_modal(client: AsyncWebClient, trigger_id: str, view: dict[str, Any], *, over: bool = False) -> bool:
    """Show a modal; ``over`` puts it on top of the one in which the trigger was pulled. Whether Slack took it."""
    method = client.views_push if over else client.views_open
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await method(trigger_id=trigger_id, view=view)
    except Exception as error:  # noqa: BLE001 - whatever happened, the user is told another way
        log.warning("modal not shown: %s", _code(error))
        return False
    return True


async def change_modal(client: AsyncWebClient, view_id: str, view_hash: str, view: dict[str, Any]) -> bool:
    """Put another view in the place of one that is open. Whether Slack took it."""
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await client.views_update(view_id=view_id, hash=view_hash, view=view)
    except Exception as error:  # noqa: BLE001 - whatever happened, the caller learns it and says it another way
        log.warning("modal not changed: %s", _code(error))
        return False
    return True


async def post(
    client: AsyncWebClient,
    url: str,
    message: Message,
    *,
    replace: bool = False,
    thread: str | None = None,
    seconds: float = SEND_SECONDS,
    again: Retrying | None = None,
) -> str | None:
    """Send a message through a response_url; None when Slack took it, else a closed code of what went wrong.

    The address is a secret for as long as it is good: nothing of it is logged.

    Args:
        replace: put it in the place of the message pressed.
        thread: that in which the message pressed stands.
        seconds: how long one try may take.
        again: when to try again what was refused for now; None where there is another way to say it.
    """
    quiet = logging.getLogger("tarla.sending.response_url")
    # slack_sdk logs address and body where its logger's own level lets it.
    quiet.setLevel(logging.WARNING)
    # slack_sdk itself makes no second try: Slack may have taken the first, and a message must not appear twice.
    hook = AsyncWebhookClient(
        url, proxy=client.proxy, ssl=client.ssl, session=client.session, logger=quiet, retry_handlers=[]
    )
    body = {**message, **({"thread_ts": thread} if thread else {}), "replace_original": replace}
    started, tries = again.now() if again is not None else 0.0, 0
    while True:
        tries += 1
        outcome = await _post_once(hook, body, max(seconds, ALMOST_NO_TIME))
        if outcome.failure is None or not outcome.for_now or again is None:
            return outcome.failure
        if not await again.wait(tries, started, outcome.retry_after):
            return outcome.failure


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of one try; ``for_now`` where Slack has said that it did not take it and may take it later."""

    failure: str | None
    for_now: bool = False
    retry_after: str | None = None


async def _post_once(hook: AsyncWebhookClient, body: dict[str, Any], seconds: float) -> _Outcome:
    try:
        async with asyncio.timeout(seconds):
            answer = await hook.send_dict(body)
    except TimeoutError:
        return _Outcome("response_url_timeout")
    except Exception as error:  # noqa: BLE001 - whatever happened, the caller learns it and says it another way
        log.warning("message not sent: %s", type(error).__name__)
        return _Outcome("response_url_unreachable")
    status = answer.status_code
    if status == HTTP_OK:
        taken = _taken(answer.body)
        return _Outcome(None if taken else "response_url_200" if taken is None else "response_url_refused")
    return _Outcome(f"response_url_{status}", status in REFUSED_FOR_NOW, answer.headers.get("Retry-After"))


async def insist(call: Callable[[], Awaitable[object]], sending: Sending, seconds: float, again: Retrying) -> None:
    """Call Slack's Web API to say something for which there is no other way; tries are counted in ``sending``.

    Args:
        seconds: how long one try may take.
        again: when to try again what was refused for now.

    Raises:
        Exception: as the client puts it, where Slack did not take it in the end, or may have taken it.
    """
    started, sending.attempts = again.now(), 0
    while True:
        sending.attempts += 1
        try:
            async with asyncio.timeout(seconds):
                await call()
        except SlackApiError as error:
            for_now, retry_after = _refused_for_now(error)
            if not for_now or not await again.wait(sending.attempts, started, retry_after):
                raise
        else:
            return


def _refused_for_now(error: SlackApiError) -> tuple[bool, str | None]:
    """Whether Slack said that it did not take a call and may take it later, and when."""
    answer: Any = error.response  # slack_sdk's, or aiohttp's where the body is no JSON
    status = getattr(answer, "status_code", None) or getattr(answer, "status", None)
    headers = getattr(answer, "headers", None) or {}
    code = _slack_code(error)
    for_now = code not in _PERHAPS_DONE and (status in REFUSED_FOR_NOW or code in _TOO_MANY)
    return for_now, headers.get("Retry-After")


def send_failure(error: Exception) -> str:
    """Closed code of why a message was not sent: Slack's own where it gave one."""
    code = _slack_code(error)
    if code is not None:
        return code
    if isinstance(error, SlackApiError):
        return "slack_refused"
    return "timeout" if isinstance(error, TimeoutError) else "connection_lost"


def _taken(body: str) -> bool | None:
    """Slack's word whether it took a message: ``ok``, or JSON saying so. None where it is not Slack's: a proxy's."""
    # The local Slack takes a message without a word.
    if body.strip() in ("ok", ""):
        return True
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    said = answer.get("ok") if isinstance(answer, dict) else None
    return said if isinstance(said, bool) else None


def _code(error: Exception) -> str:
    """Slack's own code for a refusal, such as ``expired_trigger_id``, or the kind of failure."""
    return _slack_code(error) or type(error).__name__


def _slack_code(error: Exception) -> str | None:
    # A proxy's page in the place of Slack's answer also ends in a SlackApiError, without an answer of Slack's in it.
    answer = error.response if isinstance(error, SlackApiError) else None
    code = answer.get("error") if isinstance(answer, AsyncSlackResponse) else None
    return code if isinstance(code, str) and _SLACK_CODE.fullmatch(code) else None
