"""A small web server for the reports alone: Socket Mode has none of its own."""

from __future__ import annotations

import errno
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from bot.address import Address
from bot.operations.operations import Operations
from bot.operations.routes import add_routes
from bot.settings import SettingsError

SHUTDOWN_S = 1.0

log = logging.getLogger("tarla.operations")


@asynccontextmanager
async def serve_operations(operations: Operations, address: Address) -> AsyncIterator[str]:
    """Listen until the block ends; gives the address.

    Raises:
        SettingsError: the address cannot be listened on.
    """
    application = web.Application()
    add_routes(application, operations)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, address.host, address.port).start()
        except OSError as error:
            reason = errno.errorcode.get(error.errno or 0, type(error).__name__)
            raise SettingsError(
                f"TARLA_OPERATIONS: cannot listen on {address} ({reason}): choose another address or port"
            ) from None
        host, port = runner.addresses[0][:2]
        url = f"http://{Address(host, port)}"
        log.info("operations on %s", url)
        yield url
    finally:
        await runner.cleanup()
