"""What a validation found, as data: nothing in it is NaN or infinite."""

from __future__ import annotations

from knowledge.assessment import ModelVersion, Outcome
from knowledge.cohort.validation.curve import Curve, Group
from knowledge.cohort.validation.decision import DecisionCurve
from knowledge.cohort.validation.measure import Measure
from knowledge.cohort.validation.needed import Needed
from knowledge.frozen import FrozenModel
from knowledge.site_origin import SiteOrigin


class Flow(FrozenModel):
    """Patients in the file, and why some are left out; ``repeated`` of those included are the same as an earlier one in
    every column.
    """

    read: int
    prophylaxis_given: int
    prophylaxis_unknown: int
    included: int
    repeated: int = 0


class Spread(FrozenModel):
    """Patients by estimate, in 20 classes of 5 % each: with and without the outcome."""

    events: tuple[int, ...]
    others: tuple[int, ...]


class OutcomeValidation(FrozenModel):
    """One outcome: Tarla's estimates in ``n`` patients without prophylaxis whose outcome is known.

    ``expected`` is the sum of the estimates; ``expected_range`` the 95 % interval, by the model's own draws, of what to
    expect at one new centre. ``finding_unknown`` counts patients over whose finding the engine averaged, by finding;
    "any": at least one.
    """

    outcome: Outcome
    n: int
    events: int
    expected: float
    expected_range: tuple[float, float]
    outcome_unknown: int
    finding_unknown: dict[str, int]
    observed_expected: Measure
    calibration_in_the_large: Measure
    intercept: Measure
    slope: Measure
    c_statistic: Measure
    brier: Measure
    scaled_brier: Measure
    curve: Curve
    groups: tuple[Group, ...]
    spread: Spread
    decision: DecisionCurve
    needed: Needed
    verdict: str


class Validation(FrozenModel):
    """The whole validation; ``cohort_sha256`` is that of the file's content, where it came from one.

    ``site`` says whose patients updated the model; None where it is the shipped one.
    """

    model: ModelVersion
    site: SiteOrigin | None = None
    cohort_sha256: str | None
    simulated: bool
    seed: int
    resamples: int
    flow: Flow
    outcomes: tuple[OutcomeValidation, ...]

    @property
    def of_its_own_patients(self) -> bool:
        """Whether these very patients updated the model: then nothing is validated."""
        return self.site is not None and self.site.data_sha256 == self.cohort_sha256

    def of(self, outcome: Outcome) -> OutcomeValidation:
        """What was found for one outcome.

        Raises:
            KeyError: it has no patient estimate.
        """
        for each in self.outcomes:
            if each.outcome is outcome:
                return each
        raise KeyError(outcome)
