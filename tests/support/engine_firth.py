"""The reference solutions of Firth regression, and random data sets to fit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

_FILE = Path(__file__).parents[1] / "data" / "firth_oracle.json"


@dataclass(frozen=True)
class Corrected:
    """FLIC's or FLAC's solution of one data set; ``link_se`` (n,) are standard errors of the linear predictor."""

    coef: Floats
    cov: Floats
    link_se: Floats
    predicted: Floats
    ci: Floats
    pvalues: Floats | None = None
    loglik: float | None = None


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
    ci: Floats
    separation: bool
    flic: Corrected
    flac: Corrected


def references() -> tuple[Reference, ...]:
    """All reference solutions."""
    sets = json.loads(_FILE.read_text(encoding="utf-8"))["sets"]
    return tuple(_reference(name, entry) for name, entry in sets.items())


def _reference(name: str, entry: dict[str, Any]) -> Reference:
    plain = {key: value for key, value in entry.items() if key not in ("X", "flic", "flac")}
    covariates = np.asarray(entry["X"], dtype=float)
    return Reference(
        name=name,
        X=np.column_stack([np.ones(len(covariates)), covariates]),
        flic=Corrected(**_arrays(entry["flic"])),
        flac=Corrected(**_arrays(entry["flac"])),
        **_arrays(plain),
    )


def _arrays(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: np.asarray(value, float) if isinstance(value, list) else value for key, value in entry.items()}


def random_sets(seed: int, size: int, n: int = 30) -> tuple[Floats, Floats]:
    """Columns (3, size, n), intercept, continuous and binary, and outcomes (size, n); some are separated."""
    rng = np.random.default_rng(seed)
    continuous = rng.normal(size=(size, n))
    binary = (rng.random((size, n)) < rng.uniform(0.1, 0.6, (size, 1))).astype(float)
    slopes = rng.normal(0.0, 1.5, (2, size, 1))
    eta = rng.normal(-0.5, 0.7, (size, 1)) + slopes[0] * continuous + slopes[1] * binary
    y = (rng.random((size, n)) < 1.0 / (1.0 + np.exp(-eta))).astype(float)
    return np.stack([np.ones((size, n)), continuous, binary]), y


def ordinary_sets(seed: int, size: int) -> list[tuple[Floats, Floats]]:
    """Random sets as X (n, 3) and y (n,) that ``fit`` accepts: full column rank, both outcomes."""
    columns, outcomes = random_sets(seed, size)
    sets = [(np.ascontiguousarray(columns[:, b].T), outcomes[b]) for b in range(size)]
    return [(X, y) for X, y in sets if np.linalg.matrix_rank(X) == X.shape[1] and 0 < y.sum() < len(y)]


def penalised_loglik(X: Floats, y: Floats, beta: Floats) -> float:
    """The definition, written out: log likelihood plus half the log determinant of X'WX."""
    eta = X @ beta
    p = special.expit(eta)
    _, logdet = np.linalg.slogdet(X.T @ (X * (p * (1.0 - p))[:, None]))
    return float(y @ eta - np.logaddexp(0.0, eta).sum() + 0.5 * logdet)
