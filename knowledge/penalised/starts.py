"""Where climbs begin, beside the nearest place: a likelihood of few patients can have several maxima."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SCATTER_SEED, SCATTER_SD = 20, 5.0
SLOPES = (-8.0, -2.0, 2.0, 8.0)  # per sd of a column
QUANTILES = (0.1, 0.5, 0.9)


def other_starts(top: Floats) -> tuple[Floats, ...]:
    """Beyond the maximum ``top`` (k, L), its mirror image, nothing, and two scattered places, the same every time."""
    scattered = np.random.default_rng(SCATTER_SEED).normal(0.0, SCATTER_SD, (2, len(top), 1))
    nothing = np.zeros_like(top)
    return (3.0 * top, -3.0 * top, nothing, nothing + scattered[0], nothing + scattered[1])


def one_slope_starts(design: Floats, intercept: int | None) -> Floats:
    """Coefficients (k, S) with one steep slope each, turning at a low, middle or high value of its column.

    With few events a covariate with a long tail has one maximum that explains the events by their
    place among the low or the high, and one that does not; starts about the middle find only the latter.
    """
    k = design.shape[1]
    starts = []
    for j in range(k):
        spread = float(design[:, j].std())
        if spread == 0.0:
            continue
        for slope in SLOPES:
            for turn in np.quantile(design[:, j], QUANTILES):
                start = np.zeros(k)
                start[j] = slope / spread
                if intercept is not None:
                    start[intercept] = -start[j] * turn / design[0, intercept]
                starts.append(start)
    return np.array(starts).T.reshape(k, -1)
