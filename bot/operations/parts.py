"""Probes and figures of the parts that every running application has."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from bot.checkpoints.signing import DISTRUSTED, AlarmCode
from bot.operations.counting import CountingLedger
from bot.operations.operations import Operations
from bot.operations.readiness import UNSPECIFIED, evidence_probe, model_probe
from bot.tasks import InFlight


def watch_parts(operations: Operations, ledger: CountingLedger, in_flight: InFlight) -> None:
    """Ledger, model, evidence, and what is in hand."""

    def ledger_probe() -> str | None:
        status = ledger.status()
        return None if status.ok else status.code or UNSPECIFIED

    operations.readiness.watch("ledger", ledger_probe)
    operations.readiness.watch("model", lambda: model_probe(operations.model))
    operations.readiness.watch("evidence", evidence_probe)
    operations.measure("tarla_ledger_up", lambda: float(ledger.status().ok))
    operations.measure("tarla_ledger_commits", lambda: float(ledger.status().commits))
    operations.measure("tarla_ledger_queue_length", ledger.writer.queue_length)
    operations.measure("tarla_in_flight_requests", lambda: float(in_flight.count))
    operations.measure("tarla_wall_clock_seconds", time.time)


class RequestCounts(Protocol):
    """Requests turned away since the start; ``shed`` at once as there was no time for them, ``late`` after waiting."""

    unsigned: int
    replayed: int
    unreadable: int
    shed: int
    late: int


def watch_requests(operations: Operations, counts: RequestCounts) -> None:
    """What never became a question."""
    operations.count_turned_away("unsigned", lambda: counts.unsigned)
    operations.count_turned_away("replayed", lambda: counts.replayed)
    operations.count_turned_away("unreadable", lambda: counts.unreadable)
    operations.count_turned_away("busy", lambda: counts.shed + counts.late)


class CheckpointFigures(Protocol):
    """How checkpoints stand: size and time of the last one, how many failed, and the alarm if there is one."""

    @property
    def size(self) -> int:
        """Events under the last checkpoint."""

    @property
    def time(self) -> datetime | None:
        """When this process last wrote one; None if it has not yet."""

    @property
    def failures(self) -> int:
        """How many could not be made."""

    @property
    def alarm(self) -> str | None:
        """Why none can be made now."""


def watch_checkpoints(
    operations: Operations, status: Callable[[], CheckpointFigures], now: Callable[[], datetime]
) -> None:
    """Checkpoints; an alarm of the folder or the key is in nobody's way, one of the ledger itself is."""

    def age() -> float | None:
        last = status().time
        return None if last is None else max(0.0, (now() - last).total_seconds())

    # Without a signature answers are still given; over a ledger that is not what was signed nothing more is recorded.
    operations.readiness.watch("checkpoint", lambda: status().alarm, harmless=frozenset(AlarmCode) - DISTRUSTED)
    operations.measure("tarla_checkpoint_size", lambda: float(status().size))
    operations.measure("tarla_checkpoint_age_seconds", age)
    operations.measure("tarla_checkpoint_failures", lambda: float(status().failures))
