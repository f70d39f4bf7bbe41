"""What the evidence study found, as data: records, and their files in ``knowledge/data/simulation``.

Every figure that comes from simulation carries its Monte Carlo standard error.
Risks, differences of risks, coverage and widths are fractions of 1.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal

from knowledge.assessment import Fraction, Interval, ModelVersion, Outcome
from knowledge.frozen import FrozenModel
from knowledge.synthesis.spec import Pool

STUDY_FILE = "evidence_study.json"
SENSITIVITY_FILE = "sensitivity.json"

Centre = Literal["study", "new"]
CENTRES: tuple[Centre, ...] = ("study", "new")
# How LDH truly acts and was analysed; "both" pools them by their evidence, "none" is ICANS.
CodingGroup = Literal["both", "elevated", "log2_ratio", "none"]
Method = Literal["firth", "flic", "engine", "rate", "pooled", "counts"]
METHODS: tuple[Method, ...] = ("firth", "flic", "engine", "rate", "pooled", "counts")
# The engine's own prior; one tau of its mixture alone; another prior; a form of the logits that it rules out.
Kind = Literal["own", "part", "prior", "structure"]


class Estimate(FrozenModel):
    """A figure and its Monte Carlo standard error; both None where it is not defined."""

    value: float | None
    se: float | None


class Measures(FrozenModel):
    """How one method did for one outcome.

    ``mean_difference``: mean predicted minus mean true risk. ``intercept``: calibration intercept on the
    logit scale with the slope held at 1 (0 is right). ``slope``: calibration slope over all cohorts;
    ``slope_median``: the median of the slopes within each cohort (1 is right); neither is defined for a method
    that tells patients hardly apart. ``coverage`` and ``width``
    of the 95 % interval for a patient's true risk. ``brier``: expected Brier score; ``brier_excess``: the
    part above a forecaster who knows the true risks; ``brier_excess_over_engine``: that excess minus the
    engine's on the same cohorts (positive: the engine is better). ``absolute_error``: mean of
    |predicted - true|.
    """

    mean_difference: Estimate
    intercept: Estimate
    slope: Estimate
    slope_median: Estimate
    coverage: Estimate
    width: Estimate
    brier: Estimate
    brier_excess: Estimate
    brier_excess_over_engine: Estimate
    absolute_error: Estimate


class CurvePoint(FrozenModel):
    """One tenth of the patients, by predicted risk: mean predicted and mean true risk."""

    predicted: Fraction
    true: Estimate


class Performance(FrozenModel):
    """One method's measures for one outcome, one centre and one coding; ``curve`` only where it is drawn.

    ``own_prior_again``: a truth other than the engine's own prior that does not differ from it here.
    """

    outcome: Outcome
    centre: Centre
    coding: CodingGroup
    method: Method
    measures: Measures
    curve: tuple[CurvePoint, ...] = ()
    own_prior_again: bool = False


class ScenarioResult(FrozenModel):
    """All methods under one truth: ``cohorts`` simulated ones that show the facts, worth ``effective_cohorts``."""

    id: str
    title: str
    truth: str
    kind: Kind
    pool: Pool
    cohorts: int
    effective_cohorts: float
    performance: tuple[Performance, ...]

    def of(self, outcome: Outcome, centre: Centre, method: Method, coding: CodingGroup | None = None) -> Performance:
        """One row; ``coding`` defaults to "both" for CRS and "none" for ICANS.

        Raises:
            KeyError: there is no such row.
        """
        wanted = coding or ("both" if self.pool == "crs" else "none")
        for row in self.performance:
            if (row.outcome, row.centre, row.method, row.coding) == (outcome, centre, method, wanted):
                return row
        raise KeyError((outcome, centre, method, wanted))


class RankResult(FrozenModel):
    """Where the true risk of one fixed patient falls within the engine's posterior, in equal bins.

    ``shares`` sum to one; uniform when simulation and engine agree. ``statistic`` is chi-square with
    ``degrees`` under uniformity, its covariance allowing for the weights on both sides.
    """

    outcome: Outcome
    centre: Centre
    patient: str
    shares: tuple[Fraction, ...]
    share_se: float
    statistic: float
    degrees: int
    pvalue: Fraction


class ExternalRate(FrozenModel):
    """A published rate with its exact 95 % interval, by the id of the fact that says so."""

    fact: str
    population: str
    window: str
    events: int
    n: int
    interval: Interval


class ExternalCheck(FrozenModel):
    """The average patient's risk (nothing known, new centre) beside published rates."""

    outcome: Outcome
    risk: Fraction
    interval: Interval
    rates: tuple[ExternalRate, ...]


class StudyResults(FrozenModel):
    """The evidence study, made with one model (``model.sha256``) and one seed.

    ``counts_only_draws``: effective draws of each pool of the engine without the significances.
    """

    model: ModelVersion
    seed: int
    patients_per_cohort: int
    effective_cohorts_sought: int
    counts_only_draws: tuple[float, ...]
    scenarios: tuple[ScenarioResult, ...]
    ranks: tuple[RankResult, ...]
    external: ExternalCheck

    def scenario(self, scenario_id: str, pool: Pool) -> ScenarioResult:
        """One truth's results.

        Raises:
            KeyError: there is no such scenario.
        """
        for scenario in self.scenarios:
            if (scenario.id, scenario.pool) == (scenario_id, pool):
                return scenario
        raise KeyError((scenario_id, pool))


class ShownRisk(FrozenModel):
    """Estimate and 95 % limits at a new centre."""

    risk: Fraction
    low: Fraction
    high: Fraction


class Shown(FrozenModel):
    """What is shown for one outcome, a patient each in the order of ``Sensitivity.patients``."""

    outcome: Outcome
    shown: tuple[ShownRisk, ...]


class Moves(Shown):
    """How far the shown figures move, as fractions of 1: over the fixed patients, largest and mean of |change|.

    ``mean_shift`` keeps its sign; ``largest_risk_patient`` is the id of the patient whose estimate moves most.
    """

    largest_risk: float
    mean_risk: float
    largest_limit: float
    mean_limit: float
    largest_risk_patient: str
    mean_shift: float


class Variant(FrozenModel):
    """One change of the model, and what it does; ``effective_draws`` is that of the smaller pool it changes."""

    id: str
    title: str
    change: str
    effective_draws: float
    moves: tuple[Moves, ...]


class SensitivityPatient(FrozenModel):
    """One of the fixed patients whose shown figures are compared."""

    id: str
    description: str


class Sensitivity(FrozenModel):
    """How far the shown estimates move when one thing about the model is changed."""

    model: ModelVersion
    seed: int
    patients: tuple[SensitivityPatient, ...]
    base: tuple[Shown, ...]
    variants: tuple[Variant, ...]


def study_folder() -> Traversable:
    """Where the results lie."""
    return files("knowledge").joinpath("data", "simulation")


@lru_cache(maxsize=1)
def load_study() -> StudyResults:
    """The committed results of the study.

    Raises:
        OSError: they are not there.
        pydantic.ValidationError: they are not what this program writes.
    """
    return StudyResults.model_validate_json(study_folder().joinpath(STUDY_FILE).read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def load_sensitivity() -> Sensitivity:
    """The committed sensitivity analysis; errors as ``load_study``."""
    return Sensitivity.model_validate_json(study_folder().joinpath(SENSITIVITY_FILE).read_text(encoding="utf-8"))
