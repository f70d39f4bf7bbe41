"""``tarla serve``: run until SIGTERM or Ctrl-C, then finish what is in hand."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import signal
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from bot.clock import SystemClock
from bot.compose import Tarla, make_tarla
from bot.lifecycle.process import Lifecycle, make_lifecycle
from bot.operations.link import watch_link
from bot.operations.notify import READY, Notifier
from bot.operations.readiness import NOT_CONNECTED
from bot.operations.running import operating
from bot.settings import Settings, SettingsError
from bot.slack_tokens import check_bot_token, open_connection_url
from bot.transports.http import serve_http, web_application
from bot.transports.socket import RecordingSocketModeHandler, serve_socket
from handlers.ports import ModelInUse
from knowledge import ModelError
from knowledge.engine import assess
from knowledge.factors import PatientFactors

# What was acknowledged and not yet sent: a message takes 5 s at most.
IN_FLIGHT_S, STOPPED_S = 6.0, 1.0
DRAIN_S = 3.0
SLACK_START_S = 10.0
# Every connection is an open file, and every commit opens two for a moment: where none is left nothing is recorded.
MOST_FILES = 16_384
T = TypeVar("T")

log = logging.getLogger("tarla.serve")


async def serve_over_socket(settings: Settings) -> None:
    """Socket Mode until stopped.

    Raises:
        SettingsError: a token is missing.
        NoLinkInSightError: no link can be had although Slack's Web API answers; what was in hand is finished.
    """
    if settings.slack_bot_token is None or settings.slack_app_token is None:
        raise SettingsError("Socket Mode needs SLACK_BOT_TOKEN (xoxb-…) and SLACK_APP_TOKEN (xapp-…)")
    tarla = make_tarla(settings, SystemClock())
    life = make_lifecycle(tarla, settings)
    token = settings.slack_app_token.get_secret_value()
    stopped = _stop_event()
    try:
        tarla.operations.readiness.watch("slack", lambda: NOT_CONNECTED)
        async with operating(tarla.operations, settings.tarla_operations, stopped) as notifier:
            await _ask_slack(check_bot_token(tarla.app.client), stopped)
            url = await _ask_slack(open_connection_url(tarla.app.client, token), stopped)
            handler = RecordingSocketModeHandler(
                tarla.app,
                token,
                tarla.ledger,
                tarla.clock,
                tarla.background,
                tarla.admission,
                tarla.shedding,
                expected=settings.tarla_connections,
            )
            watch_link(tarla.operations, handler.state)
            # Slack may be out of reach for hours: that is no reason to begin anew.
            notifier.tell(READY, "STATUS=connecting to Slack")
            transport = serve_socket(handler, url, stopped)
            await life.begin()
            await _run(tarla, transport, "connected to Slack over Socket Mode", stopped, notifier)
    finally:
        await _close(tarla, life)


async def serve_over_http(settings: Settings, host: str, port: int) -> None:
    """HTTP on ``host:port`` until stopped.

    Raises:
        SettingsError: token or signing secret is missing.
    """
    if settings.slack_bot_token is None or settings.slack_signing_secret is None:
        raise SettingsError("HTTP needs SLACK_BOT_TOKEN (xoxb-…) and SLACK_SIGNING_SECRET")
    allow_files()
    tarla = make_tarla(settings, SystemClock())
    life = make_lifecycle(tarla, settings)
    application = web_application(tarla, settings.slack_signing_secret.get_secret_value())
    stopped = _stop_event()
    try:
        async with operating(tarla.operations, settings.tarla_operations, stopped) as notifier:
            await _ask_slack(check_bot_token(tarla.app.client), stopped)
            await life.begin()
            await _run(tarla, serve_http(application, host, port), "listening for Slack on %s", stopped, notifier)
    finally:
        await _close(tarla, life)


def allow_files() -> None:
    """As many open files as this account may have, up to ``MOST_FILES``; by default it is 1,024 of them."""
    with contextlib.suppress(OSError, ValueError):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
        if soft != resource.RLIM_INFINITY and soft < most:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


async def _run(
    tarla: Tarla,
    transport: AbstractAsyncContextManager[object],
    ready: str,
    stopped: asyncio.Event,
    notifier: Notifier,
) -> None:
    _warm_up(tarla.conversation.model)
    async with transport as address:
        if not stopped.is_set():
            log.info(ready, *([address] if address else []))
            notifier.tell(READY, "STATUS=taking requests")
        status = tarla.ledger.status()
        if not status.ok:
            told = "ledger unusable (%s): no risk will be shown until it can be written"
            log.error(told, status.code, extra={"code": status.code})
        await stopped.wait()
        log.info("stopping: finishing what is in hand")


def _stop_event() -> asyncio.Event:
    """Set by SIGTERM or Ctrl-C; the second one ends the process at once."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop(number: int) -> None:
        if told:
            log.error("told to stop a second time: ending at once, with work in hand")
            # Not even the ledger's thread is waited for: what it has committed stands, what it has not is nobody's yet.
            os._exit(128 + number)
        told.append(number)
        stopped.set()

    told: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    return stopped


async def _ask_slack(question: Coroutine[None, None, T], stopped: asyncio.Event) -> T | None:
    """Slack's answer; None when told to stop, or when Slack cannot be reached now. A refused token ends the start."""
    asking, stopping = asyncio.ensure_future(question), asyncio.ensure_future(stopped.wait())
    done, waiting = await asyncio.wait((asking, stopping), timeout=SLACK_START_S, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    if asking not in done:
        if not stopped.is_set():
            log.warning("Slack does not answer at the start: trying on")
        return None
    try:
        return asking.result()
    except SettingsError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever keeps us from Slack, the transport goes on trying
        log.warning("Slack cannot be reached at the start (%s): trying on", type(error).__name__)
        return None


async def _close(tarla: Tarla, life: Lifecycle) -> None:
    # The transport takes nothing in any more; the ledger comes last, since all the others write to it.
    stopped = await tarla.in_flight.drain(IN_FLIGHT_S, STOPPED_S)
    if stopped:
        log.warning("%d requests were not finished in time", stopped)
    lost = await tarla.background.drain(DRAIN_S)
    if lost:
        log.warning("%d delivery records were not written in time", lost)
    await life.end()
    await tarla.ledger.aclose()
    log.info("stopped")


def _warm_up(model: ModelInUse) -> None:
    """Read model and evidence now, so that the first user does not wait for them."""
    try:
        assess(PatientFactors(), model())
    except ModelError as error:
        log.error("model unusable: no risk will be shown: %s", error)  # noqa: TRY400 - the sentence says all; a traceback adds nothing
