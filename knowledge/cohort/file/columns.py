"""The columns of a cohort file, as data: the reader, the writer and the documentation all go by this list."""

from __future__ import annotations

from dataclasses import dataclass

from knowledge.cohort.file.cells import Choice, Grade, Kind, Number, Several, Whole, YesNo
from knowledge.cohort.file.words import LdhLevel
from knowledge.cohort.record import AGE_MIN, AGE_TOP, Death, Histology, Sex, Treatment
from knowledge.factors import (
    LDH_MAX_U_L,
    LDH_MIN_U_L,
    RATIO_MAX,
    RATIO_MIN,
    U_PER_MICROKATAL,
    ULN_MAX_U_L,
    ULN_MIN_U_L,
    LdhUnit,
)


@dataclass(frozen=True)
class Column:
    """One column; ``field`` is that of the record, where one column alone makes it."""

    name: str
    meaning: str
    kind: Kind
    example: str
    unit: str = ""
    required: bool = False
    aliases: tuple[str, ...] = ()
    field: str | None = None


# Above this it is no age, but a year of birth or an age in months: 90 would be wrong.
OLDEST = 120
_UNIT = Choice(LdhUnit, {"iu_l": "u_l"})
_TREATMENT = Several(
    Choice(
        Treatment,
        {
            "toci": "tocilizumab",
            "steroid": "corticosteroid",
            "steroids": "corticosteroid",
            "corticosteroids": "corticosteroid",
            "dexamethasone": "corticosteroid",
            "methylprednisolone": "corticosteroid",
            "prednisolone": "corticosteroid",
            "vasopressors": "vasopressor",
        },
    )
)
_HISTOLOGY = {
    "small_cell": "sclc",
    "small_cell_lung_cancer": "sclc",
    "high_grade_neuroendocrine_carcinoma": "high_grade_nec",
    "hgnec": "high_grade_nec",
    "lcnec": "high_grade_nec",
}
_HOURS = Number(0.0, 2_000.0, "16")


def _activity(low: float, high: float, example: str) -> Number:
    """An enzyme activity in either unit, from the smallest in µkat/L to the largest in U/L; the row says which."""
    least, most = low / U_PER_MICROKATAL, high / U_PER_MICROKATAL
    said = f"a number from {low:g} to {high:,.0f} in U/L, or from {least:.2f} to {most:.3g} in µkat/L"
    return Number(least, high, example, said)


def _column(
    name: str,
    meaning: str,
    kind: Kind,
    example: str,
    *,
    unit: str = "",
    required: bool = False,
    aliases: tuple[str, ...] = (),
    field: str | None = None,
) -> Column:
    return Column(name, meaning, kind, example, unit, required, aliases, field or name)


COLUMNS: tuple[Column, ...] = (
    _column(
        "dose_day",
        "day of the first dose, counted from the cohort's first patient (day 0)",
        Whole(0, 20_000, "0", "days since the cohort's first patient, such as 35, not a date"),
        "35",
        unit="days",
    ),
    _column(
        "age",
        "age at the first dose; 90 stands for 90 or more",
        Whole(AGE_MIN, AGE_TOP, "66", "an age over 89 can identify a person: write 90", OLDEST),
        "66",
        unit="years",
    ),
    _column("sex", "sex as recorded", Choice(Sex, {"f": "female", "m": "male"}), "female"),
    _column("histology", "tumour type", Choice(Histology, _HISTOLOGY), "sclc"),
    _column(
        "ecog",
        "ECOG performance status before the first dose",
        Whole(0, 4, "1"),
        "1",
        aliases=("ecog_ps", "ecog_performance_status"),
    ),
    _column("prior_lines", "lines of systemic treatment before tarlatamab", Whole(0, 20, "2"), "2"),
    Column("ldh", "LDH, the last before the first dose", _activity(LDH_MIN_U_L, LDH_MAX_U_L, "480"), "480", "ldh_unit"),
    Column("ldh_unit", "unit of ldh; U/L where blank", _UNIT, "U/L"),
    Column(
        "ldh_uln",
        "the laboratory's upper limit of normal for ldh",
        _activity(ULN_MIN_U_L, ULN_MAX_U_L, "250"),
        "250",
        "ldh_uln_unit",
        aliases=("uln",),
    ),
    Column("ldh_uln_unit", "unit of ldh_uln; that of ldh where blank", _UNIT, "U/L"),
    Column(
        "ldh_multiple",
        "LDH as a multiple of its upper limit, where value and limit are not known",
        Number(RATIO_MIN, RATIO_MAX, "1.9"),
        "1.9",
        "x ULN",
    ),
    Column(
        "ldh_category",
        "LDH above its upper limit (high) or not (normal), where no more is known",
        Choice(LdhLevel, {"elevated": "high"}),
        "high",
    ),
    _column(
        "liver_metastases", "liver metastases before the first dose", YesNo(), "yes", aliases=("liver", "liver_mets")
    ),
    _column("diabetes", "diabetes mellitus", YesNo(), "no", aliases=("dm",)),
    _column(
        "cvd",
        "cardiovascular disease; hypertension alone is none",
        YesNo(),
        "no",
        aliases=("cardiovascular_disease",),
        field="cardiovascular_disease",
    ),
    _column(
        "brain_metastases", "brain metastases before the first dose", YesNo(), "no", aliases=("brain", "brain_mets")
    ),
    _column(
        "tocilizumab_prophylaxis",
        "tocilizumab given before CRS, to prevent it",
        YesNo(),
        "no",
        required=True,
        aliases=("prophylactic_tocilizumab", "toci_prophylaxis"),
    ),
    _column(
        "crs_grade_dose1",
        "worst CRS grade (ASTCT) after the first dose and before the second; 0 for none",
        Grade(),
        "1",
        required=True,
        aliases=("crs_grade_dose_1",),
    ),
    _column("crs_grade_dose2", "the same after the second dose", Grade(), "0", aliases=("crs_grade_dose_2",)),
    _column("crs_grade_dose3", "the same after the third dose", Grade(), "0", aliases=("crs_grade_dose_3",)),
    _column("crs_onset_hours", "start of the first infusion to onset of CRS after it", _HOURS, "16", unit="hours"),
    _column("crs_duration_hours", "onset to resolution of that CRS", _HOURS, "30", unit="hours"),
    _column("crs_treatment", "what was given for CRS", _TREATMENT, "tocilizumab+corticosteroid"),
    _column("icans_grade", "worst ICANS grade (ASTCT) after cycle 1 day 1; 0 for none", Grade(), "0", required=True),
    _column("icans_onset_hours", "start of the first infusion to onset of ICANS", _HOURS, "40", unit="hours"),
    _column("icans_duration_hours", "onset to resolution of ICANS", _HOURS, "24", unit="hours"),
    _column("icans_treatment", "what was given for ICANS", _TREATMENT, "none"),
    _column("discontinued", "tarlatamab stopped for toxicity", YesNo(), "no"),
    _column(
        "death",
        "death in the time looked at, and of what",
        Choice(Death, {"no": "none", "alive": "none"}),
        "none",
    ),
    _column("follow_up_days", "days looked at after the first dose", Whole(0, 5_000, "30"), "30", unit="days"),
    _column("simulated", "yes where the patient does not exist; every row of a file or none", YesNo(), "no"),
)
BY_NAME = {column.name: column for column in COLUMNS}
# Headings as ``cells.plain`` gives them, to the column meant.
BY_HEADING = {heading: column for column in COLUMNS for heading in (column.name, *column.aliases)}
