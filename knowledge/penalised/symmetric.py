"""Inverse and log determinant of small symmetric positive definite matrices, one a lane, by the sweep operator.

The arithmetic of a lane does not depend on its neighbours, nor on BLAS.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# A pivot this small beside its diagonal entry is rounding, not information.
SMALLEST_PIVOT = 1e-13


def inverse_and_logdet(matrix: Floats) -> tuple[Floats, Floats]:
    """Inverse (k, k, L) and log determinant (L,) of ``matrix`` (k, k, L); NaN and -inf where not positive definite.

    ``matrix`` is overwritten. Source: Goodnight, Am Stat 1979;33:149-158.
    """
    k = len(matrix)
    swept = matrix
    floor = SMALLEST_PIVOT * np.einsum("iil->il", matrix)
    pivots = np.empty_like(floor)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for p in range(k):
            pivots[p] = swept[p, p]
            pivot = pivots[p]
            row = swept[p] / pivot
            column = swept[:, p].copy()
            swept -= column[:, None] * row
            swept[p], swept[:, p] = row, row
            swept[p, p] = -1.0 / pivot
        logdet = np.log(np.multiply.reduce(pivots, axis=0))
    np.negative(swept, out=swept)
    irregular = ~(pivots > floor).all(axis=0) | ~np.isfinite(logdet)
    if irregular.any():
        swept[:, :, irregular] = np.nan
        logdet[irregular] = -np.inf
    return swept, logdet
