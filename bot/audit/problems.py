"""What is wrong with a row or a ledger, in words: one sentence for every code of ``LedgerCheck.problem``."""

from __future__ import annotations

from types import MappingProxyType

TOLD = MappingProxyType(
    {
        "schema": "tables or triggers are not those of the ledger, or the file is damaged",
        "gap": "a number is missing before this event",
        "ref": "it refers to an event that is not an earlier one",
        "time": "its time is not a time",
        "text": "a column is not readable text",
        "index": "an index does not lead to it",
        "payload_missing": "its payload is gone, and no recorded pruning let it go",
        "payload_hash": "its payload is not the one that was recorded",
        "leaf": "its columns do not fit its leaf hash",
        "orphan_payload": "there is a payload without an event",
        "orphan_event": "there is an event without a proper number",
        "pruning": "payloads are gone, or may go, otherwise than a recorded event says",
        "damaged": "the file is damaged",
    }
)


def told(problem: str) -> str:
    """The sentence for a code."""
    return TOLD.get(problem, problem)
