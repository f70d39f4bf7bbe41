"""Probes and figures of what others keep: links, requests turned away, checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from bot.operations import Operations
from bot.operations.exposition import exposition, registry_of
from bot.operations.link import watch_link
from bot.operations.parts import watch_checkpoints, watch_requests
from knowledge.model import load as load_model

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass
class Link:
    """A connection's figures."""

    connected: bool = False
    connections: int | None = None
    reconnects: Mapping[str, int] = field(default_factory=dict)
    pong: float | None = None

    def last_pong_age_s(self) -> float | None:
        """As given."""
        return self.pong


@dataclass
class Requests:
    """Requests turned away."""

    unsigned: int = 0
    replayed: int = 0
    unreadable: int = 0
    shed: int = 0
    late: int = 0


@dataclass
class Checkpoints:
    """How checkpoints stand."""

    size: int = 0
    time: datetime | None = None
    failures: int = 0
    alarm: str | None = None


def lines_of(operations: Operations) -> list[str]:
    """What Prometheus reads."""
    body, _ = exposition(registry_of(operations), "")
    return body.decode().splitlines()


def test_a_link() -> None:
    operations, link = Operations("0.1.0", load_model), Link()
    watch_link(operations, link)
    assert operations.readiness.reasons() == {"slack": "not_connected"}
    assert "tarla_slack_connected 0.0" in lines_of(operations)
    assert not [
        line for line in lines_of(operations) if line.startswith(("tarla_slack_connections", "tarla_slack_pong"))
    ]
    link.connected, link.connections, link.pong = True, 2, 0.5
    link.reconnects = {"refresh": 3, "silent": 1}
    assert operations.readiness.reasons() == {}
    seen = lines_of(operations)
    for line in (
        "tarla_slack_connected 1.0",
        "tarla_slack_connections 2.0",
        "tarla_slack_reconnects_total 4.0",
        "tarla_slack_pong_age_seconds 0.5",
    ):
        assert line in seen


def test_requests_turned_away() -> None:
    operations, counts = Operations("0.1.0", load_model), Requests()
    watch_requests(operations, counts)
    counts.unsigned, counts.replayed, counts.unreadable, counts.shed, counts.late = 1, 2, 3, 4, 5
    seen = lines_of(operations)
    for reason, count in {"unsigned": 1, "replayed": 2, "unreadable": 3, "busy": 9}.items():
        assert f'tarla_turned_away_total{{reason="{reason}"}} {count}.0' in seen


def test_checkpoints() -> None:
    operations, status = Operations("0.1.0", load_model), Checkpoints()
    watch_checkpoints(operations, lambda: status, lambda: NOON)
    assert "tarla_checkpoint_size 0.0" in lines_of(operations)
    assert not [line for line in lines_of(operations) if line.startswith("tarla_checkpoint_age_seconds")]
    status.size, status.time, status.failures = 1284, NOON - timedelta(minutes=5), 2
    seen = lines_of(operations)
    for line in (
        "tarla_checkpoint_size 1284.0",
        "tarla_checkpoint_age_seconds 300.0",
        "tarla_checkpoint_failures_total 2.0",
    ):
        assert line in seen
    status.time = NOON + timedelta(minutes=5)  # a clock set back
    assert "tarla_checkpoint_age_seconds 0.0" in lines_of(operations)


@pytest.mark.parametrize("alarm", ["folder_unwritable", "key_unusable"])
def test_an_alarm_of_folder_or_key_is_a_warning(alarm: str) -> None:
    """Answers are recorded and given all the same."""
    operations = Operations("0.1.0", load_model)
    watch_checkpoints(operations, lambda: Checkpoints(alarm=alarm), lambda: NOON)
    assert operations.readiness.reasons() == {}
    assert operations.readiness.warnings() == {"checkpoint": alarm}
    assert "tarla_ready 1.0" in lines_of(operations)
    assert 'tarla_probe_ok{probe="checkpoint"} 0.0' in lines_of(operations)


@pytest.mark.parametrize("alarm", ["older_file", "rewritten", "schema", "an alarm of a later version"])
def test_an_alarm_of_the_ledger_is_in_the_way(alarm: str) -> None:
    operations = Operations("0.1.0", load_model)
    watch_checkpoints(operations, lambda: Checkpoints(alarm=alarm), lambda: NOON)
    assert list(operations.readiness.reasons()) == ["checkpoint"]
    assert operations.readiness.warnings() == {}
    assert "tarla_ready 0.0" in lines_of(operations)
