"""Thousands of patients: rounding of long sums neither keeps a climb from arriving nor moves what it finds."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from statsmodels.api import Logit

from knowledge import firth
from knowledge.penalised import ascent, limits
from knowledge.penalised.lanes import Lanes
from knowledge.penalised.likelihood import Point, evaluate


@pytest.mark.parametrize("seed", range(3))
def test_ten_thousand_patients_are_fitted_and_agree_with_statsmodels(seed: int) -> None:
    """The penalty is worth half a patient or so a coefficient: nothing beside ten thousand."""
    rng = np.random.default_rng(seed)
    n = 10_000
    design = np.column_stack([np.ones(n), rng.normal(66.0, 8.0, n), rng.random(n) < 0.35]).astype(float)
    events = (rng.random(n) < 1.0 / (1.0 + np.exp(3.0 - 0.05 * design[:, 1] - 0.9 * design[:, 2]))).astype(float)
    found = firth.fit(design, events)
    other = Logit(events, design).fit(disp=0, tol=1e-12)
    assert found.coef == pytest.approx(other.params, rel=3e-3)
    # Profile and Wald limits of so many differ by less than a hundredth of a standard error; the estimates by as much.
    assert np.abs((found.ci - other.conf_int()) / other.bse[:, None]).max() < 0.02
    assert not found.several_maxima
    assert not found.several_maxima_at_limits.any()


@pytest.mark.parametrize(("n", "seed"), [(10_000, 0), (20_000, 1), (20_000, 4), (20_000, 5)])
def test_no_climb_treads_water_at_the_level_of_rounding(n: int, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """These went on for thousands of steps or were given up as not found; a finding that is there or not."""
    looked_at = 0

    def counted(lanes: Lanes, beta: NDArray[np.float64]) -> Point:
        nonlocal looked_at
        looked_at += 1
        return evaluate(lanes, beta)

    monkeypatch.setattr(ascent, "evaluate", counted)
    monkeypatch.setattr(limits, "evaluate", counted)
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(n), rng.random(n) < 0.2]).astype(float)
    events = (rng.random(n) < 1.0 / (1.0 + np.exp(-design @ [0.1, 0.6]))).astype(float)
    found = firth.fit(design, events)
    assert np.isfinite(found.ci).all()
    assert np.isfinite(found.pvalues).all()
    assert looked_at < 150
