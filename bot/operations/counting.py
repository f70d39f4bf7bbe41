"""The ledger with a counter beside it: whatever is recorded is counted, and nothing else of it is looked at."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from bot.ledger import LedgerWriter
from bot.ledger.writer import LedgerStatus
from bot.operations.counts import Counts
from handlers.ports import AlreadyRecordedError, Entry, Json, Kind, LedgerUnavailableError, Recorded

log = logging.getLogger("tarla.ledger")

_REQUESTS = frozenset({Kind.COMPUTED, Kind.REFUSED, Kind.LOOKED_UP, Kind.SHARED, Kind.OUTCOME})
_DELIVERIES: dict[str, str] = {Kind.DELIVERED: "delivered", Kind.DELIVERY_FAILED: "failed"}


class CountingLedger:
    """Implements ``handlers.ports.Ledger`` by ``writer``'s means. ``now`` gives monotonic seconds."""

    def __init__(self, writer: LedgerWriter, counts: Counts, now: Callable[[], float]) -> None:
        self.writer = writer
        self._counts = counts
        self._now = now
        self._failing: str | None = None

    async def record(self, entry: Entry) -> Recorded:
        """As the writer's own, counted."""
        started = self._now()
        try:
            recorded = await self.writer.record(entry)
        except AlreadyRecordedError:
            self._count_request(entry, "repeated")
            raise
        except LedgerUnavailableError as unavailable:
            self._counts.record_seconds.observe(self._now() - started, "failed")
            self._counts.ledger_errors.add(unavailable.code)
            self._count_request(entry, "not_shown")
            self._note(unavailable.code)
            raise
        self._counts.record_seconds.observe(self._now() - started, "durable")
        self._note(None)
        self._counts.ledger_events.add(entry.kind)
        self._count_request(entry, str(entry.kind))
        self._count_delivery(entry)
        return recorded

    def record_blocking(self, entry: Entry) -> Recorded:
        """As the writer's own, for the one thread that records checkpoints; counted where it is durable.

        Everything else is counted on the event loop alone: no other series may be touched here.
        """
        recorded = self.writer.record_blocking(entry)
        self._counts.ledger_events.add(entry.kind)
        return recorded

    def status(self) -> LedgerStatus:
        """The writer's."""
        return self.writer.status()

    async def aclose(self) -> None:
        """Close the writer."""
        await self.writer.aclose()

    def _note(self, code: str | None) -> None:
        """Log when the ledger begins to fail, in which way, and when that is over: not every time."""
        if code == self._failing or code == "closed":
            return
        self._failing = code
        if code is None:
            log.warning("the ledger can be written again")
        else:
            log.error("the ledger cannot be written (%s): no risk is shown", code, extra={"code": code})

    def _count_request(self, entry: Entry, outcome: str) -> None:
        if entry.kind not in _REQUESTS:
            return
        self._counts.requests.add(_door(entry.payload), outcome)
        if outcome == Kind.REFUSED:
            self._counts.refusals.add(entry.payload.get("reason"))

    def _count_delivery(self, entry: Entry) -> None:
        outcome = _DELIVERIES.get(entry.kind)
        if outcome is None:
            return
        self._counts.deliveries.add(outcome)
        if outcome == "failed":
            self._counts.delivery_failures.add(entry.payload.get("reason"))
        milliseconds = entry.payload.get("milliseconds")
        if isinstance(milliseconds, int):
            self._counts.answer_seconds.observe(milliseconds / 1000, entry.payload.get("via"))


def _door(payload: Mapping[str, Json]) -> Json:
    asker = payload.get("asker")
    return asker.get("via") if isinstance(asker, Mapping) else None
