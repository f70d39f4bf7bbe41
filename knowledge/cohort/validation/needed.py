"""How many patients a firm answer needs, by the criteria for external validation.

Riley et al., Stat Med 2021;40:4230-4251 (a binary outcome), in the line of Archer et al., Stat Med 2021;40:133-146 (a
continuous one); the widths aimed at are the defaults of the authors' program pmvalsampsize.
"""

from __future__ import annotations

from math import asinh, ceil, inf

import numpy as np
from scipy.optimize import brentq

from knowledge.cohort.validation.cells import Cells, Floats
from knowledge.cohort.validation.discrimination import concordance
from knowledge.frozen import FrozenModel
from knowledge.normal import Z95

# Widths of the 95 % intervals: a firm answer; a rough one has twice the width and takes about a quarter.
OE_WIDTH, SLOPE_WIDTH, C_WIDTH, BENEFIT_WIDTH = 0.2, 0.2, 0.1, 0.2
ROUGH = 2.0
# From so many in the smaller group on, what was seen is taken as what to expect; before, what the model expects.
ENOUGH_SEEN = 20
# The spread of the estimates among fewer patients tells too little of the next ones'.
ENOUGH_SPREAD = 10
MOST = 10**9


class Criterion(FrozenModel):
    """Patients needed so that one figure's 95 % interval is no wider than ``width``; None where it cannot be said."""

    name: str
    width: float
    firm: int | None
    rough: int | None
    note: str = ""


class Needed(FrozenModel):
    """Patients without prophylaxis in all: ``firm`` and ``rough`` meet every criterion that could be worked out.

    ``share`` is the share with the outcome that was supposed, from ``basis``; ``threshold`` that of the net benefit.
    """

    have: int
    share: float | None
    basis: str
    c_statistic: float | None
    threshold: float | None
    criteria: tuple[Criterion, ...]
    firm: int | None
    rough: int | None
    driven_by: str

    @property
    def more(self) -> int | None:
        """Patients still lacking for a firm answer."""
        return None if self.firm is None else max(0, self.firm - self.have)


def for_observed_expected(share: float, width: float = OE_WIDTH) -> int:
    """Patients at which the interval of O/E, formed about 1 on the log scale, has this width."""
    se = asinh(width / 2.0) / Z95  # exp(z se) - exp(-z se) = width
    return ceil((1.0 - share) / (share * se**2))


def for_slope(log_odds: Floats, weight: Floats, width: float = SLOPE_WIDTH) -> int | None:
    """Patients at which the interval of a calibration slope of 1 has this width; None where all estimates are one.

    Args:
        log_odds: of the estimates (K,), distributed as among the patients to come.
        weight: how often each occurs (K,), any scale.
        width: of the interval.
    """
    chance = 1.0 / (1.0 + np.exp(-log_odds))
    mass = weight / weight.sum() * chance * (1.0 - chance)
    one, x, xx = float(mass.sum()), float(mass @ log_odds), float(mass @ log_odds**2)
    spread = one * xx - x * x
    if spread <= 1e-12 * one * xx or spread <= 0.0:
        return None
    return _whole(one / (_se(width) ** 2 * spread))


def for_c_statistic(c: float, share: float, width: float = C_WIDTH) -> int | None:
    """Patients at which the interval of this c-statistic has this width (Newcombe's variance); None at 0 and 1."""
    if not 0.0 < c < 1.0:
        return None

    def surplus(n: float) -> float:
        half = n / 2.0 - 1.0
        spread = 1.0 + half * (1.0 - c) / (2.0 - c) + half * c / (1.0 + c)
        return float(c * (1.0 - c) * spread / (n * n * share * (1.0 - share)) - _se(width) ** 2)

    if surplus(2.0) <= 0.0:
        return 2
    return _whole(float(brentq(surplus, 2.0, MOST)))


def for_net_benefit(
    sensitivity: float, specificity: float, share: float, threshold: float, width: float = BENEFIT_WIDTH
) -> int:
    """Patients at which the interval of the standardised net benefit (net benefit over share) has this width."""
    odds = (1.0 - share) / share * threshold / (1.0 - threshold)
    false = 1.0 - specificity
    variance = (
        sensitivity * (1.0 - sensitivity) / share
        + odds**2 * specificity * false / (1.0 - share)
        + odds**2 * false**2 / (share * (1.0 - share))
    )
    return max(1, _whole(variance / _se(width) ** 2))


def needed(cells: Cells) -> Needed:
    """The criteria for patients whose estimates are spread as these are."""
    if cells.n == 0:
        return Needed(
            have=0, share=None, basis="no patient", c_statistic=None, threshold=None, criteria=(), firm=None,
            rough=None, driven_by="",
        )  # fmt: skip
    seen = cells.fewer >= ENOUGH_SEEN
    share = (cells.had if seen else cells.expected) / cells.n
    expected_with, expected_without = cells.total * cells.risk, cells.total * (1.0 - cells.risk)
    c = concordance(cells.events, cells.others) if seen else concordance(expected_with, expected_without)
    reached = cells.risk >= share
    sensitivity = float(expected_with[reached].sum() / expected_with.sum())
    specificity = float(expected_without[~reached].sum() / expected_without.sum())
    basis = "what was seen in this cohort" if seen else "what Tarla expects of these patients (too few events seen)"
    flat = cells.n < ENOUGH_SPREAD or cells.distinct < 2
    # Nobody reaches the threshold: net benefit is 0 whoever comes, and no number of patients would tell more.
    alike = not bool(reached.any())
    nobody = "nobody's estimate reaches the share with the outcome, so deciding by it there is giving to nobody"
    why = f"cannot be told from fewer than {ENOUGH_SPREAD} patients, or where all estimates or outcomes fall alike"

    def by_width(factor: float) -> tuple[int | None, int | None, int | None, int | None]:
        return (
            for_observed_expected(share, OE_WIDTH * factor),
            None if flat else for_slope(cells.log_odds, cells.total.astype(float), SLOPE_WIDTH * factor),
            None if flat else for_c_statistic(c, share, C_WIDTH * factor),
            None if flat or alike else for_net_benefit(sensitivity, specificity, share, share, BENEFIT_WIDTH * factor),
        )

    names = ("observed/expected", "calibration slope", "c-statistic", "net benefit")
    widths = (OE_WIDTH, SLOPE_WIDTH, C_WIDTH, BENEFIT_WIDTH)
    rows = tuple(
        Criterion(
            name=name,
            width=width,
            firm=firm,
            rough=rough,
            note="" if firm is not None else nobody if alike and not flat and name == names[-1] else why,
        )
        for name, width, firm, rough in zip(names, widths, by_width(1.0), by_width(ROUGH), strict=True)
    )
    most = max(rows, key=lambda row: -inf if row.firm is None else row.firm)
    return Needed(
        have=cells.n,
        share=share,
        basis=basis,
        c_statistic=None if flat else c,
        threshold=share,
        criteria=rows,
        firm=most.firm,
        rough=max(row.rough or 0 for row in rows),
        driven_by=most.name,
    )


def _se(width: float) -> float:
    return width / (2.0 * Z95)


def _whole(n: float) -> int:
    return min(MOST, ceil(n - 1e-9))
