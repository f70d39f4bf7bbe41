"""Patient factors: what is accepted, to the last digit of each limit, and what a figure means."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from knowledge.factors import (
    LDH_MAX_U_L,
    LDH_MIN_U_L,
    RATIO_MAX,
    RATIO_MIN,
    ULN_MAX_U_L,
    ULN_MIN_U_L,
    Ldh,
    LdhCategory,
    LdhMeasured,
    LdhMultiple,
    LdhUnit,
    PatientFactors,
    Presence,
    UpperLimit,
)

MICROKATAL = LdhUnit.MICROKATAL_PER_L


def test_the_limits_are_those_of_the_manual() -> None:
    assert (LDH_MIN_U_L, LDH_MAX_U_L) == (50, 9_999)
    assert (ULN_MIN_U_L, ULN_MAX_U_L) == (100, 600)
    assert (RATIO_MIN, RATIO_MAX) == (0.1, 40)


@pytest.mark.parametrize("value", [100.0, 250.0, 600.0])
def test_upper_limits_within_range(value: float) -> None:
    assert UpperLimit(value=value).u_per_l == value


@pytest.mark.parametrize("value", [0.0, -250.0, 99.99, 600.01, 4.1, math.nan, math.inf])
def test_upper_limits_out_of_range(value: float) -> None:
    with pytest.raises(ValidationError):
        UpperLimit(value=value)


def test_upper_limit_in_microkatal() -> None:
    assert UpperLimit(value=10.0, unit=MICROKATAL).u_per_l == 600.0
    with pytest.raises(ValidationError, match="between 100 and 600 U/L"):
        UpperLimit(value=10.01, unit=MICROKATAL)


@pytest.mark.parametrize(
    ("value", "uln"), [(50.0, 250.0), (9_999.0, 250.0), (50.0, 500.0), (9_999.0, 249.975), (480.0, 250.0)]
)
def test_measured_within_range(value: float, uln: float) -> None:
    assert LdhMeasured(value=value, uln=UpperLimit(value=uln)).ratio == pytest.approx(value / uln, abs=1e-12)


@pytest.mark.parametrize("value", [49.99, 9_999.01, 0.0, -480.0, math.nan, math.inf])
def test_measured_out_of_range(value: float) -> None:
    with pytest.raises(ValidationError):
        LdhMeasured(value=value, uln=UpperLimit(value=250.0))


@pytest.mark.parametrize(("value", "uln"), [(50.0, 501.0), (9_999.0, 200.0)])
def test_measured_far_from_its_limit_is_refused(value: float, uln: float) -> None:
    with pytest.raises(ValidationError, match=r"between 0\.1 and 40 times"):
        LdhMeasured(value=value, uln=UpperLimit(value=uln))


@pytest.mark.parametrize("multiple", [0.1, 1.0, 40.0])
def test_multiple_within_range(multiple: float) -> None:
    assert LdhMultiple(multiple=multiple).ratio == multiple


@pytest.mark.parametrize("multiple", [0.0999, 40.001, 0.0, -1.0, math.nan, math.inf])
def test_multiple_out_of_range(multiple: float) -> None:
    with pytest.raises(ValidationError):
        LdhMultiple(multiple=multiple)


@given(st.integers(167, 999))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_at_its_limit_in_two_units_is_still_at_its_limit(hundredths: int) -> None:
    """1.81 µkat/L is exactly 108.6 U/L; an answer may not turn on how binary floats round that."""
    in_microkatal, in_u = hundredths / 100, hundredths * 6 / 10
    mixed = LdhMeasured(value=in_u, uln=UpperLimit(value=in_microkatal, unit=MICROKATAL))
    turned = LdhMeasured(value=in_microkatal, unit=MICROKATAL, uln=UpperLimit(value=in_u))
    assert mixed.ratio == turned.ratio == 1.0


@given(st.integers(500, 99_990), st.integers(1_000, 6_000))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_above_or_below_is_decided_by_the_figures(tenths: int, uln_tenths: int) -> None:
    """However close to its limit, one tenth of a unit above is above."""
    try:
        ldh = LdhMeasured(value=tenths / 10, uln=UpperLimit(value=uln_tenths / 10))
    except ValidationError:
        assert not 0.1 <= tenths / uln_tenths <= 40
        return
    assert (ldh.ratio > 1.0) == (tenths > uln_tenths)
    assert (ldh.ratio == 1.0) == (tenths == uln_tenths)


def test_ldh_ratio_is_known_only_from_a_figure() -> None:
    uln = UpperLimit(value=250.0)
    assert PatientFactors(ldh=LdhMeasured(value=480.0, uln=uln)).ldh_ratio == 1.92
    assert PatientFactors(ldh=LdhMultiple(multiple=1.9)).ldh_ratio == 1.9
    assert PatientFactors(ldh=LdhCategory(category="high")).ldh_ratio is None
    assert PatientFactors().ldh_ratio is None


def test_nothing_given_is_unknown() -> None:
    factors = PatientFactors()
    assert factors.ldh is None
    assert {factors.liver_metastases, factors.diabetes, factors.cardiovascular_disease} == {Presence.UNKNOWN}


def test_factors_are_frozen_closed_and_usable_as_keys() -> None:
    factors = PatientFactors(ldh=LdhMultiple(multiple=2.0), diabetes=Presence.YES)
    with pytest.raises(ValidationError, match="frozen"):
        factors.diabetes = Presence.NO  # type: ignore[misc]  # on purpose
    with pytest.raises(ValidationError, match="Extra inputs"):
        PatientFactors(name="Jane Doe")  # type: ignore[call-arg]  # on purpose
    assert {factors: 1}[PatientFactors(ldh=LdhMultiple(multiple=2.0), diabetes=Presence.YES)] == 1


@pytest.mark.parametrize(
    "ldh",
    [
        LdhMeasured(value=8.0, unit=MICROKATAL, uln=UpperLimit(value=4.1, unit=MICROKATAL), uln_from="site"),
        LdhMultiple(multiple=1.9),
        LdhCategory(category="normal"),
        None,
    ],
)
def test_json_and_back(ldh: Ldh | None) -> None:
    factors = PatientFactors(ldh=ldh, liver_metastases=Presence.NO)
    assert PatientFactors.model_validate_json(factors.model_dump_json()) == factors


def test_the_kind_of_ldh_decides_how_it_is_read() -> None:
    adapter: TypeAdapter[Ldh] = TypeAdapter(Ldh)
    assert adapter.validate_python({"kind": "multiple", "multiple": 2}) == LdhMultiple(multiple=2.0)
    for wrong in ({"kind": "multiple", "category": "high"}, {"kind": "guess"}, {"multiple": 2}):
        with pytest.raises(ValidationError):
            adapter.validate_python(wrong)


@pytest.mark.parametrize(("unit", "u_per_l"), [(LdhUnit.U_PER_L, 8.0), (MICROKATAL, 480.0)])
def test_units(unit: LdhUnit, u_per_l: float) -> None:
    assert unit.to_u_per_l(8.0) == u_per_l
