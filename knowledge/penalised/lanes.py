"""Data sets side by side, one a lane: arrays run (.., row, lane), so that every operation runs over lanes.

A lane is one data set in one question about it: the fit itself, the fit with
a coefficient held, a profile limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Index = NDArray[np.intp]


@lru_cache(maxsize=16)
def pairs(k: int) -> tuple[tuple[int, int], ...]:
    """The entries (i, j), i <= j, of a symmetric k x k matrix in the order of ``Lanes.products``."""
    return tuple((i, j) for i in range(k) for j in range(i, k))


@lru_cache(maxsize=16)
def pair_rows(k: int) -> NDArray[np.intp]:
    """Row of ``Lanes.products`` that holds the product of columns i and j (k, k)."""
    rows = np.empty((k, k), dtype=np.intp)
    for row, (i, j) in enumerate(pairs(k)):
        rows[i, j] = rows[j, i] = row
    return rows


@lru_cache(maxsize=16)
def pair_columns(k: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """i (P,) and j (P,) of every pair, and how often it stands in the matrix (P, 1)."""
    first, second = (np.array(side, dtype=np.intp) for side in zip(*pairs(k), strict=True))
    return first, second, np.where(first == second, 1.0, 2.0)[:, None]


@dataclass(frozen=True)
class Lanes:
    """``x`` (k, n, L) and ``products`` (P, n, L) of its pairs of columns, with constants of score and likelihood.

    ``trials`` (n, L) are the patients behind each row, None where each row is one patient; ``offset`` (n, L) or
    None. ``penalised`` says whether Jeffreys' penalty belongs to the likelihood.
    """

    x: Floats
    products: Floats
    trials: Floats | None
    offset: Floats | None
    target: Floats  # (k, L): X'(y - trials / 2), the part of the score that no coefficient changes
    events: Floats  # (k, L): X'y
    patients: Floats  # (k, L): X'trials
    offset_events: Floats  # (L,): the offset's own share of sum(y eta)
    offset_patients: Floats  # (L,): of sum(trials eta)
    penalised: bool

    @property
    def k(self) -> int:
        """Number of coefficients."""
        return len(self.x)

    @property
    def count(self) -> int:
        """Number of lanes L."""
        return int(self.x.shape[2])

    def take(self, index: Index) -> Lanes:
        """The chosen lanes, in the order of ``index``; an index may come more than once."""
        return Lanes(
            chosen(self.x, index),
            chosen(self.products, index),
            None if self.trials is None else chosen(self.trials, index),
            None if self.offset is None else chosen(self.offset, index),
            chosen(self.target, index),
            chosen(self.events, index),
            chosen(self.patients, index),
            self.offset_events[index],
            self.offset_patients[index],
            self.penalised,
        )


def chosen(values: Floats, index: Index) -> Floats:
    """The chosen lanes of ``values`` (.., L), lanes still side by side in memory (an index alone would not do that)."""
    return values.take(index, axis=-1)


def make_lanes(
    columns: Floats,
    y: Floats,
    trials: Floats | None = None,
    offset: Floats | None = None,
    *,
    penalised: bool = True,
) -> Lanes:
    """Lanes from ``columns`` (k, B, n), ``y`` (B, n) events, and optionally ``trials``, ``offset`` (B, n)."""
    x = np.ascontiguousarray(columns.transpose(0, 2, 1))
    response = np.ascontiguousarray(y.T)
    behind = None if trials is None else np.ascontiguousarray(trials.T)
    shift = None if offset is None else np.ascontiguousarray(offset.T)
    k, n, lanes = x.shape
    products = np.empty((k * (k + 1) // 2, n, lanes))
    for row, (i, j) in enumerate(pairs(k)):
        np.multiply(x[i], x[j], out=products[row])
    events = np.einsum("knl,nl->kl", x, response)
    patients = x.sum(axis=1) if behind is None else np.einsum("knl,nl->kl", x, behind)
    none = np.zeros(lanes)
    offset_events = none if shift is None else np.einsum("nl,nl->l", response, shift)
    if shift is None:
        offset_patients = none
    else:
        offset_patients = shift.sum(axis=0) if behind is None else np.einsum("nl,nl->l", behind, shift)
    target = events - 0.5 * patients
    return Lanes(x, products, behind, shift, target, events, patients, offset_events, offset_patients, penalised)
