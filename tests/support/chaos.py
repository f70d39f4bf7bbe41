"""How hard the fault tests hit: a short form with every test run, the full counts with ``make chaos``."""

from __future__ import annotations

import os
import random

FULL = os.environ.get("TARLA_CHAOS") == "full"
SEED = int(os.environ.get("TARLA_CHAOS_SEED", "20261124"))

_tallies: list[str] = []


def scale(short: int, full: int) -> int:
    """How often to do a thing: ``short`` with every test run, ``full`` with ``make chaos``."""
    return full if FULL else short


def rng(name: str) -> random.Random:
    """Randomness for one test, the same in every run with the same seed."""
    return random.Random(f"{SEED}:{name}")  # noqa: S311 - faults at random places, no secret


def tally(name: str, **counts: int | float | str) -> None:
    """Keep what a test did, to be printed when all are done."""
    _tallies.append(f"{name}: " + ", ".join(f"{what} {count}" for what, count in counts.items()))


def report() -> list[str]:
    """The lines of all tallies, with the seed."""
    return [f"seed {SEED}, {'full' if FULL else 'short'} counts", *_tallies] if _tallies else []
