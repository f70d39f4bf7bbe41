"""Answers out of the ledger: computed again they give the very bytes that were recorded."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from pathlib import Path

from bot.clock import SystemClock
from bot.ledger import open_ledger
from bot.ledger.leaf import canonical
from handlers.ports import Entry, Kind, Recorded
from handlers.records import factors_from_record
from tests.support.chaos import rng, scale, tally
from tests.support.invariants import check_invariants
from tests.support.ledger_rows import answer_payload, random_factors

AT_ONCE = 250


async def test_recorded_answers_come_out_the_same_to_the_last_byte(tmp_path: Path) -> None:
    path, rows, chance = tmp_path / "ledger.db", scale(250, 10_000), rng("recomputed")
    told: dict[str, Recorded] = {}
    with closing(open_ledger(path, clock=SystemClock())) as ledger:
        for start in range(0, rows, AT_ONCE):
            entries = [
                Entry(f"k{start + number}", Kind.COMPUTED, answer_payload(random_factors(chance)))
                for number in range(AT_ONCE)
            ]
            recorded = await asyncio.gather(*map(ledger.record, entries))
            told |= {entry.idem_key: one for entry, one in zip(entries, recorded, strict=True)}
    events = check_invariants(path, told)
    different = set()
    for event in events:
        assert event.body is not None
        different.add(event.body)
        assert canonical(answer_payload(factors_from_record(json.loads(event.body)["factors"]))) == event.body.encode()
    assert len(different) > rows / 2
    tally("computed again", rows=len(events), alike=len(events), different_bodies=len(different))
