"""How severe the CRS of a simulated cohort is: grade >= 2 among those with CRS, three of them with grade >= 3.

Severity has parameters of its own. A cohort that met the conditions on CRS of any
grade was costly to find, so its severity is drawn several times and one draw kept with
chances in proportion to the draws' weights; the cohort then carries their mean weight,
which has the same expectation as a single draw's and varies less. The number of grade
>= 3 is not drawn at all: its probability is averaged over the prior of its logit, and
that logit drawn from its posterior.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import comb

import numpy as np
from numpy.typing import NDArray

from knowledge.logistic import expit, logit
from knowledge.synthesis.proposal import Proposal
from knowledge.synthesis.significance import Criterion, judge_binary, judge_continuous
from knowledge.synthesis.spec import Coding, Spec

Floats = NDArray[np.float64]

TRIES = 16  # severities drawn for each cohort

# Cells of the logit of grade >= 3, in prior sds.
_REACH, _CELLS = 8.0, 640


@dataclass(frozen=True, eq=False)
class Severity:
    """For each of A cohorts the severity kept: parameters (A,), ``grade2`` (A, n) of 0/1, ``weight`` (A,).

    The weight is zero where no try met the conditions; the rest of such a row means nothing.
    ``reached`` names the conditions in order and holds the mean weight of the tries that met them (A,).
    """

    c_grade2: Floats
    d_ldh: Floats
    logit_grade3: Floats
    grade2: Floats
    weight: Floats
    reached: dict[str, Floats]


@dataclass(frozen=True, eq=False)
class Ldh:
    """LDH of A cohorts: ``acting`` (A, n), its ``centre`` (A,) and the prior sd of its slope, ``scale`` (A,).

    ``analysed`` (A, n) is what the study's regression takes, coded as ``coding``.
    """

    acting: Floats
    centre: Floats
    scale: Floats
    analysed: Floats
    coding: Coding


def draw_severity(spec: Spec, ldh: Ldh, any_grade: Floats, proposal: Proposal, rng: np.random.Generator) -> Severity:
    """Severity of cohorts with CRS outcomes ``any_grade`` (A, n).

    Args:
        spec: priors and conditions.
        ldh: as it acts and as it is analysed.
        any_grade: outcomes of 0/1 (A, n).
        proposal: of the standard normals behind intercept and slope.
        rng: of all randomness.
    """
    size, n = any_grade.shape
    tries = size * TRIES
    z, importance = proposal.draw(tries, rng)
    c_grade2 = logit(spec.grade2_given_any[0]) + spec.grade2_given_any[1] * z[0]
    row = np.repeat(np.arange(size), TRIES)
    d_ldh = ldh.scale[row] * z[1]
    eta = c_grade2[:, None] + d_ldh[:, None] * (ldh.acting[row] - ldh.centre[row, None])
    grade2 = any_grade[row] * (rng.random((tries, n)) * (1.0 + np.exp(-eta)) < 1.0)
    number = grade2.sum(axis=1).astype(np.int64)
    met = number >= spec.crs_grade2_least
    reached = {"crs_grade2_count": importance * met}
    if spec.significances and spec.grade2_significance:
        rows = np.flatnonzero(met)
        test = Criterion(spec.lr_threshold, spec.test, 1)
        judge = judge_binary if ldh.coding == "elevated" else judge_continuous
        met[rows] = judge((ldh.analysed[row[rows]],), grade2[rows], test)
        reached["crs_grade2"] = importance * met
    third = _grade3(spec.crs_grade3, n, spec.grade3_given_grade2)
    weight = importance * met * third.probability[number]
    reached["crs_grade3_count"] = weight

    by_cohort = np.cumsum(weight.reshape(size, TRIES), axis=1)
    lot = rng.random((size, 1)) * by_cohort[:, -1:]
    kept = TRIES * np.arange(size) + np.minimum((by_cohort <= lot).sum(axis=1), TRIES - 1)
    return Severity(
        c_grade2[kept],
        d_ldh[kept],
        third.draw(number[kept], rng),
        grade2[kept],
        by_cohort[:, -1] / TRIES,
        {name: value.reshape(size, TRIES).mean(axis=1) for name, value in reached.items()},
    )


@dataclass(frozen=True, eq=False)
class _Grade3:
    """P(published number of grade >= 3) by number k of grade >= 2 (n + 1,), and the posterior of the logit."""

    probability: Floats
    cumulative: Floats  # (n + 1, cells), each row rising to one; zeros where the number is impossible
    edges: Floats  # (cells + 1,)

    def draw(self, k: NDArray[np.int64], rng: np.random.Generator) -> Floats:
        """Logits (A,) given numbers of grade >= 2 (A,): a cell by lot, uniform within it."""
        lot, place = rng.random(len(k)), rng.random(len(k))
        cell = np.empty(len(k), dtype=np.int64)
        for value in np.unique(k):
            rows = k == value
            cell[rows] = np.searchsorted(self.cumulative[value], lot[rows], side="right")
        cell = np.minimum(cell, self.cumulative.shape[1] - 1)
        logit: Floats = self.edges[cell] + (self.edges[cell + 1] - self.edges[cell]) * place
        return logit


@lru_cache(maxsize=4)
def _grade3(events: int, n: int, prior: tuple[float, float]) -> _Grade3:
    """Binomial(events; k, d) averaged over the prior of logit d (probability at the mean, sd), for k = 0..n."""
    edges = np.linspace(-_REACH, _REACH, _CELLS + 1)
    middle = 0.5 * (edges[1:] + edges[:-1])
    density = np.exp(-0.5 * middle * middle)
    density /= density.sum()
    chance = expit(logit(prior[0]) + prior[1] * middle)
    probability, cumulative = np.zeros(n + 1), np.zeros((n + 1, _CELLS))
    for k in range(events, n + 1):
        joint = density * comb(k, events) * chance**events * (1.0 - chance) ** (k - events)
        probability[k] = joint.sum()
        cumulative[k] = np.cumsum(joint) / probability[k]
    return _Grade3(probability, cumulative, logit(prior[0]) + prior[1] * edges)
