"""Bytes as a row of choices: one generator for hypothesis, for a seeded run and for a coverage-guided one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tests.support.chaos import SEED, scale

T = TypeVar("T")
SIZE = 160  # bytes; the longest text below takes about as many


class Choices:
    """Takes choices from bytes, two for each; where they run out every choice is the first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __repr__(self) -> str:
        return f"Choices(bytes.fromhex({self._data.hex()!r}))"

    def below(self, most: int) -> int:
        """A number from 0 to ``most`` - 1."""
        pair = self._data[self._at : self._at + 2]
        self._at += 2
        return int.from_bytes(pair, "little") % most

    def pick(self, options: Sequence[T]) -> T:
        """One of the options; the first is what a shrunk example ends in."""
        return options[self.below(len(options))]

    def one_in(self, n: int) -> bool:
        """True once in ``n``."""
        return self.below(n) == n - 1

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The items in another order."""
        left, out = list(items), []
        while left:
            out.append(left.pop(self.below(len(left))))
        return out


def choices() -> st.SearchStrategy[Choices]:
    """Choices from random bytes."""
    return st.binary(min_size=SIZE, max_size=SIZE).map(Choices)


def cases(short: int, full: int) -> settings:
    """How many examples; all of them new in every run, and the same ones for the same seed."""
    return settings(
        max_examples=scale(short, full),
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )


__all__ = ["SEED", "Choices", "cases", "choices"]
