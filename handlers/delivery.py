"""How a reply's fate comes into the ledger: which event it carries, and whether it was sent.

Bolt tells a listener nothing about whether its answer reached Slack, so the
transport opens a ``Delivery`` for each request, the conversation notes its
event in it, and the transport records how sending went. A listener whose reply
is not the acknowledgement (an answer to a mention, what a button brings) opens
one of its own and records the sending itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from handlers.ports import AlreadyRecordedError, Clock, Entry, Json, Kind, Ledger, LedgerUnavailableError, Recorded

# After this Slack has told the user that the app did not respond.
SLACK_PATIENCE_S = 3.0

NOT_SENT, NOT_DRAWN, STOPPED, LATE = "not_sent", "not_drawn", "stopped", "late"

log = logging.getLogger("tarla.delivery")


@dataclass
class Delivery:
    """The reply to one request; ``event`` is the answer's or refusal's, once recorded, ``key`` the request's.

    ``flaw`` is the closed code of why the reply does not show what its event holds, if it does not; ``received`` is
    ``Clock.monotonic()`` when the transport had the request.
    """

    key: str | None = None
    event: Recorded | None = None
    flaw: str | None = None
    received: float | None = None
    _record: Callable[[], None] | None = field(default=None, repr=False, compare=False)

    def close(self, record: Callable[[], None]) -> None:
        """The transport has done with the request: ``record`` its outcome, now or once there is an event for it."""
        if self.event is not None:
            record()
        else:
            self._record = record

    def note(self, key: str, event: Recorded) -> None:
        """The reply carries this event. After the request is done with, nobody reads the reply any more."""
        self.key, self.event = key, event
        record, self._record = self._record, None
        if record is not None:
            self.flaw = LATE
            record()


@dataclass
class Sending:
    """How a listener's own reply went: by which way, and what failed; None only once Slack has confirmed it."""

    via: str
    failure: str | None = NOT_SENT


_current: ContextVar[Delivery | None] = ContextVar("tarla_delivery", default=None)


@contextmanager
def expecting_delivery(received: float | None = None) -> Iterator[Delivery]:
    """Open a delivery for the request handled inside, tasks it starts included; ``received`` as in ``Delivery``."""
    delivery = Delivery(received=received)
    token = _current.set(delivery)
    try:
        yield delivery
    finally:
        _current.reset(token)


def note_event(key: str, event: Recorded) -> None:
    """Say that the reply now being made carries this event; without a transport nothing happens."""
    delivery = _current.get()
    if delivery is not None:
        delivery.note(key, event)


def request_received() -> float | None:
    """``Clock.monotonic()`` when the transport had the request now handled; None without a transport."""
    delivery = _current.get()
    return delivery.received if delivery is not None else None


def note_flaw(code: str) -> None:
    """Say that the reply now being made does not show what its event holds: an apology in its place."""
    delivery = _current.get()
    if delivery is not None:
        delivery.flaw = code


@asynccontextmanager
async def own_delivery(ledger: Ledger, clock: Clock, via: str) -> AsyncIterator[Sending]:
    """Open a delivery for a reply that is no acknowledgement, and record how it went, whatever happens inside.

    Nobody waits for such a reply with a watch in hand, so none is late.
    """
    received, sending = clock.monotonic(), Sending(via)
    with expecting_delivery() as delivery:
        try:
            yield sending
        except asyncio.CancelledError:
            _explain(sending, STOPPED)
            raise
        except Exception:
            _explain(sending, NOT_DRAWN)
            raise
        finally:
            await record_outcome(ledger, clock, delivery, received, sending.via, sending.failure, patience=None)


def _explain(sending: Sending, code: str) -> None:
    """Why nothing was sent, unless that is known already."""
    if sending.failure == NOT_SENT:
        sending.failure = code


async def record_outcome(
    ledger: Ledger,
    clock: Clock,
    delivery: Delivery,
    received: float,
    via: str,
    failure: str | None,
    patience: float | None = SLACK_PATIENCE_S,
) -> None:
    """Record ``delivered`` or ``delivery_failed`` for a reply that carried a ledger event.

    Args:
        received: ``clock.monotonic()`` when the request came in.
        via: the transport's name.
        failure: closed code of what went wrong when sending, or None.
        patience: seconds after which nobody reads the reply any more; None where somebody always does.
    """
    if delivery.event is None or delivery.key is None:
        return
    seconds = clock.monotonic() - received
    reason = delivery.flaw or failure or (LATE if patience is not None and seconds > patience else None)
    payload: dict[str, Json] = {"version": 1, "via": via, "milliseconds": round(1000 * seconds)}
    if reason is not None:
        payload["reason"] = reason
    kind = Kind.DELIVERED if reason is None else Kind.DELIVERY_FAILED
    try:
        await ledger.record(Entry(f"{delivery.key}#delivery", kind, payload, ref=delivery.event.seq))
    except (AlreadyRecordedError, LedgerUnavailableError, ValueError) as error:
        # The answer stands recorded; that its delivery is not is for the operator to know.
        facts = {"seq": delivery.event.seq, "reason": type(error).__name__}
        log.warning("delivery of seq=%d not recorded: %s", *facts.values(), extra=facts)
