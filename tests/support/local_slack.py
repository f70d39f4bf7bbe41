"""The local Slack for tests: started only where every part is installed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.localslack import LocalSlack
from bot.localslack.server import Mode
from bot.standin import proxies_dropped
from tests.support.requirements import require_e2e


@asynccontextmanager
async def local_slack(*, mode: Mode = "socket", request_url: str | None = None) -> AsyncIterator[LocalSlack]:
    """A running local Slack on a free port of 127.0.0.1, with this process kept away from proxies.

    Skips the test, or fails it under ``TARLA_E2E=required``, where a part is missing.
    """
    require_e2e()
    with proxies_dropped():
        async with LocalSlack(mode=mode, request_url=request_url) as slack:
            yield slack
