"""Riley's criteria against published worked examples and the package of their authors."""

from __future__ import annotations

from fractions import Fraction
from math import log

import numpy as np
import pytest

from knowledge.sample_size import (
    DEFAULT_NAGELKERKE,
    MinimumSampleSize,
    expected_shrinkage,
    maximum_cox_snell,
    minimum_sample_size,
    patients_for_overall_risk,
    shrinkage_from_apparent,
)


def sizes(parameters: int, events: int, n: int, nagelkerke: float = DEFAULT_NAGELKERKE) -> MinimumSampleSize:
    prevalence = events / n
    return minimum_sample_size(parameters, prevalence, nagelkerke * maximum_cox_snell(prevalence))


def test_chagas_example_of_the_paper() -> None:
    """24 parameters, prevalence 0.174, R2 0.288: the abstract prints at least 4.8 events a parameter."""
    found = minimum_sample_size(24, 0.174, 0.288)
    assert round(found.needed * 0.174 / 24, 1) == 4.8
    assert found.needed == found.by_optimism


def test_thirty_parameters_as_in_the_authors_package() -> None:
    """pmsampsize 1.1.3: 30 parameters at a Cox-Snell R2 of 0.05 need 5,249 patients by criterion 1."""
    assert minimum_sample_size(30, 0.25, 0.05).by_shrinkage == 5249


def test_most_attainable_fit_of_a_balanced_outcome() -> None:
    """Cox-Snell R2 cannot exceed 0.75 where half have the outcome (Nagelkerke 1991)."""
    assert maximum_cox_snell(0.5) == pytest.approx(0.75, abs=1e-15)


@pytest.mark.parametrize("parameters", [2, 3, 4])
def test_383_for_crs_whatever_the_number_of_predictors(parameters: int) -> None:
    """At 16 of 30 the precision of the overall risk decides for 2 to 4 predictors; from 6 on it is overfitting."""
    found = sizes(parameters, 16, 30)
    assert found.needed == found.by_overall_risk == 383
    assert max(found.by_shrinkage, found.by_optimism) < 383
    assert sizes(6, 16, 30).needed > 383


def test_overall_risk_by_exact_arithmetic() -> None:
    """The third criterion in fractions, without floating point."""
    for events, expected in ((16, 383), (7, 275)):
        p = Fraction(events, 30)
        exact = (Fraction(196, 100) / Fraction(5, 100)) ** 2 * p * (1 - p)
        assert expected - 1 < exact <= expected
        assert patients_for_overall_risk(events / 30) == expected


def test_each_criterion_is_met_at_its_size_and_not_below() -> None:
    """The sizes are minimal, by the definitions rather than by the formulas they were solved from."""
    for parameters, events in ((2, 16), (4, 16), (2, 7), (4, 7)):
        found = sizes(parameters, events, 30)
        most = maximum_cox_snell(events / 30)
        assert expected_shrinkage(found.by_shrinkage, parameters, found.cox_snell) >= 0.9
        assert expected_shrinkage(found.by_shrinkage - 1, parameters, found.cox_snell) < 0.9

        def optimism(n: int, parameters: int = parameters, r2: float = found.cox_snell, most: float = most) -> float:
            return (r2 / expected_shrinkage(n, parameters, r2) - r2) / most

        assert optimism(found.by_optimism) <= 0.05 < optimism(found.by_optimism - 1)


@pytest.mark.parametrize(("n", "parameters", "r2"), [(30, 2, 0.112), (30, 4, 0.112), (30, 2, 0.3), (400, 4, 0.1)])
def test_the_two_forms_of_shrinkage_agree(n: int, parameters: int, r2: float) -> None:
    """An anticipated R2 of S times the apparent one gives back S: found on a grid of apparent fits."""
    shrinkage = expected_shrinkage(n, parameters, r2)
    assert shrinkage_from_apparent(n, parameters, r2 / shrinkage) == pytest.approx(shrinkage, abs=1e-12)
    apparent = np.linspace(r2, 0.9999, 200_001)
    adjusted = (1 + parameters / (n * np.log1p(-apparent))) * apparent
    assert apparent[np.argmax(adjusted >= r2)] == pytest.approx(r2 / shrinkage, abs=1e-5)


def test_heuristic_turns_negative_where_the_fit_is_noise() -> None:
    """A likelihood ratio equal to the number of parameters is what noise gives: shrinkage zero, below it less."""
    n, parameters = 30, 4
    noise = 1 - np.exp(-parameters / n)
    assert shrinkage_from_apparent(n, parameters, noise) == pytest.approx(0.0, abs=1e-12)
    assert shrinkage_from_apparent(n, parameters, 0.9 * noise) < 0.0
    assert shrinkage_from_apparent(n, parameters, 0.112) == pytest.approx(1 - 4 / (-30 * log(0.888)), abs=1e-12)


def test_shrinkage_falls_with_predictors_and_rises_with_patients() -> None:
    for n in (20, 30, 100):
        by_parameters = [expected_shrinkage(n, parameters, 0.1) for parameters in (1, 2, 3, 4, 10)]
        assert by_parameters == sorted(by_parameters, reverse=True)
        assert expected_shrinkage(2 * n, 3, 0.1) > expected_shrinkage(n, 3, 0.1)


@pytest.mark.parametrize(
    ("parameters", "prevalence", "r2"),
    [(0, 0.5, 0.1), (2, 0.0, 0.1), (2, 1.0, 0.1), (2, float("nan"), 0.1), (2, 0.5, 0.0), (2, 0.5, 0.8), (2, 0.01, 0.2)],
)
def test_impossible_requests_are_refused(parameters: int, prevalence: float, r2: float) -> None:
    with pytest.raises(ValueError, match=r"must lie|at least 1|not below"):
        minimum_sample_size(parameters, prevalence, r2)


def test_no_patients_no_shrinkage() -> None:
    with pytest.raises(ValueError, match="n must be at least 1"):
        expected_shrinkage(0, 2, 0.1)
    with pytest.raises(ValueError, match="n must be at least 1"):
        shrinkage_from_apparent(0, 2, 0.1)
