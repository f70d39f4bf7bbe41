"""HTTP towards Slack that goes nowhere else: redirects are not followed, for they would carry findings elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

TIMEOUT_S = 30.0


class StraightSession:
    """What slack_sdk's clients want of an ``aiohttp.ClientSession``: a connection for each request, never redirected.

    slack_sdk itself has no switch for that.
    """

    closed = False

    @asynccontextmanager
    async def request(self, method: str, url: str, **more: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        """One request; a redirect is the answer itself."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(method, url, allow_redirects=False, **more) as response,
        ):
            yield response
