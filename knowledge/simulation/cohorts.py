"""Cohorts that show the published facts under one truth, and patients of the same truth.

A cohort's parameters, patients and weight come from the sampler of the
synthesis; the patients whose risk is then predicted are new ones, drawn from
the cohort's own covariate distribution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from knowledge.model import Draws, Model
from knowledge.normal import quantile
from knowledge.simulation.scenarios import Scenario, half_near_zero
from knowledge.synthesis.centre import CentrePosterior, centre_posterior
from knowledge.synthesis.cohorts import Batch, CrsPatients, IcansPatients, crs_batch, icans_batch
from knowledge.synthesis.pooling import Stratum, effective_size, effective_size_of
from knowledge.synthesis.spec import CODINGS, POOLS, Coding, Pool, Spec
from knowledge.synthesis.structure import Structure, acting_ldh, analysed_ldh

Floats = NDArray[np.float64]

BATCH_SIZE = 2048
# New patients' log2 multiples stand in the middle of cells this wide, so that the engine's answers can be
# tabulated; zero is an edge, so that "above the limit" stays what it was.
LDH_STEP = 0.125
LDH_LOWEST, LDH_HIGHEST = -3.25 + LDH_STEP / 2, 5.25 - LDH_STEP / 2  # within 0.1 to 40 x ULN
LDH_CELLS = round((LDH_HIGHEST - LDH_LOWEST) / LDH_STEP) + 1


@dataclass(frozen=True)
class Task:
    """One batch of one stratum of one scenario, by numbers: its seed and nothing else depends on them."""

    scenario: int
    pool: Pool
    tau_index: int
    coding: Coding | None
    number: int


@dataclass(frozen=True)
class Setting:
    """What every task of a study needs: the seed, all truths, and the engine's own specification."""

    seed: int
    scenarios: tuple[Scenario, ...]
    spec: Spec


@dataclass(frozen=True)
class Cohorts:
    """Weighted cohorts of one pool: ``weight`` (A,) sums to one, each tau carrying the same.

    ``columns`` name to (A,); ``tau`` and ``coding`` (A,) index the prior sd and how LDH acts; ``patients``
    those behind the published regressions (A, n); ``latent`` (A, M, 2) the correlated normals of new patients;
    ``severity_shift`` (A,) what a new centre adds to the logit of grade >= 2 given any; ``structure`` is of the truth.
    """

    columns: dict[str, Floats]
    weight: Floats
    tau: NDArray[np.int64]
    coding: NDArray[np.int64]
    patients: CrsPatients | IcansPatients
    latent: Floats
    severity_shift: Floats
    structure: Structure

    def __len__(self) -> int:
        return len(self.weight)

    @property
    def effective(self) -> float:
        """Effective number of cohorts."""
        return effective_size(self.weight)


Mapper = Callable[[Callable[[Task], Batch], list[Task]], Iterator[Batch]]

_prepared: tuple[Setting, dict[tuple[int, Pool], tuple[Spec, CentrePosterior]]] | None = None


def prepare(setting: Setting) -> None:
    """Once in each process, before any ``run``."""
    global _prepared  # a worker process has no other place for what all its tasks share
    _prepared = (setting, {})


def run(task: Task) -> Batch:
    """The accepted cohorts of one task, weighted for the scenario's truth."""
    if _prepared is None:
        raise RuntimeError("worker process was not prepared")
    setting, cache = _prepared
    scenario = setting.scenarios[task.scenario]
    key = (task.scenario, task.pool)
    if key not in cache:
        spec = scenario.spec(setting.spec)
        cache[key] = spec, centre_posterior(spec.centres(task.pool), spec.centre_mean_sd, spec.centre_sd_scale)
    spec, centre = cache[key]
    coding = -1 if task.coding is None else CODINGS.index(task.coding)
    spawn_key = (task.scenario, POOLS.index(task.pool), task.tau_index, coding + 1, task.number)
    rng = np.random.default_rng(np.random.SeedSequence(setting.seed, spawn_key=spawn_key))
    tau = spec.taus(task.pool)[task.tau_index]
    if task.coding is None:
        batch = icans_batch(spec, centre, tau, BATCH_SIZE, rng, keep_data=True, structure=scenario.structure)
    else:
        batch = crs_batch(spec, centre, tau, task.coding, BATCH_SIZE, rng, keep_data=True, structure=scenario.structure)
    if not scenario.half_null:
        return batch
    weight = batch.weight * half_near_zero(batch, tau, task.coding == "log2_ratio")
    return replace(batch, weight=weight)


def simulate(
    setting: Setting, index: int, pool: Pool, *, effective: int, patients: int, batches_per_round: int,
    mapper: Mapper, progress: Callable[[float], None] | None = None,
) -> Cohorts:  # fmt: skip
    """Cohorts of one scenario and pool, at least ``effective`` in effect, with ``patients`` new patients each.

    Rounds of whole batches are taken until each tau has its share, so workers change nothing.
    """
    scenario = setting.scenarios[index]
    spec = scenario.spec(setting.spec)
    codings: tuple[Coding | None, ...] = spec.codings if pool == "crs" else (None,)
    taus = spec.taus(pool)
    by_tau = [[Stratum(tau, coding or "none") for coding in codings] for tau in taus]
    each = effective / len(taus)
    for tau_index, strata in enumerate(by_tau):
        first = 0
        while (reached := effective_size_of(strata)) < each:
            if progress:
                progress((tau_index + reached / each) / len(taus))
            numbers = range(first, first + batches_per_round)
            tasks = [Task(index, pool, tau_index, coding, number) for number in numbers for coding in codings]
            for task, batch in zip(tasks, mapper(run, tasks), strict=True):
                strata[codings.index(task.coding)].batches.append(batch)
            first += batches_per_round
    return _pooled(setting, index, pool, by_tau, patients)


def _pooled(setting: Setting, index: int, pool: Pool, by_tau: list[list[Stratum]], patients: int) -> Cohorts:
    """All strata together: codings share by their evidence, every tau weighs the same."""
    batches: list[Batch] = []
    weights: list[Floats] = []
    taus: list[NDArray[np.int64]] = []
    codings: list[NDArray[np.int64]] = []
    for tau, strata in enumerate(by_tau):
        shares = [stratum.weight / stratum.simulated for stratum in strata]
        total = sum(float(share.sum()) for share in shares) * len(by_tau)
        for stratum, share in zip(strata, shares, strict=True):
            batches += stratum.batches
            weights.append(share / total)
            taus.append(np.full(len(share), tau, dtype=np.int64))
            coding = 0 if stratum.coding == "none" else CODINGS.index(stratum.coding)
            codings.append(np.full(len(share), coding, dtype=np.int64))
    weight = np.concatenate(weights)
    kept = [batch.patients for batch in batches if batch.patients is not None]
    joined: CrsPatients | IcansPatients
    if pool == "crs":
        joined = CrsPatients(*(_joined(kept, name) for name in ("ldh", "liver", "any_grade", "grade2")))
    else:
        joined = IcansPatients(*(_joined(kept, name) for name in ("diabetes", "cvd", "icans")))
    names = batches[0].columns
    columns = {name: np.concatenate([batch.columns[name] for batch in batches]) for name in names}
    rng = np.random.default_rng(np.random.SeedSequence(setting.seed, spawn_key=(index, POOLS.index(pool))))
    correlation = columns["ldh_liver_correlation" if pool == "crs" else "diabetes_cvd_correlation"][:, None]
    normal = rng.standard_normal((2, len(weight), patients))
    latent = np.stack([normal[0], correlation * normal[0] + np.sqrt(1.0 - correlation**2) * normal[1]], axis=2)
    shift = setting.scenarios[index].severity_sd * rng.standard_normal(len(weight))
    structure = setting.scenarios[index].structure
    return Cohorts(columns, weight, np.concatenate(taus), np.concatenate(codings), joined, latent, shift, structure)


def _joined(kept: list[CrsPatients | IcansPatients], name: str) -> Floats:
    return np.concatenate([np.asarray(getattr(patients, name), dtype=np.float64) for patients in kept])


def as_draws(cohorts: Cohorts) -> Draws:
    """The cohorts' parameters in the form of a model's draws."""
    names = tuple(cohorts.columns)
    matrix = np.stack([cohorts.columns[name] for name in names])
    return Draws(names, matrix, cohorts.weight, cohorts.tau, cohorts.coding)


def with_draws(model: Model, draws: dict[Pool, Draws], hold: float) -> Model:
    """The model with some pools replaced."""
    spec = model.spec.model_copy(update={"ldh_hold": hold})
    content = replace(
        model.content,
        spec=spec,
        crs=draws.get("crs", model.content.crs),
        icans=draws.get("icans", model.content.icans),
    )
    return Model(model.version, content, model.facts_sha256, model.description)


@dataclass(frozen=True)
class NewCrsPatients:
    """New patients (A, M): cell of the LDH table, LDH as the study analyses it and as it acts (centred), liver 0/1."""

    cell: NDArray[np.int64]
    ldh: Floats
    ldh_centred: Floats
    liver: Floats


def new_crs_patients(cohorts: Cohorts) -> NewCrsPatients:
    """New patients from each cohort's own covariate distribution, their LDH in the middle of its cell."""
    p = {name: value[:, None] for name, value in cohorts.columns.items()}
    log2_ratio = p["ldh_mean"] + p["ldh_sd"] * cohorts.latent[:, :, 0]
    cell = np.clip(np.round((log2_ratio - LDH_LOWEST) / LDH_STEP), 0, LDH_CELLS - 1).astype(np.int64)
    middle = ldh_table()[cell]
    centred, ldh = np.empty_like(middle), np.empty_like(middle)
    for index, coding in enumerate(CODINGS):
        rows = cohorts.coding == index
        acting, centre = acting_ldh(cohorts.structure, coding, middle[rows], p["ldh_mean"][rows], p["ldh_sd"][rows])
        centred[rows] = acting - centre
        ldh[rows] = analysed_ldh(cohorts.structure.analysed or coding, middle[rows])
    liver = cohorts.latent[:, :, 1] > quantile(1.0 - p["liver_prevalence"])
    return NewCrsPatients(cell, ldh, centred, liver.astype(float))


def new_icans_patients(cohorts: Cohorts) -> tuple[Floats, Floats]:
    """Diabetes and CVD (A, M) of new patients from each cohort's own distribution."""
    cuts = [quantile(1.0 - cohorts.columns[name])[:, None] for name in ("diabetes_prevalence", "cvd_prevalence")]
    first, second = ((cohorts.latent[:, :, k] > cut).astype(float) for k, cut in enumerate(cuts))
    return first, second


def ldh_table() -> Floats:
    """log2 multiples at which the engine's answers are tabulated (LDH_CELLS,)."""
    return LDH_LOWEST + LDH_STEP * np.arange(LDH_CELLS, dtype=np.float64)
