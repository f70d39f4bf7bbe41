"""``make demo``: one case through the real app, with an embedded stand-in for Slack's API.

A signed slash command goes over HTTP into the real Bolt app; what comes back as
the acknowledgement is printed, then the ledger's rows and a check of them.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from textwrap import fill
from typing import Any
from urllib.parse import urlencode

import aiohttp
from pydantic import SecretStr
from slack_sdk.signature import SignatureVerifier

from bot.clock import SystemClock
from bot.compose import make_tarla
from bot.ledger import check_ledger, read_events
from bot.settings import Settings
from bot.standin import SlackStandin, proxies_dropped, slash_command_payload
from bot.transports.http import serve_http, web_application
from handlers.answer.plain import TERMINAL_WIDTH, aligned

WORDS = "ldh 480/250 liver yes dm no cvd yes"
_BOT_TOKEN, _APP_TOKEN, _SIGNING_SECRET = "xoxb-demo", "xapp-demo", "demo-signing-secret"


async def run_demo() -> bool:
    """Run it and print it; whether answer and ledger were as they must be."""
    with tempfile.TemporaryDirectory(prefix="tarla-demo-") as folder, proxies_dropped():
        ledger = Path(folder) / "ledger.db"
        answer = await _answer(ledger)
        print(f"> /tarla {WORDS}\n")
        print(message_text(answer))
        print("\nThe ledger, written before the answer was sent:")
        for event in read_events(ledger):
            print(f"  seq {event.seq} {event.kind:<9} {event.time} leaf {event.leaf.hex()[:16]}…")
            print(fill(_shortened(event.body), TERMINAL_WIDTH, initial_indent="    ", subsequent_indent="    "))
        verdict = check_ledger(ledger)
    hashes = "every hash recomputed and right" if verdict.ok else f"WRONG at seq {verdict.bad_seq}: {verdict.problem}"
    print(f"Check: {verdict.events} events, {hashes}")
    return verdict.ok and verdict.events == 2


async def _answer(ledger: Path) -> dict[str, Any]:
    async with SlackStandin(bot_token=_BOT_TOKEN, app_token=_APP_TOKEN) as slack:
        settings = Settings.model_validate(
            {
                "slack_bot_token": SecretStr(_BOT_TOKEN),
                "slack_signing_secret": SecretStr(_SIGNING_SECRET),
                "slack_api_url": slack.api_url,
                "tarla_ledger": ledger,
            }
        )
        tarla = make_tarla(settings, SystemClock())
        application = web_application(tarla, _SIGNING_SECRET)
        try:
            async with serve_http(application, "127.0.0.1", 0) as address:
                return await _send(address, slash_command_payload(WORDS, response_url=slack.new_response_url()))
        finally:
            await tarla.background.drain(3.0)
            await tarla.ledger.aclose()


async def _send(address: str, fields: dict[str, str]) -> dict[str, Any]:
    """Send a signed slash command as Slack does, and return the acknowledgement's body."""
    body = urlencode(fields)
    stamp = str(int(time.time()))
    signature = SignatureVerifier(_SIGNING_SECRET).generate_signature(timestamp=stamp, body=body)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": str(signature),
    }
    timeout = aiohttp.ClientTimeout(total=5)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(address, data=body, headers=headers) as reply,
    ):
        reply.raise_for_status()
        answer: dict[str, Any] = await reply.json()
        return answer


def message_text(message: dict[str, Any]) -> str:
    """A Slack message's blocks as a terminal can show them."""
    parts = []
    for block in message["blocks"]:
        if block["type"] == "actions":  # a terminal has no buttons
            continue
        if block["type"] == "table":
            rows = [[cell["text"].strip() for cell in row] for row in block["rows"]]
            parts.append("\n".join(aligned(rows, TERMINAL_WIDTH)))
        elif block["type"] == "context":
            lines = [line for element in block["elements"] for line in element["text"].splitlines()]
            parts.append("\n".join(_wrapped(line) for line in lines))
        else:
            parts.append("\n".join(_wrapped(line) for line in block["text"]["text"].splitlines()))
    return "\n\n".join(parts)


def _wrapped(mrkdwn: str) -> str:
    text = mrkdwn.replace("*", "").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return fill(text, TERMINAL_WIDTH)


def _shortened(body: str | None, limit: int = 600) -> str:
    if body is None:
        return "(pruned)"
    text = json.dumps(json.loads(body), ensure_ascii=False)
    return text if len(text) <= limit else f"{text[:limit]}…"
