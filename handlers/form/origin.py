"""Where a form was opened, kept in the modal itself until it is sent: Slack does not tell it then."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from handlers.receipts import read_receipt
from handlers.requests import MalformedPayloadError

VERSION = 1
# Slack takes a message through a response_url for thirty minutes, and five of them.
RESPONSE_URL_SECONDS = 30 * 60
_SLACK_HOSTS = re.compile(r"hooks\.slack(-gov)?\.com")
_ID = re.compile(r"[A-Z][A-Z0-9]{1,30}", re.ASCII)
_THREAD = re.compile(r"[0-9]{1,12}\.[0-9]{1,8}", re.ASCII)
_URL_MAX = 1_000
FIELD = "private_metadata"


class Door(StrEnum):
    """How a form was opened: a closed list."""

    COMMAND = "command"
    BUTTON = "button"
    EDIT = "edit"
    SHORTCUT = "shortcut"
    HOME = "home"
    MODAL = "modal"


# Where there is a message, or a command that can have one; elsewhere the answer appears in the modal.
WITH_MESSAGE = frozenset({Door.COMMAND, Door.BUTTON, Door.EDIT})


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a form was opened, and where its answer goes.

    ``response_url`` is a secret while it is good, and its repr is withheld with the rest. ``made`` is when
    Slack gave it (seconds since 1970). ``receipt`` is that of the answer being edited, ``thread`` that of
    the message, where it stands in one.
    """

    door: Door
    response_url: str | None = None
    made: int | None = None
    channel: str | None = None
    receipt: str | None = None
    thread: str | None = None

    def __repr__(self) -> str:
        return f"Origin({self.door.value})"

    @property
    def edited(self) -> int | None:
        """The ledger's number of the answer being edited."""
        return int(self.receipt.partition("-")[0]) if self.receipt else None

    def expired(self, now: float) -> bool:
        """Whether Slack no longer takes anything through the response_url."""
        return self.made is None or now - self.made >= RESPONSE_URL_SECONDS

    def without_message(self) -> Origin:
        """The same conversation once its answer stands in a modal."""
        return Origin(Door.MODAL, channel=self.channel, receipt=self.receipt)

    def written(self) -> str:
        """As text for ``private_metadata``."""
        parts = {
            "version": VERSION,
            "door": self.door.value,
            "response_url": self.response_url,
            "made": self.made,
            "channel": self.channel,
            "receipt": self.receipt,
            "thread": self.thread,
        }
        return json.dumps({name: value for name, value in parts.items() if value is not None})


def read_origin(text: object, slack: str) -> Origin:
    """What ``Origin.written`` wrote.

    Args:
        text: the view's ``private_metadata``.
        slack: address of Slack's API, whose host may give response_urls too.

    Raises:
        MalformedPayloadError: it was not written by this version, or names an address that is not Slack's.
    """
    try:
        parts = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):  # what is nested too deep was not written here
        parts = None
    if not isinstance(parts, dict) or type(parts.get("version")) is not int or parts.pop("version") != VERSION:
        raise MalformedPayloadError(FIELD)
    try:
        origin = Origin(door=Door(parts.pop("door", None)), **parts)
    except (TypeError, ValueError):
        raise MalformedPayloadError(FIELD) from None
    url, made = origin.response_url, origin.made
    has_message = origin.door in WITH_MESSAGE
    sound = (
        (url is not None) == has_message == (made is not None)
        and (url is None or is_slacks(url, slack))
        and (made is None or (type(made) is int and made > 0))
        and _matches(_ID, origin.channel)
        and (origin.receipt is None or (isinstance(origin.receipt, str) and read_receipt(origin.receipt) is not None))
        and _matches(_THREAD, origin.thread)
        and (origin.door is not Door.EDIT or origin.receipt is not None)
    )
    if not sound:
        raise MalformedPayloadError(FIELD)
    return origin


def channel_of(text: object) -> str | None:
    """The channel that a modal's ``private_metadata`` names, whichever form wrote it; None where it names none."""
    if not isinstance(text, str):
        return None
    if _ID.fullmatch(text):
        return text
    try:
        parts = json.loads(text)
    except (ValueError, RecursionError):
        return None
    channel = parts.get("channel") if isinstance(parts, dict) else None
    return channel if isinstance(channel, str) and _ID.fullmatch(channel) else None


def _matches(pattern: re.Pattern[str], text: object) -> bool:
    return text is None or (isinstance(text, str) and pattern.fullmatch(text) is not None)


def is_slacks(url: object, slack: str) -> bool:
    """Whether messages may go to this address: Slack's own hosts, and that of the API at ``slack``."""
    if not isinstance(url, str) or len(url) > _URL_MAX:
        return False
    try:
        parts, own = urlsplit(url), urlsplit(slack)
    except ValueError:
        return False
    if (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
        return True
    return parts.scheme == "https" and _SLACK_HOSTS.fullmatch(parts.netloc) is not None
