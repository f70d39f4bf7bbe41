"""The composition root: every part is made and wired here, once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, cast

from bot.ledger import LedgerHistory, LedgerWriter, open_ledger
from bot.ledger.id_key import pseudonyms_of
from bot.logs import bolt_logger
from bot.models.folder import ModelFolder
from bot.models.in_use import model_in_use
from bot.settings import Settings
from bot.tasks import Background, InFlight
from bot.transports.counts import Counts
from handlers.conversation import Conversation
from handlers.ports import Clock, Ledger, ModelInUse

if TYPE_CHECKING:
    from aiohttp import ClientSession
    from slack_bolt.async_app import AsyncApp

    from bot.operations import CountingLedger, Operations
    from bot.transports.admission import Admission
    from bot.transports.shedding import Shedding


@dataclass(frozen=True)
class Tarla:
    """A wired application."""

    app: AsyncApp
    ledger: CountingLedger
    conversation: Conversation
    clock: Clock
    background: Background
    in_flight: InFlight
    operations: Operations
    counts: Counts
    admission: Admission
    shedding: Shedding


def code_version() -> str:
    """Version of this program, as kept with every answer."""
    return version("tarla-bot")


def model_of(settings: Settings) -> ModelInUse:
    """How this process gets the model that answers; which one it is is settled now."""
    return model_in_use(ModelFolder(settings.models, named=settings.tarla_models is not None))


def make_conversation(
    settings: Settings, ledger: Ledger, clock: Clock, model: ModelInUse, counts: Counts | None = None
) -> Conversation:
    """The conversation alone, for surfaces without Slack; ``counts`` is told of every request that comes again."""
    ids = pseudonyms_of(settings)
    conversation = Conversation(
        ledger=ledger,
        history=LedgerHistory(settings.tarla_ledger, None if ids is None else ids.of),
        clock=clock,
        site_uln=settings.tarla_ldh_uln,
        code_version=code_version(),
        model=model,
        note_repeat=(counts or Counts()).note_repeat,
    )
    return conversation if ids is None else replace(conversation, stored=ids.asker)


def open_ledger_of(settings: Settings, clock: Clock) -> LedgerWriter:
    """The ledger's writer, which records ids as the settings say.

    Raises:
        SettingsError: the key for that cannot be used.
    """
    ids = pseudonyms_of(settings)
    if ids is None:
        return open_ledger(settings.tarla_ledger, clock=clock)
    return open_ledger(settings.tarla_ledger, clock=clock, stored=ids.entry)


def make_tarla(settings: Settings, clock: Clock) -> Tarla:
    """The whole application for Slack. The ledger may be unusable: then no answer is given, and it says so."""
    # Here and not above: a terminal needs no Slack, and these take a third of its whole time.
    from slack_bolt.async_app import AsyncApp
    from slack_bolt.authorization import AuthorizeResult
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.directory import SlackDirectory
    from bot.network import StraightSession
    from bot.operations import CountingLedger, Operations
    from bot.operations.parts import watch_parts, watch_requests
    from bot.transports.admission import Admission
    from bot.transports.shedding import Shedding
    from handlers.listeners import register_listeners

    token = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else None

    async def known_workspace(enterprise_id: str | None, team_id: str | None, user_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, user_id=user_id, bot_token=token)

    counts = Counts()
    model = model_of(settings)
    operations = Operations(code_version(), model)
    ledger = CountingLedger(open_ledger_of(settings, clock), operations.counts, clock.monotonic)
    conversation = make_conversation(settings, ledger, clock, model, counts)
    secret = settings.slack_signing_secret.get_secret_value() if settings.slack_signing_secret else None
    client = AsyncWebClient(
        token=token,
        base_url=settings.slack_api_url,
        logger=bolt_logger(),
        # No second try of what speaks to somebody: Slack may have taken the first, and an answer must not appear twice.
        retry_handlers=[],
        # Bolt hands it on to the client of each request, and sending takes it for messages through a response_url.
        session=cast("ClientSession", StraightSession()),
    )
    asking = AsyncWebClient(token=token, base_url=settings.slack_api_url, logger=bolt_logger())
    app = AsyncApp(
        logger=bolt_logger(),
        client=client,
        # Bolt would ask Slack about the token when the first command comes in, and answer with its own
        # words if that fails. The token was checked at the start; who asks is the guard's business.
        authorize=known_workspace,
        signing_secret=secret,
    )
    in_flight, background = InFlight(), Background()
    directory = SlackDirectory(asking, clock.monotonic)
    register_listeners(app, conversation, directory, settings.site, in_flight.watch)
    watch_parts(operations, ledger, in_flight)
    watch_requests(operations, counts)
    return Tarla(
        app=app,
        ledger=ledger,
        conversation=conversation,
        clock=clock,
        background=background,
        in_flight=in_flight,
        operations=operations,
        counts=counts,
        admission=Admission(clock.monotonic, counts, lambda: in_flight.count),
        shedding=Shedding(client, background, clock.monotonic),
    )
