"""The operator's reports of the running application, over HTTP and beside Socket Mode."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.address import Address
from bot.operations import Operations
from bot.operations.link import watch_link
from bot.operations.running import operating
from bot.operations.server import serve_operations
from bot.settings import SettingsError
from bot.standin import SlackStandin
from knowledge.model import load as load_model
from tests.support.app import APP_TOKEN, BOT_TOKEN, WORDS, over_http, over_socket, until
from tests.support.serving import SECRETS, START_S, serving
from tests.support.signing import slash_command_request

LOOPBACK = Address("127.0.0.1", 0)
TEXT_FORMAT = "text/plain"


async def got(url: str, **headers: str) -> tuple[int, str, str]:
    """Status, content type and body of a report."""
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as reply:
        assert reply.headers["Cache-Control"] == "no-store"
        return reply.status, reply.headers["Content-Type"], await reply.text()


def figures(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Samples by name and label values (in the order of the label names), as Prometheus' own reader sees them."""
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_alive_is_not_ready(tmp_path: Path) -> None:
    """A new start would not mend the ledger, so that only /readyz speaks of it."""
    (tmp_path / "file").write_text("not a folder")
    async with over_http(tmp_path / "file" / "ledger.db") as running:
        base = running.address.removesuffix("/slack/events")
        alive, ready = await got(f"{base}/healthz"), await got(f"{base}/readyz")
        metrics = figures((await got(f"{base}/metrics"))[2])
    assert (alive[0], json.loads(alive[2])) == (200, {"alive": True})
    assert (ready[0], json.loads(ready[2])) == (
        503,
        {"ready": False, "reasons": {"ledger": "cannot_open"}, "warnings": {}},
    )
    assert metrics["tarla_ready", ()] == 0
    assert metrics["tarla_probe_ok", ("ledger",)] == 0
    assert metrics["tarla_probe_ok", ("model",)] == 1
    assert metrics["tarla_ledger_up", ()] == 0


async def test_metrics_tell_what_was_answered_and_of_nobody(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        await running.ask(WORDS)
        request = slash_command_request("ldh 487 liver perhaps")
        await running.send(request)
        await running.send(request)
        events = await running.events()
        _, content_type, text = await got(f"{running.address.removesuffix('/slack/events')}/metrics")
    seen = figures(text)
    assert content_type.startswith(TEXT_FORMAT)
    assert "charset=utf-8" in content_type
    assert seen["tarla_requests_total", ("slash_command", "computed")] == 1
    refused = [event for event in events if event.kind == "refused"]
    assert seen["tarla_requests_total", ("slash_command", "refused")] == len(refused) == 1
    assert refused[0].payload is not None
    assert seen["tarla_refusals_total", (str(refused[0].payload["reason"]),)] == 1
    delivered = [event for event in events if event.kind == "delivered"]
    assert seen["tarla_deliveries_total", ("delivered",)] == len(delivered)
    assert seen["tarla_answer_seconds_count", ("http",)] == len(delivered)
    assert seen["tarla_answer_seconds_bucket", ("+Inf", "http")] == len(delivered)
    assert sum(value for (name, _), value in seen.items() if name == "tarla_ledger_events_total") == len(events)
    assert seen["tarla_ledger_queue_length", ()] == 0
    assert seen["tarla_in_flight_requests", ()] == 0
    assert any(name == "tarla_build_info" and "facts" in " ".join(labels) for name, labels in seen)
    for hidden in ("U0FELLOW01", "C0TUMOURBD", "T0TARLADEV", "487", "perhaps"):
        assert hidden not in text


async def test_open_metrics_where_that_is_asked_for(tmp_path: Path) -> None:
    async with over_http(tmp_path / "ledger.db") as running:
        url = f"{running.address.removesuffix('/slack/events')}/metrics"
        _, content_type, text = await got(url, Accept="application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert text.endswith("# EOF\n")


async def test_beside_socket_mode_the_connection_is_watched(tmp_path: Path) -> None:
    async with over_socket(tmp_path / "ledger.db") as (running, handler):
        operations = running.tarla.operations
        watch_link(operations, handler.state)
        async with serve_operations(operations, LOOPBACK) as base:
            assert (await got(f"{base}/readyz"))[0] == 200
            assert figures((await got(f"{base}/metrics"))[2])["tarla_slack_connected", ()] == 1
            # Otherwise there would be another at once.
            running.slack.sockets.refuse_status = 403
            running.slack.sockets.cut()
            await until(lambda: not handler.state.connected)
            status, _, body = await got(f"{base}/readyz")
    assert (status, json.loads(body)["reasons"]) == (503, {"slack": "not_connected"})


async def test_a_process_that_starts_or_stops_is_not_ready() -> None:
    operations, stopped = Operations("0.1.0", load_model), asyncio.Event()
    async with operating(operations, None, stopped) as notifier:
        assert operations.readiness.reasons() == {"process": "starting"}
        notifier.tell("READY=1", "STATUS=taking requests")
        assert operations.readiness.reasons() == {}
        stopped.set()
        assert operations.readiness.reasons() == {"process": "stopping"}


async def test_an_address_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = Address("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(SettingsError, match=rf"TARLA_OPERATIONS: cannot listen on {address} \(EADDRINUSE\)"):
            async with serve_operations(Operations("0.1.0", load_model), address):
                pytest.fail("it cannot have listened")


@asynccontextmanager
async def manager(folder: Path) -> AsyncIterator[tuple[Path, list[str]]]:
    """systemd's end of the socket: its address and what was said to it so far."""
    said: list[str] = []
    path = folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
        own.bind(str(path))
        own.setblocking(False)
        loop = asyncio.get_running_loop()

        async def read() -> None:
            while True:
                said.extend((await loop.sock_recv(own, 1024)).decode().splitlines())

        reading = asyncio.create_task(read())
        try:
            yield path, said
        finally:
            reading.cancel()
            await asyncio.wait((reading,))


async def test_a_process_under_systemd(tmp_path: Path) -> None:
    """Ready, pulses, reports on an address of their own, JSON for logs, stopping."""
    async with (
        SlackStandin(bot_token=BOT_TOKEN, app_token=APP_TOKEN) as slack,
        manager(tmp_path) as (notify, said),
        serving(
            tmp_path,
            "--socket",
            SLACK_API_URL=slack.api_url,
            TARLA_OPERATIONS="127.0.0.1:0",
            TARLA_LOG="json",
            NOTIFY_SOCKET=str(notify),
            WATCHDOG_USEC="300000",
            **SECRETS,
        ) as served,
    ):
        await served.logged("connected to Slack")
        told = json.loads(await served.logged("operations on"))["message"]
        await until(lambda: "STATUS=taking requests" in said, START_S)
        assert said[:2] == ["READY=1", "STATUS=connecting to Slack"] or said[0] == "WATCHDOG=1"
        base = told.removeprefix("operations on ")
        assert await got(f"{base}/readyz") == (
            200,
            "application/json; charset=utf-8",
            '{"ready": true, "reasons": {}, "warnings": {}}',
        )
        assert (await got(f"{base}/metrics"))[0] == 200
        await slack.slash_command('ldh 487\r\n{"level": "forged"}\x1b[31m Smith \u202e')
        assert 'tarla_requests_total{door="slash_command",outcome="refused"} 1.0' in (await got(f"{base}/metrics"))[2]
        before = said.count("WATCHDOG=1")
        await until(lambda: said.count("WATCHDOG=1") > before + 1, START_S)
        served.stop()
        assert await served.ended() == 0
        await until(lambda: "STOPPING=1" in said)
    lines = [json.loads(line) for line in served.lines]
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    assert lines[-1]["message"] == "stopped"
    assert not any(word in served.log for word in (*SECRETS.values(), "487", "forged", "Smith", "U0FELLOW01"))


async def test_an_operations_port_in_use_ends_the_start(tmp_path: Path) -> None:
    """Over HTTP as well, and whoever reads JSON lines reads nothing else."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        told = {"TARLA_OPERATIONS": address, "TARLA_LOG": "json"} | SECRETS
        async with (
            SlackStandin(bot_token=BOT_TOKEN, app_token=APP_TOKEN) as slack,
            serving(tmp_path, "--http", "--port", "0", SLACK_API_URL=slack.api_url, **told) as served,
        ):
            assert await asyncio.wait_for(served.process.wait(), START_S) == 1
            await until(lambda: "choose another" in served.log)
    last = [json.loads(line) for line in served.lines][-1]
    assert last["level"] == "CRITICAL"
    assert f"TARLA_OPERATIONS: cannot listen on {address} (EADDRINUSE)" in last["message"]


def test_nothing_of_the_exposition_is_imported_before_somebody_asks() -> None:
    """The start must stay short, and the memory of those who never ask small."""
    program = (
        "import sys, bot.serve, bot.operations.parts, bot.operations.server, handlers.listeners\n"
        "print([name for name in sys.modules if name.startswith('prometheus_client')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
