"""How a reply's fate comes into the ledger: which event it carries, and whether it was sent.

Bolt tells a listener nothing about whether its answer reached Slack, so the
transport opens a ``Delivery`` for each request, the conversation notes its
event in it, and the transport records how sending went. A listener whose reply
is not the acknowledgement (an answer to a mention) opens a ``Delivery`` of its
own and records the sending itself.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from handlers.ports import AlreadyRecordedError, Clock, Entry, Json, Kind, Ledger, LedgerUnavailableError, Recorded

# After this Slack has told the user that the app did not respond.
SLACK_PATIENCE_S = 3.0

log = logging.getLogger("tarla.delivery")


@dataclass
class Delivery:
    """The reply to one request; ``event`` is the answer's or refusal's, once recorded, ``key`` the request's."""

    key: str | None = None
    event: Recorded | None = None


_current: ContextVar[Delivery | None] = ContextVar("tarla_delivery", default=None)


@contextmanager
def expecting_delivery() -> Iterator[Delivery]:
    """Open a delivery for the request handled inside, tasks it starts included."""
    delivery = Delivery()
    token = _current.set(delivery)
    try:
        yield delivery
    finally:
        _current.reset(token)


def note_event(key: str, event: Recorded) -> None:
    """Say that the reply now being made carries this event; without a transport nothing happens."""
    delivery = _current.get()
    if delivery is not None:
        delivery.key, delivery.event = key, event


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
    reason = failure or ("late" if patience is not None and seconds > patience else None)
    payload: dict[str, Json] = {"version": 1, "via": via, "milliseconds": round(1000 * seconds)}
    if reason is not None:
        payload["reason"] = reason
    kind = Kind.DELIVERED if reason is None else Kind.DELIVERY_FAILED
    try:
        await ledger.record(Entry(f"{delivery.key}#delivery", kind, payload, ref=delivery.event.seq))
    except (AlreadyRecordedError, LedgerUnavailableError, ValueError) as error:
        # The answer stands recorded; that its delivery is not is for the operator to know.
        log.warning("delivery of seq=%d not recorded: %s", delivery.event.seq, type(error).__name__)
