"""The bootstrap: patients drawn again with replacement, for figures whose interval has no closed form.

Patients of one estimate and one outcome are alike, so a resample is one multinomial draw over these kinds. Every
part of the resamples has its own seed, so that the result does not depend on how many processes share the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from knowledge.cohort.validation.accuracy import brier, scaled_brier
from knowledge.cohort.validation.cells import Cells, Floats
from knowledge.cohort.validation.decision import THRESHOLDS, net_benefit, net_benefit_of_all

RESAMPLES = 2_000
PART = 100


@dataclass(frozen=True, eq=False)
class Part:
    """One part of the resamples of one outcome."""

    cells: Cells
    seed: int
    outcome: int
    number: int
    resamples: int


@dataclass(frozen=True, eq=False)
class Resampled:
    """Figures of B resamples: ``brier`` and ``scaled`` (B,), NaN where a resample has no variation; net benefit of
    treating by estimate and of treating all (B, thresholds).
    """

    brier: Floats
    scaled: Floats
    by_estimate: Floats
    of_all: Floats


def parts(cells: Cells, seed: int, outcome: int, resamples: int) -> Iterator[Part]:
    """The work of one outcome, in parts."""
    for number, start in enumerate(range(0, resamples, PART)):
        yield Part(cells, seed, outcome, number, min(PART, resamples - start))


def resample(part: Part) -> Resampled:
    """The figures of one part."""
    cells = part.cells
    rng = np.random.default_rng(np.random.SeedSequence(part.seed, spawn_key=(part.outcome, part.number)))
    kinds = np.concatenate([cells.events, cells.others])
    there = np.flatnonzero(kinds)
    chance = kinds[there] / cells.n
    out = Resampled(
        np.empty(part.resamples),
        np.empty(part.resamples),
        np.empty((part.resamples, len(THRESHOLDS))),
        np.empty((part.resamples, len(THRESHOLDS))),
    )
    drawn = np.zeros(len(kinds), dtype=np.int64)
    for place in range(part.resamples):
        drawn[there] = rng.multinomial(cells.n, chance)
        again = Cells(cells.risk, drawn[: cells.distinct], drawn[cells.distinct :])
        scaled = scaled_brier(again)
        out.brier[place] = brier(again)
        out.scaled[place] = np.nan if scaled is None else scaled
        out.by_estimate[place] = net_benefit(again)
        out.of_all[place] = net_benefit_of_all(again)
    return out


def joined(found: list[Resampled]) -> Resampled:
    """The parts in order as one."""
    return Resampled(
        *(np.concatenate([getattr(each, name) for each in found]) for name in Resampled.__dataclass_fields__)
    )
