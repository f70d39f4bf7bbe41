"""Centres that do not exist, with truths that are known: for tests of what is learnt from a cohort."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from knowledge.cohort.record import CohortRow, Death, Histology, Sex
from knowledge.factors import LdhMeasured, Presence, UpperLimit


@dataclass(frozen=True)
class Truth:
    """Log odds at the covariates' means, and log odds ratios; LDH by doubling."""

    crs: float = 0.0
    crs_ldh: float = 0.6
    crs_liver: float = 0.9
    grade2_given_crs: float = -0.7
    grade2_ldh: float = 0.3
    icans: float = -1.2
    icans_diabetes: float = 0.7
    icans_cvd: float = 0.7


def simulated_centre(
    n: int, seed: int, truth: Truth | None = None, *, missing: float = 0.0, prophylaxis: float = 0.0
) -> list[CohortRow]:
    """``n`` patients of a centre where ``truth`` holds; a share ``missing`` of findings is not known."""
    at, rng = truth or Truth(), np.random.default_rng(seed)
    rows = []
    for _ in range(n):
        log2_ratio = rng.normal(0.1, 1.1)
        liver, diabetes, cvd = rng.random() < 0.35, rng.random() < 0.2, rng.random() < 0.3
        given = rng.random() < prophylaxis
        crs = _chance(rng, at.crs + at.crs_ldh * (log2_ratio - 0.1) + at.crs_liver * (liver - 0.35) - 2.0 * given)
        severe = crs and _chance(rng, at.grade2_given_crs + at.grade2_ldh * (log2_ratio - 0.1))
        icans = _chance(rng, at.icans + at.icans_diabetes * (diabetes - 0.2) + at.icans_cvd * (cvd - 0.3) - given)
        ldh = float(np.clip(round(250.0 * 2.0**log2_ratio), 50, 9_000))
        rows.append(
            CohortRow(
                dose_day=len(rows) % 2_000 * 7,
                age=int(np.clip(rng.normal(66, 8), 30, 89)),
                sex=Sex.MALE if rng.random() < 0.55 else Sex.FEMALE,
                histology=Histology.SCLC,
                ecog=int(rng.choice([0, 1, 2], p=[0.3, 0.55, 0.15])),
                prior_lines=int(rng.choice([1, 2, 3])),
                ldh=None if rng.random() < missing else LdhMeasured(value=ldh, uln=UpperLimit(value=250.0)),
                liver_metastases=_seen(rng, liver, missing),
                diabetes=_seen(rng, diabetes, missing),
                cardiovascular_disease=_seen(rng, cvd, missing),
                brain_metastases=_seen(rng, rng.random() < 0.4, missing),
                tocilizumab_prophylaxis=_presence(given),
                crs_grade_dose1=0 if not crs else int(rng.choice([2, 3], p=[0.85, 0.15])) if severe else 1,
                icans_grade=0 if not icans else int(rng.choice([1, 2, 3], p=[0.6, 0.25, 0.15])),
                crs_onset_hours=float(round(rng.lognormal(2.8, 0.6))) if crs else None,
                discontinued=Presence.NO,
                death=Death.NONE,
                follow_up_days=30,
                simulated=True,
            )
        )
    return rows


def _chance(rng: np.random.Generator, log_odds: float) -> bool:
    return bool(rng.random() < 1.0 / (1.0 + np.exp(-log_odds)))


def _presence(present: bool) -> Presence:
    return Presence.YES if present else Presence.NO


def _seen(rng: np.random.Generator, present: bool, missing: float) -> Presence:
    return Presence.UNKNOWN if rng.random() < missing else _presence(present)
