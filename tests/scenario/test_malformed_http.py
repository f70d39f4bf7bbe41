"""What does not come from Slack, or not as Slack sends it: a status and one line in the log, never a row."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest
from multidict import CIMultiDict

from bot.standin import slash_command_payload
from bot.transports.signature import LINES_IN_S, MOST_LINES, TurningAway
from tests.support.app import PATIENCE_S, Reply, RunningApp, over_http
from tests.support.fakes import FakeClock
from tests.support.signing import FORM, SignedRequest, interaction_request, signed, slash_command_request

UNREADABLE = {
    "not text": b"\xff\xfe",
    "half a JSON object": b"{",
    "a JSON list": b"[1]",
    "payload is null": b"payload=null",
    "deep JSON": b"payload=" + b"[" * 2_000,
}


async def post(running: RunningApp, body: bytes, headers: Mapping[str, str]) -> Reply:
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


_REQUEST = slash_command_request("ldh high")
_STAMP = _REQUEST.headers["X-Slack-Request-Timestamp"]
_SIGNED = _REQUEST.headers["X-Slack-Signature"]
TIMESTAMP, SIGNATURE = "X-Slack-Request-Timestamp", "X-Slack-Signature"
# One header of a good request changed, or (None) left out.
HEADERS: dict[str, tuple[str, str | None]] = {
    "timestamp a word": (TIMESTAMP, "abc"),
    "timestamp a fraction": (TIMESTAMP, "1.5"),
    "timestamp of 400 digits": (TIMESTAMP, "9" * 400),
    "timestamp of 13 digits": (TIMESTAMP, "1" * 13),
    "timestamp of 12 digits": (TIMESTAMP, "9" * 12),
    "timestamp empty": (TIMESTAMP, ""),
    "timestamp negative": (TIMESTAMP, f"-{_STAMP}"),
    "timestamp hexadecimal": (TIMESTAMP, "0x10"),
    "timestamp with a plus": (TIMESTAMP, f"+{_STAMP}"),
    "timestamp with underscores": (TIMESTAMP, f"{_STAMP[:4]}_{_STAMP[4:]}"),
    "timestamp with a leading zero": (TIMESTAMP, f"0{_STAMP}"),
    "timestamp an exponent": (TIMESTAMP, "1e9"),
    "timestamp nan": (TIMESTAMP, "nan"),
    "timestamp in other digits": (TIMESTAMP, "١٧٦٤٠٠٠٠٠٠"),
    "timestamp twice": (TIMESTAMP, f"{_STAMP}, {_STAMP}"),
    "timestamp missing": (TIMESTAMP, None),
    "signature empty": (SIGNATURE, ""),
    "signature of version 1": (SIGNATURE, _SIGNED.replace("v0=", "v1=")),
    "signature of version 1, empty": (SIGNATURE, "v1="),
    "signature without a version": (SIGNATURE, _SIGNED.removeprefix("v0=")),
    "signature without digits": (SIGNATURE, "v0="),
    "signature too short": (SIGNATURE, _SIGNED[:-1]),
    "signature too long": (SIGNATURE, f"{_SIGNED}0"),
    "signature of 6,000 digits": (SIGNATURE, "v0=" + "0" * 6_000),
    "signature in capitals": (SIGNATURE, "v0=" + _SIGNED[3:].upper()),
    "signature no hexadecimal": (SIGNATURE, "v0=" + "g" * 64),
    "signature wrong": (SIGNATURE, "v0=" + "0" * 64),
    "signature not ASCII": (SIGNATURE, "ü"),
    "signature not ASCII, of its length": (SIGNATURE, "v0=" + "é" * 64),
    "signature in other digits": (SIGNATURE, "v0=" + "٤" * 64),
    "signature twice": (SIGNATURE, f"{_SIGNED}, {_SIGNED}"),
    "signature missing": (SIGNATURE, None),
}


@pytest.mark.parametrize(("name", "value"), HEADERS.values(), ids=HEADERS)
async def test_a_malformed_or_wrong_header_is_turned_away_in_one_line(
    tmp_path: Path, name: str, value: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    request = slash_command_request("ldh high")
    headers = {header: text for header, text in request.headers.items() if header != name}
    if value is not None:
        headers[name] = value
    async with over_http(tmp_path / "ledger.db") as running:
        reply = await running.send(SignedRequest(request.body, headers))
        await _turned_away(running, reply, caplog)


def _forged(how: str) -> SignedRequest:
    """A request that Slack did not sign just now. Signed at this moment: what is older would be refused for its age."""
    right = slash_command_request("ldh high")
    return {
        "another key": lambda: slash_command_request("ldh high", signing_secret="0" * 32),
        "too old": lambda: slash_command_request("ldh high", timestamp=int(time.time()) - 302),
        "too far ahead": lambda: slash_command_request("ldh high", timestamp=int(time.time()) + 330),
        "another body": lambda: SignedRequest(slash_command_request("ldh normal").body, right.headers),
        "no body": lambda: SignedRequest("", right.headers),
        "a longer body": lambda: SignedRequest(f"{right.body}&text=ldh+normal", right.headers),
        "nothing signed": lambda: SignedRequest(right.body, {"Content-Type": FORM}),
    }[how]()


@pytest.mark.parametrize(
    "how", ["another key", "too old", "too far ahead", "another body", "no body", "a longer body", "nothing signed"]
)
async def test_what_slack_did_not_sign_is_turned_away_in_one_line(
    tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        await _turned_away(running, await running.send(_forged(how)), caplog)


@pytest.mark.parametrize("name", [TIMESTAMP, SIGNATURE])
@pytest.mark.parametrize("second", ["the same", "0", ""])
async def test_a_header_that_comes_twice_is_turned_away(
    tmp_path: Path, name: str, second: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Of two, Bolt reads the other one."""
    request = slash_command_request("ldh high")
    headers = CIMultiDict(request.headers)
    headers.add(name, headers[name] if second == "the same" else second)
    async with over_http(tmp_path / "ledger.db") as running:
        await _turned_away(running, await post(running, request.body.encode(), headers), caplog)


async def _turned_away(running: RunningApp, reply: Reply, caplog: pytest.LogCaptureFixture) -> None:
    """It was answered with 401 and nothing else happened; one line says so."""
    assert reply == Reply(401, "")
    assert await running.events() == []
    assert running.slack.calls == []
    counts = running.tarla.counts
    assert (counts.received, counts.unsigned, counts.replayed, counts.unreadable) == (1, 1, 0, 0)
    (line,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert (line.name, line.getMessage()) == ("tarla.transport", "request turned away: not_signed_by_slack")
    assert line.exc_info is None


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


def test_who_knocks_without_end_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    turning_away = TurningAway(clock.monotonic)
    for _ in range(10_000):
        assert turning_away.reply("not_signed_by_slack", 401).status == 401
    assert len(caplog.records) == MOST_LINES
    clock.advance(LINES_IN_S)
    turning_away.reply("replayed", 401)
    assert [record.getMessage() for record in caplog.records[MOST_LINES:]] == [
        f"requests turned away, not told one by one: {10_000 - MOST_LINES}",
        "request turned away: replayed",
    ]
