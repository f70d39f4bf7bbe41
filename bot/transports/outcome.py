"""Recording how sending a reply went, where the transport can see it."""

from __future__ import annotations

import logging

from bot.ledger import EntryError
from handlers.delivery import Delivery
from handlers.ports import AlreadyRecordedError, Clock, Entry, Json, Kind, Ledger, LedgerUnavailableError

# After this Slack has told the user that the app did not respond.
SLACK_PATIENCE_S = 3.0

log = logging.getLogger("tarla.transport")


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
    except (AlreadyRecordedError, LedgerUnavailableError, EntryError) as error:
        # The answer stands recorded; that its delivery is not is for the operator to know.
        log.warning("delivery of seq=%d not recorded: %s", delivery.event.seq, type(error).__name__)
