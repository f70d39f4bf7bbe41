"""What does not come from Slack, or not as Slack sends it: a status and one line in the log, never a row."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest

from bot.standin import slash_command_payload
from tests.support.app import PATIENCE_S, Reply, RunningApp, over_http
from tests.support.signing import FORM, SignedRequest, interaction_request, signed, slash_command_request

UNREADABLE = {
    "not text": b"\xff\xfe",
    "half a JSON object": b"{",
    "a JSON list": b"[1]",
    "payload is null": b"payload=null",
    "deep JSON": b"payload=" + b"[" * 2_000,
}


async def post(running: RunningApp, body: bytes, headers: dict[str, str]) -> Reply:
    """Send any bytes with any headers."""
    timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(running.address, data=body, headers=headers) as response,
    ):
        return Reply(response.status, await response.text())


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("kind", ["application/json", FORM, "text/plain; charset=klingon"])
async def test_unsigned_and_unreadable_is_turned_away_in_one_line(
    tmp_path: Path, body: bytes, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        reply = await post(running, body, {"Content-Type": kind})
        assert reply == Reply(401, "")
        assert await running.events() == []
    (line,) = [record for record in caplog.records if record.name.startswith("tarla")]
    assert line.getMessage() == "request turned away: not_signed_by_slack"
    assert line.exc_info is None


@pytest.mark.parametrize("timestamp", ["abc", "1.5", "9" * 400, "", "-1", "0x10"])
async def test_a_malformed_timestamp_is_turned_away(tmp_path: Path, timestamp: str) -> None:
    request = slash_command_request("ldh high")
    async with over_http(tmp_path / "ledger.db") as running:
        headers = {**request.headers, "X-Slack-Request-Timestamp": timestamp}
        assert (await running.send(SignedRequest(request.body, headers))).status == 401
        assert await running.events() == []


@pytest.mark.parametrize("signature", ["", "v1=00", "v0=", "v0=" + "g" * 64, "v0=" + "0" * 64, "ü"])
async def test_a_malformed_or_wrong_signature_is_turned_away(tmp_path: Path, signature: str) -> None:
    request = slash_command_request("ldh high")
    async with over_http(tmp_path / "ledger.db") as running:
        headers = {**request.headers, "X-Slack-Signature": signature}
        assert (await running.send(SignedRequest(request.body, headers))).status == 401
        assert await running.events() == []


@pytest.mark.parametrize("body", ["payload=null", "payload=" + "[" * 100_000, "payload=7"])
async def test_signed_but_unreadable_is_turned_away_in_one_line(
    tmp_path: Path, body: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        assert (await running.send(signed(body, content_type=FORM))).status in (400, 404)
        assert await running.events() == []
    assert all(record.exc_info is None for record in caplog.records if record.name.startswith("tarla"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("trigger_id", ""),
        ("trigger_id", "a b"),
        ("user_id", ""),
        ("user_id", "U1\x00"),
        ("channel_id", "C1\nx"),
        ("channel_id", "C1\n"),
    ],
)
async def test_signed_but_malformed_ids_get_an_apology_and_no_row(tmp_path: Path, field: str, value: str) -> None:
    fields = slash_command_payload("ldh 480/250", response_url="http://127.0.0.1/none") | {field: value}
    async with over_http(tmp_path / "ledger.db") as running:
        reply = await running.send(signed(urlencode(fields), content_type=FORM))
        assert "something went wrong inside Tarla" in reply.message["text"]
        assert "%" not in reply.text
        assert await running.events() == []


async def test_a_shortcut_that_nobody_declared_leaves_no_row(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        request = interaction_request({"type": "shortcut", "callback_id": "x", "user": {"id": 7}, "team": None})
        assert (await running.send(request)).status in (400, 404)
        assert await running.events() == []


async def test_slacks_look_at_the_certificate_is_answered(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        assert await post(running, b"ssl_check=1&token=any", {}) == Reply(200, "")
