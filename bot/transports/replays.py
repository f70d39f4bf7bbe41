"""A signed request is good once: what was handled is not handled again, byte for byte.

Slack signs time and body together, so a request that Slack itself sends again has another time and another signature,
and is known by its own key in the ledger. The same signature twice is a copy, made by whoever saw the first one.

No clock of this machine decides. A signature is remembered for longer than any clock that is right would let it pass,
measured by seconds that never step; and what is older, by the time that Slack signed, than anything already forgotten
is refused as well. So a request that was handled once is never handled again while the process runs, wherever the
local clock is moved to.
"""

from __future__ import annotations

from collections.abc import Callable

# Slack's signatures are good for five minutes on either side of the time they name. One dated five minutes ahead is
# therefore good for ten; the rest is for a clock that is slewed meanwhile.
WINDOW_S = 300
REMEMBERED_S = 2 * WINDOW_S + 30.0
# About 6 MB. Slack sends an app 30,000 events an hour at most, which is 5,300 in that time, and commands beside them.
# Beyond it the oldest go first; they, and what is no younger, are then refused for being too old.
REMEMBERED_MOST = 20_000


class Replays:
    """The signatures of the requests that were taken up."""

    def __init__(self, monotonic: Callable[[], float], most: int = REMEMBERED_MOST) -> None:
        self._monotonic = monotonic
        self._most = most
        # Signature: when it came (monotonic), and the time that it signs. In the order of coming.
        self._seen: dict[bytes, tuple[float, int]] = {}
        self._forgotten = -1

    def __len__(self) -> int:
        return len(self._seen)

    def is_new(self, signature: str, signed_at: int) -> bool:
        """Whether this is the first time, and it is remembered; ``signature`` has been found valid for ``signed_at``.

        Args:
            signature: ``v0=`` and 64 hexadecimal digits.
            signed_at: the time that Slack signed, seconds since 1970.
        """
        now = self._monotonic()
        self._forget(now)
        key = _key(signature)
        if key in self._seen or signed_at <= self._forgotten:
            return False
        self._seen[key] = (now, signed_at)
        return True

    def release(self, signature: str) -> None:
        """The request was not handled to its end: the very same may come again."""
        self._seen.pop(_key(signature), None)

    def _forget(self, now: float) -> None:
        while self._seen:
            oldest = next(iter(self._seen))
            came, signed_at = self._seen[oldest]
            if now - came <= REMEMBERED_S and len(self._seen) < self._most:
                return
            del self._seen[oldest]
            self._forgotten = max(self._forgotten, signed_at)


def _key(signature: str) -> bytes:
    return bytes.fromhex(signature.removeprefix("v0="))
