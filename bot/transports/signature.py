"""Only what Slack has signed reaches Bolt; everything else is turned away with 401 and one line in the log.

Bolt parses a body before it looks at the signature, and takes some malformed
headers for failures of its own; so both are looked at here first.
"""

from __future__ import annotations

import logging
import re

from aiohttp import web
from slack_sdk.signature import SignatureVerifier

# Seconds since 1970, as Slack writes them.
_TIMESTAMP = re.compile(r"^[0-9]{1,12}$", re.ASCII)
_SIGNATURE = re.compile(r"^v0=[0-9a-f]{64}$", re.ASCII)

log = logging.getLogger("tarla.transport")


async def is_signed(request: web.Request, verifier: SignatureVerifier) -> bool:
    """Whether Slack signed this request within the last five minutes."""
    timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
    signature = request.headers.get("X-Slack-Signature", "")
    if not (_TIMESTAMP.match(timestamp) and _SIGNATURE.match(signature)):
        return False
    try:
        return verifier.is_valid(body=await request.read(), timestamp=timestamp, signature=signature)
    except ValueError:  # the body is not text
        return False


async def is_certificate_check(request: web.Request) -> bool:
    """Whether this is Slack's look at our TLS certificate, which asks for nothing and need not be signed."""
    return (await request.read()).startswith(b"ssl_check=1")


def turned_away(reason: str, status: int) -> web.Response:
    """The reply to what does not come from Slack as Slack sends it; ``reason`` is a closed code."""
    log.warning("request turned away: %s", reason, extra={"code": reason})
    return web.Response(status=status)
