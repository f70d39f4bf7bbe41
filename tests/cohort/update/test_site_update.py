"""A site model: what it learns, what it refuses, what its file says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from knowledge.assessment import Outcome
from knowledge.cohort.record import CohortRow
from knowledge.cohort.update.expected import calibration, intercept, surprise
from knowledge.cohort.update.likelihood import icans_probabilities, log_likelihood
from knowledge.cohort.update.patients import site_patients
from knowledge.cohort.update.redraw import LEVELS, levels, unfolded
from knowledge.cohort.update.report import update_report
from knowledge.cohort.update.site import SEED, SiteUpdate, TooManyError, UpdateError, update
from knowledge.cohort.update.weighing import LEAST_EFFECTIVE, weigh
from knowledge.engine import assess
from knowledge.factors import LdhMultiple, PatientFactors, Presence
from knowledge.logistic import expit
from knowledge.model import Draws, decode, load
from knowledge.spread import interval_sources
from tests.support.centre import Truth, simulated_centre
from tests.support.own_centres import own_centre, patients_of, small

SHIPPED = load()
HASH = "0123456789abcdef" * 4
HIGH_RATE = Truth(crs=1.0, icans=-2.2)  # the model expects about 0 and -1.2
PATIENT = PatientFactors(
    ldh=LdhMultiple(multiple=1.9),
    liver_metastases=Presence.YES,
    diabetes=Presence.NO,
    cardiovascular_disease=Presence.NO,
)


@pytest.fixture(scope="module")
def updated() -> SiteUpdate:
    rows = simulated_centre(100, 5, HIGH_RATE, prophylaxis=0.2, missing=0.1)
    return update(SHIPPED, rows, HASH)


def test_a_centre_with_another_rate_is_recovered_on_new_patients(updated: SiteUpdate) -> None:
    new = site_patients(simulated_centre(2_000, 6, HIGH_RATE))
    before = {each.outcome: each.intercept for each in calibration(SHIPPED, new)}
    after = {each.outcome: each.intercept for each in calibration(updated.model, new)}
    crs, icans = Outcome.CRS_ANY, Outcome.ICANS_ANY
    assert before[crs] is not None
    assert before[icans] is not None
    assert before[crs] > 0.7
    assert before[icans] < -0.7
    for outcome in (crs, icans):
        assert abs(after[outcome] or 0.0) < 0.5 * abs(before[outcome] or 0.0)
    assert abs(after[crs] or 9.0) < 0.3


def test_the_centre_known_better_makes_intervals_narrower(updated: SiteUpdate) -> None:
    before, after = assess(PATIENT), assess(PATIENT, updated.model)
    for outcome in (Outcome.CRS_ANY, Outcome.ICANS_ANY):
        width = [each.risk_of(outcome).interval[1] - each.risk_of(outcome).interval[0] for each in (before, after)]
        assert width[1] < width[0]
    assert after.model.id == "facts-2+site-01234567"
    assert after.model != before.model
    shares = [interval_sources(PATIENT, model)[0].centre for model in (SHIPPED, updated.model)]
    assert shares[1] < shares[0]


@pytest.mark.parametrize("multiple", [None, 0.5, 1.0, 1.05, 5.0])
@pytest.mark.parametrize("presence", list(Presence))
def test_a_site_models_answers_keep_the_laws(updated: SiteUpdate, multiple: float | None, presence: Presence) -> None:
    answer = assess(
        PatientFactors(
            ldh=None if multiple is None else LdhMultiple(multiple=multiple),
            liver_metastases=presence,
            diabetes=presence,
            cardiovascular_disease=presence,
        ),
        updated.model,
    )
    for each in answer.outcomes:
        assert 0.0 < each.interval[0] < each.risk < each.interval[1] < 1.0
        assert 0.0 < each.interval_study_centre[0] < each.risk_study_centre < each.interval_study_centre[1] < 1.0
        assert all(0.0 < risk < 1.0 for risk in each.risk_by_prior)
    some, severe = answer.outcomes[:2]
    assert severe.risk <= some.risk
    assert severe.interval[0] <= some.interval[0]
    assert severe.interval[1] <= some.interval[1]
    for split in interval_sources(answer.factors, updated.model):
        assert split.study + split.centre + split.findings == pytest.approx(1.0)


def test_the_level_is_that_of_a_sum_over_all_levels(updated: SiteUpdate) -> None:
    """Sixteen drawn levels against Gauss and Hermite's 41 exact ones of every draw."""
    node, share = np.polynomial.hermite_e.hermegauss(41)
    for weighed in updated.weighed:
        draws = SHIPPED.draws(weighed.pool)
        level = draws["mu"] + draws["t"] * node[:, None]
        fit = log_likelihood(weighed.pool, updated.patients, draws, level, SHIPPED.spec.ldh_hold)
        weight = np.exp(fit - fit.max()) * share[:, None] * draws.weight
        weight /= weight.sum()
        mean = (level * weight).sum()
        found = (weighed.level * weighed.weight).sum()
        assert found == pytest.approx(mean, abs=0.03)
        spread = np.sqrt(((level - mean) ** 2 * weight).sum())
        assert np.sqrt(((weighed.level - found) ** 2 * weighed.weight).sum()) == pytest.approx(spread, rel=0.06)


def test_the_draws_keep_the_form_of_a_model(updated: SiteUpdate) -> None:
    for pool in ("crs", "icans"):
        draws, parent = updated.model.draws(pool), SHIPPED.draws(pool)
        assert draws.names == parent.names
        assert draws.weight.sum() == pytest.approx(1.0)
        assert (draws.weight > 0).all()
        assert (np.diff(draws.tau) >= 0).all()
        assert len(draws.tau_slices) == len(SHIPPED.spec.taus(pool))
        assert all(part.stop > part.start for part in draws.tau_slices)
        assert len(draws.weight) <= 1.3 * 14_000
        weighed = next(each for each in updated.weighed if each.pool == pool)
        for at, part in enumerate(draws.tau_slices):
            exact = weighed.weight[:, weighed.draws.tau_slices[at]].sum()
            assert draws.weight[part].sum() == pytest.approx(exact)
        assert (draws["a_new"] * draws.weight).sum() == pytest.approx((weighed.level * weighed.weight).sum(), abs=0.01)


def test_the_file_says_where_it_comes_from_and_is_the_same_each_time(updated: SiteUpdate) -> None:
    origin = updated.origin
    assert (origin.parent_id, origin.parent_sha256) == (SHIPPED.version.id, SHIPPED.version.sha256)
    assert origin.data_sha256 == HASH
    assert origin.simulated
    rows = simulated_centre(100, 5, HIGH_RATE, prophylaxis=0.2, missing=0.1)
    without = [row for row in rows if row.tocilizumab_prophylaxis is Presence.NO]
    assert (origin.patients, origin.with_prophylaxis) == (100, 100 - len(without))
    assert origin.crs_events == sum(bool(row.had(Outcome.CRS_ANY)) for row in without)
    assert origin.crs_grade2plus_events == sum(bool(row.had(Outcome.CRS_GRADE2PLUS)) for row in without)
    assert origin.icans_events == sum(bool(row.had(Outcome.ICANS_ANY)) for row in without)
    assert decode(updated.data).site == origin
    assert update(SHIPPED, reversed(rows), HASH).data == updated.data
    figures = updated.model.content.diagnostics["crs"]
    assert isinstance(figures, dict)
    assert figures["effective_size"] == origin.effective_crs
    assert figures["parameters"]["a_new"]["posterior"]["mean"] > 0.5
    assert sum(figures["coding_share"].values()) == pytest.approx(1.0)


def test_a_site_model_is_never_updated_again(updated: SiteUpdate) -> None:
    with pytest.raises(UpdateError, match="count them twice"):
        update(updated.model, simulated_centre(20, 1), HASH)


def test_nobody_who_can_enter_is_no_update() -> None:
    given = [row.model_copy(update={"tocilizumab_prophylaxis": Presence.YES}) for row in simulated_centre(5, 1)]
    unknown = [CohortRow(tocilizumab_prophylaxis=Presence.NO)]
    for rows in ([], given, unknown):
        with pytest.raises(UpdateError, match="none is known to have had no tocilizumab prophylaxis"):
            update(SHIPPED, rows, HASH)


def test_an_outcome_nobody_has_leaves_its_pool_as_it_was() -> None:
    rows = [row.model_copy(update={"icans_grade": None}) for row in simulated_centre(12, 1)]
    made = update(SHIPPED, rows, HASH)
    assert made.origin.icans_patients == 0
    assert made.origin.khat_icans is None
    assert made.origin.icans_unknown == 12
    np.testing.assert_array_equal(made.model.draws("icans").matrix, SHIPPED.draws("icans").matrix)
    assert assess(PATIENT, made.model).risk_of(Outcome.ICANS_ANY) == assess(PATIENT).risk_of(Outcome.ICANS_ANY)


def test_more_patients_than_the_draws_bear_are_refused_with_how_many_would_do() -> None:
    parent = small(SHIPPED, 8)
    rows = simulated_centre(300, 5, HIGH_RATE)
    with pytest.raises(TooManyError, match=r"tarla model build --draws 240000 --keep 240000") as refused:
        update(parent, rows, HASH)
    most = refused.value.most["crs"]
    assert 0 < most < 300
    assert f"the first {most} by day of dose, {300 - most} fewer" in str(refused.value)
    assert weigh(parent, "crs", site_patients(rows[:most]), SEED).bears
    assert not weigh(parent, "crs", site_patients(rows[: most + 1]), SEED).bears


def test_a_refusal_says_what_order_it_counted_in() -> None:
    rows = [row.model_copy(update={"dose_day": None}) for row in simulated_centre(300, 5, HIGH_RATE)]
    with pytest.raises(TooManyError, match="by day of dose, then, where it is not known, by place in the file, "):
        update(small(SHIPPED, 8), rows, HASH)


def test_patients_written_twice_are_told() -> None:
    rows = simulated_centre(12, 5)
    assert update_report(update(SHIPPED, [*rows, rows[3]], HASH), "0").remarks[0].startswith("1 patient is the same as")
    assert not any("the same as" in each for each in update_report(update(SHIPPED, rows, HASH), "0").remarks)


def test_draws_too_few_to_begin_with_bear_nobody() -> None:
    with pytest.raises(TooManyError, match=f"less than {LEAST_EFFECTIVE:.0f}\\).* They would not bear a single one"):
        update(small(SHIPPED, 100), simulated_centre(3, 2), HASH)


def test_levels_are_the_centres_own_distribution_and_copies_weigh_the_same() -> None:
    draws = SHIPPED.draws("crs")
    single = unfolded(draws)
    assert len(single.weight) > len(draws.weight)
    for part in single.tau_slices:
        np.testing.assert_allclose(single.weight[part], single.weight[part][0])
    for name in ("b_ldh", "a_new"):
        assert (single[name] * single.weight).sum() == pytest.approx((draws[name] * draws.weight).sum())
    drawn = levels(draws, np.random.default_rng(1))
    assert drawn.shape == (LEVELS, len(draws.weight))
    off = (drawn[1:] - draws["mu"]) / draws["t"]
    assert off.mean() == pytest.approx(0.0, abs=0.01)
    assert off.std() == pytest.approx(1.0, abs=0.01)
    uneven = replace(draws, weight=np.random.default_rng(2).dirichlet(np.ones(len(draws.weight))))
    assert unfolded(uneven) is uneven


def test_the_level_follows_a_grid_where_nothing_else_is_unknown() -> None:
    """Effects fixed at zero and severity known: the posterior of mu + t e is a one-dimensional integral."""
    size, mean, spread = 3_000, -0.4, 0.6
    draws = SHIPPED.draws("icans")
    matrix = np.tile(draws.matrix[:, :1], (1, size))
    rng = np.random.default_rng(4)
    fixed = {"b_diabetes": 0.0, "b_cvd": 0.0, "mu": mean, "t": spread}
    for name, value in fixed.items():
        matrix[draws.names.index(name)] = value
    matrix[draws.names.index("a_new")] = mean + spread * rng.standard_normal(size)
    zeros = np.zeros(size, dtype=np.int64)
    flat = Draws(draws.names, matrix, np.full(size, 1.0 / size), zeros, zeros)
    parent = replace(SHIPPED, content=replace(SHIPPED.content, icans=flat))
    row = CohortRow(tocilizumab_prophylaxis=Presence.NO, icans_grade=0)
    rows = [row.model_copy(update={"icans_grade": int(at < 12)}) for at in range(40)]
    found = weigh(parent, "icans", site_patients(rows), SEED)

    grid = np.linspace(mean - 8 * spread, mean + 8 * spread, 20_001)
    density = np.exp(-0.5 * ((grid - mean) / spread) ** 2 + 12 * grid - 40 * np.log1p(np.exp(grid)))
    density /= density.sum()
    exact = (grid * density).sum()
    sd = np.sqrt(((grid - exact) ** 2 * density).sum())
    level, weight = found.level.ravel(), found.weight.ravel()
    assert (level * weight).sum() == pytest.approx(exact, abs=0.01)
    assert np.sqrt(((level - exact) ** 2 * weight).sum()) == pytest.approx(sd, abs=0.01)
    for limit in (0.025, 0.5, 0.975):
        true = grid[np.searchsorted(np.cumsum(density), limit)]
        assert weight[level <= true].sum() == pytest.approx(limit, abs=0.01)
    assert found.khat < 0.3


def test_intervals_cover_where_the_models_own_draws_are_the_truth() -> None:
    """A short form of benchmarks/site_coverage.py: 30 centres of 40 patients, whose truths are draws left out."""
    rng = np.random.default_rng(7)
    parent = small(SHIPPED, 4)
    covered = {"crs": 0, "icans": 0}
    for _ in range(30):
        centre = own_centre(parent, 40, rng)
        for pool, times in covered.items():
            found = weigh(centre.model, pool, site_patients(centre.rows), SEED)
            below = found.weight[found.level <= centre.truth[pool]["a_new"]].sum()
            covered[pool] = times + int(0.025 < below < 0.975)
    # Of 30 intervals of 95 %, fewer than 25 would cover once in 200 tries.
    assert min(covered.values()) >= 25


def test_an_outlying_centre_is_surprising_and_a_centre_of_the_model_is_not() -> None:
    far = site_patients(simulated_centre(60, 3, Truth(crs=3.0, icans=0.5)))
    assert {each.outcome: each.p < 0.05 for each in surprise(SHIPPED, far, SEED)}[Outcome.CRS_ANY]
    near = site_patients(simulated_centre(60, 3))
    for each in surprise(SHIPPED, near, SEED):
        assert each.p > 0.05
        assert each.low <= each.observed <= each.high
    assert surprise(SHIPPED, near, SEED) == surprise(SHIPPED, near, SEED)


def test_the_p_values_of_the_models_own_centres_are_spread_evenly() -> None:
    rng = np.random.default_rng(8)
    parent, values = small(SHIPPED, 10), []
    for _ in range(40):
        centre = own_centre(parent, 12, rng)
        values += [each.p for each in surprise(parent, site_patients(centre.rows), SEED)]
    assert np.mean(np.array(values) < 0.5) == pytest.approx(0.5, abs=0.15)
    assert np.mean(np.array(values) < 0.05) < 0.12


def test_calibration_in_the_large_is_the_shift_that_gives_the_observed_number() -> None:
    risks, sizes = np.array([0.2, 0.5, 0.9]), np.array([10.0, 20.0, 5.0])
    found = intercept(np.array([4.0, 12.0, 5.0]), sizes, risks)
    assert found is not None
    assert (sizes * expit(np.log(risks / (1 - risks)) + found[0])).sum() == pytest.approx(21.0)
    assert intercept(np.zeros(3), sizes, risks) is None
    assert intercept(sizes, sizes, risks) is None


def test_the_shift_is_statsmodels() -> None:
    import statsmodels.api as sm

    risks = np.array([0.1, 0.3, 0.6, 0.8])
    events = np.array([2.0, 7.0, 9.0, 10.0])
    sizes = np.array([12.0, 15.0, 13.0, 11.0])
    data = np.column_stack([events, sizes - events])
    fit = sm.GLM(data, np.ones((4, 1)), family=sm.families.Binomial(), offset=np.log(risks / (1 - risks))).fit()
    assert intercept(events, sizes, risks) == pytest.approx((fit.params[0], fit.bse[0]), rel=1e-6)


def test_patients_of_a_draw_have_its_rates() -> None:
    """The simulated truth itself: as many events as the draw's own chances say."""
    centre = own_centre(SHIPPED, 10, np.random.default_rng(3))
    rows = patients_of(centre.truth, 4_000, np.random.default_rng(4))
    patients = site_patients(rows)
    draws = SHIPPED.draws("icans")
    at = int(np.flatnonzero(draws["a_new"] == centre.truth["icans"]["a_new"])[0])
    expected = 0.0
    for group in patients.icans:
        expected += sum(group.counts) * float(icans_probabilities(group, draws, draws["a_new"][None, :])[1][0, at])
    assert patients.icans_counts[1] == pytest.approx(expected, abs=4 * np.sqrt(4_000 * 0.2))
