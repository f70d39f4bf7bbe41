"""Every figure of a validation that R can work out, held against R (tests/oracle/validation.R)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from knowledge.cohort.validation.accuracy import brier, scaled_brier
from knowledge.cohort.validation.cells import Cells
from knowledge.cohort.validation.curve import KNOTS, curve_at
from knowledge.cohort.validation.decision import THRESHOLDS, net_benefit, net_benefit_of_all
from knowledge.cohort.validation.discrimination import NEWCOMBE, c_statistic, delong_variance, newcombe_limits
from knowledge.cohort.validation.level import calibration_in_the_large, observed_expected
from knowledge.cohort.validation.needed import for_c_statistic, for_net_benefit, for_observed_expected, for_slope
from knowledge.cohort.validation.slope import recalibration

ORACLE = json.loads((Path(__file__).parents[1] / "data" / "oracle" / "validation.json").read_text())
COHORTS: dict[str, Any] = ORACLE["cohorts"]
CALIBRATED = [name for name, each in COHORTS.items() if "slope" in each]


def cells(name: str) -> Cells:
    return Cells.of_patients(COHORTS[name]["p"], map(bool, COHORTS[name]["y"]))


def close(value: Any, rel: float = 1e-9, abs_: float = 1e-9) -> Any:
    return pytest.approx(value, rel=rel, abs=abs_)


@pytest.mark.parametrize("name", COHORTS)
def test_observed_over_expected_is_that_of_binom_test(name: str) -> None:
    found = observed_expected(cells(name))
    assert [found.value, found.low, found.high] == close(COHORTS[name]["observed_expected"])


@pytest.mark.parametrize("name", [name for name, each in COHORTS.items() if "large" in each])
def test_calibration_in_the_large_is_that_of_glm_with_offset(name: str) -> None:
    """R's profile limits come from a spline through the profile, good to about 1e-3; its estimate is exact."""
    found = calibration_in_the_large(cells(name))
    value, low, high = COHORTS[name]["large"]
    assert found.value == close(value, 1e-8, 1e-8)
    assert [found.low, found.high] == close([low, high], 2e-3, 2e-3)


def test_with_no_event_or_nothing_else_one_limit_is_exact() -> None:
    none, all_of_them = calibration_in_the_large(cells("no_event")), calibration_in_the_large(cells("only_events"))
    assert (none.value, none.low, none.high) == (None, None, close(COHORTS["no_event"]["one_sided"]))
    low = close(COHORTS["only_events"]["one_sided"])
    assert (all_of_them.value, all_of_them.low, all_of_them.high) == (None, low, None)


@pytest.mark.parametrize("name", CALIBRATED)
def test_intercept_and_slope_are_those_of_glm_and_val_prob(name: str) -> None:
    """The estimates to the convergence of glm (and of rms::val.prob, 1e-5); limits as for calibration in the large."""
    expected = COHORTS[name]
    for found, key, in_val_prob in zip(
        recalibration(cells(name)), ("intercept", "slope"), ("Intercept", "Slope"), strict=True
    ):
        assert found.value == close(expected[key][0], 1e-8, 1e-8)
        assert found.value == close(expected["val_prob"][in_val_prob], 1e-5, 1e-5)
        assert [found.low, found.high] == close(expected[key][1:], 2e-3, 2e-3)


@pytest.mark.parametrize("name", ["few", "separated"])
def test_few_events_and_separation_get_firths_estimates(name: str) -> None:
    """brglm2's mean bias reduction is Firth's for logistic regression; converged to 1e-6 there."""
    intercept, slope = recalibration(cells(name))
    assert [intercept.value, slope.value] == close(COHORTS[name]["firth"], 1e-5, 1e-5)
    assert "Firth" in slope.method
    assert slope.low is not None
    assert slope.high is not None
    assert slope.low < COHORTS[name]["firth"][1] < slope.high


@pytest.mark.parametrize("name", [name for name, each in COHORTS.items() if "c_statistic" in each])
def test_c_statistic_is_that_of_proc(name: str) -> None:
    expected, found = COHORTS[name], c_statistic(cells(name))
    assert found.value == close(expected["c_statistic"])
    if "val_prob" in expected:
        # rms sorts probabilities into classes of 0.002 before it counts.
        assert found.value == close(expected["val_prob"]["C (ROC)"], 2e-4)
    if "delong_variance" in expected:
        variance = delong_variance(cells(name))
        assert variance == close(expected["delong_variance"])
        centre, reach = expected["c_statistic"], 1.959963984540054 * variance**0.5
        plain = np.clip([centre - reach, centre + reach], 0.0, 1.0).tolist()  # pROC's interval, on the plain scale
        assert plain == close(expected["delong_interval"])
    if variance_is_no_use(expected):
        assert found.method == NEWCOMBE
        assert [found.low, found.high] == close(expected["newcombe5"], 1e-6, 1e-6)
    else:
        logit = np.log(centre / (1 - centre))
        odds = np.exp(logit + np.array([-1, 1]) * reach / (centre * (1 - centre)))
        assert [found.low, found.high] == close((odds / (1 + odds)).tolist())


def variance_is_no_use(expected: dict[str, Any]) -> bool:
    return not expected.get("delong_variance")


@pytest.mark.parametrize("name", [name for name, each in COHORTS.items() if "newcombe5" in each])
def test_newcombes_limits_are_those_of_its_equation_solved_in_r(name: str) -> None:
    patients = cells(name)
    found = newcombe_limits(COHORTS[name]["c_statistic"], patients.had, patients.had_not)
    assert list(found) == close(COHORTS[name]["newcombe5"], 1e-6, 1e-6)


@pytest.mark.parametrize("name", COHORTS)
def test_brier_scores_are_those_of_the_definition(name: str) -> None:
    expected, patients = COHORTS[name], cells(name)
    assert brier(patients) == close(expected["brier"])
    if "val_prob" in expected:
        assert brier(patients) == close(expected["val_prob"]["Brier"], 1e-6)
    assert scaled_brier(patients) == (close(expected["scaled_brier"]) if "scaled_brier" in expected else None)


@pytest.mark.parametrize("name", CALIBRATED)
def test_the_curve_and_its_band_are_those_of_glm_on_rms_rcs(name: str) -> None:
    patients, expected = cells(name), COHORTS[name]["curve"]
    knots = patients.quantiles(KNOTS[max(least for least in KNOTS if least <= patients.fewer)])
    assert knots.tolist() == close(expected["knots"])
    found = curve_at(patients, knots, np.array(expected["at"]))
    for ours, theirs in zip(found, ("observed", "low", "high"), strict=True):
        assert ours.tolist() == close(expected[theirs], 1e-6, 1e-6)


@pytest.mark.parametrize("name", COHORTS)
def test_net_benefit_is_that_of_the_definition(name: str) -> None:
    assert THRESHOLDS.tolist() == close(ORACLE["thresholds"])
    assert net_benefit(cells(name)).tolist() == close(COHORTS[name]["net_benefit"])
    assert net_benefit_of_all(cells(name)).tolist() == close(COHORTS[name]["net_benefit_of_all"])


def test_sample_sizes_are_those_of_the_formulas_in_r() -> None:
    sizes, many = ORACLE["sample_sizes"], cells("many")
    c, benefit = sizes["c_statistic"], sizes["net_benefit"]
    assert for_observed_expected(sizes["oe"]["share"]) == sizes["oe"]["n"]
    assert for_slope(many.log_odds, many.total.astype(float)) == sizes["slope"]["n"]
    assert for_c_statistic(c["c"], c["share"]) == c["n"]
    assert (
        for_net_benefit(benefit["sensitivity"], benefit["specificity"], benefit["share"], benefit["threshold"])
        == benefit["n"]
    )


def normal_log_odds(mean: float, sd: float) -> tuple[Any, Any]:
    """A normal distribution of log odds as points and weights, so fine that the sums are its integrals."""
    z = np.linspace(-9.0, 9.0, 20_001)
    return mean + sd * z, np.exp(-z * z / 2.0)


def test_sample_sizes_are_those_documented_for_pmvalsampsize() -> None:
    """The authors' program (version 0.1.0, its tests and help): prosthetic valves, share 0.018, c 0.8, log odds
    N(-5, 2.5), O/E width 1: 905, 4,544 and 4,252. It steps the standard error of O/E by 0.0001 (0.3 %) and
    simulates the slope's distribution (1 million log odds: 1 %).
    """
    assert for_observed_expected(0.018, 1.0) == pytest.approx(905, rel=3e-3)
    assert for_slope(*normal_log_odds(-5.0, 2.5)) == pytest.approx(4_544, rel=0.01)
    assert for_c_statistic(0.8, 0.018) == pytest.approx(4_252, rel=1e-3)


def test_sample_size_of_a_published_validation_found_by_simulation() -> None:
    """Snell et al., J Clin Epidemiol 2021;135:79-89: 2,430 patients (531 events) for a model of deep vein thrombosis,
    log odds N(-1.75, 1.47), found by simulating validations; the formula is an approximation of that (2 %).
    """
    points, weight = normal_log_odds(-1.75, 1.47)
    share = float(weight @ (1.0 / (1.0 + np.exp(-points))) / weight.sum())
    assert for_slope(points, weight) == pytest.approx(2_430, rel=0.02)
    assert share == pytest.approx(531 / 2_430, rel=0.01)


def test_the_abstract_of_riley_2021() -> None:
    """Stat Med 2021;40:4230-4251: 9,835 patients, driven by the slope, for log odds of mean -5.8, variance 5, skewness
    -0.5 and kurtosis 4. Pearson's type IV has these moments; the tails beyond them are not published, and two families
    of the same four moments already differ by 2 %, hence 10 %. The slope asks for more than the c-statistic, as there.
    """
    skew, kurtosis, variance, mean = -0.5, 4.0, 5.0, -5.8
    r = 6.0 * (kurtosis - skew**2 - 1.0) / (2.0 * kurtosis - 3.0 * skew**2 - 6.0)
    q = 16.0 * (r - 1.0) - skew**2 * (r - 2.0) ** 2
    scale, centre = (variance * q) ** 0.5 / 4.0, mean - (r - 2.0) * skew * variance**0.5 / 4.0
    x = np.linspace(mean - 50.0, mean + 50.0, 200_001)
    t = (x - centre) / scale
    weight = np.exp(-(r + 2.0) / 2.0 * np.log1p(t * t) + r * (r - 2.0) * skew / q**0.5 * np.arctan(t))
    weight /= weight.sum()
    spread = x - weight @ x
    assert [weight @ x, weight @ spread**2] == pytest.approx([mean, variance], rel=1e-5)
    assert weight @ spread**3 / variance**1.5 == pytest.approx(skew, rel=1e-3)
    slope, c = for_slope(x, weight), for_c_statistic(0.8, 0.018)
    assert slope is not None
    assert c is not None
    assert slope == pytest.approx(9_835, rel=0.1)
    assert slope > c > for_observed_expected(0.018, 1.0)
