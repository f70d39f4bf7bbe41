"""What ``tarla doctor`` has to say of one thing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing looked at; ``advice`` says what to do when it is not ok."""

    what: str
    ok: bool
    state: str
    advice: str = ""
