"""Words that stand in cells and are not the record's own."""

from __future__ import annotations

from enum import StrEnum


class LdhLevel(StrEnum):
    """LDH known only as above its upper limit, or not."""

    HIGH = "high"
    NORMAL = "normal"
