"""Likelihood of a centre's patients in every draw, the centre being the new one of the draw.

CRS after the first dose falls into none, grade 1, grade 2 or higher, with probabilities 1-p, p(1-q) and pq:
p = expit(a_new + effect of LDH and liver metastases), q = expit(c_grade2 + d_ldh LDH). ICANS is there with probability
expit(a_new + effect of diabetes and CVD). A finding that is not known is averaged over within the draw, given those
that are known, and all at once: a category's probability is the mixture's. So the likelihood is of the outcomes given
the findings; what the findings themselves say of a population is not used.

``level`` (R, N) holds R values of a_new for every draw: ``knowledge.cohort.update.redraw``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from knowledge.cohort.update.patients import CrsGroup, IcansGroup, SitePatients
from knowledge.logistic import expit
from knowledge.mixture import crs_branches, icans_branches
from knowledge.model import Draws
from knowledge.synthesis.spec import Pool

Floats = NDArray[np.float64]

Progress = Callable[[int], None]


def log_likelihood(
    pool: Pool, patients: SitePatients, draws: Draws, level: Floats, hold: float, progress: Progress | None = None
) -> Floats:
    """Log likelihood of all patients of one pool (R, N).

    Args:
        pool: whose outcomes.
        patients: the centre's.
        draws: of that pool (N draws).
        level: log odds of the centre at the means of the findings (R, N).
        hold: range of the log2 ratio in sds, as the model's specification says.
        progress: told after each group how many patients it had.
    """
    total = np.zeros_like(level)
    for counts, probabilities in category_probabilities(pool, patients, draws, level, hold):
        for count, probability in zip(counts, probabilities, strict=True):
            if count:
                total += count * np.log(probability)
        if progress:
            progress(sum(counts))
    return total


def category_probabilities(
    pool: Pool, patients: SitePatients, draws: Draws, level: Floats, hold: float
) -> Iterator[tuple[tuple[int, ...], tuple[Floats, ...]]]:
    """For each group of like patients its counts and the probability of each category (R, N), in the same order."""
    if pool == "crs":
        for each in patients.crs:
            yield each.counts, crs_probabilities(each, draws, level, hold)
    else:
        for group in patients.icans:
            yield group.counts, icans_probabilities(group, draws, level)


def crs_probabilities(group: CrsGroup, draws: Draws, level: Floats, hold: float) -> tuple[Floats, Floats, Floats]:
    """P(none), P(grade 1), P(grade 2 or higher), each (R, N)."""
    branches = crs_branches(draws, group.ldh, group.liver, hold)
    effect = draws["b_ldh"] * branches.ldh + draws["b_liver"] * branches.liver
    severe = expit(draws["c_grade2"] + draws["d_ldh"] * branches.ldh)
    share = branches.weight / draws.weight
    none, mild, worse = np.zeros_like(level), np.zeros_like(level), np.zeros_like(level)
    for weight, shift, q in zip(share, effect, np.broadcast_to(severe, share.shape), strict=True):
        odds = np.exp(level + shift)
        without = weight / (1.0 + odds)
        crs = odds * without
        none += without
        worse += q * crs
        mild += (1.0 - q) * crs
    return none, mild, worse


def icans_probabilities(group: IcansGroup, draws: Draws, level: Floats) -> tuple[Floats, Floats]:
    """P(no ICANS), P(ICANS), each (R, N)."""
    branches = icans_branches(draws, group.diabetes, group.cvd)
    effect = draws["b_diabetes"] * branches.diabetes + draws["b_cvd"] * branches.cvd
    share = branches.weight / draws.weight
    none, some = np.zeros_like(level), np.zeros_like(level)
    for weight, shift in zip(share, effect, strict=True):
        odds = np.exp(level + shift)
        without = weight / (1.0 + odds)
        none += without
        some += odds * without
    return none, some
