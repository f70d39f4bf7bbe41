"""The rivals, for many cohorts at once: a Firth calculator, FLIC and the plain rate.

A calculator plugs the cohort's own estimates into the logistic formula; its
95 % interval is Wald's on the link scale. FLIC keeps Firth's slopes and sets
the intercept by maximum likelihood, so that the mean prediction is the
observed rate (Puhr et al., Stat Med 2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.exact import clopper_pearson
from knowledge.firth import fit_many
from knowledge.logistic import expit_of_any
from knowledge.normal import Z95

Floats = NDArray[np.float64]

# Largest score left in a fit: slopes of separated cohorts are then right to six digits.
TOLERANCE = 1e-9
# Newton on one intercept from the logit of the rate; twenty would do.
INTERCEPT_ITERATIONS = 60
INTERCEPT_TOLERANCE = 1e-12


@dataclass(frozen=True)
class Predicted:
    """Predicted risk and 95 % limits of each patient of each cohort, (A, M) each."""

    risk: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Calculator:
    """Logistic formulas of many cohorts: ``coef`` (A, k), ``cov`` (A, k, k)."""

    coef: Floats
    cov: Floats

    def predict(self, columns: Floats) -> Predicted:
        """Risk for patients with covariates ``columns`` (k, A, M), the intercept's ones first."""
        eta = np.einsum("ak,kam->am", self.coef, columns)
        spread = Z95 * np.sqrt(np.einsum("iam,aij,jam->am", columns, self.cov, columns))
        return Predicted(expit_of_any(eta), expit_of_any(eta - spread), expit_of_any(eta + spread))


def firth(columns: Floats, y: Floats) -> Calculator:
    """Firth's estimates of cohorts with covariates ``columns`` (k, A, n) and outcomes ``y`` (A, n).

    Raises:
        ValueError: a fit did not converge (no cohort that shows the published facts has one).
    """
    fitted = fit_many(columns, y, tolerance=TOLERANCE)
    if not fitted.converged.all():
        raise ValueError("a cohort's Firth regression did not converge")
    return Calculator(fitted.coef, _covariance(columns, fitted.coef))


def flic(columns: Floats, y: Floats) -> Calculator:
    """As ``firth``, with the intercept by maximum likelihood given Firth's slopes."""
    coef = firth(columns, y).coef
    offset = np.einsum("ak,kan->an", coef[:, 1:], columns[1:])
    rate = y.mean(axis=1)
    # The mean offset keeps the start near the solution; the equation is monotone in the intercept.
    intercept = np.log(rate / (1.0 - rate)) - offset.mean(axis=1)
    for _ in range(INTERCEPT_ITERATIONS):
        p = expit_of_any(intercept[:, None] + offset)
        step = (rate - p.mean(axis=1)) / (p * (1.0 - p)).mean(axis=1)
        intercept += np.clip(step, -1.0, 1.0)
        if np.abs(step).max(initial=0.0) < INTERCEPT_TOLERANCE:
            break
    else:
        raise ValueError("the intercept of a FLIC did not converge")
    moved = np.concatenate([intercept[:, None], coef[:, 1:]], axis=1)
    return Calculator(moved, _covariance(columns, moved))


def plain_rate(y: Floats, patients: int) -> Predicted:
    """The cohort's rate for every patient, with its exact interval."""
    n = y.shape[1]
    events = y.sum(axis=1).astype(int)
    limits = np.array([clopper_pearson(int(k), n) for k in range(n + 1)])[events]
    shape = (len(y), patients)
    risk, low, high = (np.broadcast_to(each[:, None], shape) for each in (events / n, limits[:, 0], limits[:, 1]))
    return Predicted(risk, low, high)


def _covariance(columns: Floats, coef: Floats) -> Floats:
    """Inverse of X'WX at the coefficients, (A, k, k)."""
    p = expit_of_any(np.einsum("ak,kan->an", coef, columns))
    information = np.einsum("ian,an,jan->aij", columns, p * (1.0 - p), columns)
    return np.asarray(np.linalg.inv(information), dtype=np.float64)
