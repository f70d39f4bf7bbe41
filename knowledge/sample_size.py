"""How many patients a new prediction model of a binary outcome needs, and what fewer imply.

The three criteria of Riley et al. (Stat Med 2019;38:1276-96, doi 10.1002/sim.7992):
little overfitting, little optimism in the apparent fit, a precise overall risk.
They are a least requirement for logistic regression by maximum likelihood, not
a promise that a model of that size is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, exp, isfinite, log, log1p

SHRINKAGE = 0.9  # criterion 1: predictor effects need shrinking by no more than a tenth
OPTIMISM = 0.05  # criterion 2: apparent less adjusted Nagelkerke R2
MARGIN = 0.05  # criterion 3: half-width of the 95 % interval of the overall risk
NORMAL_95 = 1.96  # as the criterion is published; 1.959964 would change no result here
# The usual convention where no earlier model says what fit to expect: this share of the attainable.
DEFAULT_NAGELKERKE = 0.15


@dataclass(frozen=True)
class MinimumSampleSize:
    """Patients that each criterion asks for; ``needed`` is the largest."""

    parameters: int
    prevalence: float
    cox_snell: float
    by_shrinkage: int
    by_optimism: int
    by_overall_risk: int

    @property
    def needed(self) -> int:
        """Patients that satisfy all three."""
        return max(self.by_shrinkage, self.by_optimism, self.by_overall_risk)


def maximum_cox_snell(prevalence: float) -> float:
    """Largest Cox-Snell R2 that a model of an outcome with this prevalence can reach.

    1 - exp(2 ln L0 / n) with ln L0 / n = p ln p + (1 - p) ln(1 - p).

    Raises:
        ValueError: the prevalence is not strictly between 0 and 1.
    """
    _check_fraction("prevalence", prevalence)
    return 1.0 - exp(2.0 * (prevalence * log(prevalence) + (1.0 - prevalence) * log1p(-prevalence)))


def minimum_sample_size(parameters: int, prevalence: float, cox_snell: float) -> MinimumSampleSize:
    """The three criteria for a model with ``parameters`` predictor parameters.

    Args:
        parameters: candidate predictor parameters, without the intercept; at least 1.
        prevalence: overall share with the outcome, 0 to 1.
        cox_snell: anticipated Cox-Snell R2 of the model in new patients.

    Raises:
        ValueError: an argument is out of range, or the R2 is more than the prevalence allows.
    """
    _check_parameters(parameters)
    most = maximum_cox_snell(prevalence)
    _check_fraction("cox_snell", cox_snell)
    if cox_snell >= most:
        raise ValueError(f"Cox-Snell R2 {cox_snell:g} is not below {most:.3f}, the most this prevalence allows")
    if cox_snell >= SHRINKAGE:
        raise ValueError(f"criterion 1 has no answer for a Cox-Snell R2 of {cox_snell:g} (at least {SHRINKAGE:g})")
    allowed = cox_snell / (cox_snell + OPTIMISM * most)
    return MinimumSampleSize(
        parameters=parameters,
        prevalence=prevalence,
        cox_snell=cox_snell,
        by_shrinkage=ceil(_patients(parameters, cox_snell, SHRINKAGE)),
        by_optimism=ceil(_patients(parameters, cox_snell, allowed)),
        by_overall_risk=patients_for_overall_risk(prevalence),
    )


def patients_for_overall_risk(prevalence: float) -> int:
    """Criterion 3 alone: (1.96 / 0.05)^2 p (1 - p), rounded up.

    Raises:
        ValueError: the prevalence is not strictly between 0 and 1.
    """
    _check_fraction("prevalence", prevalence)
    return ceil((NORMAL_95 / MARGIN) ** 2 * prevalence * (1.0 - prevalence))


def expected_shrinkage(n: int, parameters: int, cox_snell: float) -> float:
    """Uniform shrinkage to expect when ``n`` patients are all there are: criterion 1 solved for S.

    ``cox_snell`` is the R2 anticipated in new patients, so the root lies between it and 1. With few
    patients the large-sample formula is used beyond its range; read the value as a scale, not a measurement.

    Raises:
        ValueError: an argument is out of range.
    """
    _check_parameters(parameters)
    _check_fraction("cox_snell", cox_snell)
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    low, high = cox_snell, 1.0
    for _ in range(200):  # _patients rises with S from 0 to infinity: bisection to the last bit
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        if _patients(parameters, cox_snell, middle) < n:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def shrinkage_from_apparent(n: int, parameters: int, apparent_cox_snell: float) -> float:
    """Van Houwelingen and le Cessie's heuristic 1 - p / LR, with LR = -n ln(1 - R2) of the model as fitted.

    Zero or negative where the apparent fit is no better than noise would give: then there is no factor
    to shrink by.

    Raises:
        ValueError: an argument is out of range.
    """
    _check_parameters(parameters)
    _check_fraction("apparent_cox_snell", apparent_cox_snell)
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    return 1.0 + parameters / (n * log1p(-apparent_cox_snell))


def _patients(parameters: int, cox_snell: float, shrinkage: float) -> float:
    """Patients at which the expected shrinkage is ``shrinkage``; needs cox_snell < shrinkage < 1."""
    return parameters / ((shrinkage - 1.0) * log1p(-cox_snell / shrinkage))


def _check_fraction(name: str, value: float) -> None:
    if not (isfinite(value) and 0.0 < value < 1.0):
        raise ValueError(f"{name} must lie strictly between 0 and 1, not {value:g}")


def _check_parameters(parameters: int) -> None:
    if parameters < 1:
        raise ValueError(f"a model has at least 1 predictor parameter, not {parameters}")
