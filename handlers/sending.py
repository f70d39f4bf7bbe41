"""What goes to Slack on the app's own account: modals, and messages through a response_url.

Whatever Slack or the network does, the caller learns whether it was taken, and can say it another way.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from slack_sdk.webhook.async_client import AsyncWebhookClient

from handlers.replies import Message

# Slack gives a request three seconds, and a trigger_id too; these leave room for the ledger and the way back.
SEND_SECONDS = 1.5
ALMOST_NO_TIME = 0.3
HTTP_OK = 200

# What ``post`` says where Slack may have taken the message all the same.
UNCONFIRMED = frozenset({"response_url_timeout", "response_url_unreachable"})

_SLACK_CODE = re.compile(r"[a-z_]{1,60}")

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
) -> str | None:
    """Send a message through a response_url; None when Slack took it, else a closed code of what went wrong.

    ``replace`` puts it in the place of the message pressed; ``thread`` is that in which it stands.

    The address is a secret for as long as it is good: nothing of it is logged.
    """
    quiet = logging.getLogger("tarla.sending.response_url")
    # slack_sdk logs address and body where its logger's own level lets it.
    quiet.setLevel(logging.WARNING)
    # No second try: Slack may have taken the first, and a message must not appear twice.
    hook = AsyncWebhookClient(
        url, proxy=client.proxy, ssl=client.ssl, session=client.session, logger=quiet, retry_handlers=[]
    )
    in_thread = {"thread_ts": thread} if thread else {}
    failure = None
    try:
        async with asyncio.timeout(max(seconds, ALMOST_NO_TIME)):
            answer = await hook.send_dict({**message, **in_thread, "replace_original": replace})
        if answer.status_code != HTTP_OK or not _taken(answer.body):
            failure = f"response_url_{answer.status_code}"
    except TimeoutError:
        failure = "response_url_timeout"
    except Exception as error:  # noqa: BLE001 - whatever happened, the caller learns it and says it another way
        failure = "response_url_unreachable"
        log.warning("message not sent: %s", type(error).__name__)
    return failure


def send_failure(error: Exception) -> str:
    """Closed code of why a message was not sent: Slack's own where it gave one."""
    code = _slack_code(error)
    if code is not None:
        return code
    if isinstance(error, SlackApiError):
        return "slack_refused"
    return "timeout" if isinstance(error, TimeoutError) else "connection_lost"


def _taken(body: str) -> bool:
    """Whether this is Slack's word that it took a message: ``ok``, or JSON saying so. A proxy's page is not."""
    # The local Slack takes a message without a word.
    if body.strip() in ("ok", ""):
        return True
    try:
        answer = json.loads(body)
    except ValueError:
        return False
    return isinstance(answer, dict) and answer.get("ok") is True


def _code(error: Exception) -> str:
    """Slack's own code for a refusal, such as ``expired_trigger_id``, or the kind of failure."""
    return _slack_code(error) or type(error).__name__


def _slack_code(error: Exception) -> str | None:
    # A proxy's page in the place of Slack's answer also ends in a SlackApiError, without an answer of Slack's in it.
    answer = error.response if isinstance(error, SlackApiError) else None
    code = answer.get("error") if isinstance(answer, AsyncSlackResponse) else None
    return code if isinstance(code, str) and _SLACK_CODE.fullmatch(code) else None
