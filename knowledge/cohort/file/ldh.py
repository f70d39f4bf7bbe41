"""An LDH from up to six columns: a value with its limit, a multiple, or merely high or normal."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

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
    UpperLimit,
)

LDH_COLUMNS = frozenset({"ldh", "ldh_unit", "ldh_uln", "ldh_uln_unit", "ldh_multiple", "ldh_category"})
# A multiple beside value and limit is a copy of their ratio, rounded to one decimal at the coarsest.
_ROUNDED = 0.0501
# To be told a column and what is expected there.
Against = Callable[[str, str], None]


def read_ldh(values: Mapping[str, Any], against: Against, refused: Collection[str | None]) -> Ldh | None:
    """The LDH in the most exact form given; the others must agree with it."""
    value, limit = values.get("ldh"), values.get("ldh_uln")
    multiple, category = values.get("ldh_multiple"), values.get("ldh_category")
    if any(name in LDH_COLUMNS for name in refused):
        return None
    measured = None
    if value is not None and limit is not None:
        measured = _measured(values, value, limit, against)
    elif value is not None and multiple is None and category is None:
        against(
            "ldh_uln",
            "the laboratory's upper limit for this LDH, such as 250; or leave ldh blank and write ldh_category",
        )
    ratio = measured.ratio if measured else multiple
    if measured and multiple is not None and abs(multiple - measured.ratio) > _ROUNDED * max(1.0, measured.ratio):
        against("ldh_multiple", "the same as ldh divided by ldh_uln, or blank")
    if ratio is not None and category is not None and (category == "high") != (ratio > 1.0):
        against("ldh_category", "high where the LDH is above its upper limit, normal where it is not, or blank")
    if measured:
        return measured
    if multiple is not None:
        return LdhMultiple(multiple=multiple)
    return LdhCategory(category=str(category)) if category is not None else None


def _measured(values: Mapping[str, Any], value: float, limit: float, against: Against) -> LdhMeasured | None:
    unit = values.get("ldh_unit") or LdhUnit.U_PER_L
    limit_unit = values.get("ldh_uln_unit") or unit
    if not LDH_MIN_U_L <= unit.to_u_per_l(value) <= LDH_MAX_U_L:
        against(
            "ldh",
            f"LDH from {LDH_MIN_U_L:g} to {LDH_MAX_U_L:,.0f} U/L (where ldh_unit is blank, U/L is meant; "
            "in µkat/L write so under ldh_unit; a multiple of the upper limit goes under ldh_multiple)",
        )
    elif not ULN_MIN_U_L <= limit_unit.to_u_per_l(limit) <= ULN_MAX_U_L:
        against("ldh_uln", f"an upper limit from {ULN_MIN_U_L:g} to {ULN_MAX_U_L:g} U/L, or the same in µkat/L")
    elif not RATIO_MIN <= unit.to_u_per_l(value) / limit_unit.to_u_per_l(limit) <= RATIO_MAX:
        against("ldh", f"LDH from {RATIO_MIN:g} to {RATIO_MAX:g} times its upper limit: are both in the same unit?")
    else:
        return LdhMeasured(value=value, unit=unit, uln=UpperLimit(value=limit, unit=limit_unit))
    return None
