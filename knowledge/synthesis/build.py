"""Build the model: simulate every stratum until the pool is large enough, then pool.

Batches are seeded by (seed, pool, tau, coding, batch number) and taken in order,
and stopping is decided only after whole rounds, so the number of processor
cores does not change a byte of the result.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from knowledge.model import Draws, ModelContent
from knowledge.synthesis.centre import CentrePosterior, centre_posterior
from knowledge.synthesis.cohorts import CRS_COLUMNS, ICANS_COLUMNS, Batch, crs_batch, icans_batch
from knowledge.synthesis.pooling import THINNING_LOSS, Stratum, effective_size, effective_size_of, pool_strata
from knowledge.synthesis.spec import CODINGS, POOLS, Coding, Pool, Spec

BATCH_SIZE = 4096
BATCHES_PER_ROUND = 24  # of each coding; enough to keep several cores busy between decisions

Progress = Callable[[Pool, float, float], None]


@dataclass(frozen=True)
class _Task:
    pool: Pool
    tau_index: int
    coding: Coding | None
    number: int


def build_model(
    spec: Spec, seed: int, *, effective_draws: int, workers: int | None = None, progress: Progress | None = None
) -> ModelContent:
    """Simulate and pool both sets of draws.

    Args:
        spec: priors and conditions.
        seed: of all randomness.
        effective_draws: least effective sample size of each pool.
        workers: processes; None means one per processor core, 1 means none but this one.
        progress: called with (pool, effective size so far, target).
    """
    centres: dict[Pool, CentrePosterior] = {
        pool: centre_posterior(spec.centres(pool), spec.centre_mean_sd, spec.centre_sd_scale) for pool in POOLS
    }
    count = workers or multiprocessing.cpu_count()
    draws: dict[Pool, Draws] = {}
    diagnostics: dict[str, object] = {}
    if count == 1:
        _prepare(spec, seed, centres)
        for pool in POOLS:
            draws[pool], diagnostics[pool] = _build_pool(pool, spec, seed, effective_draws, map, progress)
    else:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(count, context, initializer=_prepare, initargs=(spec, seed, centres)) as executor:
            for pool in POOLS:
                draws[pool], diagnostics[pool] = _build_pool(pool, spec, seed, effective_draws, executor.map, progress)
    return ModelContent(spec=spec, seed=seed, crs=draws["crs"], icans=draws["icans"], diagnostics=diagnostics)


Mapper = Callable[[Callable[[_Task], Batch], list[_Task]], Iterator[Batch]]


def _build_pool(
    pool: Pool, spec: Spec, seed: int, effective_draws: int, mapper: Mapper, progress: Progress | None
) -> tuple[Draws, dict[str, object]]:
    codings: tuple[Coding | None, ...] = CODINGS if pool == "crs" else (None,)
    taus = spec.taus(pool)
    by_tau = [[Stratum(tau, coding or "none") for coding in codings] for tau in taus]
    each = THINNING_LOSS * effective_draws / len(taus)
    for tau_index, strata in enumerate(by_tau):
        first = 0
        while (reached := effective_size_of(strata)) < each:
            if progress:
                progress(pool, tau_index * each + reached, len(taus) * each)
            numbers = range(first, first + BATCHES_PER_ROUND)
            tasks = [_Task(pool, tau_index, coding, number) for number in numbers for coding in codings]
            for task, batch in zip(tasks, mapper(_run, tasks), strict=True):
                strata[codings.index(task.coding)].batches.append(batch)
            first += BATCHES_PER_ROUND
    if progress:
        progress(pool, len(taus) * each, len(taus) * each)
    names = CRS_COLUMNS if pool == "crs" else ICANS_COLUMNS
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(POOLS.index(pool),)))
    matrix, weight, tau_index_of, coding_index_of = pool_strata(by_tau, names, rng)
    draws = Draws(names, matrix, weight, tau_index_of, coding_index_of)
    return draws, _diagnostics(by_tau, draws)


_prepared: tuple[Spec, int, dict[Pool, CentrePosterior]] | None = None


def _prepare(spec: Spec, seed: int, centres: dict[Pool, CentrePosterior]) -> None:
    """Once in each process: what every batch needs."""
    global _prepared  # a worker process has no other place for what all its tasks share
    _prepared = (spec, seed, centres)


def _run(task: _Task) -> Batch:
    if _prepared is None:
        raise RuntimeError("worker process was not prepared")
    spec, seed, centres = _prepared
    coding = -1 if task.coding is None else CODINGS.index(task.coding)
    key = (POOLS.index(task.pool), task.tau_index, coding + 1, task.number)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
    tau = spec.taus(task.pool)[task.tau_index]
    if task.coding is None:
        return icans_batch(spec, centres[task.pool], tau, BATCH_SIZE, rng)
    return crs_batch(spec, centres[task.pool], tau, task.coding, BATCH_SIZE, rng)


def _diagnostics(by_tau: list[list[Stratum]], draws: Draws) -> dict[str, object]:
    strata = [
        {
            "tau": stratum.tau,
            "coding": stratum.coding,
            "simulated": stratum.simulated,
            "passed": stratum.passed(),
            "probability_of_facts": stratum.probability_of_facts,
            "effective_size": effective_size(stratum.weight),
            "share_within_tau": stratum.probability_of_facts / sum(other.probability_of_facts for other in strata),
        }
        for strata in by_tau
        for stratum in strata
    ]
    return {"strata": strata, "draws": len(draws.weight), "effective_size": effective_size(draws.weight)}
