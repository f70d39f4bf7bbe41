"""What the people who run Tarla look at: alive, ready, counted; and what systemd is told."""

from bot.operations.counting import CountingLedger
from bot.operations.operations import Operations

__all__ = ["CountingLedger", "Operations"]
