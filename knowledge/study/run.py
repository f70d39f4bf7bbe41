"""The evidence study from end to end: simulate every truth, judge every method, check the ranks."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from knowledge.model import Model
from knowledge.study.cohorts import Cohorts, Mapper, Setting, as_draws, prepare, simulate
from knowledge.study.external import external_check
from knowledge.study.performance import EngineTables, engine_tables, judge_crs, judge_icans, performance
from knowledge.study.ranks import rank_results
from knowledge.study.results import RankResult, ScenarioResult, StudyResults
from knowledge.study.scenarios import OWN_PRIOR, Scenario, scenarios
from knowledge.synthesis.spec import Pool

# Called with what is being done and the share of the whole that is finished.
Progress = Callable[[str, float], None]
# Truths whose calibration curves are kept for the pictures.
CURVES = (OWN_PRIOR, "tau_0.5", "tau_1.5", "half_null")


@dataclass(frozen=True)
class Size:
    """How large a study: effective cohorts a truth (of its own prior, ``own`` times as many), patients a cohort."""

    effective: int = 1_000
    own: int = 4
    patients: int = 40
    batches_per_round: int = 2


def run_study(
    model: Model, seed: int, size: Size, *, workers: int | None = None, progress: Progress | None = None,
    chosen: tuple[Scenario, ...] | None = None,
) -> StudyResults:  # fmt: skip
    """All truths, or those in ``chosen``; ``workers`` None means one process a core, 1 none but this one.

    The same model, seed and size give the same results, however many workers.
    """
    setting = Setting(seed, chosen or scenarios(), model.spec)
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
    tables = engine_tables(model)
    jobs = [(index, pool) for index, scenario in enumerate(setting.scenarios) for pool in scenario.pools]
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
        found.append(_judge(scenario, pool, cohorts, tables))
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
        scenarios=tuple(found),
        ranks=tuple(ranks),
        external=external_check(model),
    )


def _judge(scenario: Scenario, pool: Pool, cohorts: Cohorts, tables: EngineTables) -> ScenarioResult:
    judged = judge_crs(cohorts, tables) if pool == "crs" else judge_icans(cohorts, tables)
    rows = [
        row
        for outcome in judged
        for row in performance(
            outcome,
            cohorts,
            crs=pool == "crs",
            by_coding=scenario.id == OWN_PRIOR,
            curves=scenario.id in CURVES,
        )
    ]
    return ScenarioResult(
        id=scenario.id,
        title=scenario.title,
        truth=scenario.truth,
        pool=pool,
        cohorts=len(cohorts),
        effective_cohorts=round(cohorts.effective, 1),
        performance=tuple(rows),
    )
