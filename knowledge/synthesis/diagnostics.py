"""How a build went: what each condition let through, what was learned of each parameter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from knowledge.model import Draws
from knowledge.synthesis.centre import CentrePosterior
from knowledge.synthesis.parameters import prior_draws
from knowledge.synthesis.pooling import Stratum, effective_size, effective_size_of_pool
from knowledge.synthesis.spec import CODINGS, Coding, Spec

Floats = NDArray[np.float64]

PROBABILITIES = (0.025, 0.5, 0.975)
PRIOR_DRAWS = 40_000  # of each tau and coding, to summarise the prior
# Slopes per unit of a coding mean different things under the two.
BY_CODING = ("b_ldh", "d_ldh")


def pool_diagnostics(
    spec: Spec, centre: CentrePosterior, by_tau: list[list[Stratum]], draws: Draws, rng: np.random.Generator
) -> dict[str, object]:
    """Description of one pool, ready for JSON.

    ``strata``: for each tau and coding the cohorts simulated, how many were left after each
    condition (``passed``), the probability under the prior of meeting the conditions up to each
    (``probability``; the last is ``probability_of_facts``, with its standard error), the effective size
    and the coding's share within the tau. ``coding_share``: pooled over tau. ``parameters``: prior
    and posterior mean, sd and 2.5, 50 and 97.5 % points; slopes on LDH by coding. ``draws``: how many the
    file holds; ``effective_size``: of the cohorts they were taken from.
    """
    facts = [[stratum.probability_of_facts for stratum in strata] for strata in by_tau]
    entries = [
        {
            "tau": stratum.tau,
            "coding": stratum.coding,
            "simulated": stratum.simulated,
            "passed": stratum.passed(),
            "probability": stratum.probabilities(),
            "probability_of_facts": stratum.probability_of_facts,
            "standard_error": stratum.standard_error,
            "effective_size": effective_size(stratum.weight),
            "share_within_tau": probability / sum(within),
        }
        for strata, within in zip(by_tau, facts, strict=True)
        for stratum, probability in zip(strata, within, strict=True)
    ]
    names = [stratum.coding for stratum in by_tau[0]]
    shares = {name: float(np.mean([row[j] / sum(row) for row in facts])) for j, name in enumerate(names)}
    return {
        "strata": entries,
        "coding_share": shares,
        "parameters": _parameters(spec, centre, by_tau, draws, rng),
        "draws": len(draws.weight),
        "effective_size": effective_size_of_pool(by_tau),
    }


def summarise(value: Floats, weight: Floats) -> dict[str, float]:
    """Weighted mean, sd and 2.5, 50 and 97.5 % points of values (N,)."""
    mass = weight / weight.sum()
    mean = float((mass * value).sum())
    order = np.argsort(value, kind="stable")
    cumulative = np.cumsum(mass[order])
    places = np.minimum(np.searchsorted(cumulative, np.array(PROBABILITIES) * cumulative[-1]), len(value) - 1)
    low, middle, high = (float(value[order][place]) for place in places)
    spread = float(np.sqrt((mass * (value - mean) ** 2).sum()))
    return {"mean": mean, "sd": spread, "low": low, "median": middle, "high": high}


def _parameters(
    spec: Spec, centre: CentrePosterior, by_tau: list[list[Stratum]], draws: Draws, rng: np.random.Generator
) -> dict[str, object]:
    codings: list[Coding | None] = [next((c for c in CODINGS if c == stratum.coding), None) for stratum in by_tau[0]]
    prior = {
        coding: [prior_draws(spec, centre, strata[0].tau, coding, PRIOR_DRAWS, rng) for strata in by_tau]
        for coding in codings
    }
    found: dict[str, object] = {}
    for name in draws.names:
        split = [[coding] for coding in codings] if name in BY_CODING else [codings]
        for group in split:
            value = np.concatenate([tau[name] for coding in group for tau in prior[coding]])
            inside = np.isin(draws.coding, [0 if coding is None else CODINGS.index(coding) for coding in group])
            label = f"{name} ({group[0]})" if name in BY_CODING else name
            found[label] = {
                "prior": summarise(value, np.ones(len(value))),
                "posterior": summarise(draws[name][inside], draws.weight[inside]),
            }
    return found
