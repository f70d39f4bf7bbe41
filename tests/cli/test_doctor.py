"""``tarla doctor``: every fault is named with what to do about it, and no secret is shown."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.doctor import examine, report
from bot.doctor.finding import Finding
from bot.settings import Settings
from bot.standin import SlackStandin, proxies_dropped
from handlers.listeners import SCOPES
from tests.support.app import APP_TOKEN, BOT_TOKEN, settings_for
from tests.support.program import command, environment
from tests.support.vouched import Vouched, vouched

WRONG = "xoxb-revoked-0042"


async def _doctor(folder: Path, **variables: str) -> tuple[int, str]:
    """Exit status and everything printed by ``tarla doctor``."""
    process = await asyncio.create_subprocess_exec(
        *command("doctor"),
        cwd=folder,
        env=environment(folder, **variables),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode is not None
    return process.returncode, output.decode()


async def _examine(settings: Settings) -> dict[str, Finding]:
    with proxies_dropped():
        return {finding.what.split(" ")[0]: finding for finding in await examine(settings)}


def _advised(findings: dict[str, Finding], *expected: str) -> None:
    """Exactly these are not in order, each with advice."""
    faults = {what for what, finding in findings.items() if not finding.ok}
    assert faults == set(expected)
    assert all(findings[what].advice for what in faults)


async def test_all_in_order(tmp_path: Path) -> None:
    async with SlackStandin(bot_token=BOT_TOKEN, app_token=APP_TOKEN) as slack:
        status, output = await _doctor(
            tmp_path,
            SLACK_BOT_TOKEN=BOT_TOKEN,
            SLACK_APP_TOKEN=APP_TOKEN,
            SLACK_API_URL=slack.api_url,
            TARLA_LDH_ULN="250 U/L",
        )
    assert status == 0, output
    assert "PROBLEM" not in output
    for word in ("Oncology (example)", "250 U/L", "can be written", "facts-2", "compiled"):
        assert word in output
    assert BOT_TOKEN not in output
    assert APP_TOKEN not in output


async def test_a_fresh_installation_is_told_what_to_get(tmp_path: Path) -> None:
    status, output = await _doctor(tmp_path)
    assert status == 1
    assert "Traceback" not in output
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"):
        assert f"PROBLEM  {name}: not set" in output
    assert output.count("-> copy it from your Slack app's page") == 2
    assert "ok       ledger" in output


async def test_a_revoked_token(tmp_path: Path) -> None:
    async with SlackStandin(bot_token=BOT_TOKEN, app_token=APP_TOKEN) as slack:
        status, output = await _doctor(
            tmp_path, SLACK_BOT_TOKEN=WRONG, SLACK_APP_TOKEN=APP_TOKEN, SLACK_API_URL=slack.api_url
        )
    assert status == 1
    assert "refuses the bot token (invalid_auth)" in output
    assert "install the app again and copy the new token" in output
    assert WRONG not in output


async def test_tokens_of_the_wrong_kind(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "ledger.db").model_copy(
        update={"slack_bot_token": SecretStr(APP_TOKEN), "slack_app_token": SecretStr(BOT_TOKEN)}
    )
    async with SlackStandin(bot_token=BOT_TOKEN, app_token=APP_TOKEN) as slack:
        findings = await _examine(settings.model_copy(update={"slack_api_url": slack.api_url}))
    _advised(findings, "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "Slack")
    assert "it must begin with xoxb-" in findings["SLACK_BOT_TOKEN"].advice
    assert "it must begin with xapp-" in findings["SLACK_APP_TOKEN"].advice


async def test_slack_out_of_reach(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    findings = await _examine(settings_for(tmp_path / "ledger.db", api_url=f"http://127.0.0.1:{port}/api/"))
    _advised(findings, "Slack")
    assert "cannot be reached" in findings["Slack"].state
    assert "proxy" in findings["Slack"].advice


async def test_a_ledger_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    async with SlackStandin(bot_token=BOT_TOKEN, app_token=APP_TOKEN) as slack:
        findings = await _examine(settings_for(tmp_path / "file" / "ledger.db", api_url=slack.api_url))
    _advised(findings, "ledger")
    assert "cannot be written (cannot_open); no risk is shown until it can" in findings["ledger"].state
    assert "TARLA_LEDGER" in findings["ledger"].advice


async def test_a_file_that_is_no_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"something else entirely, and long enough to look like a file" * 20)
    async with SlackStandin(bot_token=BOT_TOKEN, app_token=APP_TOKEN) as slack:
        findings = await _examine(settings_for(path, api_url=slack.api_url))
    _advised(findings, "ledger")
    assert "damaged" in findings["ledger"].state
    assert "restore the last backup" in findings["ledger"].advice


@asynccontextmanager
async def _slack_that_tells_scopes(scopes: str) -> AsyncIterator[str]:
    async def auth_test(_request: web.Request) -> web.Response:
        body: dict[str, Any] = {"ok": True, "team": "Oncology (example)"}
        return web.json_response(body, headers={"X-OAuth-Scopes": scopes})

    application = web.Application()
    application.router.add_post("/api/auth.test", auth_test)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("missing", [(), ("users:read",), SCOPES])
async def test_scopes_that_the_app_lacks(tmp_path: Path, missing: tuple[str, ...]) -> None:
    scopes = ",".join(["any:other", *(scope for scope in SCOPES if scope not in missing)])
    async with _slack_that_tells_scopes(scopes) as api_url:
        findings = await _examine(settings_for(tmp_path / "ledger.db", api_url=api_url))
    _advised(findings, *(["scopes"] if missing else []))
    if missing:
        assert findings["scopes"].state == f"missing {', '.join(missing)}"
        assert "manifest.yml" in findings["scopes"].advice


async def _with_groups(tmp_path: Path, groups: dict[str, list[str]], failing: dict[str, str]) -> dict[str, Finding]:
    async with SlackStandin(bot_token=BOT_TOKEN, app_token=APP_TOKEN) as slack:
        slack.api.groups, slack.api.failing = groups, failing
        more = {"tarla_allowed_groups": ("S0ONCOLOGY", "S0GONE"), "tarla_admin_group": "S0ADMINS"}
        return await _examine(settings_for(tmp_path / "ledger.db", api_url=slack.api_url, **more))


async def test_user_groups_that_exist_have_members_in_plain_words(tmp_path: Path) -> None:
    findings = await _with_groups(tmp_path, {"S0ONCOLOGY": ["U1"], "S0GONE": ["U2", "U3"], "S0ADMINS": ["U1"]}, {})
    _advised(findings)
    assert findings["TARLA_ALLOWED_GROUPS"].state == "every user group is there"


async def test_a_user_group_that_is_gone_or_empty(tmp_path: Path) -> None:
    findings = await _with_groups(tmp_path, {"S0ONCOLOGY": ["U1"], "S0ADMINS": []}, {})
    _advised(findings, "TARLA_ALLOWED_GROUPS", "TARLA_ADMIN_GROUP")
    assert findings["TARLA_ALLOWED_GROUPS"].state == "Slack knows no user group S0GONE"
    assert findings["TARLA_ADMIN_GROUP"].state == "nobody is in user group S0ADMINS"


@pytest.mark.parametrize(
    ("error", "advice"), [("missing_scope", "usergroups:read"), ("paid_teams_only", "paid"), ("fatal_error", "again")]
)
async def test_user_groups_that_cannot_be_read(tmp_path: Path, error: str, advice: str) -> None:
    findings = await _with_groups(tmp_path, {}, {"usergroups.users.list": error})
    _advised(findings, "TARLA_ALLOWED_GROUPS", "TARLA_ADMIN_GROUP")
    assert error in findings["TARLA_ADMIN_GROUP"].state
    assert advice in findings["TARLA_ADMIN_GROUP"].advice


async def _with_checkpoints(made: Vouched, **more: Any) -> dict[str, Finding]:
    async with SlackStandin(bot_token=BOT_TOKEN, app_token=APP_TOKEN) as slack:
        settings = settings_for(
            made.ledger,
            api_url=slack.api_url,
            tarla_checkpoints=made.folder.path,
            tarla_signing_key=made.key_path,
            **more,
        )
        return await _examine(settings)


async def test_checkpoints_in_order_with_a_word_about_the_disk(tmp_path: Path) -> None:
    made = vouched(tmp_path, rounds=1)
    findings = await _with_checkpoints(made)
    _advised(findings)
    assert findings["newest"].state.startswith("of 6 events")
    assert "same disk" in findings["checkpoints"].state
    assert "TARLA_CHECKPOINT_CHANNEL" in findings["checkpoints"].advice
    assert str(made.ring().key.public) in findings["signing"].state
    assert made.ring().key.secret_line() not in str(findings)
    findings = await _with_checkpoints(made, tarla_checkpoint_channel="C0AUDIT")
    assert findings["checkpoints"].advice == ""


async def test_nothing_is_made_for_checkpoints(tmp_path: Path) -> None:
    made = Vouched(tmp_path)
    findings = await _with_checkpoints(made)
    _advised(findings)
    assert "made at the first start" in findings["signing"].state
    assert not made.key_path.exists()
    assert not made.folder.path.exists()


async def test_checkpoints_out_of_order(tmp_path: Path) -> None:
    made = vouched(tmp_path, rounds=1)
    older = shutil.copy(made.ledger, tmp_path / "older.db")
    made.record("more")
    made.checkpoint()
    shutil.copy(older, made.ledger)
    findings = await _with_checkpoints(made)
    _advised(findings, "newest")
    assert findings["newest"].state.startswith("older_file: the ledger ends at event")
    made.key_path.chmod(0o644)
    findings = await _with_checkpoints(made)
    _advised(findings, "signing")
    assert "chmod 600" in findings["signing"].state
    shutil.rmtree(made.folder.path)
    made.folder.path.write_text("a file")
    _advised(await _with_checkpoints(made), "signing", "checkpoints")


def test_the_report_sets_faults_apart_and_advice_below_them() -> None:
    lines = report([Finding("one", True, "fine"), Finding("two", False, "gone", "get it")]).splitlines()
    assert lines == ["ok       one: fine", "PROBLEM  two: gone", "         -> get it"]
