"""The forty patients around the findings: who they are, when, how long, what was given, what became of them.

Counts are the founding study's (``inc.joshi.*``). What it does not give is drawn near other cohorts: onset of CRS
(inc.eu473.crs_onset: 15.9 h, 9.0 to 26.5) and its resolution (inc.d300F.crs_resolution: 3 days), onset and resolution
of ICANS (inc.eu473.icans_onset, inc.eu473.icans_resolution), here before the second dose, CRS after the second and
third dose (inc.eu473.crs_after_dose2, inc.eu473.crs_after_dose3plus), brain metastases (cov.brain.d304).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.cohort.example.findings import ULN, Findings, find
from knowledge.cohort.record import CohortRow, Death, Histology, Sex, Treatment
from knowledge.factors import LdhMeasured, Presence, UpperLimit

SEED = 20_261_124
WITHOUT, WITH = 30, 10
ALL = WITHOUT + WITH
MALE, ECOG, MEDIAN_AGE = 22, (12, 23, 5), 66.5
SCLC = 36
# Grades of those with grade >= 3: three of each, of whom one died of CRS and one of ICANS.
SEVERE_CRS, SEVERE_ICANS = (3, 3, 5), (3, 4, 5)
SECOND_DOSE_HOURS = 168
# From May 2024 to February 2025.
LAST_DAY, FIRST_PROPHYLAXIS = 290, 150
CRS_LATER = (0.34, 0.085)
_TOCI, _STEROID = Treatment.TOCILIZUMAB, Treatment.CORTICOSTEROID
_CRS_TREATMENT: dict[int, tuple[tuple[Treatment, ...], ...]] = {
    1: ((), (), (_STEROID,)),
    2: ((_TOCI,), (_TOCI, _STEROID)),
    3: ((_TOCI, _STEROID, Treatment.OXYGEN), (_TOCI, _STEROID, Treatment.VASOPRESSOR)),
    5: ((_TOCI, _STEROID, Treatment.VASOPRESSOR, Treatment.OXYGEN),),
}
_ICANS_TREATMENT: dict[int, tuple[tuple[Treatment, ...], ...]] = {
    1: ((), (_STEROID,)),
    2: ((_STEROID,),),
    3: ((_STEROID,),),
    4: ((_STEROID, Treatment.ANAKINRA),),
    5: ((_STEROID, Treatment.ANAKINRA),),
}


def build_example(seed: int = SEED) -> tuple[CohortRow, ...]:
    """The cohort, in the order of first doses; the same seed gives the same patients."""
    rng = np.random.default_rng(seed)
    patients = [*_without(find(rng), rng), *_with(rng)]
    _who(patients, rng)
    _course(patients, rng)
    _blanks(patients)
    _days(patients, rng)
    return tuple(
        CohortRow(**patient, simulated=True) for patient in sorted(patients, key=lambda each: each["dose_day"])
    )


def _without(found: Findings, rng: np.random.Generator) -> list[dict[str, Any]]:
    """The thirty whom the regressions are of; grades from whether there was any, and of what severity."""
    crs = found.crs.astype(int) + found.crs_grade2.astype(int)
    crs[_some(np.flatnonzero(crs == 2), 3, rng)] = SEVERE_CRS
    icans = found.icans.astype(int)
    severe, *milder = np.split(_some(np.flatnonzero(icans), 5, rng), [3])
    icans[severe], icans[milder[0]] = SEVERE_ICANS, 2
    pairs = zip(found.ldh, found.liver, found.diabetes, found.cvd, strict=True)
    return [
        _patient(ldh, bool(liver), bool(diabetes), bool(cvd), False, int(crs[i]), int(icans[i]))
        for i, (ldh, liver, diabetes, cvd) in enumerate(pairs)
    ]


def _with(rng: np.random.Generator) -> list[dict[str, Any]]:
    """The ten with prophylaxis, of somewhat higher risk, as a centre would choose them; one CRS, of grade 2."""
    ldh = np.clip(np.round(ULN * 2.0 ** rng.normal(0.5, 0.9, WITH)), 110, 1_500)
    liver, diabetes, cvd = (rng.permutation([True] * k + [False] * (WITH - k)) for k in (5, 2, 3))
    return [
        _patient(ldh[i], bool(liver[i]), bool(diabetes[i]), bool(cvd[i]), True, 2 if i == int(ldh.argmax()) else 0, 0)
        for i in range(WITH)
    ]


def _patient(
    ldh: float, liver: bool, diabetes: bool, cvd: bool, prophylaxis: bool, crs: int, icans: int
) -> dict[str, Any]:
    return {
        "ldh": LdhMeasured(value=float(ldh), uln=UpperLimit(value=ULN)),
        "liver_metastases": _presence(liver),
        "diabetes": _presence(diabetes),
        "cardiovascular_disease": _presence(cvd),
        "tocilizumab_prophylaxis": _presence(prophylaxis),
        "crs_grade_dose1": crs,
        "icans_grade": icans,
        "discontinued": Presence.NO,
        "death": Death.NONE,
    }


def _who(patients: list[dict[str, Any]], rng: np.random.Generator) -> None:
    ages = _until(
        lambda: np.clip(np.round(rng.normal(MEDIAN_AGE, 8.5, ALL)), 41, 85),
        lambda drawn: np.median(drawn) == MEDIAN_AGE,
    )
    columns: dict[str, NDArray[Any]] = {
        "age": ages.astype(int),
        "sex": rng.permutation([Sex.MALE] * MALE + [Sex.FEMALE] * (ALL - MALE)),
        "histology": rng.permutation([Histology.SCLC] * SCLC + [Histology.HIGH_GRADE_NEC] * (ALL - SCLC)),
        "ecog": rng.permutation(np.repeat([0, 1, 2], ECOG)),
        "prior_lines": rng.choice([1, 2, 3, 4], ALL, p=[0.35, 0.4, 0.2, 0.05]),
        "brain_metastases": rng.permutation([Presence.YES] * 18 + [Presence.NO] * (ALL - 18)),
    }
    for name, column in columns.items():
        for patient, value in zip(patients, column.tolist(), strict=True):
            patient[name] = value


def _course(patients: list[dict[str, Any]], rng: np.random.Generator) -> None:
    """Times, treatment, later doses, and what became of the three who stopped."""
    had_crs = [patient for patient in patients if patient["crs_grade_dose1"]]
    onset = _until(
        lambda: np.clip(np.round(rng.lognormal(np.log(15.9), 0.7, len(had_crs))), 3, 120),
        lambda drawn: np.median(drawn) == 16,
    )
    duration = np.clip(np.round(rng.lognormal(np.log(72.0), 0.6, len(had_crs))), 6, 300)
    for patient, hours, length in zip(had_crs, onset.tolist(), duration.tolist(), strict=True):
        _event(patient, "crs", patient["crs_grade_dose1"], hours, length, _CRS_TREATMENT, rng)
    for patient in patients:
        if grade := patient["icans_grade"]:
            days = float(_until(lambda: rng.lognormal(np.log(9.0), 1.39), lambda drawn: drawn * 24 < SECOND_DOSE_HOURS))
            length = float(np.clip(np.round(rng.lognormal(np.log(96.0), 0.7)), 12, 480))
            _event(patient, "icans", grade, max(6.0, round(days * 24)), length, _ICANS_TREATMENT, rng)
        died = 5 in (patient["crs_grade_dose1"], patient["icans_grade"])
        # The third who stopped went on to hospice care, for ICANS of grade 4.
        stopped = died or patient["icans_grade"] == 4
        patient["follow_up_days"] = int(rng.integers(60, 180))
        if stopped:
            patient["discontinued"] = Presence.YES
            patient["death"] = Death.TREATMENT_RELATED if died else Death.OTHER
            patient["follow_up_days"] = int(rng.integers(8, 20)) if died else int(rng.integers(25, 45))
        else:
            for dose, share in zip((2, 3), CRS_LATER, strict=True):
                grade = patient[f"crs_grade_dose{dose}"] = int(rng.random() < share)
                if grade:  # of grade 1, and nothing was given for it
                    patient.setdefault("crs_treatment", ())


def _event(
    patient: dict[str, Any],
    what: str,
    grade: int,
    onset: float,
    duration: float,
    treatment: dict[int, tuple[tuple[Treatment, ...], ...]],
    rng: np.random.Generator,
) -> None:
    given = treatment[grade]
    patient[f"{what}_onset_hours"] = onset
    patient[f"{what}_duration_hours"] = None if grade == 5 else duration  # it did not resolve
    patient[f"{what}_treatment"] = given[int(rng.integers(len(given)))]


def _blanks(patients: list[dict[str, Any]]) -> None:
    """What a real file would not have: in columns, or in patients, that no published figure rests on."""
    mild = next(patient for patient in patients if patient["crs_grade_dose1"] == 1)
    mild["crs_duration_hours"] = None
    patients[4]["brain_metastases"] = patients[17]["brain_metastases"] = Presence.UNKNOWN
    patients[11]["prior_lines"] = None
    quiet = [patient for patient in patients[WITHOUT:] if not patient["crs_grade_dose1"]]
    quiet[0]["ldh"] = None
    quiet[1]["cardiovascular_disease"] = Presence.UNKNOWN


def _days(patients: list[dict[str, Any]], rng: np.random.Generator) -> None:
    """Days of the first doses; prophylaxis came later. The first patient is day 0."""
    early = np.sort(rng.choice(np.arange(1, LAST_DAY), WITHOUT, replace=False))
    early[0] = 0
    late = rng.choice(np.arange(FIRST_PROPHYLAXIS, LAST_DAY), WITH, replace=False)
    for patient, day in zip(patients, [*rng.permutation(early).tolist(), *late.tolist()], strict=True):
        patient["dose_day"] = day


def _presence(present: bool) -> Presence:
    return Presence.YES if present else Presence.NO


def _some(of: NDArray[np.intp], k: int, rng: np.random.Generator) -> NDArray[np.intp]:
    return rng.permutation(of)[:k]


def _until(draw: Callable[[], Any], fits: Callable[[Any], Any]) -> Any:
    while not fits(drawn := draw()):
        pass
    return drawn
