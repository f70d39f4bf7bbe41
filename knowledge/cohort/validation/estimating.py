"""Tarla's estimates of a cohort's patients, each different patient once, over the machine's cores."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from knowledge.assessment import Outcome
from knowledge.cohort.validation.cells import Cells, Floats
from knowledge.cohort.validation.collecting import OUTCOMES, Collected, CrsKey, Progress, ldh_of
from knowledge.logistic import expit
from knowledge.model import Draws, Model
from knowledge.predict import INTERVAL, crs_effect, icans_effect, icans_risk
from knowledge.quantiles import weighted_quantiles

Mapper = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]

# Fewer different patients than this are done sooner here than other processes start.
WORTH_PROCESSES = 2_000
CHUNK = 100

OF_CRS = OUTCOMES[:2]

# The model of this process.
_MODEL: list[Model] = []


@contextmanager
def mapping(model: Model, workers: int | None, *, worth: bool) -> Iterator[Mapper]:
    """Something that maps tasks, in order, over ``workers`` processes (None: one a core) where that is ``worth`` it."""
    count = workers or multiprocessing.cpu_count()
    if count == 1 or not worth:
        _prepare(model)
        yield map
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, context, initializer=_prepare, initargs=(model,)) as executor:
        yield executor.map


@dataclass(frozen=True, eq=False)
class Estimated:
    """One outcome's patients by the estimate that the answer shows, a new centre's; and the 2.5 and 97.5 % points, over
    the model's draws, of how many of them are expected to have it at one new centre.
    """

    cells: Cells
    expected_range: tuple[float, float]


def estimate(model: Model, collected: Collected, mapper: Mapper, progress: Progress | None) -> dict[Outcome, Estimated]:
    """Estimates of all patients, for each outcome; ``mapper`` is of the same model."""
    known = {key for outcome in OF_CRS for side in (collected.events, collected.others) for key in side[outcome]}
    asked = [(key, tuple(_patients(collected, outcome, key) for outcome in OF_CRS)) for key in sorted(known, key=repr)]
    risks: list[tuple[float, ...]] = []
    by_draw = np.zeros((len(OF_CRS), len(model.draws("crs").weight)))
    for found, added in mapper(_crs, [asked[start : start + CHUNK] for start in range(0, len(asked), CHUNK)]):
        risks += found
        by_draw += added
        if progress:
            progress("different patients assessed", len(risks), len(asked))
    result = {}
    for place, outcome in enumerate(OF_CRS):
        risk = {key: row[place] for (key, _), row in zip(asked, risks, strict=True)}
        result[outcome] = _estimated(collected, outcome, risk, by_draw[place], model.draws("crs"))
    draws = model.draws("icans")
    risk, by_draw = {}, np.zeros((1, len(draws.weight)))
    icans = {key for side in (collected.events, collected.others) for key in side[Outcome.ICANS_ANY]}
    for diabetes, cvd in sorted(icans):
        key = (diabetes, cvd)
        risk[key] = icans_risk(model, diabetes, cvd).risk
        branches, effect = icans_effect(model, diabetes, cvd)
        mean = _by_draw(branches.weight, expit(draws["a_new"] + effect))
        by_draw[0] += _patients(collected, Outcome.ICANS_ANY, key) * mean
    result[Outcome.ICANS_ANY] = _estimated(collected, Outcome.ICANS_ANY, risk, by_draw[0], draws)
    return result


def distinct_patients(collected: Collected) -> int:
    """At most so many estimates of CRS have to be worked out."""
    return len(collected.events[Outcome.CRS_ANY]) + len(collected.others[Outcome.CRS_ANY])


def _estimated(
    collected: Collected, outcome: Outcome, risk: Mapping[Any, float], by_draw: Floats, draws: Draws
) -> Estimated:
    events, others = collected.events[outcome], collected.others[outcome]
    keys = [key for key in risk if key in events or key in others]
    cells = Cells.of([risk[key] for key in keys], [events[key] for key in keys], [others[key] for key in keys])
    if cells.n == 0:
        return Estimated(cells, (0.0, 0.0))
    low, high = weighted_quantiles(by_draw / cells.n, draws.weight, INTERVAL)
    return Estimated(cells, (low * cells.n, high * cells.n))


def _patients(collected: Collected, outcome: Outcome, key: Any) -> int:
    return collected.events[outcome][key] + collected.others[outcome][key]


def _prepare(model: Model) -> None:
    _MODEL[:] = [model]


def _crs(asked: Sequence[tuple[CrsKey, tuple[int, ...]]]) -> tuple[list[tuple[float, ...]], Floats]:
    """Estimates of both CRS outcomes for each key, and their sums over patients by draw (2, N)."""
    model = _MODEL[0]
    draws = model.draws("crs")
    found: list[tuple[float, ...]] = []
    by_draw = np.zeros((len(OF_CRS), len(draws.weight)))
    for (known, liver), patients in asked:
        branches, effect = crs_effect(model, ldh_of(known), liver)
        new = expit(draws["a_new"] + effect)
        severe = new * expit(draws["c_grade2"] + draws["d_ldh"] * branches.ldh)
        total = branches.weight.sum(axis=0)
        # As in an answer, whose limits are left out: they take most of the time.
        weighted = [(branches.weight * risk).sum(axis=0) for risk in (new, severe)]
        found.append(tuple(float(each.sum() / total.sum()) for each in weighted))
        for place, each in enumerate(weighted):
            by_draw[place] += patients[place] * each / total
    return found, by_draw


def _by_draw(weight: Floats, risk: Floats) -> Floats:
    """Risk in each draw (N,), averaged over what is not known (K, N)."""
    mean: Floats = (weight * risk).sum(axis=0) / weight.sum(axis=0)
    return mean
