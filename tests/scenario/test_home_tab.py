"""App Home is filled when its user opens it, and at no other time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.standin import Caller, Workspace
from knowledge import UpperLimit
from tests.support.answers import expected_estimates
from tests.support.app import home_opened, over_http, over_socket, until
from tests.support.signing import event_request
from tests.support.slack_limits import check_view

USER = "U0FELLOW01"


def _words(view: dict[str, Any]) -> str:
    return json.dumps(view, ensure_ascii=False).replace("\N{NO-BREAK SPACE}", " ")


def _published(calls: list[Any]) -> list[dict[str, Any]]:
    return [call.args for call in calls if call.method == "views.publish"]


@pytest.mark.parametrize("site", [None, UpperLimit(value=250)])
async def test_it_is_published_to_who_opened_it(tmp_path: Path, site: UpperLimit | None) -> None:
    async with over_http(tmp_path / "ledger.db", site_uln=site) as running:
        reply = await running.send(event_request(home_opened(user="U0SOMEONE")))
        # An event is acknowledged first and handled after.
        await until(lambda: _published(running.slack.calls))
        assert await running.events() == []
    assert reply.status == 200
    (published,) = _published(running.slack.calls)
    assert published["user_id"] == "U0SOMEONE"
    view = published["view"]
    check_view(view)
    assert "None yet." in str(view)
    assert ("250 U/L" in str(published["view"])) == (site is not None)


async def test_over_socket_mode_too(tmp_path: Path) -> None:
    async with over_socket(tmp_path / "ledger.db") as (running, _):
        assert await running.slack.send("events_api", home_opened()) == {}
        await until(lambda: _published(running.slack.calls))
    (published,) = _published(running.slack.calls)
    check_view(published["view"])


async def test_the_messages_tab_is_left_alone(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        reply = await running.send(event_request(home_opened(tab="messages")))
    assert reply.status == 200
    assert _published(running.slack.calls) == []


async def test_it_shows_ones_own_answers_and_nobody_elses(tmp_path: Path) -> None:
    other = Caller(user_id="U0SOMEONE")
    async with over_http(tmp_path / "ledger.db") as running:
        for text in ("ldh 480/250 liver yes dm no cvd yes", "zaphod", "ldh 300/250"):
            await running.ask(text)
        await running.ask("ldh 777/250 dm yes", caller=other)
        computed = [event for event in await running.events() if event.kind == "computed"]
        for user in (USER, other.user_id):
            await running.send(event_request(home_opened(user=user)))
        await until(lambda: len(_published(running.slack.calls)) == 2)
    views = {args["user_id"]: _words(args["view"]) for args in _published(running.slack.calls)}
    receipts = [f"receipt `#{event.seq}-{event.leaf.hex()[:4]}`" for event in computed]
    mine, others = views[USER], views[other.user_id]
    assert mine.index(receipts[1]) < mine.index(receipts[0])
    assert "LDH 300 U/L" in mine
    assert "LDH 480 U/L = 1.9 × ULN (250) · liver metastases yes" in mine
    for estimate in expected_estimates():
        assert estimate in mine
    assert receipts[2] not in mine
    assert "777" not in mine
    assert receipts[2] in others
    assert "LDH 777 U/L" in others
    assert not any(receipt in others for receipt in receipts[:2])
    assert "480 U/L" not in others


async def test_the_same_user_id_in_another_workspace_is_somebody_else(tmp_path: Path) -> None:
    """In a shared channel, and in an organisation, one id may ask from two workspaces."""
    async with over_http(tmp_path / "ledger.db", tarla_allow_other_workspaces=True) as running:
        await running.ask("ldh 777/250", workspace=Workspace(team_id="T0OTHER"))
        await running.send(event_request(home_opened()))
        await until(lambda: _published(running.slack.calls))
    (published,) = _published(running.slack.calls)
    assert "777" not in _words(published["view"])


async def test_without_a_ledger_it_says_so_and_shows_the_rest(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    async with over_http(tmp_path / "file" / "ledger.db") as running:
        await running.send(event_request(home_opened()))
        await until(lambda: _published(running.slack.calls))
    (published,) = _published(running.slack.calls)
    shown = _words(published["view"])
    assert "the audit ledger cannot be read (`cannot_open`)" in shown
    assert "How to ask" in shown
