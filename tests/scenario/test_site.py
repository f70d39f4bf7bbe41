"""``/tarla site``: for the administrators' group alone, and nothing of anybody in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.standin import Caller
from handlers.ports import LedgerCounts
from handlers.site import SiteSettings
from handlers.site.desk import mondays
from handlers.site.view import site_blocks
from knowledge import UpperLimit
from knowledge.model import load as load_model
from tests.support.app import APP_TOKEN, BOT_TOKEN, allowed_links, over_http
from tests.support.signing import SIGNING_SECRET
from tests.support.slack_limits import check_message

ADMIN = Caller(user_id="U0SOMEONE")
ADMINS: dict[str, Any] = {"tarla_admin_group": "S0ADMINS"}


def _words(message: dict[str, Any]) -> str:
    return json.dumps(message, ensure_ascii=False).replace("\\n", "\n")


async def test_an_administrator_sees_settings_versions_and_counts(tmp_path: Path) -> None:
    more = ADMINS | {"tarla_allowed_channels": ("C0TUMOURBD",), "tarla_allow_guests": True}
    async with over_http(tmp_path / "ledger.db", site_uln=UpperLimit(value=250), **more) as app:
        app.slack.api.groups["S0ADMINS"] = [ADMIN.user_id]
        await app.ask("ldh 480 liver yes")
        await app.ask("zaphod")
        await app.events()
        reply = await app.ask(" SITE ", caller=ADMIN)
        events = await app.events()
    shown = _words(reply.message)
    assert reply.message["response_type"] == "ephemeral"
    for line in (
        "`TARLA_ALLOWED_GROUPS` none",
        "`TARLA_ALLOWED_CHANNELS` <#C0TUMOURBD>",
        "`TARLA_ALLOW_GUESTS` yes",
        "`TARLA_ADMIN_GROUP` S0ADMINS",
        "`TARLA_LDH_ULN` 250 U/L",
        "ledger events 1 to 4",
        "model facts-2",
    ):
        assert line in shown
    (week,) = [line.split() for line in shown.splitlines() if line.startswith("20") and "-W" in line and " 1 " in line]
    assert week[1:] == ["1", "0", "1", "0", "0", "2", "0"]
    # Neither who asked nor what, no secret, no place on the machine.
    secrets = (BOT_TOKEN, APP_TOKEN, SIGNING_SECRET, str(tmp_path))
    for unwanted in ("U0FELLOW01", "U0SOMEONE", "LDH 480", "liver ", "zaphod", "xoxb", "xapp", *secrets):
        assert unwanted not in shown
    look, delivered = events[-2:]
    assert (look.kind, delivered.kind, delivered.ref) == ("looked_up", "delivered", look.seq)
    assert look.payload is not None
    assert look.payload["look_up"] == "site"
    assert f"receipt #{look.seq}-" in shown


@pytest.mark.parametrize(
    ("settings", "told"), [({}, "TARLA_ADMIN_GROUP"), (ADMINS, "is for Tarla's administrators")], ids=["none", "group"]
)
async def test_nobody_else_does(tmp_path: Path, settings: dict[str, Any], told: str) -> None:
    async with over_http(tmp_path / "ledger.db", **settings) as app:
        app.slack.api.groups["S0ADMINS"] = ["U1"]
        reply = await app.ask("site")
        refused, delivered = await app.events()
    assert told in reply.message["text"]
    assert "ledger events" not in reply.text
    assert (refused.kind, delivered.kind) == ("refused", "delivered")
    assert refused.payload is not None
    assert refused.payload["reason"] == "E_NOT_ADMIN"


async def test_while_slack_does_not_say_who_administrators_are(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db", **ADMINS) as app:
        app.slack.api.failing["usergroups.users.list"] = "fatal_error"
        reply = await app.ask("site", caller=ADMIN)
    assert "Slack does not say who you are just now" in reply.text
    assert "ledger events" not in reply.text


async def test_the_same_request_twice_has_one_answer(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db", **ADMINS) as app:
        app.slack.api.groups["S0ADMINS"] = [ADMIN.user_id]
        for caller in (ADMIN, Caller()):
            first, second = [await app.ask("site", caller=caller, trigger_id=f"1.2.{caller.user_id}") for _ in "ab"]
            assert first.text
            assert not second.text


async def test_without_a_ledger_settings_are_shown_and_no_counts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    async with over_http(tmp_path / "file" / "ledger.db", **ADMINS) as app:
        app.slack.api.groups["S0ADMINS"] = [ADMIN.user_id]
        reply = await app.ask("site", caller=ADMIN)
    shown = _words(reply.message)
    assert "`TARLA_ALLOW_GUESTS` no" in shown
    assert "the audit ledger cannot be read (`cannot_open`)" in shown
    assert "receipt" not in shown


def test_eight_weeks_from_monday_to_monday() -> None:
    weeks = mondays("2027-01-03")  # a Sunday
    assert weeks[-1] == "2026-12-28"
    assert weeks[0] == "2026-11-09"
    assert len(weeks) == 8


def test_a_busy_site_fits_into_a_message() -> None:
    weeks = mondays("2026-11-24")
    kinds = ("computed", "looked_up", "refused", "shared", "outcome_recorded", "delivered", "delivery_failed")
    counts = LedgerCounts(
        {(week, kind): 1_234_567 for week in weeks for kind in kinds},
        {f"E_{'A' * 50}_{n}": 1_000_000 for n in range(99)},
        first_seq=1,
        last_seq=9_999_999,
        complete=False,
    )
    blocks = list(site_blocks(SiteSettings(), "1.0.0", load_model(), weeks, counts))
    message = {"response_type": "ephemeral", "text": "site", "blocks": blocks}
    check_message(message, allowed_links=allowed_links(message))
    assert "older events of these weeks were not counted" in _words(message)
    assert "69000000  others" in _words(message)
