"""Whether a plane parts events from non-events: the case in which maximum likelihood has no finite solution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# A gain of the linear programme this small is rounding. Columns are near one in size, and each row's gain is
# capped at one, so a real separation gains at least about this share of a row.
SMALLEST_GAIN = 1e-7


def is_separated(design: Floats, y: Floats) -> bool:
    """Complete or quasi-complete separation of ``y`` (n,) of 0/1 by a linear combination of ``design`` (n, k).

    A linear programme after Konis (2007): the largest sum of signed margins, none of them negative. It is zero
    unless some direction puts every event on one side and every non-event on the other, with a row off the plane.
    """
    from scipy.optimize import linprog  # slow to import, and wanted for this question only

    signed = np.where(y > 0.5, 1.0, -1.0)[:, None] * design
    rows = np.vstack([signed, -signed])
    bounds = np.r_[np.ones(len(signed)), np.zeros(len(signed))]
    solved = linprog(-signed.sum(axis=0), A_ub=rows, b_ub=bounds, bounds=(None, None), method="highs")
    if solved.status == 3:  # unbounded: margins are capped, so only a direction no row feels; not for full rank
        return False
    if solved.status != 0:
        raise ArithmeticError(f"the search for separation failed: {solved.message}")
    return solved.fun is not None and bool(-solved.fun > SMALLEST_GAIN)
