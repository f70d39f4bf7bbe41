"""HTTP: Bolt's own aiohttp application, watched so that every reply's fate is recorded."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_sdk.signature import SignatureVerifier

from bot.compose import Tarla
from bot.operations.routes import add_routes
from bot.settings import SettingsError
from bot.transports.replays import Replays
from bot.transports.shedding import read_body
from bot.transports.signature import Signed, TurningAway, is_certificate_check, signed_by_slack
from handlers.delivery import NOT_SENT, expecting_delivery, record_outcome

EVENTS_PATH = "/slack/events"
SHUTDOWN_S = 5.0
HTTP_OK = 200
# Connections that the kernel holds for us meanwhile; aiohttp's 128 would let a burst wait for its own second try.
BACKLOG = 1_024
# How the bodies of events, and of buttons, forms and shortcuts begin; a command's is another form.
GOES_ON = (b"{", b"payload=")

log = logging.getLogger("tarla.transport")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def web_application(tarla: Tarla, signing_secret: str) -> web.Application:
    """Bolt's web application behind our check of signatures, with delivery records and the operator's reports."""
    now = tarla.clock.monotonic
    door = _Door(tarla, SignatureVerifier(signing_secret), Replays(now), TurningAway(now))
    counts = tarla.counts

    @web.middleware
    async def watch_delivery(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path != EVENTS_PATH:
            return await handler(request)
        received = tarla.clock.monotonic()
        counts.received += 1
        # Until it is known to be sent, whatever goes wrong on the way.
        failure: str | None = NOT_SENT

        def record() -> None:
            outcome = record_outcome(tarla.ledger, tarla.clock, delivery, received, "http", failure)
            tarla.background.start(outcome)

        with expecting_delivery(received) as delivery:
            try:
                response = await door.answer(request, handler, received)
                # Written here instead of by the server afterwards, so that a failure is seen.
                await response.prepare(request)
                await response.write_eof()
                if request.transport is None or request.transport.is_closing():
                    failure = "connection_lost"
                else:
                    failure = None if response.status == HTTP_OK else "not_acknowledged"
            except (ConnectionError, asyncio.CancelledError):
                failure = "connection_lost"
                raise
            finally:
                counts.connection_lost += failure == "connection_lost"
                delivery.close(record)
        return response

    application: web.Application = tarla.app.web_app(path=EVENTS_PATH)
    application.middlewares.append(watch_delivery)
    add_routes(application, tarla.operations)
    return application


@dataclass(frozen=True)
class _Door:
    """What a request passes before it reaches Bolt: its signature, whether it is a copy, and whether there is time."""

    tarla: Tarla
    verifier: SignatureVerifier
    replays: Replays
    turning_away: TurningAway

    async def answer(self, request: web.Request, handler: Handler, received: float) -> web.StreamResponse:
        """Bolt's answer to what Slack signed. Where Bolt fails, a status; never a traceback with a body in it."""
        counts = self.tarla.counts
        try:
            signed = await signed_by_slack(request, self.verifier)
            if signed is None:
                if await is_certificate_check(request):
                    return web.Response()
                counts.unsigned += 1
                return self.turning_away.reply("not_signed_by_slack", 401)
            if not self.replays.is_new(signed.signature, signed.at):
                counts.replayed += 1
                return self.turning_away.reply("replayed", 401)
            return await self._once(signed, request, handler, received)
        except web.HTTPException as error:
            counts.unreadable += 1
            return self.turning_away.reply(f"http_{error.status}", error.status)
        except ConnectionError:
            raise
        except Exception as error:  # noqa: BLE001 - a body that Bolt cannot read must not end in a traceback
            counts.unreadable += 1
            return self.turning_away.reply(f"unreadable ({type(error).__name__})", 400)

    async def _once(
        self, signed: Signed, request: web.Request, handler: Handler, received: float
    ) -> web.StreamResponse:
        """The answer to a request that is no copy; where it is not handled to its end, it may come again."""
        handled = False
        try:
            body = await request.read()
            async with self.tarla.admission.turn(received, goes_on=body.startswith(GOES_ON)) as taken:
                if not taken:
                    busy = self.tarla.shedding.reply(read_body(body, request.content_type))
                    return await to_aiohttp_response(busy)
                response = await handler(request)
                handled = response.status == HTTP_OK
                self.tarla.counts.not_acknowledged += not handled
                return response
        finally:
            if not handled:
                self.replays.release(signed.signature)


@asynccontextmanager
async def serve_http(application: web.Application, host: str, port: int) -> AsyncIterator[str]:
    """Listen until the block ends; gives the address. Requests under way are then finished.

    Raises:
        SettingsError: host or port cannot be listened on.
    """
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=BACKLOG)
        try:
            await site.start()
        except OSError as error:
            reason = errno.errorcode.get(error.errno or 0, type(error).__name__)
            raise SettingsError(f"cannot listen on {host}:{port} ({reason}): choose another --host or --port") from None
        bound = runner.addresses[0]
        yield f"http://{bound[0]}:{bound[1]}{EVENTS_PATH}"
    finally:
        await runner.cleanup()
