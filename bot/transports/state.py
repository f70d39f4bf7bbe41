"""How the links to Slack stand, for whoever reports it: nothing here changes anything."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass
class LinkState:
    """Socket Mode as it stands now; only the keeper writes to it.

    ``connections`` is how many links Slack counted for the app when it last said so (``hello.num_connections``), less
    those of ours that were just being succeeded, None before. ``expected`` is how many it should count.
    """

    expected: int = 1
    connected: bool = False
    connections: int | None = None
    _reconnects: Counter[str] = field(default_factory=Counter)
    _last_pong: float | None = None

    @property
    def reconnects(self) -> Mapping[str, int]:
        """How many links had to be made anew so far, by what ended the one before (``link.Ended``)."""
        return MappingProxyType(self._reconnects)

    def last_pong_age_s(self) -> float | None:
        """Seconds since Slack last acknowledged a ping; None before the first."""
        return None if self._last_pong is None else time.monotonic() - self._last_pong

    def note_pong(self) -> None:
        """Slack has acknowledged a ping."""
        self._last_pong = time.monotonic()

    def note_ended(self, kind: str) -> None:
        """A link has to be made anew."""
        self._reconnects[kind] += 1
