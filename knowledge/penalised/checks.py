"""What a regression demands of its data, with an error that says which demand is missed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

SMALLEST_ALPHA = 1e-12  # a limit further out than this is beyond the arithmetic
METHODS = ("firth", "flic", "flac")


class FirthError(ValueError):
    """The data cannot be fitted, or the fit did not converge; the message says which."""


@dataclass(frozen=True, eq=False)
class Checked:
    """Rows that weigh something: ``design`` (n, k), ``outcome`` (n,); ``weights``, ``offset`` (n,) or None.

    ``kept`` (all rows,) says which rows of the caller's these are.
    """

    design: Floats
    outcome: Floats
    weights: Floats | None
    offset: Floats | None
    kept: NDArray[np.bool_]


def checked(
    X: ArrayLike, y: ArrayLike, method: str, alpha: float, weights: ArrayLike | None, offset: ArrayLike | None
) -> Checked:
    """The data in float arrays.

    Raises:
        FirthError: as ``knowledge.firth.fit``, but for convergence.
    """
    if method not in METHODS:
        raise FirthError(f"method must be one of {', '.join(METHODS)}")
    if not SMALLEST_ALPHA <= alpha < 1.0:
        raise FirthError(f"alpha must lie strictly between 0 and 1, and not below {SMALLEST_ALPHA:g}")
    design, outcome = _floats(X, "X"), _floats(y, "y")
    if design.ndim != 2 or not design.size or outcome.shape != design.shape[:1]:
        raise FirthError(f"X must be (n, k) and y (n,), neither empty; got {design.shape} and {outcome.shape}")
    if not (np.isfinite(design).all() and np.isfinite(outcome).all()):
        raise FirthError("X and y must be finite")
    if not np.isin(outcome, (0.0, 1.0)).all():
        raise FirthError("y must hold only 0 and 1")
    weight = _by_row(weights, "weights", len(outcome))
    shift = _by_row(offset, "offset", len(outcome))
    kept = np.ones(len(outcome), dtype=bool)
    if weight is not None:
        if (weight < 0).any():
            raise FirthError("weights must be zero or more")
        kept = weight > 0
        if not kept.any():
            raise FirthError("weights must not all be zero")
        design, outcome, weight = design[kept], outcome[kept], weight[kept]
        shift = None if shift is None else shift[kept]
    if outcome.min() == outcome.max():
        raise FirthError(f"y is constant: all {len(outcome)} rows are {outcome[0]:.0f}, so nothing can be compared")
    if np.linalg.matrix_rank(design / np.abs(design).max(axis=0, initial=1e-300)) < design.shape[1]:
        raise FirthError("X is not of full column rank: a column is constant twice or a sum of others")
    return Checked(design, outcome, weight, shift, kept)


def checked_rows(X: ArrayLike, offset: ArrayLike | None, k: int) -> tuple[Floats, Floats]:
    """Rows to predict for (m, k), and their offsets (m,).

    Raises:
        FirthError: wrong shape or not finite.
    """
    rows = _floats(X, "X")
    if rows.ndim != 2 or rows.shape[1] != k:
        raise FirthError(f"X must be (m, {k}), as many columns as were fitted; got {rows.shape}")
    if not np.isfinite(rows).all():
        raise FirthError("X must be finite")
    shift = _by_row(offset, "offset", len(rows))
    return rows, np.zeros(len(rows)) if shift is None else shift


def _by_row(values: ArrayLike | None, name: str, n: int) -> Floats | None:
    if values is None:
        return None
    array = _floats(values, name)
    if array.shape != (n,):
        raise FirthError(f"{name} must be ({n},), one for each row of X; got {array.shape}")
    if not np.isfinite(array).all():
        raise FirthError(f"{name} must be finite")
    return array


def _floats(values: ArrayLike, name: str) -> Floats:
    try:
        array = np.asarray(values)
        if array.dtype.kind != "c":
            return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise FirthError(f"{name} must hold numbers in rows of equal length") from error
    raise FirthError(f"{name} must hold real numbers")
