"""Rubin's rules: one estimate from several completed data sets, with Barnard and Rubin's degrees of freedom.

Rubin, Multiple Imputation for Nonresponse in Surveys, Wiley 1987, ch. 3. Barnard and Rubin, Biometrika
1999;86:948-955: Rubin's own degrees of freedom can exceed those of the complete data, which makes no sense where
there are few patients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Pooled:
    """``variance`` = ``within`` + (1 + 1/m) ``between``; ``missing_share`` is the part of it due to what is missing."""

    estimate: float
    variance: float
    within: float
    between: float
    missing_share: float
    degrees: float

    def limits(self, alpha: float = 0.05) -> tuple[float, float]:
        """Interval at level 1 - alpha by Student's t."""
        reach = float(stats.t.ppf(1.0 - alpha / 2.0, self.degrees)) * sqrt(self.variance)
        return self.estimate - reach, self.estimate + reach

    @property
    def p_value(self) -> float:
        """Two-sided p against zero, by Student's t."""
        return float(2.0 * stats.t.sf(abs(self.estimate) / sqrt(self.variance), self.degrees))


def pool(estimates: Sequence[float], variances: Sequence[float], complete_degrees: float) -> Pooled:
    """Pool one coefficient.

    Args:
        estimates, variances: of each of m completed data sets, m at least 2.
        complete_degrees: patients less coefficients, as if nothing were missing; above 0.

    Raises:
        ValueError: an argument is out of its range.
    """
    m = len(estimates)
    if m < 2 or len(variances) != m or min(variances) <= 0.0 or complete_degrees <= 0.0:
        raise ValueError("two or more estimates, each with a variance above 0, and degrees of freedom above 0")
    within, between = float(np.mean(variances)), float(np.var(estimates, ddof=1))
    extra = (1.0 + 1.0 / m) * between
    variance = within + extra
    share = extra / variance
    observed = (complete_degrees + 1.0) / (complete_degrees + 3.0) * complete_degrees * (1.0 - share)
    # Where the completed sets agree to the last digit, Rubin's degrees are infinite.
    degrees = observed if share == 0.0 else 1.0 / (share**2 / (m - 1.0) + 1.0 / observed)
    return Pooled(float(np.mean(estimates)), variance, within, between, share, degrees)
