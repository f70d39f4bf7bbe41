"""Several levels of the new centre for each draw, so that a draw whose effects fit is not lost for its level.

A draw holds one level, a_new = mu + t e with e standard normal. Given mu and t, e is independent of the published facts
and of all else in the draw. So a draw may stand for several, each with an e of its own and an equal share of its
weight: the distribution is the same, and a centre far off the mean is reached from every draw of mu, t and the effects.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from knowledge.model import Draws

Floats = NDArray[np.float64]

# Levels a draw. 64 would add 5 to 25 % to the effective size of a centre one log odds off the mean, for four times the
# work (docs/site-model.md).
LEVELS = 16
WHOLE = 1e-6  # how far a multiple may be off a whole number
MOST_TIMES = 4  # how often on average: more would only cost time


def unfolded(draws: Draws) -> Draws:
    """The draws, one that stands for several written out so often: within a tau all then weigh the same.

    A build takes draws in whole numbers. Written out, each copy has levels of its own, and no weight is large merely
    because a draw was taken twice. Draws with other weights stay as they are.
    """
    times = np.ones(len(draws.weight), dtype=np.int64)
    for part in draws.tau_slices:
        of_least = draws.weight[part] / draws.weight[part].min()
        whole = np.round(of_least)
        if np.abs(of_least - whole).max() > WHOLE or whole.mean() > MOST_TIMES:
            return draws
        times[part] = whole
    return Draws(
        draws.names,
        np.repeat(draws.matrix, times, axis=1),
        np.repeat(draws.weight / times, times),
        np.repeat(draws.tau, times),
        np.repeat(draws.coding, times),
    )


def levels(draws: Draws, rng: np.random.Generator, count: int = LEVELS) -> Floats:
    """``count`` levels (count, N) of each draw: its own, and fresh ones."""
    fresh = draws["mu"] + draws["t"] * rng.standard_normal((count - 1, len(draws.weight)))
    return np.concatenate([draws["a_new"][None, :], fresh])
