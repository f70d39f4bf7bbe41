"""What an outcome's form carries until it is sent: which answer, what stood then, and where it was opened."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from handlers.receipts import read_receipt
from handlers.requests import MalformedPayloadError

VERSION = 1
FIELD = "private_metadata"
_CHANNEL = re.compile(r"[A-Z][A-Z0-9]{1,30}", re.ASCII)
_PARTS = {"version", "receipt", "replaces", "home", "channel"}


@dataclass(frozen=True, slots=True)
class OutcomeOrigin:
    """``receipt`` is the answer's; ``replaces`` the outcome that the form showed as standing (its number), if any."""

    receipt: str
    replaces: int | None = None
    home: bool = False
    channel: str | None = None

    def written(self) -> str:
        """As text for ``private_metadata``."""
        parts = {"receipt": self.receipt, "replaces": self.replaces, "home": self.home, "channel": self.channel}
        return json.dumps({"version": VERSION, **parts})


def read_outcome_origin(text: object) -> OutcomeOrigin:
    """What ``OutcomeOrigin.written`` wrote.

    Raises:
        MalformedPayloadError: it was not written by this version.
    """
    try:
        parts = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):  # what is nested too deep was not written here
        parts = None
    if not isinstance(parts, dict) or parts.keys() != _PARTS or type(parts["version"]) is not int:
        raise MalformedPayloadError(FIELD)
    receipt, replaces, home, channel = (parts[name] for name in ("receipt", "replaces", "home", "channel"))
    sound = (
        parts["version"] == VERSION
        and isinstance(receipt, str)
        and read_receipt(receipt) is not None
        and (replaces is None or (type(replaces) is int and replaces > 0))
        and type(home) is bool
        and (channel is None or (isinstance(channel, str) and _CHANNEL.fullmatch(channel) is not None))
    )
    if not sound:
        raise MalformedPayloadError(FIELD)
    return OutcomeOrigin(receipt, replaces, home, channel)
