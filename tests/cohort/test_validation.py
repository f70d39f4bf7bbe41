"""The validation of a centre's cohort from end to end: who counts, what is withheld, and what nothing depends on."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bot.cohort.validation.words import still_needed
from knowledge.assessment import Outcome
from knowledge.cohort.record import CohortRow
from knowledge.cohort.update.patients import site_patients
from knowledge.cohort.validation import DEFAULT_SEED, Validation, estimating, validate
from knowledge.cohort.validation.accuracy import brier
from knowledge.cohort.validation.cells import Cells
from knowledge.cohort.validation.collecting import OUTCOMES
from knowledge.cohort.validation.decision import THRESHOLDS
from knowledge.cohort.validation.discrimination import c_statistic
from knowledge.cohort.validation.level import observed_expected
from knowledge.cohort.validation.needed import needed
from knowledge.cohort.validation.resampling import joined, parts, resample
from knowledge.cohort.validation.verdict import verdict
from knowledge.engine import assess
from knowledge.factors import LdhCategory, LdhMeasured, LdhMultiple, Presence, UpperLimit
from tests.support.centre import Truth, simulated_centre

FEW = 200  # resamples, where the bootstrap itself is not the point


def plain(**known: object) -> CohortRow:
    """A patient without prophylaxis and with known grades."""
    record: dict[str, object] = {
        "tocilizumab_prophylaxis": Presence.NO,
        "crs_grade_dose1": 0,
        "icans_grade": 0,
    }
    return CohortRow.model_validate({**record, **known})


def test_patients_with_prophylaxis_or_of_unknown_prophylaxis_are_left_out_and_counted() -> None:
    rows = [
        plain(crs_grade_dose1=2),
        plain(tocilizumab_prophylaxis=Presence.YES, crs_grade_dose1=4),
        plain(tocilizumab_prophylaxis=Presence.UNKNOWN, crs_grade_dose1=4),
        plain(tocilizumab_prophylaxis=Presence.UNKNOWN),
        plain(crs_grade_dose1=None, icans_grade=1),
    ]
    found = validate(rows, resamples=FEW)
    assert found.flow.model_dump() == {
        "read": 5,
        "prophylaxis_given": 1,
        "prophylaxis_unknown": 2,
        "included": 2,
        "repeated": 0,
    }
    crs, icans = found.of(Outcome.CRS_ANY), found.of(Outcome.ICANS_ANY)
    assert (crs.n, crs.events, crs.outcome_unknown) == (1, 1, 1)
    assert (icans.n, icans.events, icans.outcome_unknown) == (2, 1, 0)


def test_the_expected_count_is_the_sum_of_what_each_patients_answer_shows() -> None:
    """Measured in other units, as a multiple, as high or normal, or not known: the engine's own estimate each time."""
    unit = LdhMeasured.model_fields["unit"].annotation
    rows = [
        plain(ldh=LdhMeasured(value=480, uln=UpperLimit(value=250)), liver_metastases=Presence.YES),
        plain(ldh=LdhMeasured(value=8.0, unit=unit("µkat/L"), uln=UpperLimit(value=4.1, unit=unit("µkat/L")))),
        plain(ldh=LdhMultiple(multiple=1.0), diabetes=Presence.YES, cardiovascular_disease=Presence.NO),
        plain(ldh=LdhCategory(category="high"), liver_metastases=Presence.NO),
        plain(ldh=LdhCategory(category="normal"), cardiovascular_disease=Presence.YES),
        plain(),
    ]
    found = validate(rows, resamples=FEW)
    for outcome in OUTCOMES:
        told = sum(assess(row.factors).risk_of(outcome).risk for row in rows)
        assert found.of(outcome).expected == pytest.approx(told, rel=1e-12)


def test_the_range_expected_of_like_patients_is_the_interval_of_each() -> None:
    """One centre's level is the same for all its patients, so that 20 like ones are as uncertain as one."""
    row = plain(
        ldh=LdhMultiple(multiple=1.9),
        liver_metastases=Presence.YES,
        diabetes=Presence.NO,
        cardiovascular_disease=Presence.YES,
    )
    found = validate([row] * 20, resamples=FEW)
    for outcome in OUTCOMES:
        interval = assess(row.factors).risk_of(outcome).interval
        assert found.of(outcome).expected_range == pytest.approx([20 * limit for limit in interval], rel=1e-9)


def test_unknown_findings_are_averaged_over_and_counted() -> None:
    rows = [plain(), plain(liver_metastases=Presence.YES), plain(diabetes=Presence.NO, crs_grade_dose1=None)]
    found = validate(rows, resamples=FEW)
    assert found.of(Outcome.CRS_ANY).finding_unknown == {"any": 2, "ldh": 2, "liver_metastases": 1}
    assert found.of(Outcome.ICANS_ANY).finding_unknown == {"any": 3, "cardiovascular_disease": 3, "diabetes": 2}


def test_the_order_of_the_rows_does_not_matter() -> None:
    rows = simulated_centre(60, seed=3, missing=0.2, prophylaxis=0.1)
    order = np.random.default_rng(0).permutation(len(rows))
    assert validate(rows, resamples=FEW) == validate([rows[place] for place in order], resamples=FEW)


def test_the_number_of_processes_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.cohort.validation.run.WORTH_PROCESSES", 0)
    rows = simulated_centre(40, seed=5)
    estimating._MODEL.clear()  # as in a process that has validated nothing yet
    two, one = (validate(rows, resamples=250, workers=workers) for workers in (2, 1))
    assert one == two
    assert one != validate(rows, resamples=250, workers=1, seed=DEFAULT_SEED + 1)  # the seed does matter


@pytest.mark.parametrize("n", [0, 1, 2, 12])
def test_few_patients_give_wide_intervals_reasons_and_no_nan(n: int) -> None:
    found = validate(simulated_centre(n, seed=8), resamples=FEW)
    text = found.model_dump_json()
    json.loads(text, parse_constant=pytest.fail)
    for each in found.outcomes:
        assert each.curve.points == ()
        assert each.curve.note
        assert each.slope.value is None or None not in (each.slope.low, each.slope.high)
        assert each.slope.value is not None or each.slope.note
        assert each.decision.points or each.decision.note
        if n:
            low, high = each.observed_expected.low, each.observed_expected.high
            assert low is not None
            assert high is not None
            assert low <= each.events / each.expected <= high


def test_no_event_at_all() -> None:
    """The ratio has an upper limit, everything that needs an event says so."""
    rows = [plain(ldh=LdhMultiple(multiple=0.5 + 0.1 * k), liver_metastases=Presence.NO) for k in range(12)]
    found = validate(rows, resamples=FEW).of(Outcome.CRS_ANY)
    assert found.observed_expected.value == 0.0
    assert found.observed_expected.high == pytest.approx((1.0 - 0.025 ** (1 / 12)) * 12 / found.expected)
    assert found.calibration_in_the_large.value is None
    assert found.calibration_in_the_large.high is not None
    assert (found.c_statistic.value, found.scaled_brier.value, found.slope.value) == (None, None, None)
    assert all(each.note for each in (found.c_statistic, found.scaled_brier, found.slope, found.curve, found.decision))
    assert None not in (found.brier.low, found.brier.high)
    assert found.verdict.startswith("Fewer than expected: 0 of 12 patients had CRS where")
    assert "by how much, 12 patients cannot tell" in found.verdict


def test_a_simulated_patient_makes_the_validation_simulated() -> None:
    rows = [plain(), plain()]
    assert not validate(rows, resamples=FEW).simulated
    assert validate([*rows, *simulated_centre(1, seed=1)], resamples=FEW).simulated


def test_a_centre_with_another_level_and_weaker_effects_is_found_out() -> None:
    """What was put in comes out: with patients enough, the intervals find estimates too high and too far apart."""
    truth = Truth(crs=-1.5, crs_ldh=0.1, crs_liver=0.1)
    found = validate(simulated_centre(1_500, seed=11, truth=truth), resamples=FEW).of(Outcome.CRS_ANY)
    assert found.verdict.startswith("Fewer than expected: ")
    assert found.calibration_in_the_large.high is not None
    assert found.calibration_in_the_large.high < 0.0
    assert found.slope.high is not None
    assert found.slope.high < 1.0
    assert len(found.curve.points) > 10
    assert all(point.low <= point.observed <= point.high for point in found.curve.points)


def test_a_centre_as_the_model_expects_is_called_neither_right_nor_wrong_beyond_its_interval() -> None:
    found = validate(as_expected(2_000, seed=4), resamples=FEW).of(Outcome.CRS_ANY)
    low, high = found.observed_expected.low, found.observed_expected.high
    assert low is not None
    assert high is not None
    assert low < 1.0 < high
    assert "on average over these patients the estimates fit" in found.verdict
    assert found.slope.low is not None
    assert found.slope.high is not None
    assert found.slope.low < 1.0 < found.slope.high


def as_expected(n: int, seed: int) -> list[CohortRow]:
    """Patients who have CRS exactly as often as Tarla says."""
    rng = np.random.default_rng(seed)
    rows = []
    for row in simulated_centre(n, seed):
        had = rng.random() < assess(row.factors).risk_of(Outcome.CRS_ANY).risk
        grades = {"crs_grade_dose1": int(had), "crs_onset_hours": None}
        rows.append(row.model_copy(update=grades))
    return rows


def test_intervals_of_the_bootstrap_are_those_of_large_samples() -> None:
    """400 patients, 2,000 resamples: the bootstrap's standard errors against their closed forms. A standard error of
    2,000 resamples is itself known to 1.6 %, hence 6 %.
    """
    rng = np.random.default_rng(12)
    risk = np.round(rng.uniform(0.1, 0.8, 400), 2)
    had = rng.random(400) < risk
    cells = Cells.of_patients(risk, had)
    found = joined([resample(part) for part in parts(cells, 1, 0, 2_000)])
    error = (had - risk) ** 2
    assert found.brier.mean() == pytest.approx(brier(cells), rel=0.005)
    assert found.brier.std() == pytest.approx(error.std() / 20.0, rel=0.06)
    place = 25  # 30 %
    threshold = THRESHOLDS[place]
    gain = (risk >= threshold) * np.where(had, 1.0, -threshold / (1.0 - threshold))
    assert found.by_estimate[:, place].std() == pytest.approx(gain.std() / 20.0, rel=0.06)


@pytest.mark.parametrize(
    ("events", "n", "risk", "beginning", "says"),
    [
        (3, 12, 0.515, "12 patients cannot tell: 3 had CRS where 6.2 were expected; O/E 0.49 (0.11 to 1.11)", "right"),
        (0, 6, 0.4, "6 patients cannot tell: 0 had CRS where 2.4 were expected", "no event at all"),
        (0, 12, 0.4, "Fewer than expected: 0 of 12 patients had CRS where 4.8", "by how much, 12 patients cannot tell"),
        (10, 100, 0.4, "Fewer than expected: 10 of 100 patients had CRS where 40.0", "too high"),
        (80, 100, 0.4, "More than expected: 80 of 100 patients had CRS where 40.0", "too low"),
        (45, 100, 0.4, "Compatible with the estimates being right on average, and with anything from 0.88", "O/E 1.12"),
        (
            10,
            12,
            0.6,
            "Compatible with the estimates being right on average, and with anything from 0.86 to 1.63",
            "10",
        ),
        (4_010, 10_000, 0.4, "About as many as expected: 4,010 of 10,000 patients had CRS where 4,000", "fit"),
    ],
)
def test_a_verdict_says_no_more_than_its_interval(events: int, n: int, risk: float, beginning: str, says: str) -> None:
    cells = Cells.of([risk], [events], [n - events])
    sentence = verdict(Outcome.CRS_ANY, cells, observed_expected(cells), (0.5 * cells.expected, 1.5 * cells.expected))
    assert sentence.startswith(beginning)
    assert says in sentence
    assert "valid" not in sentence


@pytest.mark.parametrize(
    ("widest", "says"),
    [
        (2.2, "(within what Tarla's own interval allows"),
        (1.9, "(beyond, though the interval reaches, what Tarla's own interval allows"),
        (1.4, "(beyond what Tarla's own interval allows"),
    ],
)
def test_a_count_is_within_the_models_own_interval_only_where_it_lies_in_it(widest: float, says: str) -> None:
    cells = Cells.of([0.4], [32], [8])  # O/E 2.00 (1.61 to 2.27)
    own = 0.5 * cells.expected, widest * cells.expected
    assert says in verdict(Outcome.CRS_ANY, cells, observed_expected(cells), own)


def test_one_estimate_for_all_tells_nobody_apart_and_has_no_interval() -> None:
    found = c_statistic(Cells.of([0.4], [32], [8]))
    assert (found.value, found.low, found.high) == (0.5, None, None)
    assert "same estimate" in found.note


def test_no_number_of_patients_is_named_for_a_net_benefit_of_giving_to_nobody() -> None:
    cells = Cells.of([0.2, 0.3], [20, 25], [10, 12])  # two thirds had it, nobody's estimate comes near
    rows = {row.name: row for row in needed(cells).criteria}
    assert rows["net benefit"].firm is None
    assert "nobody's estimate reaches" in rows["net benefit"].note
    said = still_needed(Outcome.CRS_ANY, needed(cells))
    assert "For the net benefit: nobody's estimate reaches" in said
    assert "To know all other figures firmly takes about" in said
    assert rows["calibration slope"].firm is not None


def test_enough_patients_are_said_to_be_enough() -> None:
    cells = Cells.of([0.05, 0.5, 0.95], [500, 5_000, 9_500], [9_500, 5_000, 500])
    said = still_needed(Outcome.CRS_ANY, needed(cells))
    assert "there are patients enough. There are enough to know everything firmly. Supposed: 50 %" in said
    assert "no more patients" not in said


def test_patients_alike_in_every_column_are_counted() -> None:
    rows = simulated_centre(20, seed=4)
    given = [row.model_copy(update={"tocilizumab_prophylaxis": Presence.YES}) for row in rows[:5]]
    assert validate(rows, resamples=FEW).flow.repeated == 0
    assert validate([*rows, *rows[:3], *given, *given], resamples=FEW).flow.repeated == 3
    assert site_patients([*rows, *rows[:3], *given, *given]).repeated == 3


def test_the_result_survives_json() -> None:
    found = validate(simulated_centre(30, seed=2), resamples=FEW, cohort_sha256="0" * 64)
    assert Validation.model_validate_json(found.model_dump_json()) == found
