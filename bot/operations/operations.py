"""Everything the people who run Tarla can look at, in one place for each application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bot.operations.counts import Counts
from bot.operations.readiness import Readiness
from bot.operations.vocabulary import TURNED_AWAY
from handlers.ports import ModelInUse

# A figure that somebody else keeps; None while it is not known.
Source = Callable[[], float | None]


@dataclass(frozen=True, slots=True)
class Figure:
    """What a figure is called and means. ``counter`` for what only rises while the process runs."""

    kind: Literal["gauge", "counter"]
    help: str


FIGURES: dict[str, Figure] = {
    "tarla_ledger_up": Figure("gauge", "1 when the last look at the ledger or the last commit went well"),
    "tarla_ledger_commits": Figure("counter", "Transactions committed by this process"),
    "tarla_ledger_queue_length": Figure("gauge", "Events waiting to be written"),
    "tarla_in_flight_requests": Figure("gauge", "Requests being worked on, acknowledged or not"),
    "tarla_slack_connected": Figure("gauge", "1 while a Socket Mode connection is open"),
    "tarla_slack_connections": Figure(
        "gauge",
        "Connections of this app that Slack last told of, all processes together, none counted that is succeeded",
    ),
    "tarla_slack_reconnects": Figure("counter", "Socket Mode connections opened after the first"),
    "tarla_slack_pong_age_seconds": Figure("gauge", "Since Slack last answered a ping"),
    "tarla_checkpoint_size": Figure("gauge", "Events under the last signed checkpoint"),
    "tarla_checkpoint_age_seconds": Figure("gauge", "Since the last signed checkpoint was written outside the ledger"),
    "tarla_checkpoint_failures": Figure("counter", "Checkpoints that could not be signed or written"),
    "tarla_wall_clock_seconds": Figure("gauge", "This machine's clock, seconds since 1970, to compare with another"),
}


class Operations:
    """Counts, readiness and figures. ``code`` is the version of this program, ``model`` gives what answers."""

    def __init__(self, code: str, model: ModelInUse) -> None:
        self.code, self.model = code, model
        self.counts = Counts()
        self.readiness = Readiness()
        self.sources: dict[str, Source] = {}
        self.turned_away: dict[str, Callable[[], int]] = {}

    def measure(self, name: str, source: Source) -> None:
        """Show a figure of ``FIGURES``, read from ``source`` whenever somebody asks.

        Raises:
            ValueError: there is no such figure.
        """
        if name not in FIGURES:
            raise ValueError("an unknown figure")
        self.sources[name] = source

    def count_turned_away(self, reason: str, source: Callable[[], int]) -> None:
        """Show how many requests were turned away before anybody read them, for a reason of ``TURNED_AWAY``.

        Raises:
            ValueError: there is no such reason.
        """
        if reason not in TURNED_AWAY:
            raise ValueError("an unknown reason")
        self.turned_away[reason] = source
