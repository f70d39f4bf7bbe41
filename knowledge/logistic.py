"""The logistic function and its inverse."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def expit(log_odds: Floats) -> Floats:
    """Probability from log odds (any shape); log odds of ordinary size, as all of the model's are."""
    result: Floats = 1.0 / (1.0 + np.exp(-log_odds))
    return result


def expit_of_any(log_odds: Floats | np.float64) -> Floats:
    """The same where log odds may be so large that an exponential would overflow."""
    small = np.exp(-np.abs(log_odds))
    result: Floats = np.where(log_odds >= 0, 1.0, small) / (1.0 + small)
    return result


def probability(log_odds: float) -> float:
    """The probability of one value of log odds."""
    return float(expit_of_any(np.float64(log_odds)))


def logit(share: float) -> float:
    """Log odds of a share strictly between 0 and 1."""
    return float(np.log(share / (1.0 - share)))
