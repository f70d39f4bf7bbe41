"""What must hold of a ledger after any fault, looked at through nothing but its file.

I1  an acknowledged number stands for a durable row of that number, key, time and leaf
I2  numbers run 1, 2, 3 ... without a gap, every hash is right, and the rows give every root signed before
I3  one request has one ``computed`` event
I5  computing a recorded answer again gives the recorded answer
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bot.ledger import StoredEvent, check_ledger, read_events
from handlers.ports import Kind, PastEvent, Recorded
from handlers.records import factors_from_record, past_answer
from knowledge import Assessment, assess

# What is recorded on behalf of a request is keyed by the request alone or by ``request#what``.
_PART = "#"


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962 tree head over leaf hashes, straight from the definition in section 2.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)  # the largest power of two below the size
    return hashlib.sha256(b"\x01" + merkle_root(leaves[:split]) + merkle_root(leaves[split:])).digest()


def check_invariants(
    path: Path, acknowledged: Mapping[str, Recorded], checkpoints: Iterable[tuple[int, bytes]] = ()
) -> list[StoredEvent]:
    """Assert I1, I2, I3 and I5 for the ledger at ``path``, and give its events.

    Args:
        path: the ledger, which nobody is writing to.
        acknowledged: what callers were told, by idempotency key.
        checkpoints: sizes and RFC 6962 roots published earlier.
    """
    verdict = check_ledger(path)
    assert verdict.ok, f"I2: {verdict}"
    events = list(read_events(path))
    assert [event.seq for event in events] == list(range(1, verdict.events + 1)), "I2: numbers"
    for size, root in checkpoints:
        assert size <= len(events), f"I2: {len(events)} events, {size} of them were signed"
        assert merkle_root([event.leaf for event in events[:size]]) == root, f"I2: root of the first {size}"

    by_key = {event.idem_key: event for event in events}
    for key, told in acknowledged.items():
        event = by_key.get(key)
        assert event is not None, f"I1: {key} was acknowledged as {told.seq} and is not there"
        assert Recorded(event.seq, event.time, event.leaf) == told, f"I1: {key}"

    computed = Counter(event.idem_key.partition(_PART)[0] for event in events if event.kind == Kind.COMPUTED)
    assert set(computed.values()) <= {1}, "I3: a request computed twice"
    for event in events:
        check_recomputed(event)
    return events


def check_recomputed(event: StoredEvent) -> bool:
    """Assert I5 for one event; false where it holds no single answer."""
    recorded = Recorded(event.seq, event.time, event.leaf)
    answer = past_answer(PastEvent(recorded, event.kind, None if event.body is None else event.payload))
    if answer is None:
        return False
    assert event.payload is not None
    assert answer.agrees(_assessment(json.dumps(event.payload["factors"]))), f"I5: {event.seq}"
    return True


@functools.lru_cache(maxsize=4096)
def _assessment(factors: str) -> Assessment:
    return assess(factors_from_record(json.loads(factors)))
