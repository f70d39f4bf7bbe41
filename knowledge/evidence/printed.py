"""Percentages as sources print them, checked exactly against counts."""

from __future__ import annotations

import re
from fractions import Fraction

_PERCENT = re.compile(r"(?:approximately )?([0-9]{1,3})(?:\.([0-9]+))?%")


class PrintedPercent:
    """A single printed percentage: its exact value and half a unit of its last digit."""

    __slots__ = ("half_unit", "value")

    def __init__(self, value: Fraction, decimals: int) -> None:
        self.value = value
        self.half_unit = Fraction(1, 2 * 10**decimals)


def parse_percent(text: str) -> PrintedPercent:
    """Read a percentage such as ``41.4%`` or ``approximately 55%``.

    Raises:
        ValueError: the text is not a single percentage between 0 and 100.
    """
    match = _PERCENT.fullmatch(text)
    decimals = match[2] or "" if match else ""
    value = Fraction(f"{match[1]}.{decimals}0") if match else None
    if value is None or value > 100:
        raise ValueError(f"not a single percentage: {text!r}")
    return PrintedPercent(value, len(decimals))


def agrees(printed: PrintedPercent, events: int, n: int) -> bool:
    """Whether the printed percentage is ``events`` of ``n``, rounded either way at a half."""
    return abs(Fraction(100 * events, n) - printed.value) <= printed.half_unit
