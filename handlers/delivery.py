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

# How long an outcome waits for a ledger that cannot be written: a lock, a full disk for a while. What was answered
# already is all that can wait so; without the ledger nothing more is answered.
OUTCOME_PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)

NOT_SENT, NOT_DRAWN, STOPPED, LATE = "not_sent", "not_drawn", "stopped", "late"
CONFIRMED, UNCONFIRMED = "confirmed", "unconfirmed"

log = logging.getLogger("tarla.delivery")


@dataclass
class Delivery:
    """The reply to one request; ``event`` is the answer's or refusal's, once recorded, ``key`` the request's.

    ``flaw`` is the closed code of why the reply does not show what its event holds, if it does not; ``received`` is
    ``Clock.monotonic()`` when the transport had the request. ``message`` says of an answer sent as a message before
    the acknowledgement whether Slack confirmed it: ``CONFIRMED``, ``UNCONFIRMED``, or None where there was none.
    """

    key: str | None = None
    event: Recorded | None = None
    flaw: str | None = None
    received: float | None = None
    message: str | None = None
    _record: Callable[[], None] | None = field(default=None, repr=False, compare=False)
    _held: bool = field(default=False, repr=False, compare=False)

    def close(self, record: Callable[[], None]) -> None:
        """The transport has done with the request: ``record`` its outcome, now or once there is an event for it."""
        self._record = record
        self._settle()

    def note(self, key: str, event: Recorded) -> None:
        """The reply carries this event. After the request is done with, nobody reads the reply any more."""
        self.key, self.event = key, event
        if self._record is not None:
            self.flaw = LATE
        self._settle()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Record no outcome meanwhile: whether the answer went out as a message is not known yet."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
            self._settle()

    def _settle(self) -> None:
        if self.event is not None and self._record is not None and not self._held:
            record, self._record = self._record, None
            record()


@dataclass
class Sending:
    """How a listener's own reply went: by which way, what failed (None only once Slack has confirmed it), and after how
    many attempts."""

    via: str
    failure: str | None = NOT_SENT
    attempts: int = 1


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


@contextmanager
def message_before_acknowledgement() -> Iterator[Delivery]:
    """For an answer that is sent as a message before the request is acknowledged: say in ``message`` how that went.

    The outcome is recorded at the end of this block at the earliest, for an acknowledgement that is lost or late does
    not undo a message.
    """
    delivery = _current.get() or Delivery()
    with delivery.held():
        yield delivery


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
            await record_outcome(
                ledger,
                clock,
                delivery,
                received,
                sending.via,
                sending.failure,
                patience=None,
                attempts=sending.attempts,
            )


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
    attempts: int = 1,
) -> None:
    """Record ``delivered`` or ``delivery_failed`` for a reply that carried a ledger event.

    Args:
        received: ``clock.monotonic()`` when the request came in.
        via: the transport's name.
        failure: closed code of what went wrong when sending, or None.
        patience: seconds after which nobody reads the reply any more; None where somebody always does.
        attempts: how often it was sent.
    """
    if delivery.event is None or delivery.key is None:
        return
    seconds = clock.monotonic() - received
    reason = delivery.flaw or failure or (LATE if patience is not None and seconds > patience else None)
    payload: dict[str, Json] = {"version": 1, "via": via, "milliseconds": round(1000 * seconds)}
    if attempts > 1:
        payload["attempts"] = attempts
    if reason is not None and delivery.message == CONFIRMED:
        # Its reader has the answer, whatever became of the form.
        payload |= {"via": "response_url", "acknowledgement": reason}
        reason = None
    elif reason is not None:
        payload["reason"] = reason
        if delivery.message is not None:
            payload["message"] = delivery.message
    kind = Kind.DELIVERED if reason is None else Kind.DELIVERY_FAILED
    await _record(ledger, Entry(f"{delivery.key}#delivery", kind, payload, ref=delivery.event.seq))


async def _record(ledger: Ledger, entry: Entry) -> None:
    """Record it, if need be once the ledger can be written again: else it would read as if nobody knew what became."""
    pauses = iter(OUTCOME_PAUSES_S)
    while True:
        try:
            await ledger.record(entry)
        except (AlreadyRecordedError, LedgerUnavailableError, ValueError) as error:
            gone = not isinstance(error, LedgerUnavailableError) or error.code == "closed"
            if gone or (pause := next(pauses, None)) is None:
                _tell_operator(entry, error)
                return
            try:
                await asyncio.sleep(pause)
            except asyncio.CancelledError:
                _tell_operator(entry, error)
                raise
        else:
            return


def _tell_operator(entry: Entry, error: Exception) -> None:
    """The answer stands recorded; that its delivery is not is for the operator to know."""
    facts = {"seq": entry.ref, "reason": type(error).__name__}
    log.warning("delivery of seq=%d not recorded: %s", *facts.values(), extra=facts)
