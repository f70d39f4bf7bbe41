"""Outcomes of a cohort conditional on their total (conditional Bernoulli sampling).

Conditioning on the published count instead of waiting for it by chance keeps
every simulated cohort, with the count's Poisson-binomial probability as weight.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def draw_given_total(p: Floats, total: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Outcomes (B, n) of 0/1 with exactly ``total`` ones a row, and P(sum = total) (B,).

    ``p`` (B, n) are the independent probabilities, strictly between 0 and 1.
    """
    size, n = p.shape
    # tail[k, :, r] = P(outcomes k..n-1 sum to r)
    tail = np.zeros((n + 1, size, total + 1))
    tail[n, :, 0] = 1.0
    for k in range(n - 1, -1, -1):
        chance = p[:, k, None]
        tail[k] = (1.0 - chance) * tail[k + 1]
        tail[k, :, 1:] += chance * tail[k + 1, :, :-1]
    rows = np.arange(size)
    left = np.full(size, total)
    y = np.empty((size, n))
    uniform = rng.random((size, n))
    for k in range(n):
        one = np.where(left > 0, p[:, k] * tail[k + 1, rows, np.maximum(left - 1, 0)], 0.0)
        y[:, k] = uniform[:, k] * tail[k, rows, left] < one
        left -= y[:, k].astype(int)
    return y, tail[0, :, total].copy()
