"""The reference solutions of Firth regression, and random data sets to fit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_FILE = Path(__file__).parents[1] / "data" / "firth_oracle.json"


@dataclass(frozen=True)
class Reference:
    """One data set, X (n, k) with its intercept, and the solution known to more than ten digits."""

    name: str
    X: Floats
    y: Floats
    coef: Floats
    loglik: float
    chi2: Floats
    pvalues: Floats
    cov: Floats
    hat: Floats
    predicted: Floats


def references() -> tuple[Reference, ...]:
    """All reference solutions."""
    sets = json.loads(_FILE.read_text(encoding="utf-8"))["sets"]
    return tuple(_reference(name, entry) for name, entry in sets.items())


def _reference(name: str, entry: dict[str, list[float] | float]) -> Reference:
    arrays = {key: np.asarray(value, dtype=float) for key, value in entry.items() if key != "loglik"}
    covariates = arrays.pop("X")
    design = np.column_stack([np.ones(len(covariates)), covariates])
    return Reference(name=name, X=design, loglik=float(np.asarray(entry["loglik"])), **arrays)


def random_sets(seed: int, size: int, n: int = 30) -> tuple[Floats, Floats]:
    """Columns (3, size, n), intercept, continuous and binary, and outcomes (size, n); some are separated."""
    rng = np.random.default_rng(seed)
    continuous = rng.normal(size=(size, n))
    binary = (rng.random((size, n)) < rng.uniform(0.1, 0.6, (size, 1))).astype(float)
    slopes = rng.normal(0.0, 1.5, (2, size, 1))
    eta = rng.normal(-0.5, 0.7, (size, 1)) + slopes[0] * continuous + slopes[1] * binary
    y = (rng.random((size, n)) < 1.0 / (1.0 + np.exp(-eta))).astype(float)
    return np.stack([np.ones((size, n)), continuous, binary]), y
