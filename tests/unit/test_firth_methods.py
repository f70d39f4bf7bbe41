"""FLIC and FLAC against 60-digit solutions and their own definitions; weights, offsets, intervals, separation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from knowledge.firth import FirthError, Method, fit
from tests.support.engine_firth import Reference, ordinary_sets, references

TOLERANCE = 1e-7
Z = stats.norm.ppf(0.975)
METHODS: tuple[Method, ...] = ("firth", "flic", "flac")

each_reference = pytest.mark.parametrize("reference", references(), ids=lambda reference: reference.name)
each_method = pytest.mark.parametrize("method", METHODS)


@each_reference
@pytest.mark.parametrize("method", ["flic", "flac"])
def test_agrees_with_the_reference(reference: Reference, method: Method) -> None:
    found, known = fit(reference.X, reference.y, method=method), getattr(reference, method)
    assert found.coef == pytest.approx(known.coef, abs=TOLERANCE)
    assert found.predict(reference.X) == pytest.approx(known.predicted, abs=TOLERANCE)
    np.testing.assert_allclose(found.cov, known.cov, rtol=TOLERANCE, atol=TOLERANCE)
    np.testing.assert_allclose(found.ci, known.ci, rtol=1e-7, atol=TOLERANCE)
    if method == "flac":
        assert found.loglik == pytest.approx(known.loglik, abs=TOLERANCE)
        assert found.pvalues == pytest.approx(known.pvalues, abs=TOLERANCE)
    else:  # slopes and their tests are those of the Firth fit
        assert found.loglik == pytest.approx(reference.loglik, abs=TOLERANCE)
        assert found.pvalues[1:] == pytest.approx(reference.pvalues[1:], abs=TOLERANCE)
    link = reference.X @ known.coef
    limits = np.column_stack([link - Z * known.link_se, link + Z * known.link_se])
    assert found.predict_interval(reference.X) == pytest.approx(1 / (1 + np.exp(-limits)), abs=TOLERANCE)


@each_reference
def test_flic_and_flac_predict_the_observed_rate_and_firth_does_not(reference: Reference) -> None:
    rate = reference.y.mean()
    for method in ("flic", "flac"):
        assert fit(reference.X, reference.y, method=method).predict(reference.X).mean() == pytest.approx(rate, abs=1e-9)
    firth = fit(reference.X, reference.y).predict(reference.X).mean()
    if abs(rate - 0.5) > 0.1:  # nearer to one half there is little to draw, and data may draw the other way
        assert abs(firth - 0.5) < abs(rate - 0.5) - 1e-4


def test_flics_intercept_has_walds_interval_and_test() -> None:
    X, y = ordinary_sets(31, 1)[0]
    found = fit(X, y, method="flic", alpha=0.1)
    se = math.sqrt(found.cov[0, 0])
    assert found.ci[0] == pytest.approx(found.coef[0] + np.array([-1, 1]) * stats.norm.ppf(0.95) * se)
    assert found.pvalues[0] == pytest.approx(2 * stats.norm.sf(abs(found.coef[0]) / se))
    assert found.ci[1:] == pytest.approx(fit(X, y, alpha=0.1).ci[1:])


@each_method
def test_a_patient_counted_twice_is_a_weight_of_two(method: Method) -> None:
    X, y = ordinary_sets(32, 1)[0]
    weights = np.random.default_rng(1).integers(0, 4, len(y)).astype(float)
    copies = np.repeat(np.arange(len(y)), weights.astype(int))
    offset = np.linspace(-0.5, 0.5, len(y))
    weighted = fit(X, y, method=method, weights=weights, offset=offset)
    repeated = fit(X[copies], y[copies], method=method, offset=offset[copies])
    assert weighted.coef == pytest.approx(repeated.coef, abs=1e-8)
    np.testing.assert_allclose(weighted.cov, repeated.cov, rtol=1e-7)
    assert weighted.loglik == pytest.approx(repeated.loglik, abs=1e-9)
    assert weighted.pvalues == pytest.approx(repeated.pvalues, abs=1e-8)
    assert weighted.ci == pytest.approx(repeated.ci, abs=1e-6)
    # A row's leverage is that of all its copies; a row of weight zero has none.
    summed = np.bincount(copies, weights=repeated.hat, minlength=len(y))
    assert weighted.hat == pytest.approx(summed, abs=1e-8)


@each_method
def test_an_offset_along_a_column_moves_only_its_coefficient(method: Method) -> None:
    X, y = ordinary_sets(33, 1)[0]
    plain, moved = fit(X, y, method=method), fit(X, y, method=method, offset=0.7 * X[:, 1] - 0.2)
    shift = np.array([-0.2, 0.7, 0.0])
    assert moved.coef == pytest.approx(plain.coef - shift, abs=1e-8)
    assert moved.ci == pytest.approx(plain.ci - shift[:, None], abs=1e-6)
    rows, offset = X[:5], 0.7 * X[:5, 1] - 0.2
    assert moved.predict(rows, offset) == pytest.approx(plain.predict(rows), abs=1e-9)
    assert moved.predict_interval(rows, offset) == pytest.approx(plain.predict_interval(rows), abs=1e-9)


@given(st.integers(0, 10_000), st.sampled_from(METHODS), st.sampled_from([0.01, 0.05, 0.5]))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_intervals_hold_their_estimates_and_stay_within_bounds(seed: int, method: Method, alpha: float) -> None:
    for X, y in ordinary_sets(seed, 1):
        found = fit(X, y, method=method, alpha=alpha)
        assert (found.ci[:, 0] < found.coef).all()
        assert (found.ci[:, 1] > found.coef).all()
        interval, predicted = found.predict_interval(X), found.predict(X)
        assert (interval[:, 0] > 0).all()
        assert (interval[:, 1] < 1).all()
        assert ((interval[:, 0] < predicted) & (predicted < interval[:, 1])).all()


@given(st.integers(0, 10_000), st.sampled_from(METHODS))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_a_limit_is_where_the_test_just_rejects(seed: int, method: Method) -> None:
    """Shifted by its own limit, a coefficient's p value is alpha."""
    for X, y in ordinary_sets(seed, 1):
        limits = fit(X, y, method=method).ci
        for j, side in itertools.product((1, 2), (0, 1)):
            at_limit = fit(X, y, method=method, offset=limits[j, side] * X[:, j])
            assert at_limit.pvalues[j] == pytest.approx(0.05, abs=1e-6)


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_separation_is_what_brute_force_finds(seed: int) -> None:
    """Six patients with whole-number covariates: every plane through the origin of a fine fan is tried."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(6), rng.integers(0, 4, 6), rng.integers(0, 2, 6)]).astype(float)
    y = (rng.random(6) < 0.5).astype(float)
    if np.ptp(y) == 0 or np.linalg.matrix_rank(X) < 3:
        return
    # The normals of planes through pairs of patients, their sums, and single axes hold every extreme direction.
    crosses = [np.cross(X[a], X[b]) for a, b in itertools.combinations(range(6), 2)]
    axes = [*crosses, *(-c for c in crosses), *np.eye(3), *-np.eye(3)]
    axes += [a + b for a, b in itertools.combinations(axes, 2)]
    signed = np.where(y > 0.5, 1.0, -1.0)[:, None] * X
    margins = np.array(axes) @ signed.T
    expected = bool(((margins >= -1e-9).all(axis=1) & (margins.max(axis=1) > 1e-9)).any())
    assert fit(X, y).separation is expected


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"method": "FLIC"}, "method must be one of firth, flic, flac"),
        ({"alpha": 0.0}, "alpha must lie strictly between 0 and 1"),
        ({"alpha": math.nan}, "alpha must lie strictly between 0 and 1"),
        ({"weights": [1, 1, 1]}, r"weights must be \(4,\).*got \(3,\)"),
        ({"weights": [1, 1, 1, -1]}, "weights must be zero or more"),
        ({"weights": [0, 0, 0, 0]}, "weights must not all be zero"),
        ({"weights": [1, 1, 1, math.inf]}, "weights must be finite"),
        ({"weights": [1, 0, 1, 0]}, "y is constant: all 2 rows are 0"),
        ({"offset": [0, 0, 0, math.nan]}, "offset must be finite"),
        ({"offset": [[0, 0, 0, 0]]}, r"offset must be \(4,\)"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(arguments: dict[str, object], says: str) -> None:
    with pytest.raises(FirthError, match=says):
        fit(np.ones((4, 1)), [0, 1, 0, 1], **arguments)  # type: ignore[arg-type]  # wrong data on purpose


@pytest.mark.parametrize("method", ["flic", "flac"])
def test_flic_and_flac_ask_for_an_intercept(method: Method) -> None:
    X = [[0.3], [-1.0], [0.5], [2.0]]
    assert fit(X, [0, 1, 0, 1]).converged
    with pytest.raises(FirthError, match="X needs an intercept column"):
        fit(X, [0, 1, 0, 1], method=method)


def test_predictions_ask_for_the_fitted_columns() -> None:
    found = fit([[1, 0], [1, 1], [1, 2], [1, 3]], [0, 1, 0, 1])
    with pytest.raises(FirthError, match=r"X must be \(m, 2\).*got \(1, 3\)"):
        found.predict([[1, 2, 3]])
    with pytest.raises(FirthError, match="X must be finite"):
        found.predict_interval([[1, math.nan]])
    with pytest.raises(FirthError, match=r"offset must be \(1,\)"):
        found.predict([[1, 2]], [1, 2])


def test_what_did_not_converge_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from knowledge.penalised import ascent, solution

    X, y = ordinary_sets(34, 1)[0]

    def few_steps(*arguments: object, **named: object) -> ascent.Maximum:
        return ascent.maximise(*arguments, **{**named, "max_iterations": 2})  # type: ignore[arg-type]

    monkeypatch.setattr(solution, "maximise", few_steps)
    with pytest.raises(FirthError, match="did not converge"):
        fit(X, y)
