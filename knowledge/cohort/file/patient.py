"""One row's cells to one patient, and what the cells of a row say against each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import ValidationError

from knowledge.cohort.file.cells import NOT_KNOWN, CellError
from knowledge.cohort.file.columns import BY_NAME, Column
from knowledge.cohort.file.problems import Problem
from knowledge.cohort.record import CohortRow
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
    Presence,
    UpperLimit,
)

Tell = Callable[[Problem], None]
_LDH_COLUMNS = ("ldh", "ldh_unit", "ldh_uln", "ldh_uln_unit", "ldh_multiple", "ldh_category")
# A multiple beside value and limit is a rounded copy of their ratio.
_SAME_MULTIPLE = 0.05


def read_patient(
    row: int, cells: Sequence[str], columns: Sequence[Column | None], tell: Tell, *, commas: bool
) -> CohortRow | None:
    """The patient, or None after every problem of the row has been told."""
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    if any(cells[len(columns) :]):
        problems.append(Problem(row, None, "no cells beyond the last heading"))
    for cell, column in zip(cells, columns, strict=False):
        if column is None or cell.casefold() in NOT_KNOWN:
            continue
        try:
            values[column.name] = column.kind.read(cell, commas=commas)
        except CellError as error:
            problems.append(Problem(row, column.name, str(error)))
    refused = {problem.column for problem in problems}

    def against(column: str, expected: str) -> None:
        if column not in refused:
            problems.append(Problem(row, column, expected))

    ldh = _ldh(values, against, refused)
    _toxicity(values, against)
    if not problems:
        fields = {
            field: value for name, value in values.items() if name != "simulated" and (field := BY_NAME[name].field)
        }
        try:
            return CohortRow(**fields, ldh=ldh, simulated=values.get("simulated") is Presence.YES)
        except ValidationError:  # nothing that is known to come here; its own text would hold the cell
            problems.append(Problem(row, None, "values that go together; these contradict each other"))
    for problem in problems:
        tell(problem)
    return None


def _ldh(values: dict[str, Any], against: Callable[[str, str], None], refused: set[str | None]) -> Ldh | None:
    """The LDH in the most exact form given; the others must agree with it."""
    value, limit = values.get("ldh"), values.get("ldh_uln")
    multiple, category = values.get("ldh_multiple"), values.get("ldh_category")
    if refused & set(_LDH_COLUMNS):
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
    if measured and multiple is not None and abs(multiple / measured.ratio - 1.0) > _SAME_MULTIPLE:
        against("ldh_multiple", "the same as ldh divided by ldh_uln, or blank")
    if ratio is not None and category is not None and (category == "high") != (ratio > 1.0):
        against("ldh_category", "high where the LDH is above its upper limit, normal where it is not, or blank")
    if measured:
        return measured
    if multiple is not None:
        return LdhMultiple(multiple=multiple)
    return LdhCategory(category=str(category)) if category is not None else None


def _measured(
    values: dict[str, Any], value: float, limit: float, against: Callable[[str, str], None]
) -> LdhMeasured | None:
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


def _toxicity(values: dict[str, Any], against: Callable[[str, str], None]) -> None:
    """Times and treatment belong to a CRS or an ICANS."""
    grades = {"crs": ("crs_grade_dose1",), "icans": ("icans_grade",)}
    for what, (grade,) in grades.items():
        if values.get(grade):
            continue
        for name in (f"{what}_onset_hours", f"{what}_duration_hours"):
            if name in values:
                against(name, f"blank, for {grade} says none or is not known: write the grade, or remove the hours")
        later = ("crs_grade_dose2", "crs_grade_dose3") if what == "crs" else ()
        if values.get(f"{what}_treatment") and not any(values.get(each) for each in later):
            against(f"{what}_treatment", f"none or blank, for {grade} says none or is not known")
