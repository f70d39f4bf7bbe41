"""The real application between a signed request and a ledger on disk; only Slack itself is a stand-in."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from pydantic import SecretStr

from bot.clock import SystemClock
from bot.compose import Tarla, make_tarla
from bot.ledger import LedgerWriter, StoredEvent, read_events
from bot.operations.routes import READY_PATH
from bot.settings import SLACK_API_URL, Settings
from bot.standin import (
    SlackStandin,
    message_event,
    pressed_in_message,
    pressed_in_view,
    proxies_dropped,
    shortcut_used,
    submitted,
)
from bot.transports.http import serve_http, web_application
from bot.transports.socket import RecordingSocketModeHandler, serve_socket
from handlers.answer import TableMode
from handlers.ports import Clock, Entry, Kind, Recorded
from knowledge import UpperLimit
from tests.support.evidence_views import allowed_links as addresses_in_evidence
from tests.support.signing import (
    SIGNING_SECRET,
    SignedRequest,
    event_request,
    interaction_request,
    slash_command_request,
)
from tests.support.slack_limits import check_message, check_view

BOT_TOKEN, APP_TOKEN = "xoxb-scenario", "xapp-scenario"
WORDS = "ldh 480/250 liver yes dm no cvd yes"
PATIENCE_S = 5.0


@dataclass(frozen=True)
class Reply:
    """What came back over HTTP."""

    status: int
    text: str

    @property
    def message(self) -> dict[str, Any]:
        """The body as a message; an empty body is no message."""
        body: dict[str, Any] = json.loads(self.text)
        return body


@dataclass(frozen=True)
class RunningApp:
    """The application while it runs, and the stand-in it talks to."""

    tarla: Tarla
    slack: SlackStandin
    path: Path
    address: str = ""

    async def send(self, request: SignedRequest) -> Reply:
        """Send one request as Slack does, on a connection of its own."""
        timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(self.address, data=request.body.encode(), headers=request.headers) as response,
        ):
            reply = Reply(response.status, await response.text())
        check_reply(reply)
        return reply

    async def press(self, element: Mapping[str, Any], **more: Any) -> Reply:
        """Press a button of an ephemeral message; ``more`` as for ``pressed_in_message``."""
        more.setdefault("response_url", self.slack.new_response_url())
        return await self.send(interaction_request(pressed_in_message(element, **more)))

    async def press_in_view(self, element: Mapping[str, Any], view: Mapping[str, Any], **more: Any) -> Reply:
        """Press a button of a modal or of App Home; ``more`` as for ``pressed_in_view``."""
        return await self.send(interaction_request(pressed_in_view(element, view, **more)))

    async def submit(self, view: Mapping[str, Any], values: Mapping[str, Any], **more: Any) -> Reply:
        """Send a modal's form with exactly these values; ``more`` as for ``submitted``."""
        return await self.send(interaction_request(submitted(view, values, **more)))

    async def use_shortcut(self, callback_id: str, **more: Any) -> Reply:
        """Use a global shortcut."""
        return await self.send(interaction_request(shortcut_used(callback_id, **more)))

    async def write(self, text: str, **more: Any) -> Reply:
        """Write a message that mentions the app, or a direct one (``kind="message"``)."""
        return await self.send(event_request(message_event(text, **more)))

    def called(self, method: str) -> list[dict[str, Any]]:
        """Arguments of every call of this Web API method so far."""
        return [call.args for call in self.slack.calls if call.method == method]

    def opened_view(self) -> dict[str, Any]:
        """The modal opened or changed last, with the id and hash that Slack gave it."""
        return list(self.slack.api.views.values())[-1]

    async def ask(self, text: str = WORDS, **fields: Any) -> Reply:
        """Send ``/tarla text``; ``fields`` as for ``slash_command_request``."""
        return await self.send(slash_command_request(text, **fields))

    async def readiness(self) -> Reply:
        """What ``/readyz`` says."""
        timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
        address = self.address.replace("/slack/events", READY_PATH)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(address) as response:
            return Reply(response.status, await response.text())

    async def events(self) -> list[StoredEvent]:
        """The ledger, read over another connection once no delivery record is under way."""
        assert await self.tarla.background.drain(PATIENCE_S) == 0
        return await asyncio.to_thread(lambda: list(read_events(self.path)))


class HeldLedger(LedgerWriter):
    """The real ledger, which keeps an answer back after recording it until told to let go."""

    def __init__(self, path: Path, clock: Clock) -> None:
        super().__init__(path, clock)
        self.recorded_answer = asyncio.Event()
        self.let_go = asyncio.Event()

    async def record(self, entry: Entry) -> Recorded:
        """Record; for an answer wait then."""
        recorded = await super().record(entry)
        if entry.kind is Kind.COMPUTED:
            self.recorded_answer.set()
            await asyncio.wait_for(self.let_go.wait(), PATIENCE_S)
        return recorded


class BrokenLedger(LedgerWriter):
    """A ledger with a mistake in its code, whose message quotes what it was given."""

    async def record(self, entry: Entry) -> Recorded:
        """Fail as no port allows."""
        raise RuntimeError(f"cannot keep {dict(entry.payload)}")


def open_held(path: Path, *, clock: Clock) -> HeldLedger:
    """As ``open_ledger``, for a ledger that keeps answers back."""
    ledger = HeldLedger(path, clock)
    ledger.start(PATIENCE_S)
    return ledger


def open_broken(path: Path, *, clock: Clock) -> BrokenLedger:
    """As ``open_ledger``, for a ledger that fails unforeseen."""
    ledger = BrokenLedger(path, clock)
    ledger.start(PATIENCE_S)
    return ledger


def settings_for(
    path: Path,
    *,
    api_url: str = SLACK_API_URL,
    site_uln: UpperLimit | None = None,
    table: TableMode = TableMode.BLOCK,
    **more: Any,
) -> Settings:
    """Settings that owe nothing to the environment or to a ``.env`` file."""
    return Settings(
        slack_bot_token=SecretStr(BOT_TOKEN),
        slack_app_token=SecretStr(APP_TOKEN),
        slack_signing_secret=SecretStr(SIGNING_SECRET),
        slack_api_url=api_url,
        tarla_ldh_uln=site_uln,
        tarla_ledger=path,
        tarla_table=table,
        **more,
    )


# People whom the stand-in knows besides the caller, and whom a message may mention; channels it may name.
PEOPLE = {"U0SOMEONE": "someone", "U1": "one"}
MENTIONS = ("@U0FELLOW01", "@U0SOMEONE", "#C0TUMOURBD")
_DATE_TOKEN = re.compile(r"<(!date\^\d{10}\^\{date_short_pretty\} \{time\})\|[0-9: -]{16} UTC>")


def allowed_links(body: Mapping[str, Any]) -> tuple[str, ...]:
    """What may stand between angles in a body: people, the tests' channels, the evidence's addresses, and times."""
    whole = json.dumps(body)
    wards = re.findall(r"<(#C0WARD[0-9]*)>", whole)
    return (*MENTIONS, *_DATE_TOKEN.findall(whole), *wards, *addresses_in_evidence())


def check_reply(reply: Reply) -> None:
    """Check what an acknowledgement shows against Slack's limits."""
    if reply.status != 200 or not reply.text.startswith("{"):
        return
    body = reply.message
    if "response_action" not in body:
        check_message(body, allowed_links=allowed_links(body))
    elif "view" in body:
        check_view(body["view"], allowed_links=allowed_links(body["view"]))


def check_everything_sent(slack: SlackStandin) -> None:
    """Check every view and message that the app sent through the Web API or a response_url."""
    for call in slack.calls:
        if call.method.startswith("views."):
            check_view(call.args["view"], allowed_links=allowed_links(call.args["view"]))
        elif call.method.startswith("chat."):
            # Bolt's client names the workspace in every call.
            body = {name: value for name, value in call.args.items() if name != "team_id"}
            check_message(body, response=False, allowed_links=allowed_links(body))
    for response in slack.responses:
        check_message(response.body, allowed_links=allowed_links(response.body))


@asynccontextmanager
async def _made(path: Path, **settings: Any) -> AsyncIterator[tuple[Tarla, SlackStandin]]:
    with proxies_dropped():
        async with SlackStandin(bot_token=BOT_TOKEN, app_token=APP_TOKEN) as slack:
            slack.api.users |= PEOPLE
            tarla = make_tarla(settings_for(path, api_url=slack.api_url, **settings), SystemClock())
            try:
                yield tarla, slack
            finally:
                await tarla.in_flight.drain(PATIENCE_S, PATIENCE_S)
                await tarla.background.drain(PATIENCE_S)
                await tarla.ledger.aclose()
            check_everything_sent(slack)


@asynccontextmanager
async def over_http(
    path: Path, *, arrived: list[web.Request] | None = None, **settings: Any
) -> AsyncIterator[RunningApp]:
    """The application behind its real web server; requests are noted in ``arrived``."""

    @web.middleware
    async def note(request: web.Request, handler: Any) -> web.StreamResponse:
        if arrived is not None:
            arrived.append(request)
        response: web.StreamResponse = await handler(request)
        return response

    async with _made(path, **settings) as (tarla, slack):
        application = web_application(tarla, SIGNING_SECRET)
        application.middlewares.append(note)
        async with serve_http(application, "127.0.0.1", 0) as address:
            yield RunningApp(tarla, slack, path, address)


@asynccontextmanager
async def over_socket(
    path: Path, *, spent_ticket: bool = False, **settings: Any
) -> AsyncIterator[tuple[RunningApp, RecordingSocketModeHandler]]:
    """The application connected over Socket Mode; with ``spent_ticket`` its first address is good for nothing."""
    async with _made(path, **settings) as (tarla, slack):
        handler = RecordingSocketModeHandler(
            tarla.app, APP_TOKEN, tarla.ledger, tarla.clock, tarla.background, tarla.admission, tarla.shedding
        )
        spent = f"{slack.base_url.replace('http', 'ws')}/link?ticket=spent" if spent_ticket else None
        async with serve_socket(handler, spent, asyncio.Event()):
            await slack.wait_connected()
            yield RunningApp(tarla, slack, path), handler


async def until(condition: Any, seconds: float = PATIENCE_S) -> None:
    """Wait for ``condition()`` to hold.

    Raises:
        TimeoutError: it did not within ``seconds``.
    """
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


def home_opened(user: str = "U0FELLOW01", tab: str = "home") -> dict[str, Any]:
    """The body of an ``app_home_opened`` event."""
    return event_body({"type": "app_home_opened", "user": user, "channel": "D0HOME", "tab": tab, "event_ts": "1.0"})


def event_body(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event as the Events API wraps it."""
    return {
        "token": "verification-token-unused",
        "team_id": "T0TARLADEV",
        "api_app_id": "A0TARLADEV",
        "event": dict(event),
        "type": "event_callback",
        "event_id": "Ev0TARLA",
        "event_time": 1_800_000_000,
        "authorizations": [{"team_id": "T0TARLADEV", "user_id": "U0TARLABOT", "is_bot": True}],
    }
