"""Middle and spread of measured values; where nothing is known nothing is said."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from knowledge.frozen import FrozenModel


class Summary(FrozenModel):
    """``known`` values out of ``n`` patients. Quartiles interpolate (Hyndman and Fan's type 7, as in R and numpy).

    Everything is None where no value is known, ``sd`` (n - 1) where there is only one.
    """

    n: int
    known: int
    median: float | None = None
    q1: float | None = None
    q3: float | None = None
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    sd: float | None = None


def summary(values: Iterable[float | None]) -> Summary:
    """Of the values that are known, with the number of all."""
    every = list(values)
    known = np.array([value for value in every if value is not None], dtype=np.float64)
    if not known.size:
        return Summary(n=len(every), known=0)
    q1, median, q3 = (float(point) for point in np.quantile(known, (0.25, 0.5, 0.75)))
    return Summary(
        n=len(every),
        known=known.size,
        median=median,
        q1=q1,
        q3=q3,
        low=float(known.min()),
        high=float(known.max()),
        mean=float(known.mean()),
        sd=float(known.std(ddof=1)) if known.size > 1 else None,
    )
