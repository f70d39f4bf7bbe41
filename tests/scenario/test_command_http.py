"""A slash command over HTTP, from the signed request to the acknowledgement and the ledger's rows."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.ledger import check_ledger, read_events
from handlers.answer import TableMode
from handlers.records import factors_from_record
from knowledge import UpperLimit, assess
from tests.support import app as support
from tests.support.app import WORDS, HeldLedger, over_http, until
from tests.support.signing import slash_command_request
from tests.support.slack_limits import check_message


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.mark.parametrize("table", TableMode)
async def test_the_answer_is_the_acknowledgement_and_only_its_reader_sees_it(path: Path, table: TableMode) -> None:
    async with over_http(path, table=table) as running:
        reply = await running.ask()
        computed, delivered = await running.events()
    assert reply.status == 200
    check_message(reply.message)
    assert reply.message["response_type"] == "ephemeral"
    assert f"receipt #1-{computed.leaf.hex()[:4]}" in reply.message["text"]
    assert ("table" in {block["type"] for block in reply.message["blocks"]}) == (table is TableMode.BLOCK)
    assert (computed.kind, computed.ref) == ("computed", None)
    assert (delivered.kind, delivered.ref) == ("delivered", computed.seq)
    assert delivered.payload is not None
    assert delivered.payload["via"] == "http"
    assert {call.method for call in running.slack.calls} == {"auth.test", "users.info"}  # who asks
    assert running.slack.responses == []
    assert check_ledger(path).ok


async def test_the_row_holds_who_asked_and_what_the_engine_says(path: Path) -> None:
    async with over_http(path) as running:
        await running.ask(trigger_id="111.222.abc")
        computed, _ = await running.events()
    assert computed.idem_key == "command:111.222.abc"
    payload = json.loads(computed.body or "")
    assert payload["asker"] == {
        "via": "slash_command",
        "user": "U0FELLOW01",
        "channel": "C0TUMOURBD",
        "team": "T0TARLADEV",
    }
    for kept, engine in zip(payload["outcomes"], assess(factors_from_record(payload["factors"])).outcomes, strict=True):
        assert kept["risk"] == f"{engine.risk:.6f}"


async def test_the_sites_upper_limit_is_used_and_said(path: Path) -> None:
    async with over_http(path, site_uln=UpperLimit(value=250)) as running:
        reply = await running.ask("ldh 480 liver yes dm no cvd yes")
    assert "(250, this site's)" in reply.text
    assert "Upper limit of normal: 250 U/L, this site's setting." in reply.text


async def test_the_row_is_durable_before_the_answer_leaves(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.compose.open_ledger", support.open_held)
    async with over_http(path) as running:
        ledger = running.tarla.ledger.writer
        assert isinstance(ledger, HeldLedger)
        asking = asyncio.create_task(running.ask())
        await asyncio.wait_for(ledger.recorded_answer.wait(), support.PATIENCE_S)
        (computed,) = await asyncio.to_thread(lambda: list(read_events(path)))
        assert computed.kind == "computed"
        assert not asking.done()
        ledger.let_go.set()
        reply = await asking
        assert f"#1-{computed.leaf.hex()[:4]}" in reply.text
        assert [event.kind for event in await running.events()] == ["computed", "delivered"]


async def test_a_client_that_hangs_up_gets_delivery_failed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.compose.open_ledger", support.open_held)
    arrived: list[web.Request] = []
    async with over_http(path, arrived=arrived) as running:
        ledger = running.tarla.ledger.writer
        assert isinstance(ledger, HeldLedger)
        asking = asyncio.create_task(running.ask())
        await asyncio.wait_for(ledger.recorded_answer.wait(), support.PATIENCE_S)
        asking.cancel()
        await asyncio.wait({asking})
        (request,) = arrived
        await until(lambda: request.transport is None or request.transport.is_closing())
        ledger.let_go.set()
        await until(lambda: len(list(read_events(path))) == 2)
        computed, failed = await running.events()
    assert (failed.kind, failed.ref) == ("delivery_failed", computed.seq)
    assert failed.payload is not None
    assert failed.payload["reason"] == "connection_lost"


async def test_the_same_trigger_gets_one_answer_and_an_empty_acknowledgement(path: Path) -> None:
    async with over_http(path) as running:
        first = await running.ask(trigger_id="1.2.same")
        again = await running.ask(trigger_id="1.2.same")
        events = await running.events()
    assert "receipt #" in first.text
    assert (again.status, again.text) == (200, "")
    assert [event.kind for event in events] == ["computed", "delivered"]


async def test_the_same_trigger_twice_at_once_is_computed_once(path: Path) -> None:
    async with over_http(path) as running:
        replies = await asyncio.gather(*(running.ask(trigger_id="1.2.same") for _ in range(5)))
        events = await running.events()
    assert sorted(bool(reply.text) for reply in replies) == [False] * 4 + [True]
    assert [event.kind for event in events] == ["computed", "delivered"]


async def test_a_refusal_is_kept_with_its_code_and_place(path: Path) -> None:
    async with over_http(path) as running:
        reply = await running.ask("ldh 480/250 livr yes")
        refused, delivered = await running.events()
    check_message(reply.message)
    assert "Word 3: " in reply.text
    assert "Did you mean: liver" in reply.text
    assert (refused.kind, delivered.kind, delivered.ref) == ("refused", "delivered", refused.seq)
    payload = json.loads(refused.body or "")
    assert (payload["reason"], payload["word"], payload["length"]) == ("E_UNKNOWN_WORD", 3, 20)
    assert "factors" not in payload


@pytest.mark.parametrize("text", ["help", "HELP", "?", "how"])
async def test_help_is_given_and_nothing_is_recorded(path: Path, text: str) -> None:
    async with over_http(path) as running:
        reply = await running.ask(text)
        assert await running.events() == []
    check_message(reply.message)
    assert WORDS in reply.text


async def test_symptoms_get_no_risk(path: Path) -> None:
    async with over_http(path) as running:
        reply = await running.ask("ldh 480/250 liver yes fever")
        refused, _ = await running.events()
    assert "No risk is given" in reply.text
    assert json.loads(refused.body or "")["reason"] == "E_SYMPTOMS"


@pytest.mark.parametrize(
    "forged",
    [
        {"signing_secret": "another-secret"},
        {"timestamp": 1_000_000_000},  # a request recorded long ago and played again
    ],
    ids=["signature", "old"],
)
async def test_a_forged_request_is_turned_away_and_leaves_no_row(path: Path, forged: dict[str, Any]) -> None:
    async with over_http(path) as running:
        reply = await running.ask(**forged)
        assert await running.events() == []
    assert reply.status == 401
    assert "receipt" not in reply.text


async def test_a_body_changed_on_the_way_is_turned_away(path: Path) -> None:
    request = slash_command_request(WORDS)
    changed = type(request)(request.body.replace("480", "481"), request.headers)
    async with over_http(path) as running:
        reply = await running.send(changed)
        assert await running.events() == []
    assert reply.status == 401


async def test_fifty_at_once_all_get_their_own_answer(path: Path) -> None:
    async with over_http(path) as running:
        replies = await asyncio.gather(*(running.ask(f"ldh {300 + number}/250 liver yes") for number in range(50)))
        events = await running.events()
    assert all(reply.status == 200 for reply in replies)
    for number, reply in enumerate(replies):
        assert f"LDH {300 + number} U/L" in reply.text
    computed = {event.seq: event for event in events if event.kind == "computed"}
    delivered = {event.ref for event in events if event.kind == "delivered"}
    assert len(computed) == len(delivered) == 50
    assert delivered == set(computed)
    assert [event.seq for event in events] == list(range(1, 101))
    shown = {reply.message["text"].rpartition("#")[2] for reply in replies}
    assert shown == {f"{seq}-{event.leaf.hex()[:4]}" for seq, event in computed.items()}
    assert check_ledger(path).ok


async def test_an_answer_that_fails_in_any_way_on_its_way_is_not_delivered(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = web.Response.write_eof

    async def fail(response: web.Response, data: bytes = b"") -> None:
        if response.headers.get("Content-Type", "").startswith("application/json") and b"receipt #" in response.body:
            raise RuntimeError
        await whole(response, data)

    async with over_http(path) as running:
        monkeypatch.setattr(web.Response, "write_eof", fail)
        assert (await running.ask()).status == 500
        await until(lambda: len(list(read_events(path))) == 2)
        computed, failed = await running.events()
    assert (computed.kind, failed.kind) == ("computed", "delivery_failed")
    assert failed.payload is not None
    assert failed.payload["reason"] == "not_sent"
