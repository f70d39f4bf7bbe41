"""Another basis of the same design: columns at right angles, one coefficient still its own coordinate.

A calendar year or an LDH in U/L lies far from zero and is nearly parallel to the intercept; steps and tolerances
that suit columns near one then fail. In the basis of a QR decomposition with the asked-for column last, that
column's coefficient is the last coordinate but for a factor, the others are nuisance in any basis, and the fit does
not depend on units, origins or correlations of the columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Basis:
    """``work`` (n, k) are the new columns; coordinates are ``matrix`` (k, k) times the coefficients in ``order``."""

    work: Floats
    matrix: Floats
    order: NDArray[np.intp]

    def coordinates(self, coef: Floats) -> Floats:
        """Of coefficients (k, ...)."""
        found: Floats = self.matrix @ coef[self.order]
        return found

    def coefficients(self, coordinates: Floats) -> Floats:
        """Of coordinates (k, ...)."""
        found = np.empty_like(coordinates)
        found[self.order] = np.linalg.solve(self.matrix, coordinates)
        return found

    def covariance(self, of_coordinates: Floats) -> Floats:
        """Of the coefficients (k, k), from that of the coordinates."""
        back = np.linalg.inv(self.matrix)
        found = np.empty_like(of_coordinates)
        found[np.ix_(self.order, self.order)] = back @ of_coordinates @ back.T
        return found

    @property
    def logdet(self) -> float:
        """Log of the determinant of ``matrix``: by twice this the log determinants of the two informations differ."""
        return float(np.log(np.abs(np.diag(self.matrix))).sum())

    @property
    def unit(self) -> float:
        """What the asked-for coefficient is multiplied by to give the last coordinate; positive."""
        return float(self.matrix[-1, -1])


def basis_for(design: Floats, asked: int) -> Basis:
    """The basis of ``design`` (n, k) in which the coefficient of column ``asked`` is the last coordinate."""
    n, k = design.shape
    order = np.array([j for j in range(k) if j != asked] + [asked], dtype=np.intp)
    # Columns brought to a like size first: a decomposition does not mind, its rounding does.
    size = np.exp2(np.round(np.log2(np.abs(design).max(axis=0))))
    q, r = np.linalg.qr((design / size)[:, order])
    sign = np.where(np.diag(r) < 0.0, -1.0, 1.0)
    root = np.sqrt(n)
    return Basis(q * sign * root, r * sign[:, None] * size[order] / root, order)
