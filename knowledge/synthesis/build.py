"""Build the model: simulate every stratum until the pool is large enough, then pool.

Batches are seeded by (seed, pool, tau, coding, batch number), taken in order, and
after each one of every coding it is decided whether the tau has enough. Processes that
are free work ahead; what is not needed is thrown away. So the number of processor
cores does not change a byte of the result.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import count

import numpy as np

from knowledge.model import Draws, ModelContent
from knowledge.synthesis.centre import CentrePosterior, centre_posterior
from knowledge.synthesis.cohorts import Batch, crs_batch, icans_batch
from knowledge.synthesis.diagnostics import pool_diagnostics
from knowledge.synthesis.parameters import CRS_COLUMNS, ICANS_COLUMNS
from knowledge.synthesis.pooling import Stratum, effective_size_of, pool_strata
from knowledge.synthesis.spec import CODINGS, POOLS, Coding, Pool, Spec

BATCH_SIZE = 2048
WORK_AHEAD = 2  # batches asked for beyond the number of processes, so that none waits

# Draws that an answer is read off: enough for the tails, few enough to answer within a millisecond.
MOST_DRAWS = 14_000

Progress = Callable[[Pool, float, float], None]


@dataclass(frozen=True)
class _Task:
    pool: Pool
    tau_index: int
    coding: Coding | None
    number: int
    size: int


Mapper = Callable[[Iterable[_Task]], Iterator[tuple[_Task, Batch]]]


def build_model(
    spec: Spec,
    seed: int,
    *,
    effective_draws: int,
    most_draws: int = MOST_DRAWS,
    workers: int | None = None,
    progress: Progress | None = None,
) -> ModelContent:
    """Simulate and pool both sets of draws.

    Args:
        spec: priors and conditions.
        seed: of all randomness.
        effective_draws: least effective sample size of the cohorts behind each pool; about as many draws are taken
            from them, ``most_draws`` at most.
        most_draws: more than the default make a file that answers slowly, for a centre's update to start from.
        workers: processes; None means one per processor core, 1 means none but this one.
        progress: called with (pool, work done so far, work in all) of that pool, in units of about equal time.
    """
    if progress:
        progress("crs", 0.0, 1.0)
    centres: dict[Pool, CentrePosterior] = {
        pool: centre_posterior(spec.centres(pool), spec.centre_mean_sd, spec.centre_sd_scale) for pool in POOLS
    }
    processes = workers or multiprocessing.cpu_count()
    if processes == 1:
        _prepare(spec, seed, centres)
        return _build(
            spec,
            seed,
            centres,
            (effective_draws, most_draws),
            lambda tasks: ((task, _run(task)) for task in tasks),
            progress,
        )
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=_prepare, initargs=(spec, seed, centres)) as executor:

        def ahead(tasks: Iterable[_Task]) -> Iterator[tuple[_Task, Batch]]:
            return _in_order(executor, iter(tasks), processes + WORK_AHEAD)

        return _build(spec, seed, centres, (effective_draws, most_draws), ahead, progress)


def _in_order(executor: ProcessPoolExecutor, tasks: Iterator[_Task], ahead: int) -> Iterator[tuple[_Task, Batch]]:
    """Each task's batch, in the order of the tasks, with up to ``ahead`` of them under way."""
    waiting: deque[tuple[_Task, Future[Batch]]] = deque()
    try:
        for task in tasks:
            waiting.append((task, executor.submit(_run, task)))
            if len(waiting) >= ahead:
                first, future = waiting.popleft()
                yield first, future.result()
    finally:  # the reader has enough
        for _, future in waiting:
            future.cancel()


def _build(
    spec: Spec,
    seed: int,
    centres: dict[Pool, CentrePosterior],
    sizes: tuple[int, int],
    mapper: Mapper,
    progress: Progress | None,
) -> ModelContent:
    effective_draws, most_draws = sizes
    draws: dict[Pool, Draws] = {}
    diagnostics: dict[str, object] = {}
    for pool in POOLS:
        by_tau = [
            _simulate_tau(pool, spec, index, effective_draws, mapper, progress) for index in range(len(spec.taus(pool)))
        ]
        names = CRS_COLUMNS if pool == "crs" else ICANS_COLUMNS
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(POOLS.index(pool),)))
        draws[pool] = Draws(names, *pool_strata(pool, by_tau, names, min(most_draws, effective_draws), rng))
        diagnostics[pool] = pool_diagnostics(spec, centres[pool], by_tau, draws[pool], rng)
    return ModelContent(spec=spec, seed=seed, crs=draws["crs"], icans=draws["icans"], diagnostics=diagnostics)


def _simulate_tau(
    pool: Pool, spec: Spec, tau_index: int, effective_draws: int, mapper: Mapper, progress: Progress | None
) -> list[Stratum]:
    """Every coding's stratum of one tau, with as many batches of each as the pool needs."""
    taus = spec.taus(pool)
    codings: tuple[Coding | None, ...] = spec.codings if pool == "crs" else (None,)
    strata = [Stratum(taus[tau_index], coding or "none") for coding in codings]
    each = effective_draws / len(taus)
    # The facts are rarer under narrow priors: about as the inverse square of tau.
    work = [1.0 / tau**2 for tau in taus]
    tasks = (_Task(pool, tau_index, coding, number, BATCH_SIZE) for number in count() for coding in codings)
    reached = 0.0
    for task, batch in mapper(tasks):
        index = codings.index(task.coding)
        strata[index].batches.append(batch)
        if index < len(codings) - 1:
            continue
        reached = max(reached, min(each, effective_size_of(strata)))
        if progress:
            progress(pool, sum(work[:tau_index]) + work[tau_index] * (reached / each), sum(work))
        if reached >= each:
            break
    return strata


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
        return icans_batch(spec, centres[task.pool], tau, task.size, rng)
    return crs_batch(spec, centres[task.pool], tau, task.coding, task.size, rng)
