"""HTTP: Bolt's own aiohttp application, watched so that every reply's fate is recorded."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from bot.compose import Tarla
from bot.operations.routes import add_routes
from bot.settings import SettingsError
from bot.transports.signature import is_certificate_check, is_signed, turned_away
from handlers.delivery import expecting_delivery, record_outcome

EVENTS_PATH = "/slack/events"
SHUTDOWN_S = 5.0
HTTP_OK = 200

log = logging.getLogger("tarla.transport")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def web_application(tarla: Tarla, signing_secret: str) -> web.Application:
    """Bolt's web application behind our check of signatures, with delivery records and the operator's reports."""
    verifier = SignatureVerifier(signing_secret)

    @web.middleware
    async def watch_delivery(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path != EVENTS_PATH:
            return await handler(request)
        received = tarla.clock.monotonic()
        failure: str | None = None

        def record() -> None:
            outcome = record_outcome(tarla.ledger, tarla.clock, delivery, received, "http", failure)
            tarla.background.start(outcome)

        with expecting_delivery(received) as delivery:
            try:
                response = await _answer(request, handler, verifier)
                # Written here instead of by the server afterwards, so that a failure is seen.
                await response.prepare(request)
                await response.write_eof()
                if request.transport is None or request.transport.is_closing():
                    failure = "connection_lost"
                elif response.status != HTTP_OK:
                    failure = "not_acknowledged"
            except (ConnectionError, asyncio.CancelledError):
                failure = "connection_lost"
                raise
            finally:
                delivery.close(record)
        return response

    application: web.Application = tarla.app.web_app(path=EVENTS_PATH)
    application.middlewares.append(watch_delivery)
    add_routes(application, tarla.operations)
    return application


async def _answer(request: web.Request, handler: Handler, verifier: SignatureVerifier) -> web.StreamResponse:
    """Bolt's answer to what Slack signed. Where Bolt itself fails, a status; never a traceback with a body in it."""
    try:
        if not await is_signed(request, verifier):
            if await is_certificate_check(request):
                return web.Response()
            return turned_away("not_signed_by_slack", 401)
        return await handler(request)
    except web.HTTPException as error:
        return turned_away(f"http_{error.status}", error.status)
    except ConnectionError:
        raise
    except Exception as error:  # noqa: BLE001 - a body that Bolt cannot read must not end in a traceback
        return turned_away(f"unreadable ({type(error).__name__})", 400)


@asynccontextmanager
async def serve_http(application: web.Application, host: str, port: int) -> AsyncIterator[str]:
    """Listen until the block ends; gives the address. Requests under way are then finished.

    Raises:
        SettingsError: host or port cannot be listened on.
    """
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            reason = errno.errorcode.get(error.errno or 0, type(error).__name__)
            raise SettingsError(f"cannot listen on {host}:{port} ({reason}): choose another --host or --port") from None
        bound = runner.addresses[0]
        yield f"http://{bound[0]}:{bound[1]}{EVENTS_PATH}"
    finally:
        await runner.cleanup()
