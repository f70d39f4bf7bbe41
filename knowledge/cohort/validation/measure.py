"""A figure of the validation with its interval, or the reason why there is none."""

from __future__ import annotations

from knowledge.frozen import FrozenModel
from knowledge.normal import Z95

# Every interval here is at 95 %.
ALPHA = 0.05
HALF_CHI2 = 0.5 * Z95 * Z95


class Measure(FrozenModel):
    """A figure with its 95 % interval.

    ``value``, ``low`` and ``high`` are None where they cannot be given (a limit also where the interval has no end on
    that side); ``note`` then says why. ``method`` names how the interval was made.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    method: str = ""
    note: str = ""


def withheld(reason: str) -> Measure:
    """A figure that is not given, and why."""
    return Measure(value=None, note=reason)
