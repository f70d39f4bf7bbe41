"""The penalised log likelihood of a logistic regression, its score and the inverse of its information."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.penalised.lanes import Index, Lanes, chosen, pair_columns, pair_rows
from knowledge.penalised.symmetric import inverse_and_logdet

Floats = NDArray[np.float64]

# So many factors of at most two are multiplied before a logarithm is taken.
_FACTORS = 1000


@dataclass
class Point:
    """At some coefficients: ``loglik`` (L,), ``score`` (k, L), ``inverse`` (k, k, L) of X'WX, ``hat`` (n, L).

    ``loglik`` is -inf and ``inverse`` NaN where the information is singular.
    """

    loglik: Floats
    score: Floats
    inverse: Floats
    hat: Floats

    def take(self, index: Index) -> Point:
        """The chosen lanes."""
        return Point(
            self.loglik[index], chosen(self.score, index), chosen(self.inverse, index), chosen(self.hat, index)
        )

    def put(self, index: Index, other: Point) -> None:
        """Replace the chosen lanes by those of ``other``."""
        self.loglik[index], self.score[:, index] = other.loglik, other.score
        self.inverse[:, :, index], self.hat[:, index] = other.inverse, other.hat


def evaluate(lanes: Lanes, beta: Floats) -> Point:
    """The point at ``beta`` (k, L).

    With p = expit(eta), h the leverages and t the trials, the score is
    X'(y - t p + h (1/2 - p)) (Firth 1993; Heinze and Schemper 2002). Since
    1/2 - p is odd in eta it is X'(y - t/2) - X'((t + h)(p - 1/2)), whose first part never changes.
    """
    k = lanes.k
    eta = np.einsum("knl,kl->nl", lanes.x, beta)
    if lanes.offset is not None:
        eta += lanes.offset
    small = np.abs(eta)
    absolute = small.sum(axis=0) if lanes.trials is None else np.einsum("nl,nl->l", small, lanes.trials)
    np.negative(small, out=small)
    np.exp(small, out=small)
    one_plus = 1.0 + small
    reciprocal = 1.0 / one_plus
    weight = small * reciprocal
    weight *= reciprocal
    np.subtract(1.0, small, out=small)
    small *= reciprocal
    small *= 0.5
    above_half = np.copysign(small, eta, out=small)  # p - 1/2
    if lanes.trials is not None:
        weight *= lanes.trials
    information = np.einsum("pnl,nl->pl", lanes.products, weight)
    inverse, logdet = inverse_and_logdet(information[pair_rows(k)])
    if lanes.penalised:
        first, second, times = pair_columns(k)
        hat = np.einsum("pnl,pl->nl", lanes.products, times * inverse[first, second])
        hat *= weight
        loglik = 0.5 * logdet
    else:
        hat = np.zeros_like(weight)
        loglik = np.where(np.isfinite(logdet), 0.0, -np.inf)
    above_half *= hat + (1.0 if lanes.trials is None else lanes.trials)
    score = lanes.target - np.einsum("knl,nl->kl", lanes.x, above_half)
    loglik += np.einsum("kl,kl->l", beta, lanes.events) + lanes.offset_events
    # log(1 + exp(eta)) = (eta + |eta|) / 2 + log(1 + exp(-|eta|))
    loglik -= 0.5 * (np.einsum("kl,kl->l", beta, lanes.patients) + lanes.offset_patients + absolute)
    loglik -= _sum_of_logs(one_plus, lanes.trials)
    return Point(np.where(np.isfinite(loglik), loglik, -np.inf), score, inverse, hat)


def _sum_of_logs(factors: Floats, trials: Floats | None) -> Floats:
    """Sum over rows of log(factor), each as often as its trials (L,); factors lie between 1 and 2."""
    if trials is not None:
        return np.asarray(np.einsum("nl,nl->l", np.log(factors), trials), dtype=np.float64)
    total = np.zeros(factors.shape[1])
    for first in range(0, len(factors), _FACTORS):
        total += np.log(np.multiply.reduce(factors[first : first + _FACTORS], axis=0))
    return total
