"""What a model expected of a centre's patients, beside what happened.

Before the update this is a check of the model on patients it has not seen; after it, on the very patients it has
learnt from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from knowledge.assessment import Outcome
from knowledge.cohort.update.likelihood import category_probabilities
from knowledge.cohort.update.patients import SitePatients
from knowledge.frozen import FrozenModel
from knowledge.logistic import expit_of_any
from knowledge.model import Model
from knowledge.normal import Z95
from knowledge.synthesis.spec import POOLS, Pool

Floats = NDArray[np.float64]

# Outcomes of each pool, and the first category that counts as one.
OUTCOMES: dict[Pool, tuple[tuple[Outcome, int], ...]] = {
    "crs": ((Outcome.CRS_ANY, 1), (Outcome.CRS_GRADE2PLUS, 2)),
    "icans": ((Outcome.ICANS_ANY, 1),),
}
NAMES = {
    Outcome.CRS_ANY: "CRS of any grade",
    Outcome.CRS_GRADE2PLUS: "CRS grade ≥ 2",
    Outcome.ICANS_ANY: "ICANS of any grade",
}
# Simulated cohorts behind a p value: its error is below 0.002 where it matters.
REPLICATES = 8_000


class Calibration(FrozenModel):
    """Events observed and expected among ``patients``, and calibration in the large with its 95 % interval.

    ``intercept`` is the log odds by which the risks would have to be shifted to give the observed number (0 is right,
    above 0 the model is too low); None where all or none had the outcome.
    """

    outcome: Outcome
    patients: int
    observed: int
    expected: float
    intercept: float | None
    interval: tuple[float, float] | None


class Surprise(FrozenModel):
    """How the observed number of events lies among those the model allows for; ``p`` is two-sided, mid-p.

    ``low`` and ``high`` are the 2.5 and 97.5 % points of the number expected.
    """

    outcome: Outcome
    patients: int
    observed: int
    low: int
    high: int
    p: float


def calibration(model: Model, patients: SitePatients) -> tuple[Calibration, ...]:
    """Each outcome's calibration in the large, by the mean risks that the model would have shown."""
    found = []
    for pool in POOLS:
        for outcome, least in OUTCOMES[pool]:
            groups = list(_mean_risks(model, pool, patients, least))
            if not groups:
                continue
            events, sizes, risks = (np.array(column, dtype=float) for column in zip(*groups, strict=True))
            shift = intercept(events, sizes, risks)
            found.append(
                Calibration(
                    outcome=outcome,
                    patients=int(sizes.sum()),
                    observed=int(events.sum()),
                    expected=float((sizes * risks).sum()),
                    intercept=None if shift is None else shift[0],
                    interval=None if shift is None else (shift[0] - Z95 * shift[1], shift[0] + Z95 * shift[1]),
                )
            )
    return tuple(found)


def intercept(events: Floats, sizes: Floats, risks: Floats) -> tuple[float, float] | None:
    """Maximum likelihood intercept of a logistic model with the risks' log odds as offset, and its standard error.

    Args:
        events: in each group (G,).
        sizes: of the groups (G,).
        risks: of each group, strictly between 0 and 1 (G,).
    """
    total = float(events.sum())
    if not 0 < total < sizes.sum():
        return None
    offset = np.log(risks / (1.0 - risks))
    # The expected number rises with the shift, so halving an interval that holds it cannot fail.
    low, high = -40.0, 40.0
    for _ in range(80):
        middle = 0.5 * (low + high)
        if float((sizes * expit_of_any(offset + middle)).sum()) < total:
            low = middle
        else:
            high = middle
    shift = 0.5 * (low + high)
    p = expit_of_any(offset + shift)
    return shift, float(1.0 / np.sqrt((sizes * p * (1.0 - p)).sum()))


def surprise(model: Model, patients: SitePatients, seed: int) -> tuple[Surprise, ...]:
    """Each outcome's number of events among those of cohorts drawn from the model, the findings being the patients'."""
    found = []
    for pool in POOLS:
        draws = model.draws(pool)
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(len(POOLS) + POOLS.index(pool),)))
        edges = np.cumsum(draws.weight)
        steps = (np.arange(REPLICATES) + rng.random()) / REPLICATES
        chosen = np.minimum(np.searchsorted(edges, steps * edges[-1], side="right"), len(edges) - 1)
        simulated = {outcome: np.zeros(REPLICATES, dtype=np.int64) for outcome, _ in OUTCOMES[pool]}
        observed, sizes = dict.fromkeys(simulated, 0), dict.fromkeys(simulated, 0)
        level = draws["a_new"][None, :]
        for counts, probabilities in category_probabilities(pool, patients, draws, level, model.spec.ldh_hold):
            left, still = np.full(REPLICATES, sum(counts)), np.ones(REPLICATES)
            for outcome, least in OUTCOMES[pool]:
                # Grade 2 or higher among those with CRS: the next outcome given the one before.
                reached = _sum(probabilities[least:])[chosen]
                left = rng.binomial(left, np.minimum(reached / still, 1.0))
                still = reached
                simulated[outcome] += left
                observed[outcome] += sum(counts[least:])
                sizes[outcome] += sum(counts)
        found += [
            _surprise(outcome, sizes[outcome], observed[outcome], numbers)
            for outcome, numbers in simulated.items()
            if sizes[outcome]
        ]
    return tuple(found)


def outside(surprises: Iterable[Surprise]) -> list[str]:
    """A remark for each number of events that lies outside the 95 % interval, and what to look for first."""
    return [
        f"{NAMES[each.outcome]}: {each.observed} of {each.patients} is outside what the model allows for in 19 of 20 "
        f"centres ({each.low} to {each.high} expected, p {_p(each.p)}). Look first for another definition, time "
        "window, way of grading or group of patients, or for an error in the file; an update does not mend those."
        for each in surprises
        if not each.low <= each.observed <= each.high
    ]


def _p(value: float) -> str:
    return f"= {value:.2g}" if value >= 0.001 else "below 0.001"


def _surprise(outcome: Outcome, patients: int, observed: int, numbers: NDArray[np.int64]) -> Surprise:
    same = float((numbers == observed).mean())
    below, above = float((numbers < observed).mean()), float((numbers > observed).mean())
    low, high = np.quantile(numbers, [0.025, 0.975], method="inverted_cdf")
    p = min(1.0, 2.0 * (min(below, above) + 0.5 * same))
    return Surprise(outcome=outcome, patients=patients, observed=observed, low=int(low), high=int(high), p=p)


def _mean_risks(model: Model, pool: Pool, patients: SitePatients, least: int) -> Iterator[tuple[int, int, float]]:
    """Events, patients and mean risk of each group."""
    draws = model.draws(pool)
    level = draws["a_new"][None, :]
    for counts, probabilities in category_probabilities(pool, patients, draws, level, model.spec.ldh_hold):
        risk = float((_sum(probabilities[least:]) * draws.weight).sum() / draws.weight.sum())
        yield sum(counts[least:]), sum(counts), risk


def _sum(probabilities: tuple[Floats, ...]) -> Floats:
    """Of several categories (1, N) each, in every draw (N,)."""
    total: Floats = np.sum(probabilities, axis=0)[0]
    return total
