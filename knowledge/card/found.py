"""The shape of what the card tells of build and simulation; risks, coverage and widths are fractions of 1."""

from __future__ import annotations

from typing import Literal

from knowledge.assessment import Outcome
from knowledge.card.types import Count, Probability, Text, Texts
from knowledge.frozen import FrozenModel


class Reached(FrozenModel):
    """Probability, before the facts, that a cohort meets the conditions up to this one."""

    condition: Text
    probability: Probability


class Stratum(FrozenModel):
    """One prior sd and one coding of LDH: how often a cohort drawn from the prior shows the facts."""

    outcome: Text
    tau: float
    coding: Text
    simulated: Count
    probability_of_facts: Probability
    standard_error: float
    effective_size: float
    share_within_tau: Probability
    reached: tuple[Reached, ...]


class PoolSummary(FrozenModel):
    """The draws of one outcome."""

    outcome: Text
    draws: Count
    effective_size: float


class ParameterSummary(FrozenModel):
    """A parameter before and after the facts: median and 2.5 and 97.5 % points."""

    outcome: Text
    name: Text
    label: Text
    prior: tuple[float, float, float]
    posterior: tuple[float, float, float]


class BuildFindings(FrozenModel):
    """Diagnostics of the build, as the artefact holds them."""

    pools: tuple[PoolSummary, ...]
    strata: tuple[Stratum, ...]
    parameters: tuple[ParameterSummary, ...]


class SizeRow(FrozenModel):
    """Riley's criteria for one outcome and number of predictors, and what ``n`` patients imply instead."""

    outcome: Text
    parameters: int
    cox_snell: Probability
    by_shrinkage: int
    by_optimism: int
    by_overall_risk: int
    needed: int
    expected_shrinkage: Probability
    heuristic_shrinkage: float


class SampleSize(FrozenModel):
    """How small the study is."""

    n: int
    nagelkerke: Probability
    rows: tuple[SizeRow, ...]


class Figure(FrozenModel):
    """A figure from simulation and its Monte Carlo standard error; both None where it is not defined."""

    value: float | None
    se: float | None


class MethodResult(FrozenModel):
    """How one method did under one truth, at one kind of centre; measures as in ``knowledge.simulation.results``."""

    truth_id: Text
    truth: Text
    outcome: Outcome
    centre: Literal["study", "new"]
    method: Literal["firth", "flic", "engine", "rate", "pooled", "counts"]
    own_prior_again: bool
    intercept: Figure
    slope: Figure
    mean_difference: Figure
    coverage: Figure
    width: Figure
    brier: Figure
    brier_excess: Figure
    brier_excess_over_engine: Figure


class Truth(FrozenModel):
    """One truth that cohorts were simulated under."""

    id: Text
    title: Text
    text: Text
    kind: Literal["own", "part", "prior", "structure"]
    outcomes: Literal["crs", "icans"]
    cohorts: Count
    effective_cohorts: float


class RankCheck(FrozenModel):
    """Whether the engine agrees with its own prior, by the ranks of one patient's true risk."""

    outcome: Outcome
    centre: Literal["study", "new"]
    patient: Text
    pvalue: Probability


class OutsideRate(FrozenModel):
    """A published rate beside the model's average patient."""

    fact: Text
    population: Text
    window: Text
    events: Count
    n: Count
    interval: tuple[Probability, Probability]


class Simulation(FrozenModel):
    """Performance in simulation; ``same_model`` is false when the study was made with another model."""

    model: Text
    model_sha256: Text
    same_model: bool
    seed: int
    truths: tuple[Truth, ...]
    results: tuple[MethodResult, ...]
    ranks: tuple[RankCheck, ...]
    outside_outcome: Outcome
    outside_risk: Probability
    outside_interval: tuple[Probability, Probability]
    outside_rates: tuple[OutsideRate, ...]


class Move(FrozenModel):
    """How far the shown figures of one outcome move, as fractions of 1 over the fixed patients."""

    outcome: Outcome
    largest_risk: float
    mean_risk: float
    largest_limit: float
    mean_shift: float


class Change(FrozenModel):
    """One thing changed about the model."""

    id: Text
    title: Text
    change: Text
    moves: tuple[Move, ...]


class SensitivityTable(FrozenModel):
    """How far the shown estimates move when one thing about the model is changed."""

    model: Text
    model_sha256: Text
    same_model: bool
    patients: Texts
    changes: tuple[Change, ...]
