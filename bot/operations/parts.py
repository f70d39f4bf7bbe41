"""Probes and figures of the parts that every running application has."""

from __future__ import annotations

import time

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
    operations.readiness.watch("model", model_probe)
    operations.readiness.watch("evidence", evidence_probe)
    operations.measure("tarla_ledger_up", lambda: float(ledger.status().ok))
    operations.measure("tarla_ledger_commits", lambda: float(ledger.status().commits))
    operations.measure("tarla_ledger_queue_length", ledger.writer.queue_length)
    operations.measure("tarla_in_flight_requests", in_flight.count)
    operations.measure("tarla_wall_clock_seconds", time.time)
