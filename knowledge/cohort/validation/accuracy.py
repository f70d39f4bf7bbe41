"""How far the estimates lie from what happened: the Brier score, and its share of what a flat estimate would have."""

from __future__ import annotations

import numpy as np

from knowledge.cohort.validation.cells import Cells, Floats
from knowledge.cohort.validation.measure import ALPHA, Measure, withheld

BOOTSTRAP = "bootstrap of patients, percentiles"
# A quantile of resamples among which more than this share has no value would describe the others only.
MOST_WITHOUT = 0.05
# A resample of so few repeats the same patients over and over.
LEAST = 10


def brier(cells: Cells) -> float:
    """Mean squared difference between estimate and outcome (0 best; Brier, Mon Weather Rev 1950;78:1-3)."""
    return float((cells.events @ (1.0 - cells.risk) ** 2 + cells.others @ cells.risk**2) / cells.n)


def scaled_brier(cells: Cells) -> float | None:
    """One minus the Brier score over that of giving everyone the observed share; None where all fared alike.

    1 is perfect, 0 no better than the share, below 0 worse (Steyerberg et al., Epidemiology 2010;21:128-138).
    """
    share = cells.had / cells.n
    flat = share * (1.0 - share)
    return None if flat == 0.0 else 1.0 - brier(cells) / flat


def accuracy(cells: Cells, brier_resampled: Floats, scaled_resampled: Floats) -> tuple[Measure, Measure]:
    """Brier and scaled Brier score with percentile intervals of resamples (B,), NaN where one has no value."""
    if cells.n == 0:
        return withheld("no patient"), withheld("no patient")
    scaled = scaled_brier(cells)
    if scaled is None:
        none = withheld("all patients fared alike: there is no spread to explain")
    else:
        none = percentile_measure(scaled, scaled_resampled, cells.n)
    return percentile_measure(brier(cells), brier_resampled, cells.n), none


def percentile_measure(value: float, resampled: Floats, n: int) -> Measure:
    """A figure of ``n`` patients with the percentile interval of its resamples (B,)."""
    if n < LEAST:
        return Measure(value=value, note=f"no interval from fewer than {LEAST} patients")
    there = resampled[np.isfinite(resampled)]
    if len(there) < (1.0 - MOST_WITHOUT) * len(resampled):
        return Measure(value=value, note="no interval: in many resamples all patients fared alike")
    low, high = np.quantile(there, (ALPHA / 2, 1.0 - ALPHA / 2))
    return Measure(value=value, low=float(low), high=float(high), method=BOOTSTRAP)
