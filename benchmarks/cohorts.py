"""Seeded data sets for the regressions: 30 patients, an intercept and three covariates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.penalised.grouped import distinct_tables, group_binary
from knowledge.penalised.separation import is_separated

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

PATIENTS = 30
SEED = 20
# Log odds of the intercept and of each covariate, and how frequent a binary covariate is.
MODERATE, MODERATE_PREVALENCE = np.array([-0.5, 0.8, 1.0, -0.5]), np.array([0.35, 0.5])
STRONG, STRONG_PREVALENCE = np.array([-2.0, 3.0, 3.0, 1.5]), np.array([0.1, 0.2])


@dataclass(frozen=True)
class Cohorts:
    """``design`` (B, n, 4), its first column the intercept, and ``y`` (B, n) of 0/1.

    ``left_out`` data sets of those drawn had a constant outcome or a design that is not of full rank.
    """

    name: str
    design: Floats
    y: Floats
    left_out: int

    def __len__(self) -> int:
        return len(self.y)

    def first(self, count: int) -> Cohorts:
        """The first ``count`` data sets."""
        return Cohorts(self.name, self.design[:count], self.y[:count], self.left_out)

    @property
    def columns(self) -> Floats:
        """The design in the order of the batched forms, (4, B, n)."""
        return np.ascontiguousarray(self.design.transpose(2, 0, 1))

    @property
    def findings(self) -> tuple[Bools, ...]:
        """The covariates of an all-binary design, each (B, n)."""
        return tuple(self.design[:, :, j] > 0.5 for j in range(1, self.design.shape[2]))


def ordinary(count: int) -> Cohorts:
    """One continuous and two binary covariates with moderate effects."""
    return _drawn("ordinary", count, MODERATE, MODERATE_PREVALENCE)


def sparse(count: int) -> Cohorts:
    """Rare findings and strong effects: most are separated."""
    return _drawn("sparse", count, STRONG, STRONG_PREVALENCE)


def binary(count: int) -> Cohorts:
    """Three binary covariates with moderate effects."""
    return _drawn("binary", count, MODERATE, np.array([0.5, *MODERATE_PREVALENCE]))


def separated(cohorts: Cohorts) -> int:
    """How many are completely or quasi-completely separated."""
    return sum(is_separated(design, y) for design, y in zip(cohorts.design, cohorts.y, strict=True))


def distinct(cohorts: Cohorts) -> int:
    """How many different tables an all-binary set holds."""
    _, events, trials = group_binary(cohorts.findings, cohorts.y)
    return len(distinct_tables(events, trials)[0])


def _drawn(name: str, count: int, effects: Floats, prevalence: Floats) -> Cohorts:
    rng = np.random.default_rng([SEED, *name.encode()])
    drawn = 2 * count + 100
    design = np.ones((drawn, PATIENTS, len(effects)))
    continuous = len(effects) - 1 - len(prevalence)
    design[:, :, 1 : 1 + continuous] = rng.normal(size=(drawn, PATIENTS, continuous))
    design[:, :, 1 + continuous :] = rng.random((drawn, PATIENTS, len(prevalence))) < prevalence
    risk = 1.0 / (1.0 + np.exp(-design @ effects))
    y = (rng.random(risk.shape) < risk).astype(float)
    usable = (y.min(axis=1) < y.max(axis=1)) & (np.linalg.matrix_rank(design) == len(effects))
    kept = np.flatnonzero(usable)[:count]
    if len(kept) < count:
        raise RuntimeError(f"only {len(kept)} of {drawn} {name} data sets can be fitted")
    return Cohorts(name, design[kept], y[kept], int(kept[-1]) + 1 - count)
