"""Measures against what they must be on made-up predictions, and their errors against repetition."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge.simulation import metrics
from knowledge.simulation.methods import Predicted
from knowledge.simulation.results import Estimate

Floats = NDArray[np.float64]


def expit(eta: Floats) -> Floats:
    return 1 / (1 + np.exp(-eta))


def world(seed: int, cohorts: int = 200, patients: int = 20) -> tuple[Floats, Floats, Floats]:
    """Logits of predictions, true risks and weights; every cohort is off by something of its own."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(size=(cohorts, patients))
    off = rng.normal(0.0, 0.4, (cohorts, 1))
    tilt = 0.6 + rng.normal(0.0, 0.2, (cohorts, 1))
    return logit, expit(0.3 + off + tilt * logit), rng.gamma(1.0, size=cohorts)


def test_exact_recalibration_is_found() -> None:
    logit = np.random.default_rng(0).normal(size=(50, 30))
    weight = np.random.default_rng(1).random(50)
    slope = metrics.calibration_slope(logit, expit(-0.4 + 1.7 * logit), weight)
    assert slope.value == pytest.approx(1.7, abs=1e-6)
    assert slope.se == pytest.approx(0.0, abs=1e-6)
    intercept = metrics.calibration_intercept(logit, expit(-0.4 + logit), weight)
    assert intercept.value == pytest.approx(-0.4, abs=1e-6)
    slopes, found = metrics.cohort_slopes(logit, expit(-0.4 + np.linspace(-1, 3, 50)[:, None] * logit))
    assert found.all()
    assert slopes == pytest.approx(np.linspace(-1, 3, 50), abs=1e-6)


MEASURES: dict[str, Callable[[Floats, Floats, Floats], Estimate]] = {
    "mean": lambda logit, true, weight: metrics.mean((expit(logit) - true).mean(axis=1), weight),
    "intercept": metrics.calibration_intercept,
    "slope": metrics.calibration_slope,
    "median slope": metrics.median_slope,
}


@pytest.mark.parametrize("name", MEASURES)
def test_standard_errors_are_those_of_repetition(name: str) -> None:
    """Over 150 studies the spread of the figure is the error that each one claims (uncertain to 6 %)."""
    found = [MEASURES[name](*world(seed)) for seed in range(150)]
    values = np.array([each.value for each in found])
    claimed = np.array([each.se for each in found])
    assert values.std() == pytest.approx(np.sqrt((claimed**2).mean()), rel=0.2)


def test_weights_count() -> None:
    """A cohort of weight two counts as two cohorts."""
    logit, true, _ = world(7, cohorts=40)
    weight = np.ones(40)
    weight[:10] = 2.0
    twice = np.concatenate([logit, logit[:10]]), np.concatenate([true, true[:10]]), np.ones(50)
    for measure in MEASURES.values():
        assert measure(logit, true, weight).value == pytest.approx(measure(*twice).value, abs=2e-6)


def test_brier_score_is_that_of_outcomes_yet_to_come() -> None:
    """Expected score against many simulated outcomes; its excess is what perfect knowledge would save."""
    logit, true, weight = world(3, cohorts=100)
    risk = expit(logit)
    predicted = Predicted(risk, risk * 0.5, np.minimum(1.0, risk * 1.5))
    found = metrics.measures(predicted, true, weight, predicted)
    rng = np.random.default_rng(4)
    scores, oracle = np.zeros(len(weight)), np.zeros(len(weight))
    rounds = 400
    for _ in range(rounds):
        outcome = rng.random(true.shape) < true
        scores += ((outcome - risk) ** 2).mean(axis=1) / rounds
        oracle += ((outcome - true) ** 2).mean(axis=1) / rounds
    share = weight / weight.sum()
    assert found.brier.value == pytest.approx((share * scores).sum(), abs=2e-3)
    assert found.brier_excess.value == pytest.approx((share * (scores - oracle)).sum(), abs=2e-3)
    assert found.brier_excess_over_engine.value == 0.0
    inside = (predicted.low <= true) & (true <= predicted.high)
    assert found.coverage.value == pytest.approx((share * inside.mean(axis=1)).sum(), abs=1e-6)
    assert found.width.value == pytest.approx((share * (predicted.high - predicted.low).mean(axis=1)).sum(), abs=1e-6)


def test_one_prediction_for_all_has_no_slope() -> None:
    _, true, weight = world(5, cohorts=20)
    flat = np.full(true.shape, 0.3)
    found = metrics.measures(Predicted(flat, flat, flat), true, weight, Predicted(true, true, true))
    assert found.slope.value is None
    assert found.slope_median.value is None
    assert found.brier_excess_over_engine.value == found.brier_excess.value
    assert found.intercept.value is not None


def test_curve_parts_patients_into_tenths_by_prediction() -> None:
    logit, true, weight = world(6)
    risk = expit(logit)
    points = metrics.curve(risk, true, weight)
    each = np.broadcast_to((weight / weight.sum() / risk.shape[1])[:, None], risk.shape).ravel()
    order = np.argsort(risk.ravel(), kind="stable")
    low = order[np.cumsum(each[order]) <= 0.1 + 1e-9]
    assert len(points) == metrics.CURVE_POINTS
    assert points[0].predicted == pytest.approx(np.average(risk.ravel()[low], weights=each[low]), abs=1e-3)
    # The patient on the boundary is on one side or the other: a thousandth of all, an eightieth of a tenth.
    assert points[0].true.value == pytest.approx(np.average(true.ravel()[low], weights=each[low]), abs=3e-3)
    assert [point.predicted for point in points] == sorted(point.predicted for point in points)
    means = np.mean([point.predicted for point in points]), np.mean([point.true.value for point in points])
    assert means == pytest.approx(
        (np.average(risk.ravel(), weights=each), np.average(true.ravel(), weights=each)), abs=2e-3
    )


def test_patients_with_one_prediction_stay_together() -> None:
    """Four predictions, one for each quarter: four points, each the mean true risk of its quarter."""
    rng = np.random.default_rng(8)
    risk = np.tile([0.1, 0.2, 0.3, 0.4], (50, 3))
    true = rng.random(risk.shape)
    points = metrics.curve(risk, true, np.ones(50))
    assert [point.predicted for point in points] == [0.1, 0.2, 0.3, 0.4]
    wanted = [true[risk == value].mean() for value in (0.1, 0.2, 0.3, 0.4)]
    assert [point.true.value for point in points] == pytest.approx(wanted, abs=1e-6)
