"""Kinds of event that no conversation gives rise to: the ledger's own, and what a start finds."""

from __future__ import annotations

from enum import StrEnum


class LedgerKind(StrEnum):
    """What happened to the process, the model, the keys or the ledger itself."""

    STARTED = "started"
    STOPPED = "stopped"
    MODEL_ACTIVATED = "model_activated"
    CHECKPOINT = "checkpoint"
    KEY_ROTATED = "key_rotated"
    PRUNED = "pruned"
    RECALLED = "recalled"
    # About a recall: one person was told that answers of theirs read otherwise today.
    NOTIFIED = "notified"
    # About a request: one without a recorded outcome, found at a start.
    INTERRUPTED = "interrupted"
