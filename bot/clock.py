"""The machine's clock, behind the port that handlers and ledger ask."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SystemClock:
    """Implements ``handlers.ports.Clock``."""

    def now(self) -> datetime:
        """Current time, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never step back."""
        return time.monotonic()
