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


def site_draws(weighed: Weighed, rng: np.random.Generator, most: int = MOST_DRAWS) -> Draws:
    """About ``most`` draws of the updated pool, weights summing to one, draws of one tau together."""
    draws = weighed.draws
    matrices, weights, taus, codings = [], [], [], []
    for tau, part in enumerate(draws.tau_slices):
        share = float(weighed.weight[:, part].sum())
        matrix, weight, coding = _copies(weighed, part)
        unit = share / (most * max(share, LEAST_SHARE))
        taken = np.zeros(len(weight))
        for each in np.unique(coding):
            inside = np.flatnonzero((coding == each) & (weight > 0.0))
            if not inside.size:
                continue
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


def _copies(weighed: Weighed, part: slice) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """One tau's draws with every level as a draw of its own: parameters (P, R n), weight (R n,), coding (R n,)."""
    draws, count = weighed.draws, len(weighed.level)
    matrix = np.tile(draws.matrix[:, part], (1, count))
    matrix[draws.names.index("a_new")] = weighed.level[:, part].ravel()
    return matrix, weighed.weight[:, part].ravel(), np.tile(draws.coding[part], count)
