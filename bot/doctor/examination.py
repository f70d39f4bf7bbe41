"""``tarla doctor``: each thing Tarla needs, whether it is there, and what to do if not."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import SystemClock
from bot.compose import model_of
from bot.doctor.access import examine_groups
from bot.doctor.checkpoints import examine_checkpoints
from bot.doctor.finding import Finding
from bot.doctor.operations import examine_operations
from bot.ledger import open_ledger
from bot.models.recorded import last_activated, unasked
from bot.settings import Settings
from bot.slack_errors import slack_code
from handlers.answer.own_patients import origin
from handlers.listeners import SCOPES
from handlers.ports import LedgerUnavailableError
from handlers.records import model_record
from knowledge import ModelError
from knowledge.evidence import EvidenceError
from knowledge.evidence import load as load_evidence
from knowledge.model import SiteModelError

SLACK_TIMEOUT_S = 10
NETWORK = "check the network, the proxy and SLACK_API_URL"
BUILD = "install Tarla again, or build the model: tarla model build"
SITE_MODEL = "docs/runbook.md, The site model is not usable, says what to do; tarla model list shows what is kept"
UNASKED = "if that is not meant, look for the folder of models (TARLA_MODELS); tarla model use names the right one"
OLDEST_SQLITE = (3, 37, 0)  # STRICT tables

LEDGER_ADVICE = {
    "cannot_open": "set TARLA_LEDGER to a file in a folder that this account may write",
    "read_only": "make the file and its folder writable for this account, or set TARLA_LEDGER to another place",
    "disk_full": "free space on the disk that holds the ledger",
    "locked": "another program holds the ledger locked: close it",
    "damaged": "the file is not as Tarla wrote it: keep it for the auditor and restore the last backup",
}


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything; nothing is changed but an absent ledger, which is made."""
    findings = [
        _token("SLACK_BOT_TOKEN", "xoxb-", settings.slack_bot_token, "OAuth & Permissions, Bot User OAuth Token")
    ]
    findings += _door(settings)
    findings += await _slack(settings)
    findings += [
        _upper_limit(settings),
        await examine_operations(settings),
        _sqlite(),
        await asyncio.to_thread(_ledger, settings),
    ]
    findings += await asyncio.to_thread(examine_checkpoints, settings)
    findings.append(_loads("evidence", lambda: f"compiled {load_evidence().version}"))
    findings.append(await asyncio.to_thread(_model, settings))
    return findings


def report(findings: list[Finding]) -> str:
    """The findings as lines of text, faults with their remedy."""
    lines = []
    for finding in findings:
        lines.append(f"{'ok     ' if finding.ok else 'PROBLEM'}  {finding.what}: {finding.state}")
        if finding.advice:
            lines.append(f"         -> {finding.advice}")
    return "\n".join(lines)


def _door(settings: Settings) -> list[Finding]:
    """What the chosen transport needs: an app-level token for Socket Mode, a signing secret for HTTP."""
    where = "Basic Information, App-Level Tokens, connections:write"
    app_token = _token("SLACK_APP_TOKEN", "xapp-", settings.slack_app_token, where)
    if settings.slack_signing_secret is not None:
        secret = Finding("SLACK_SIGNING_SECRET", True, "set, for tarla serve --http")
        if settings.slack_app_token is None:
            app_token = Finding("SLACK_APP_TOKEN", True, "not set: tarla serve --http works, Socket Mode does not")
    else:
        secret = Finding("SLACK_SIGNING_SECRET", True, "not set: needed only for tarla serve --http")
    return [app_token, secret]


def _token(name: str, prefix: str, value: object, where: str) -> Finding:
    secret = value.get_secret_value() if hasattr(value, "get_secret_value") else ""
    if not secret:
        return Finding(
            name, False, "not set", f"copy it from your Slack app's page ({where}) into .env or the environment"
        )
    if not secret.startswith(prefix):
        return Finding(name, False, "does not look right", f"it must begin with {prefix} ({where})")
    return Finding(name, True, "set")


async def _slack(settings: Settings) -> list[Finding]:
    if settings.slack_bot_token is None:
        return [Finding("Slack", False, "not asked, because there is no bot token", "set SLACK_BOT_TOKEN first")]
    client = AsyncWebClient(
        token=settings.slack_bot_token.get_secret_value(), base_url=settings.slack_api_url, timeout=SLACK_TIMEOUT_S
    )
    try:
        answer = await client.auth_test()
    except SlackApiError as error:
        if (reason := slack_code(error)) is None:
            return [Finding("Slack", False, "cannot be reached (not an answer of Slack's)", NETWORK)]
        return [
            Finding("Slack", False, f"refuses the bot token ({reason})", "install the app again and copy the new token")
        ]
    except Exception as error:  # noqa: BLE001 - any failure to reach Slack is this finding
        state = f"cannot be reached ({type(error).__name__})"
        return [Finding("Slack", False, state, NETWORK)]
    findings = [Finding("Slack", True, f"accepts the bot token, workspace {answer.get('team')}")]
    findings.append(_scopes((answer.headers or {}).get("x-oauth-scopes")))
    return findings + await examine_groups(client, settings)


def _scopes(header: str | None) -> Finding:
    if header is None:
        return Finding("scopes", True, "not told by this server")
    missing = [scope for scope in SCOPES if scope not in {part.strip() for part in header.split(",")}]
    advice = "add them under OAuth & Permissions (or apply manifest.yml) and install the app again" if missing else ""
    return Finding("scopes", not missing, f"missing {', '.join(missing)}" if missing else "all there", advice)


def _upper_limit(settings: Settings) -> Finding:
    limit = settings.tarla_ldh_uln
    if limit is None:
        advice = 'optional: set TARLA_LDH_ULN with its unit, such as "250 U/L", if one laboratory serves all users'
        return Finding("TARLA_LDH_ULN", True, "not set, so users give the upper limit with each LDH", advice)
    return Finding("TARLA_LDH_ULN", True, f"{limit.value:g} {limit.unit}")


def _sqlite() -> Finding:
    ok = sqlite3.sqlite_version_info >= OLDEST_SQLITE
    wanted = ".".join(map(str, OLDEST_SQLITE))
    return Finding(
        "SQLite", ok, sqlite3.sqlite_version, "" if ok else f"use a Python built with SQLite {wanted} or later"
    )


def _ledger(settings: Settings) -> Finding:
    ledger = open_ledger(settings.tarla_ledger, clock=SystemClock())
    try:
        status = ledger.status()
    finally:
        ledger.close()
    what = f"ledger {settings.tarla_ledger}"
    if status.ok:
        return Finding(what, True, "can be written")
    advice = LEDGER_ADVICE.get(status.code or "", "see the operator's notes in docs/operations.md")
    return Finding(what, False, f"cannot be written ({status.code}); no risk is shown until it can", advice)


def _model(settings: Settings) -> Finding:
    try:
        model = model_of(settings)()
    except SiteModelError as error:  # its message says what to type
        return Finding("model", False, f"{error}; no risk is shown until then", SITE_MODEL)
    except ModelError as error:
        return Finding("model", False, str(error), BUILD)
    with contextlib.suppress(LedgerUnavailableError):  # which has a finding of its own
        _, last = last_activated(settings.tarla_ledger)
        if (told := unasked(last, model_record(model))) is not None:
            return Finding("model", False, told, UNASKED)
    site = "" if model.site is None else f"; {origin(model.site)}"
    return Finding("model", True, f"{model.version.id}, SHA-256 as recorded{site}")


def _loads(what: str, load: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, load())
    except EvidenceError as error:
        return Finding(what, False, str(error), BUILD)
