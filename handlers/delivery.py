"""How the transport learns which ledger event the reply in its hands belongs to.

Bolt tells a listener nothing about whether its answer reached Slack, so the
transport opens a ``Delivery`` for each request, the conversation notes its
event in it, and the transport records how sending went.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from handlers.ports import Recorded


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
