"""Few draws that stand for many: resampling that keeps every region of the risks at its weight.

A file of a hundred thousand weighted draws would be large and slow to answer from.
Draws are put in an order in which neighbours give similar risks (a k-d tree on the risks of
reference patients) and then taken at even steps of their cumulative weight from a random start. Each is
taken as often as its weight deserves, on average exactly, and every run of neighbours as often as its
weight deserves, to within one. So what is read off the few differs from what the many would give by far
less than independent lots would make it.

Source: Gerber, Chopin and Whiteley, Ann Stat 2019;47:2236-2260 (ordered systematic resampling).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def take_in_proportion(position: Floats, weight: Floats, unit: float, rng: np.random.Generator) -> Integers:
    """How often each draw is taken (N,), on average ``weight / unit``.

    Args:
        position: what neighbours have in common (C, N), coordinates of comparable size.
        weight: of each draw (N,), positive.
        unit: weight that deserves to be taken once.
        rng: of the random start.
    """
    order = neighbours_together(position, weight, unit)
    edges = np.floor(np.cumsum(weight[order]) / unit + rng.random())
    copies = np.empty(len(weight), dtype=np.int64)
    copies[order] = np.diff(edges, prepend=0.0).astype(np.int64)
    return copies


def neighbours_together(position: Floats, weight: Floats, unit: float) -> NDArray[np.intp]:
    """An order of the draws (N,) in which neighbours have similar ``position`` (C, N).

    The set is cut in halves of equal weight across its widest coordinate, each half likewise,
    until a part weighs about a ``unit``.
    """
    size = len(weight)
    part = np.zeros(size, dtype=np.int64)
    depth = max(0, int(np.ceil(np.log2(max(1.0, weight.sum() / unit)))))
    rows = np.arange(size)
    for _ in range(depth):
        parts = int(part.max()) + 1
        mass = np.bincount(part, weights=weight, minlength=parts)
        mass[mass == 0.0] = 1.0  # a part without draws
        spread = np.empty((len(position), parts))
        for row, coordinate in enumerate(position):
            mean = np.bincount(part, weights=weight * coordinate, minlength=parts) / mass
            spread[row] = np.bincount(part, weights=weight * (coordinate - mean[part]) ** 2, minlength=parts) / mass
        across = position[spread.argmax(axis=0)[part], rows]
        order = np.lexsort((across, part))
        before = np.cumsum(weight[order]) - weight[order]
        first = np.concatenate([[True], np.diff(part[order]) != 0])
        # Weight that lies before a draw within its own part, to the draw's middle.
        start = np.maximum.accumulate(np.where(first, before, 0.0))
        middle = before - start + 0.5 * weight[order]
        halved = np.empty(size, dtype=np.int64)
        halved[order] = 2 * part[order] + (middle > 0.5 * mass[part[order]])
        part = halved
    return np.argsort(part, kind="stable")
