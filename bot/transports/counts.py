"""What came in and what became of it, as plain numbers since the start of the process."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """Requests since the start. They only grow, and one loop alone changes them, so no lock is needed.

    Of ``received``, ``unsigned``, ``replayed`` and ``unreadable`` were turned away; ``shed`` were told at once that
    Tarla is busy, and ``late`` after they had waited in vain. ``repeated`` are requests that had had their answer:
    Slack's own second deliveries among them. Of what was taken up, ``not_acknowledged`` had no answer in time, or was
    not asked of Tarla. ``connection_lost`` are those whose answer could not be sent.
    """

    received: int = 0
    unsigned: int = 0
    replayed: int = 0
    unreadable: int = 0
    shed: int = 0
    late: int = 0
    repeated: int = 0
    not_acknowledged: int = 0
    connection_lost: int = 0

    def note_repeat(self) -> None:
        """One more request that had had its answer."""
        self.repeated += 1
