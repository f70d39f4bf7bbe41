"""Writers killed at any moment: what was promised is there, nothing is there twice, and the next one goes on."""

from __future__ import annotations

import random
import time
from contextlib import closing
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.ledger import open_ledger
from handlers.ports import Recorded
from tests.support.chaos import rng, scale, tally
from tests.support.invariants import check_invariants, merkle_root
from tests.support.ledger_child import promises, write
from tests.support.ledger_rows import answer_entry
from tests.support.nursery import Child, nursery

# A ledger takes so many deaths; then comes a new one, whose making is cut off now and then as well.
DEATHS_OF_ONE_LEDGER = 10
LONGEST_LIFE_S = 0.25
PATIENCE_S = 20.0


@pytest.fixture(scope="module")
def context() -> ForkServerContext:
    """Where children come from."""
    return nursery()


class Deaths:
    """Kills writers and looks after each death; counts what happened."""

    def __init__(self, context: ForkServerContext, folder: Path, chance: random.Random) -> None:
        self._context, self._folder, self._chance = context, folder, chance
        self.kills = self.cut_off = self.promised = self.unborn = 0
        self.slowest_opening = 0.0

    def end_one_ledger(self, number: int, writers: int, deaths: int) -> None:
        """Kill groups of ``writers`` on one ledger until ``deaths`` have died."""
        path = self._folder / f"ledger-{number}.db"
        told: dict[str, Recorded] = {}
        roots: list[tuple[int, bytes]] = []
        for round_ in range(deaths // writers):
            promised = len(told)
            children = [
                Child(self._context, write, path, f"r{round_}w{writer}", self._chance.randint(1, 4))
                for writer in range(writers)
            ]
            if self._chance.random() < 0.5:  # so that some live to promise, however slow the machine is today
                children[0].wait_for_word(PATIENCE_S)
            time.sleep(self._chance.uniform(0, LONGEST_LIFE_S))
            self._chance.shuffle(children)
            for child in children:
                said = promises(child.kill())
                assert not told.keys() & said.keys()
                told |= said
                self.kills += 1
                self.unborn += not said
            self.cut_off += path.with_name(path.name + "-journal").exists()
            began = time.monotonic()
            self.promised += len(told) - promised
            key = f"after-{round_}"
            with closing(open_ledger(path, clock=SystemClock())) as ledger:
                self.slowest_opening = max(self.slowest_opening, time.monotonic() - began)
                assert ledger.status().ok, ledger.status()
                told[key] = ledger.record_blocking(answer_entry(key))
            events = check_invariants(path, told, roots)
            roots.append((len(events), merkle_root([event.leaf for event in events])))


@pytest.mark.parametrize("writers", [1, 3])
def test_killed_writers_lose_nothing_they_promised(context: ForkServerContext, tmp_path: Path, writers: int) -> None:
    deaths = Deaths(context, tmp_path, rng(f"kills {writers}"))
    wanted = scale(6, 500)
    each = DEATHS_OF_ONE_LEDGER * writers
    for number in range(-(-wanted // each)):
        deaths.end_one_ledger(number, writers, min(each, -(-wanted // writers) * writers))
    assert deaths.kills >= wanted
    assert deaths.promised
    tally(
        f"kill -9, {writers} at once",
        kills=deaths.kills,
        before_the_first_promise=deaths.unborn,
        journals_left=deaths.cut_off,
        promises_kept=deaths.promised,
        slowest_opening_ms=round(deaths.slowest_opening * 1000),
    )
