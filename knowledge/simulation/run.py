"""The evidence study from end to end: simulate every truth, judge every method, check the ranks."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from knowledge.model import Draws, Model
from knowledge.simulation.cohorts import Cohorts, Mapper, Setting, as_draws, prepare, simulate, with_draws
from knowledge.simulation.external import external_check
from knowledge.simulation.performance import Tables, judge_crs, judge_icans, performance, tables_of
from knowledge.simulation.ranks import rank_results
from knowledge.simulation.results import CENTRES, Performance, RankResult, ScenarioResult, StudyResults
from knowledge.simulation.scenarios import OWN_PRIOR, Scenario, scenarios
from knowledge.simulation.variants import counts_only
from knowledge.synthesis.pooling import effective_size
from knowledge.synthesis.spec import POOLS, Pool, Spec

# Called with what is being done and the share of the whole that is finished.
Progress = Callable[[str, float], None]
# Truths whose calibration curves are kept for the pictures.
CURVES = (OWN_PRIOR, "tau_0.5", "tau_1.5", "half_null")


@dataclass(frozen=True)
class Size:
    """How large a study: effective cohorts a truth (of its own prior, ``own`` times as many), patients a cohort.

    ``counts_only``: effective draws a pool of the engine without the significances.
    """

    effective: int = 1_000
    own: int = 4
    counts_only: int = 3_000
    patients: int = 40
    batches_per_round: int = 2


def run_study(
    model: Model, seed: int, size: Size, *, workers: int | None = None, progress: Progress | None = None,
    chosen: tuple[Scenario, ...] | None = None,
) -> StudyResults:  # fmt: skip
    """All truths, or those in ``chosen``; ``workers`` None means one process a core, 1 none but this one.

    The same model, seed and size give the same results, however many workers.
    """
    truths = chosen or scenarios()
    pools = tuple(pool for pool in POOLS if any(pool in truth.pools for truth in truths))
    # Last, so that no truth's seed depends on it.
    setting = Setting(seed, (*truths, counts_only(pools)), model.spec)
    with mapping(setting, workers) as mapper:
        return _run(model, setting, size, mapper, progress)


@contextmanager
def mapping(setting: Setting, workers: int | None) -> Iterator[Mapper]:
    """Something that maps tasks over ``workers`` processes (None: one a core; 1: none but this one)."""
    count = workers or multiprocessing.cpu_count()
    if count == 1:
        prepare(setting)
        yield map
    else:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(count, context, initializer=prepare, initargs=(setting,)) as executor:
            yield executor.map


def _run(model: Model, setting: Setting, size: Size, mapper: Mapper, progress: Progress | None) -> StudyResults:
    *truths, rival = setting.scenarios
    without = _counts_only(model, setting, len(truths), size, mapper)
    tables = tables_of(model, without)
    jobs = [(index, pool) for index, scenario in enumerate(truths) for pool in scenario.pools]
    found: list[ScenarioResult] = []
    ranks: list[RankResult] = []
    for done, (index, pool) in enumerate(jobs):
        scenario = setting.scenarios[index]
        own = scenario.id == OWN_PRIOR

        def report(share: float, done: int = done, title: str = f"{scenario.title}, {pool}") -> None:
            if progress:
                progress(title, (done + share) / len(jobs))

        report(0.0)
        cohorts = simulate(
            setting,
            index,
            pool,
            effective=size.effective * (size.own if own else 1),
            patients=size.patients,
            batches_per_round=size.batches_per_round,
            mapper=mapper,
            progress=report,
        )
        found.append(_judge(scenario, model.spec, pool, cohorts, tables))
        if own:
            draws = as_draws(cohorts)
            ranks += rank_results(model, draws if pool == "crs" else None, draws if pool == "icans" else None)
    if progress:
        progress("finished", 1.0)
    return StudyResults(
        model=model.version,
        seed=setting.seed,
        patients_per_cohort=size.patients,
        effective_cohorts_sought=size.effective,
        counts_only_draws=tuple(round(effective_size(without.draws(pool).weight), 1) for pool in rival.pools),
        scenarios=tuple(found),
        ranks=tuple(ranks),
        external=external_check(model),
    )


def _counts_only(model: Model, setting: Setting, index: int, size: Size, mapper: Mapper) -> Model:
    """The engine without the significances, in the pools that the study needs."""
    draws: dict[Pool, Draws] = {}
    for pool in setting.scenarios[index].pools:
        cohorts = simulate(setting, index, pool, effective=size.counts_only, patients=0,
                           batches_per_round=size.batches_per_round, mapper=mapper)  # fmt: skip
        draws[pool] = as_draws(cohorts)
    return with_draws(model, draws, model.spec.ldh_hold)


def _judge(scenario: Scenario, engine: Spec, pool: Pool, cohorts: Cohorts, tables: Tables) -> ScenarioResult:
    judged = judge_crs(cohorts, tables) if pool == "crs" else judge_icans(cohorts, tables)
    rows: list[Performance] = []
    for each in judged:
        own_again = {
            centre: scenario.id != OWN_PRIOR and scenario.is_own_prior(each.outcome, centre) for centre in CENTRES
        }
        rows += performance(
            each,
            cohorts,
            crs=pool == "crs",
            by_coding=scenario.id == OWN_PRIOR,
            curves=scenario.id in CURVES,
            own_again=own_again,
        )
    return ScenarioResult(
        id=scenario.id,
        title=scenario.title,
        truth=scenario.truth,
        kind=scenario.kind(engine, pool),
        pool=pool,
        cohorts=len(cohorts),
        effective_cohorts=round(cohorts.effective, 1),
        performance=tuple(rows),
    )
