"""Firth regression against its peers, in one run: ``python -m benchmarks.firth``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from typing import Any

import click
import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks import cohorts, firth_table, rivals
from benchmarks.agreement import agreement, reference
from benchmarks.cohorts import Cohorts
from benchmarks.measure import median, write
from benchmarks.rivals import Answers, Taker, Timed, timed
from knowledge import firth

ROUNDS = 5
COMPARED = {"ordinary": 256, "sparse": 96}
MANY = 8_192
OURS_FIT, OURS_FULL, OURS_UNCHECKED = "ours, batched", "ours, batched, checked", "ours, batched, unchecked"
BATCHED = (OURS_FIT, OURS_FULL, OURS_UNCHECKED)
PLAIN, BRGLM2 = "plain batched numpy", "R brglm2"
# Batched fits on one core against brglm2's, at least.
BUDGET = 50.0


@dataclass(frozen=True)
class Contender:
    """Takes ``count`` data sets a round; ``question`` is "fit", or "full" with 4 p-values and 8 limits."""

    name: str
    question: str
    count: int
    take: Taker
    cores: int = 1


@dataclass(frozen=True)
class Speed:
    """Medians over the rounds, of data sets a second: by processor time and by the clock."""

    cohorts: str
    question: str
    contender: str
    cores: int
    count: int
    per_processor_second: float | None
    per_second: float
    per_second_slowest: float
    per_second_fastest: float


def ours(pools: dict[str, Executor]) -> Iterator[Contender]:
    """The forms of ``knowledge.firth``."""
    yield Contender("ours, fit", "fit", 96, timed(_singly(full=False)))
    yield Contender(OURS_FIT, "fit", MANY, timed(_fit_many))
    for kind, pool in pools.items():
        yield Contender(f"{OURS_FIT}, two {kind}", "fit", MANY, timed(_halves(pool, _fit_many)), cores=2)
    yield Contender("ours, fit", "full", 24, timed(_singly(full=True)))
    yield Contender(OURS_UNCHECKED, "full", 512, timed(_unchecked))
    yield Contender(OURS_FULL, "full", 512, timed(_checked))
    for kind, pool in pools.items():
        yield Contender(f"{OURS_FULL}, two {kind}", "full", 1024, timed(_halves(pool, _checked)), cores=2)


def peers(missing: dict[str, str]) -> Iterator[Contender]:
    """The others; what is not installed is noted in ``missing``."""
    yield Contender(PLAIN, "fit", 2_048, rivals.plain(full=False))
    yield Contender(PLAIN, "full", 512, rivals.plain(full=True))
    for backend in ("numpy", "numba"):
        for tight in (False, True):
            name = f"firthmodels {backend}, {'tightened' if tight else 'default'} tolerance"
            yield Contender(name, "fit", 96, rivals.firthmodels(backend, full=False, tight=tight))
            yield Contender(name, "full", 32, rivals.firthmodels(backend, full=True, tight=tight))
    for package, questions in {"brglm2": ("fit",), "logistf": ("fit", "full")}.items():
        version = rivals.r_version(package)
        if version is None:
            missing[f"R {package}"] = "not installed"
            continue
        missing[f"R {package}"] = version
        for question in questions:
            yield Contender(f"R {package}", question, 96, rivals.r(package, full=question == "full"))


def grouped() -> Contender:
    """``fit_grouped``, for all-binary covariates."""

    def solve(asked: Cohorts) -> Answers:
        return Answers(firth.fit_grouped(asked.findings, asked.y).coef)

    return Contender("ours, grouped", "fit", MANY, timed(solve))


def race(contenders: Sequence[Contender], data: Cohorts) -> list[Speed]:
    """In turns, round after round, so that a slow moment of the machine falls on all."""
    took: dict[int, list[Timed]] = {place: [] for place in range(len(contenders))}
    for number in range(ROUNDS):
        click.echo(f"{data.name} data sets: round {number + 1} of {ROUNDS}", err=True)
        for place, contender in enumerate(contenders):
            took[place].append(contender.take(data.first(contender.count)))
    return [_speed(contender, data, took[place]) for place, contender in enumerate(contenders)]


def _speed(contender: Contender, data: Cohorts, took: Sequence[Timed]) -> Speed:
    wall = [contender.count / each.wall for each in took]
    return Speed(
        data.name,
        contender.question,
        contender.name,
        contender.cores,
        contender.count,
        # Work in other processes does not count as this one's.
        median([contender.count / each.processor for each in took]) if contender.cores == 1 else None,
        median(wall),
        min(wall),
        max(wall),
    )


def ratios(speeds: Sequence[Speed]) -> list[dict[str, Any]]:
    """Ours, batched, against each peer on one core, by processor time; what there is a budget for has it."""
    found = []
    for each in speeds:
        batched = [
            mine
            for mine in speeds
            if (mine.cohorts, mine.question) == (each.cohorts, each.question) and mine.contender in BATCHED
        ]
        if each.contender.startswith("ours"):
            continue
        for mine in batched:
            at_least = BUDGET if each.contender == BRGLM2 and each.cohorts == "ordinary" else None
            ratio = float(mine.per_processor_second or 0.0) / float(each.per_processor_second or np.nan)
            found.append(
                {
                    "cohorts": each.cohorts,
                    "question": each.question,
                    "against": each.contender,
                    "ours": mine.contender,
                    "ratio": ratio,
                    "at_least": at_least,
                    "verdict": "" if at_least is None else "ok" if ratio >= at_least else "MISSED",
                }
            )
    return found


def _singly(*, full: bool) -> Callable[[Cohorts], Answers]:
    def solve(asked: Cohorts) -> Answers:
        fits = [firth.fit(x, y) for x, y in zip(asked.design, asked.y, strict=True)]
        parts = ("coef", "pvalues", "ci") if full else ("coef",)
        return Answers(*(np.array([getattr(each, part) for each in fits]) for part in parts))

    return solve


def _fit_many(asked: Cohorts) -> Answers:
    return Answers(firth.fit_many(asked.columns, asked.y).coef)


def _checked(asked: Cohorts) -> Answers:
    found = firth.profile_many(asked.columns, asked.y)
    return Answers(found.coef, found.pvalues, found.ci)


def _unchecked(asked: Cohorts) -> Answers:
    found = firth.profile_many(asked.columns, asked.y, check=False)
    return Answers(found.coef, found.pvalues, found.ci)


def _halves(pool: Executor, solve: Callable[[Cohorts], Answers]) -> Callable[[Cohorts], Answers]:
    """The same on two cores, a half of the data sets each."""

    def both(asked: Cohorts) -> Answers:
        middle = len(asked) // 2
        halves = [
            Cohorts(asked.name, asked.design[part], asked.y[part], 0) for part in (slice(middle), slice(middle, None))
        ]
        one, two = pool.map(solve, halves)
        pairs = ((one.coef, two.coef), (one.pvalues, two.pvalues), (one.ci, two.ci))
        return Answers(*(np.concatenate([a, b]) for a, b in pairs if a is not None and b is not None))

    return both


def measure(pools: dict[str, Executor]) -> dict[str, Any]:
    """Everything that is measured here."""
    versions: dict[str, str] = {}
    contenders = [*ours(pools), *peers(versions)]
    speeds: list[Speed] = []
    agreements: list[dict[str, Any]] = []
    described: list[dict[str, Any]] = []
    for data in (cohorts.ordinary(MANY), cohorts.sparse(MANY)):
        compared = data.first(COMPARED[data.name])
        described.append(
            {
                "cohorts": data.name,
                "sets": len(data),
                "left_out": data.left_out,
                "compared": len(compared),
                "compared_separated": cohorts.separated(compared),
            }
        )
        truth = reference(compared)
        # This first take of each is not timed: it compiles, loads and warms up.
        for contender in contenders:
            where = {"cohorts": data.name, "question": contender.question, "contender": contender.name}
            agreements.append(where | agreement(truth, contender.take(compared).answers))
        speeds += race(contenders, data)
    tables = cohorts.binary(MANY)
    described.append(
        {"cohorts": "binary", "sets": MANY, "left_out": tables.left_out, "distinct": cohorts.distinct(tables)}
    )
    truth = reference(tables.first(COMPARED["ordinary"]))
    pair = [grouped(), Contender(OURS_FIT, "fit", MANY, timed(_fit_many))]
    for contender in pair:
        where = {"cohorts": "binary", "question": "fit", "contender": contender.name}
        agreements.append(where | agreement(truth, contender.take(truth.cohorts).answers))
    speeds += race(pair, tables)
    return {
        "cohorts": described,
        "speeds": [asdict(each) for each in speeds],
        "ratios": ratios(speeds),
        "agreement": agreements,
        "r": versions,
    }


@click.command()
def run() -> None:
    """Measure, print, write results/firth.json and its table in README.md."""
    # Idle BLAS threads spin: with more than one, matrices of four by four slow everyone down who asks BLAS for them.
    with (
        threadpool_limits(1),
        ProcessPoolExecutor(2, mp_context=get_context("forkserver")) as processes,
        ThreadPoolExecutor(2) as threads,
    ):
        found = measure({"processes": processes, "threads": threads})
    settings = {
        "rounds": ROUNDS,
        "patients": cohorts.PATIENTS,
        "seed": cohorts.SEED,
        "blas_threads": 1,
        "firthmodels_tightened": rivals.TIGHT,
        "firthmodels_tightened_limits": rivals.TIGHT_LIMITS,
    }
    path = write("firth", settings, found, packages=("firthmodels", "numba", "scipy"))
    firth_table.refresh(path)


if __name__ == "__main__":
    run()
