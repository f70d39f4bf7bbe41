"""The logistic function and its inverse."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def expit(log_odds: Floats) -> Floats:
    """Probability from log odds (any shape); log odds of ordinary size, as all of the model's are."""
    result: Floats = 1.0 / (1.0 + np.exp(-log_odds))
    return result


def expit_of_any(log_odds: Floats) -> Floats:
    """The same where log odds may be so large that an exponential would overflow."""
    small = np.exp(-np.abs(log_odds))
    result: Floats = np.where(log_odds >= 0, 1.0, small) / (1.0 + small)
    return result


def logit(probability: float) -> float:
    """Log odds of a probability strictly between 0 and 1."""
    return float(np.log(probability / (1.0 - probability)))
