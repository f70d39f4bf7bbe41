"""Sending notices by Slack: one direct message a person, slowly, each recorded so that no later run sends it again."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import WebClient

from bot.audit.notices import notice
from bot.audit.recalling import Recall
from bot.ledger import open_ledger
from bot.ledger.kinds import LedgerKind
from handlers.blockkit import FALLBACK_TEXT_MAX, escape
from handlers.ports import Clock, Entry, Json

PAYLOAD_VERSION = 1
# chat.postMessage takes about one message a second for each channel, and several hundred a minute in all.
PAUSE_S = 1.1
RATE_LIMITED, TRIES, LONGEST_WAIT_S = 429, 5, 120
ANSWERS_TOLD = 10
_USER = re.compile(r"[UW][A-Z0-9]{2,20}", re.ASCII)
_CODE = re.compile(r"[a-z_]{1,60}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sent:
    """How it went: messages sent, people who had theirs before, and who could not be reached, with the reason."""

    sent: int
    before: int
    failed: tuple[tuple[str, str], ...]


def notify(
    recall: Recall,
    client: WebClient,
    path: Path,
    clock: Clock,
    ref: int,
    *,
    pause: Callable[[float], None] = time.sleep,
) -> Sent:
    """Send each person their notice and record it. ``ref`` is the event of this recall.

    A message that Slack took just before a cut is sent once more by the next run; none is left out.

    Raises:
        LedgerUnavailableError: a notice that was sent cannot be recorded; nothing more is sent.
    """
    known, sent, before = recall.told(), 0, 0
    failed: list[tuple[str, str]] = []
    day = clock.now().date().isoformat()
    writer = open_ledger(path, clock=clock)
    try:
        for who, answers in recall.persons():
            user = who.rpartition("/")[2]
            if who in known:
                before += 1
            elif who.startswith("terminal/") or not _USER.fullmatch(user):
                failed.append((who, "no Slack account is known of them"))
            else:
                text = _message(notice(islice(answers(), ANSWERS_TOLD), recall.summary.model, day))
                code = _post(client, user, text, pause)
                if code is not None:
                    failed.append((who, code))
                    continue
                payload: dict[str, Json] = {
                    "version": PAYLOAD_VERSION,
                    "who": who,
                    "answers": sum(1 for _ in answers()),
                }
                writer.record_blocking(Entry(f"notified:{ref}:{who}", LedgerKind.NOTIFIED, payload, ref))
                sent += 1
                pause(PAUSE_S)
    finally:
        writer.close()
    return Sent(sent, before, tuple(failed))


def _post(client: WebClient, user: str, text: str, pause: Callable[[float], None]) -> str | None:
    """Send one message; None when Slack took it, else why not."""
    for _ in range(TRIES):
        try:
            client.chat_postMessage(channel=user, text=text, unfurl_links=False, unfurl_media=False)
        except SlackApiError as error:
            if error.response.status_code == RATE_LIMITED:
                pause(min(LONGEST_WAIT_S, _seconds(error.response.headers)))
                continue
            code = error.response.get("error")
            return code if isinstance(code, str) and _CODE.fullmatch(code) else "refused"
        except (SlackClientError, OSError) as error:
            return type(error).__name__
        return None
    return "ratelimited"


def _seconds(headers: dict[str, str]) -> float:
    given = {name.lower(): value for name, value in headers.items()}.get("retry-after", "")
    return float(given) if given.isascii() and given.isdigit() else PAUSE_S


def _message(lines: Iterator[str]) -> str:
    """The notice as one message within Slack's limit; what does not fit is said to be missing."""
    rest = "There are more; whoever runs Tarla here has the whole list."
    text = ""
    for line in lines:
        more = f"{text}{escape(line)}\n"
        if len(more) + len(rest) > FALLBACK_TEXT_MAX:
            return f"{text}\n{rest}"
        text = more
    return text.rstrip("\n")
