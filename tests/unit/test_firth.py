"""Firth regression against 60-digit solutions, closed forms, another implementation, and its own batch form."""

from __future__ import annotations

import math

import numpy as np
import pytest
from firthmodels import FirthLogisticRegression
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from knowledge.firth import FirthError, Method, fit, fit_grouped, fit_many
from knowledge.penalised.grouped import group_binary
from tests.support.engine_firth import Reference, ordinary_sets, random_sets, references

REFERENCES = references()
TOLERANCE = 1e-7  # the reference holds more digits; double precision in ten coefficients does not
CHI2_5_PERCENT = 3.841459

each_reference = pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: reference.name)


def test_the_reference_holds_fourteen_sets_some_separated() -> None:
    assert len(REFERENCES) == 14
    assert sum(1 for reference in REFERENCES if np.abs(reference.coef).max() > 4) >= 4


@each_reference
def test_agrees_with_the_reference(reference: Reference) -> None:
    found = fit(reference.X, reference.y)
    assert found.converged
    assert found.coef == pytest.approx(reference.coef, abs=TOLERANCE)
    assert found.loglik == pytest.approx(reference.loglik, abs=TOLERANCE)
    assert found.lr == pytest.approx(reference.chi2, abs=TOLERANCE)
    assert found.pvalues == pytest.approx(reference.pvalues, abs=TOLERANCE)
    assert found.hat == pytest.approx(reference.hat, abs=TOLERANCE)
    assert found.predict(reference.X) == pytest.approx(reference.predicted, abs=TOLERANCE)
    np.testing.assert_allclose(found.ci, reference.ci, rtol=1e-7, atol=TOLERANCE)
    assert found.separation is reference.separation
    assert not found.several_maxima
    # Variances run up to 200 on separated data, hence relative.
    np.testing.assert_allclose(found.cov, reference.cov, rtol=TOLERANCE, atol=TOLERANCE)


@each_reference
def test_holding_a_coefficient_is_the_references_profile_test(reference: Reference) -> None:
    columns, y = np.ascontiguousarray(reference.X.T)[:, None, :], reference.y[None, :]
    full = fit_many(columns, y, tolerance=1e-11)
    for j in range(reference.X.shape[1]):
        held = fit_many(columns, y, hold=j, tolerance=1e-11)
        assert held.coef[0, j] == 0.0
        assert 2 * (full.loglik[0] - held.loglik[0]) == pytest.approx(reference.chi2[j], abs=TOLERANCE)


@pytest.mark.parametrize(("events", "n"), [(1, 5), (3, 8), (7, 8), (1, 2)])
def test_intercept_alone_has_a_closed_form(events: int, n: int) -> None:
    """Jeffreys' prior adds half an event and half a non-event."""
    found = fit(np.ones((n, 1)), np.arange(n) < events)
    assert found.coef[0] == pytest.approx(math.log((events + 0.5) / (n - events + 0.5)), abs=1e-10)


def test_two_by_two_has_a_closed_form() -> None:
    """Half a patient more in each cell: log of (9.5 x 7.5) / (3.5 x 2.5), Haldane's and Anscombe's odds ratio."""
    x = np.repeat([1, 1, 0, 0], [9, 3, 2, 7])
    y = np.repeat([1, 0, 1, 0], [9, 3, 2, 7])
    assert fit(np.column_stack([np.ones(21), x]), y).coef[1] == pytest.approx(math.log(9.5 * 7.5 / (3.5 * 2.5)))


@pytest.mark.parametrize("events", [1, 2])
def test_patients_alone_with_their_finding_are_fitted(events: int) -> None:
    """One diabetic among 30 has leverage one; plain scoring would swing about the optimum for ever."""
    x = np.r_[1.0, np.zeros(29)]
    y = np.r_[1.0, np.ones(events), np.zeros(29 - events)]
    found = fit(np.column_stack([np.ones(30), x]), y)
    odds_ratio = (1.5 / 0.5) / ((events + 0.5) / (29 - events + 0.5))
    assert found.coef[1] == pytest.approx(math.log(odds_ratio), abs=1e-9)
    assert found.hat[0] == pytest.approx(1.0)


def test_a_lone_extreme_value_is_fitted() -> None:
    """LDH of one patient far above the others slows scoring to a crawl, not to a stop."""
    failures = 0
    rng = np.random.default_rng(4)
    for _ in range(40):
        ratio = np.r_[rng.lognormal(0.0, 0.5, 29), 30.0]
        y = rng.random(30) < 0.5
        try:
            fit(np.column_stack([np.ones(30), ratio]), y)
        except FirthError:
            failures += 1
    assert failures == 0


@given(st.integers(0, 10_000), st.sampled_from([1e-4, 0.01, 7.0, 480.0, 1e5]))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_units_of_a_covariate_change_nothing_but_its_coefficient(seed: int, unit: float) -> None:
    columns, y = random_sets(seed, 1)
    design = columns[:, 0].T
    scaled = design * [1.0, unit, 1.0]
    plain, other = fit(design, y[0]), fit(scaled, y[0])
    np.testing.assert_allclose(other.coef * [1.0, unit, 1.0], plain.coef, rtol=1e-7, atol=1e-8)
    assert other.pvalues == pytest.approx(plain.pvalues, abs=1e-8)
    assert other.hat == pytest.approx(plain.hat, abs=1e-8)
    # The penalty is half the log determinant of X'WX, which grows by the log of the unit.
    assert other.loglik == pytest.approx(plain.loglik + math.log(unit), abs=1e-8)


@given(st.integers(0, 10_000), st.sampled_from([(-40.0, -30.0), (2020.0, 2.5), (20_000.0, 0.0)]))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_the_origin_of_a_covariate_changes_nothing_but_the_intercept(seed: int, change: tuple[float, float]) -> None:
    """A calendar year is nearly parallel to the intercept; one column may also hold a share of another."""
    for X, y in ordinary_sets(seed, 1):
        origin, mixed = change
        moved = X @ np.array([[1.0, origin, 0.0], [0.0, 1.0, mixed], [0.0, 0.0, 1.0]])
        plain, other = fit(X, y), fit(moved, y)
        if plain.several_maxima:
            continue
        # Column 2 of the moved design is its own old self and a share of column 1.
        assert other.coef[2] == pytest.approx(plain.coef[2], abs=1e-7)
        assert other.loglik == pytest.approx(plain.loglik, abs=1e-8)
        assert other.pvalues[2] == pytest.approx(plain.pvalues[2], abs=1e-7)
        np.testing.assert_allclose(other.ci[2], plain.ci[2], rtol=1e-5, atol=1e-6)
        assert other.hat == pytest.approx(plain.hat, abs=1e-7)
        assert other.predict(moved) == pytest.approx(plain.predict(X), abs=1e-7)
        assert other.predict_interval(moved) == pytest.approx(plain.predict_interval(X), abs=1e-6)


@pytest.mark.parametrize("method", ["firth", "flic", "flac"])
def test_powers_of_an_age_are_fitted(method: Method) -> None:
    """Full rank, yet conditioned so badly as given that steps in it would never arrive."""
    rng = np.random.default_rng(2)
    age = rng.normal(65, 9, 30)
    y = (rng.random(30) < 1 / (1 + np.exp(-(age - 65) / 9))).astype(float)
    raw = np.column_stack([np.ones(30), age, age**2, age**3])
    centred = np.column_stack([np.ones(30), *(((age - 65) / 9) ** power for power in (1, 2, 3))])
    found, easy = fit(raw, y, method=method), fit(centred, y, method=method)
    assert found.predict(raw) == pytest.approx(easy.predict(centred), abs=1e-6)
    assert found.pvalues[3] == pytest.approx(easy.pvalues[3], abs=1e-6)  # the highest power is tested alike
    assert found.ci[3] * 9**3 == pytest.approx(easy.ci[3], rel=1e-4)


def test_agrees_with_another_implementation_on_ordinary_data() -> None:
    columns, outcomes = random_sets(17, 40)
    compared = 0
    for b in range(outcomes.shape[0]):
        design, y = columns[:, b].T, outcomes[b]
        ours = fit(design, y)
        if np.abs(ours.coef).max() > 4:  # leave out what is nearly separated
            continue
        theirs = FirthLogisticRegression(max_iter=500, gtol=1e-5, xtol=1e-5).fit(design[:, 1:], y)
        assert [theirs.intercept_, *theirs.coef_] == pytest.approx(ours.coef, abs=1e-4)
        assert theirs.loglik_ == pytest.approx(ours.loglik, abs=1e-5)
        theirs.lrt()
        assert np.roll(theirs.lrt_pvalues_, 1) == pytest.approx(ours.pvalues, abs=1e-4)
        compared += 1
    assert compared >= 25


def test_many_at_once_equal_one_by_one() -> None:
    columns, y = random_sets(12, 40)
    batch = fit_many(columns, y, tolerance=1e-11)
    assert batch.converged.all()
    for b in range(len(y)):
        alone = fit(columns[:, b].T, y[b])
        assert batch.coef[b] == pytest.approx(alone.coef, abs=1e-9)
        assert batch.loglik[b] == pytest.approx(alone.loglik, abs=1e-11)


def test_singular_sets_do_not_converge_and_leave_the_others_alone() -> None:
    columns, y = random_sets(13, 6)
    columns[2, 1] = 0.0  # nobody has the finding
    columns[2, 3] = 1.0  # everybody has
    columns[1, 4] = columns[2, 4]  # one covariate twice
    batch = fit_many(columns, y)
    assert batch.converged.tolist() == [True, False, True, False, False, True]
    assert not batch.exceeded.any()
    assert np.isnan(batch.coef[[1, 3, 4]]).all()
    kept = fit_many(columns[:, [0, 2, 5]], y[[0, 2, 5]])
    np.testing.assert_array_equal(batch.coef[[0, 2, 5]], kept.coef)


def test_grouped_data_equal_patient_data() -> None:
    rng = np.random.default_rng(14)
    x = tuple(rng.random((40, 30)) < share for share in (0.3, 0.5))
    y = (rng.random((40, 30)) < 0.4).astype(float)
    design, events, trials = group_binary(x, y)
    grouped = fit_many(design, events, trials, tolerance=1e-11)
    single = fit_many(np.stack([np.ones((40, 30)), *(present.astype(float) for present in x)]), y, tolerance=1e-11)
    assert grouped.converged.all()
    assert grouped.coef == pytest.approx(single.coef, abs=1e-9)
    assert grouped.loglik == pytest.approx(single.loglik, abs=1e-11)


def test_equal_tables_are_fitted_once_with_the_same_result() -> None:
    rng = np.random.default_rng(18)
    x = tuple(rng.random((500, 8)) < 0.4 for _ in range(2))
    y = (rng.random((500, 8)) < 0.5).astype(float)
    _, events, trials = group_binary(x, y)
    distinct = len({(*e, *t) for e, t in zip(events, trials, strict=True)})
    assert distinct < 450  # some come more than once
    grouped = fit_grouped(x, y, tolerance=1e-11)
    single = fit_many(np.stack([np.ones((500, 8)), *(present.astype(float) for present in x)]), y, tolerance=1e-11)
    np.testing.assert_array_equal(grouped.converged, single.converged)
    assert grouped.coef[grouped.converged] == pytest.approx(single.coef[grouped.converged], abs=1e-9)
    assert grouped.loglik[grouped.converged] == pytest.approx(single.loglik[grouped.converged], abs=1e-11)
    assert np.isnan(grouped.coef[~grouped.converged]).all()


@pytest.mark.parametrize("j", [1, 2])
def test_stopping_early_never_changes_a_decision(j: int) -> None:
    columns, y = random_sets(15, 800)
    full = fit_many(columns, y)
    plain = fit_many(columns, y, hold=j, tolerance=1e-11)
    significant = 2 * (full.loglik - plain.loglik) >= CHI2_5_PERCENT
    bound = full.loglik - CHI2_5_PERCENT / 2
    stopped = fit_many(columns, y, hold=j, start=full.coef, stop_above=bound)
    decided = stopped.converged & ~stopped.exceeded & (stopped.loglik <= bound)
    np.testing.assert_array_equal(decided, significant)
    assert 100 < significant.sum() < 700
    assert stopped.exceeded.sum() > 100  # it did stop, and only the insignificant
    assert not significant[stopped.exceeded].any()


@pytest.mark.parametrize("margin", [-1e-8, 1e-8])
def test_stopping_early_decides_rightly_at_the_very_threshold(margin: float) -> None:
    columns, y = random_sets(16, 200)
    full = fit_many(columns, y, tolerance=1e-11)
    plain = fit_many(columns, y, hold=1, tolerance=1e-11)
    bound = plain.loglik + margin  # every set's ratio lies this close to its own threshold
    stopped = fit_many(columns, y, hold=1, start=full.coef, stop_above=bound)
    decided = stopped.converged & ~stopped.exceeded & (stopped.loglik <= bound)
    assert decided.all() if margin > 0 else not decided.any()


@given(st.integers(0, 100_000))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_estimates_are_finite_and_pvalues_are_those_of_the_ratio(seed: int) -> None:
    columns, y = random_sets(seed, 1, n=12)  # few patients: many sets are separated
    design = columns[:, 0].T
    if np.ptp(y[0]) == 0 or np.linalg.matrix_rank(design) < 3:  # nobody has the finding, or everybody
        with pytest.raises(FirthError, match=r"constant|full column rank"):
            fit(design, y[0])
        return
    found = fit(design, y[0])
    assert np.isfinite(found.coef).all()
    assert found.pvalues == pytest.approx(stats.chi2.sf(found.lr, 1), abs=1e-12)
    assert found.hat.sum() == pytest.approx(3.0)  # leverages sum to the number of coefficients
    assert np.linalg.eigvalsh(found.cov).min() > 0


ONES = np.ones((4, 1))


@pytest.mark.parametrize(
    ("X", "y", "says"),
    [
        (np.ones(4), [0, 1, 0, 1], r"X must be \(n, k\).*got \(4,\) and \(4,\)"),
        (ONES, [0, 1, 0], r"got \(4, 1\) and \(3,\)"),
        (ONES, [[0], [1], [0], [1]], r"got \(4, 1\) and \(4, 1\)"),
        (np.ones((0, 2)), [], "neither empty"),
        (np.ones((4, 0)), [0, 1, 0, 1], "neither empty"),
        ([[1.0], [math.nan], [1.0], [1.0]], [0, 1, 0, 1], "must be finite"),
        ([[1.0], [math.inf], [1.0], [1.0]], [0, 1, 0, 1], "must be finite"),
        (ONES, [0, math.nan, 0, 1], "must be finite"),
        (ONES, [0, 2, 0, 1], "only 0 and 1"),
        (ONES, [0, 0.5, 0, 1], "only 0 and 1"),
        (ONES, [0, -1, 0, 1], "only 0 and 1"),
        (ONES, [0, 0, 0, 0], "y is constant: all 4 rows are 0"),
        (ONES, [1, 1, 1, 1], "y is constant: all 4 rows are 1"),
        ([[1, 2], [1]], [0, 1], "numbers in rows of equal length"),
        ([["a"], ["b"]], [0, 1], "X must hold numbers"),
        ([[1j], [1]], [0, 1], "X must hold real numbers"),
        (np.ones((4, 2)), [0, 1, 0, 1], "full column rank"),
        ([[1, 1, 2], [1, 0, 1], [1, 1, 2], [1, 0, 1]], [0, 1, 0, 1], "full column rank"),
        (np.eye(2, 3), [0, 1], "full column rank"),
    ],
)
def test_what_cannot_be_fitted_is_refused_with_the_reason(X: object, y: object, says: str) -> None:
    with pytest.raises(FirthError, match=says):
        fit(X, y)  # type: ignore[arg-type]  # wrong data on purpose
