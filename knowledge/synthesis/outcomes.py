"""Outcomes of a cohort conditional on their total (conditional Bernoulli sampling).

Conditioning on the published count instead of waiting for it by chance keeps
every simulated cohort, with the count's Poisson-binomial probability as weight.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def draw_given_total(p: Floats, total: int, rng: np.random.Generator, tries: int = 1) -> tuple[Floats, Floats]:
    """Outcomes (B tries, n) of 0/1 with exactly ``total`` ones a row, and P(sum = total) (B,).

    ``p`` (B, n) are the independent probabilities, strictly between 0 and 1. The tries
    of one row of ``p`` stand together and are independent given ``p``.
    """
    size, n = p.shape
    # tail[b, r] = P(outcomes k..n-1 sum to r); one[k, b, r] = P(outcome k is 1 | outcomes k..n-1 sum to r)
    tail = np.zeros((size, total + 1))
    tail[:, 0] = 1.0
    one = np.zeros((n, size, total + 1))
    for k in range(n - 1, -1, -1):
        chance = p[:, k, None]
        with_one = chance * tail[:, :-1]
        tail = (1.0 - chance) * tail
        tail[:, 1:] += with_one
        np.divide(with_one, tail[:, 1:], out=one[k, :, 1:], where=with_one > 0)
    row = np.repeat(np.arange(size) * (total + 1), tries)
    left = np.full(size * tries, total)
    y = np.empty((n, size * tries))
    uniform = rng.random((n, size * tries))
    for k in range(n):
        taken = uniform[k] < one[k].ravel()[row + left]
        y[k] = taken
        left -= taken
    return np.ascontiguousarray(y.T), tail[:, total].copy()
