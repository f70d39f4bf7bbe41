"""Laws of the label's arithmetic and of the grades, for any input in range."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.lookup.reply import LookUpRefusal
from knowledge.label import CrsGrading, IcansGrading, Ice, load
from knowledge.label.dosing import DAYS_MAX, planned_interval, restart, tocilizumab
from knowledge.label.grading import CrsFindings, Fever, IcansFindings, crs_grade, icans_grade, ice_score
from tests.support.lookups import look_up, resolve
from tests.support.shown_numbers import uncovered

LABEL = load()
CRS = LABEL.get(CrsGrading, "grd.crs.astct2019")
ICANS = LABEL.get(IcansGrading, "grd.icans.astct2019")
ICE = LABEL.get(Ice, "grd.ice")

weights = st.integers(2_000, 30_000).map(lambda n: Decimal(n) / 100)
days = st.integers(0, DAYS_MAX)
lasts = st.sampled_from(["c1d1", "c1d8", "later"])


def _levels(grading: CrsGrading | IcansGrading, name: str) -> list[str]:
    return [level.key for level in grading.domain(name).levels]


crs_findings = st.builds(
    CrsFindings,
    st.sampled_from([Fever.YES, Fever.TREATED]),
    st.sampled_from(_levels(CRS, "hypotension")),
    st.sampled_from(_levels(CRS, "hypoxia")),
)
ice_points = st.fixed_dictionaries({item.key: st.integers(0, item.points) for item in ICE.items})
icans_findings = st.builds(
    IcansFindings,
    ice_points,
    *(st.sampled_from(_levels(ICANS, name)) for name in ("consciousness", "seizure", "motor", "oedema")),
)


@given(weights)
def test_a_dose_is_exact_and_never_above_the_maximum(weight: Decimal) -> None:
    amount = tocilizumab(weight, LABEL)
    assert 0 < amount.mg <= 800
    assert amount.mg == min(Decimal(800), weight * (12 if weight < 30 else 8))
    assert amount.volume_ml * 20 == amount.mg
    assert amount.capped is (weight > 100)


@given(weights, weights)
def test_within_a_band_more_weight_is_never_less_drug(one: Decimal, other: Decimal) -> None:
    lighter, heavier = sorted([one, other])
    less, more = tocilizumab(lighter, LABEL), tocilizumab(heavier, LABEL)
    if less.below_band is more.below_band:
        assert less.mg <= more.mg
        assert less.volume_ml <= more.volume_ml


@given(st.one_of(st.integers(0, 1_999), st.integers(30_001, 99_999)).map(lambda n: Decimal(n) / 100))
def test_no_dose_outside_the_accepted_weights(weight: Decimal) -> None:
    with pytest.raises(ValueError, match="weight"):
        tocilizumab(weight, LABEL)
    with pytest.raises(LookUpRefusal, match="OUT_OF_RANGE"):
        look_up(f"toci {weight.normalize():f} kg")


@given(weights)
def test_every_number_about_a_weight_is_accounted_for(weight: Decimal) -> None:
    answer = look_up(f"toci {weight} kg")
    assert uncovered(answer.blocks, resolve, [f"{weight}"]) == []


@given(lasts, days, days)
def test_a_longer_wait_never_takes_less_caution(last: str, one: int, other: int) -> None:
    sooner, later = (restart(last, n, LABEL) for n in sorted([one, other]))
    assert sooner.repeat <= later.repeat
    assert sooner.cycle1_care <= later.cycle1_care


@given(lasts, days)
def test_a_repeat_comes_with_the_care_of_cycle_1(last: str, wait: int) -> None:
    advice = restart(last, wait, LABEL)
    assert advice.cycle1_care or not advice.repeat
    assert advice.repeat is (wait > advice.rule.limit_days)


@given(st.integers(1, 40), st.sampled_from([1, 8, 15]))
def test_the_next_dose_is_planned_within_the_limit(cycle: int, day: int) -> None:
    """Keeping to the schedule never begins the step-up again."""
    if day == 8 and cycle > 1:
        with pytest.raises(ValueError, match="no dose"):
            planned_interval(cycle, day, LABEL)
        return
    last = {(1, 1): "c1d1", (1, 8): "c1d8"}.get((cycle, day), "later")
    assert not restart(last, planned_interval(cycle, day, LABEL).days, LABEL).repeat


@given(days)
def test_an_earlier_dose_in_the_step_up_has_the_shorter_limit(wait: int) -> None:
    first, second, third = (restart(last, wait, LABEL).repeat for last in ("c1d1", "c1d8", "later"))
    assert third <= second <= first


@given(crs_findings, st.sampled_from(["hypotension", "hypoxia"]), st.integers(0, 3))
def test_crs_is_monotone_in_each_domain(findings: CrsFindings, name: str, worse: int) -> None:
    levels = _levels(CRS, name)
    at = levels.index(getattr(findings, name))
    worsened = replace(findings, **{name: levels[min(at + worse, len(levels) - 1)]})
    assert (crs_grade(findings, LABEL).grade or 0) <= (crs_grade(worsened, LABEL).grade or 0)


@given(crs_findings)
def test_crs_is_the_worse_of_its_domains_and_wants_fever(findings: CrsFindings) -> None:
    graded = crs_grade(findings, LABEL)
    assert graded.grade == max(graded.by_domain.values())
    for fever in (Fever.NO, Fever.OTHER_CAUSE):
        assert crs_grade(replace(findings, fever=fever), LABEL).grade is None


@given(icans_findings, st.sampled_from(["consciousness", "seizure", "motor", "oedema"]), st.integers(0, 4))
def test_icans_is_monotone_in_each_domain(findings: IcansFindings, name: str, worse: int) -> None:
    levels = _levels(ICANS, name)
    at = levels.index(getattr(findings, name))
    worsened = replace(findings, **{name: levels[min(at + worse, len(levels) - 1)]})
    assert (icans_grade(findings, LABEL).grade or 0) <= (icans_grade(worsened, LABEL).grade or 0)


@given(icans_findings, st.sampled_from([item.key for item in ICE.items]))
def test_a_lost_ice_point_never_lowers_the_grade(findings: IcansFindings, item: str) -> None:
    if not findings.ice[item]:
        return
    fewer = replace(findings, ice={**findings.ice, item: findings.ice[item] - 1})
    assert ice_score(fewer.ice, ICE) == ice_score(findings.ice, ICE) - 1
    assert (icans_grade(findings, LABEL).grade or 0) <= (icans_grade(fewer, LABEL).grade or 0)


@given(icans_findings)
def test_icans_is_that_of_the_worst_domain(findings: IcansFindings) -> None:
    graded = icans_grade(findings, LABEL)
    assert (graded.grade or 0) == max(graded.by_domain.values())
