"""The audit ledger on SQLite: append-only, durable before the answer, checkable later."""

from bot.ledger.check import LedgerCheck, check_ledger
from bot.ledger.clock_steps import ClockStep, ClockWatch, clock_steps
from bot.ledger.errors import EntryError, LedgerFault
from bot.ledger.history import LedgerHistory
from bot.ledger.read import StoredEvent, read_event, read_events
from bot.ledger.writer import RECORD_DEADLINE_S, LedgerStatus, LedgerWriter, open_ledger

__all__ = [
    "RECORD_DEADLINE_S",
    "ClockStep",
    "ClockWatch",
    "EntryError",
    "LedgerCheck",
    "LedgerFault",
    "LedgerHistory",
    "LedgerStatus",
    "LedgerWriter",
    "StoredEvent",
    "check_ledger",
    "clock_steps",
    "open_ledger",
    "read_event",
    "read_events",
]
