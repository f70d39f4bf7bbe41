"""Draws of a site model: few that stand for the weighed many, in the form every model has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from knowledge.cohort.update.weighing import Weighed
from knowledge.model import Draws
from knowledge.synthesis.balance import take_in_proportion
from knowledge.synthesis.reference import reference_risks
from knowledge.synthesis.spec import CODINGS

Floats = NDArray[np.float64]

MOST_DRAWS = 14_000  # as in a model built from the facts: enough for the tails, few enough for a quick answer
# A width of the prior keeps at least this share of the draws, however little weight the patients leave it: the range
# over the widths is part of every answer.
LEAST_SHARE = 0.1
# The first, coarse choice takes so many times more; sorting a million draws by what they have in common would be slow.
FINER = 4


def site_draws(weighed: Weighed, rng: np.random.Generator, most: int = MOST_DRAWS) -> Draws:
    """About ``most`` draws of the updated pool, weights summing to one, draws of one tau together."""
    draws = weighed.draws
    matrices, weights, taus, codings = [], [], [], []
    for tau, part in enumerate(draws.tau_slices):
        share = float(weighed.weight[:, part].sum())
        unit = share / (most * max(share, LEAST_SHARE))
        matrix, weight, coding = _copies(weighed, part, unit / FINER, rng)
        taken = np.zeros(len(weight))
        for each in np.unique(coding):
            inside = np.flatnonzero(coding == each)
            values = dict(zip(draws.names, matrix[:, inside], strict=True))
            position = reference_risks(weighed.pool, CODINGS[each], values)
            taken[inside] = take_in_proportion(position, weight[inside], unit, rng)
        kept = np.flatnonzero(taken)
        matrices.append(matrix[:, kept])
        weights.append(share * taken[kept] / taken.sum())
        taus.append(np.full(len(kept), tau))
        codings.append(coding[kept])
    weight = np.concatenate(weights)
    return Draws(
        draws.names,
        np.concatenate(matrices, axis=1),
        weight / weight.sum(),
        np.concatenate(taus),
        np.concatenate(codings),
    )


def _copies(
    weighed: Weighed, part: slice, unit: float, rng: np.random.Generator
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """One tau's draws with every level as a draw of its own: of these, as many as their weight deserves at ``unit``.

    Returns:
        Parameters (P, M), weight (M,) and coding (M,).
    """
    draws = weighed.draws
    # Level by level of each draw, so that the levels of one draw are neighbours.
    weight, level = weighed.weight[:, part].T.ravel(), weighed.level[:, part].T.ravel()
    edges = np.floor(np.cumsum(weight) / unit + rng.random())
    times = np.diff(edges, prepend=0.0)
    kept = np.flatnonzero(times)
    of_draw = part.start + kept // len(weighed.level)
    matrix = draws.matrix[:, of_draw].copy()
    matrix[draws.names.index("a_new")] = level[kept]
    return matrix, times[kept] * unit, draws.coding[of_draw]
