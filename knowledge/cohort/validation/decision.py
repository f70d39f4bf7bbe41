"""Would deciding by the estimate do more good than giving prophylaxis to all, or to none? The decision curve."""

from __future__ import annotations

import numpy as np

from knowledge.cohort.validation.cells import Cells, Counts, Floats
from knowledge.cohort.validation.measure import ALPHA
from knowledge.cohort.validation.slope import why_not
from knowledge.frozen import FrozenModel

# 5 to 60 % by 1 %.
THRESHOLDS: Floats = np.arange(5, 61) / 100.0


class DecisionPoint(FrozenModel):
    """Net benefit at one threshold, in true positives a patient; that of treating none is 0.

    ``treated``: share of patients at or above the threshold. ``by_estimate`` with its 95 % limits ``low`` and ``high``;
    ``over_all``: by how much it exceeds treating all, with limits likewise. Limits hold at each threshold by itself.
    """

    threshold: float
    treated: float
    by_estimate: float
    low: float
    high: float
    of_all: float
    over_all: float
    over_all_low: float
    over_all_high: float

    @property
    def better(self) -> bool:
        """Whether deciding by the estimate is shown to do better than treating none and than treating all."""
        return self.low > 0.0 and self.over_all_low > 0.0

    @property
    def worse(self) -> bool:
        """Whether it is shown to do worse than one of them."""
        return self.high < 0.0 or self.over_all_high < 0.0


class DecisionCurve(FrozenModel):
    """The curve, or why there is none."""

    points: tuple[DecisionPoint, ...] = ()
    note: str = ""


def net_benefit(cells: Cells, thresholds: Floats = THRESHOLDS) -> Floats:
    """True positives less false positives weighed by the odds of the threshold, a patient (T,), of giving prophylaxis
    to those whose estimate reaches the threshold (Vickers and Elkin, Med Decis Making 2006;26:565-574).
    """
    first = np.searchsorted(cells.risk, thresholds, side="left")
    positives = _from(cells.events)[first] - _from(cells.others)[first] * thresholds / (1.0 - thresholds)
    benefit: Floats = positives / cells.n
    return benefit


def net_benefit_of_all(cells: Cells, thresholds: Floats = THRESHOLDS) -> Floats:
    """Net benefit of giving prophylaxis to everyone (T,)."""
    benefit: Floats = (cells.had - cells.had_not * thresholds / (1.0 - thresholds)) / cells.n
    return benefit


def decision_curve(cells: Cells, by_estimate: Floats, of_all: Floats) -> DecisionCurve:
    """The curve with percentile limits of its resamples (B, T)."""
    reason = why_not(cells)
    if reason:
        return DecisionCurve(note=reason)
    value, everyone = net_benefit(cells), net_benefit_of_all(cells)
    limits = (ALPHA / 2, 1.0 - ALPHA / 2)
    low, high = np.quantile(by_estimate, limits, axis=0)
    over_low, over_high = np.quantile(by_estimate - of_all, limits, axis=0)
    treated = _from(cells.total)[np.searchsorted(cells.risk, THRESHOLDS, side="left")] / cells.n
    columns = (THRESHOLDS, treated, value, low, high, everyone, value - everyone, over_low, over_high)
    names = tuple(DecisionPoint.model_fields)
    return DecisionCurve(
        points=tuple(
            DecisionPoint(**dict(zip(names, map(float, row), strict=True))) for row in zip(*columns, strict=True)
        )
    )


def _from(counts: Counts) -> Counts:
    """How many lie at each place or beyond, with a 0 at the end."""
    return np.concatenate([np.cumsum(counts[::-1])[::-1], [0]])
