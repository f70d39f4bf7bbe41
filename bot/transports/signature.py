"""Only what Slack has signed reaches Bolt; everything else is turned away with 401 and one line in the log.

Bolt parses a body before it looks at the signature, and takes some malformed
headers for failures of its own; so both are looked at here first.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from slack_sdk.signature import SignatureVerifier

# Seconds since 1970, as Slack writes them.
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
MOST_LINES, LINES_IN_S = 20, 10.0
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)

log = logging.getLogger("tarla.transport")


@dataclass(frozen=True, slots=True)
class Signed:
    """A valid signature, and the time that it signs, in seconds since 1970."""

    signature: str
    at: int


async def signed_by_slack(request: web.Request, verifier: SignatureVerifier) -> Signed | None:
    """Slack's signature of this request within five minutes of now; None where there is no valid one."""
    timestamp = _only(request, "X-Slack-Request-Timestamp")
    signature = _only(request, "X-Slack-Signature")
    if not (_TIMESTAMP.fullmatch(timestamp) and _SIGNATURE.fullmatch(signature)):
        return None
    try:
        valid = verifier.is_valid(body=await request.read(), timestamp=timestamp, signature=signature)
    except ValueError:  # the body is not text
        return None
    return Signed(signature, int(timestamp)) if valid else None


def _only(request: web.Request, name: str) -> str:
    """The one header of this name. Of two, others may read the other one: Bolt does."""
    values = request.headers.getall(name, [])
    return values[0] if len(values) == 1 else ""


async def is_certificate_check(request: web.Request) -> bool:
    """Whether this is Slack's look at our TLS certificate, which asks for nothing and need not be signed."""
    return (await request.read()).startswith(b"ssl_check=1")


class TurningAway:
    """The reply to what does not come from Slack as Slack sends it.

    Whoever reaches the port can knock as often as they like: they are counted, and the log keeps to a few lines, since
    a disk filled by it may be the ledger's.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._since = monotonic()
        self._lines = self._unlogged = 0

    def reply(self, reason: str, status: int) -> web.Response:
        """A status alone; ``reason`` is a closed code."""
        now = self._monotonic()
        if now - self._since >= LINES_IN_S:
            if self._unlogged:
                log.warning("requests turned away, not told one by one: %d", self._unlogged)
            self._since, self._lines, self._unlogged = now, 0, 0
        if self._lines < MOST_LINES:
            self._lines += 1
            log.warning("request turned away: %s", reason, extra={"code": reason})
        else:
            self._unlogged += 1
        return web.Response(status=status)
