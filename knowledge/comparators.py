"""Which published facts stand beside each estimate, by id of the evidence.

Counts of the founding study for every outcome, and what other cohorts saw,
each with its own definition and time window.
"""

from __future__ import annotations

from knowledge.assessment import Outcome

STUDY: dict[Outcome, str] = {
    Outcome.CRS_ANY: "inc.joshi.crs_any",
    Outcome.CRS_GRADE2PLUS: "inc.joshi.crs_g2plus",
    Outcome.ICANS_ANY: "inc.joshi.icans_any",
    Outcome.CRS_GRADE3PLUS: "inc.joshi.crs_g3plus",
    Outcome.ICANS_GRADE3PLUS: "inc.joshi.icans_g3plus",
}
STUDY_N = "inc.joshi.crs_any"

# Rates elsewhere: trials first, then real-world cohorts.
ELSEWHERE: dict[Outcome, tuple[str, ...]] = {
    Outcome.CRS_ANY: ("inc.eu473.crs_after_dose1", "inc.multi102.crs_dose1"),
    Outcome.CRS_GRADE2PLUS: ("inc.eu473.crs_g2plus_day1", "inc.guo.crs_g2plus"),
    Outcome.ICANS_ANY: (
        "inc.label473.icans_c1d1",
        "inc.label473.icans_pt",
        "inc.label473.icans_broad",
        "inc.wclc25.icans_any",
        "inc.multi102.icans_any",
        "inc.guo.icans_any",
    ),
    Outcome.CRS_GRADE3PLUS: ("inc.eu473.crs_g3plus",),
    Outcome.ICANS_GRADE3PLUS: ("inc.label473.icans_g3plus", "inc.wclc25.icans_g3"),
}

# With prophylactic tocilizumab there is no model: counts alone.
TOCILIZUMAB_CRS = "inc.joshi.toci_crs"
TOCILIZUMAB_ICANS = "inc.joshi.toci_icans"

# What supports, and what contradicts or fails to replicate, the study's predictors.
SUPPORTING = ("rf.multi102.liver.crs", "rf.guo.ldh.crs_g2", "rf.guo.liver6.crs_g2")
CONTRADICTING = ("rf.guo.ldh.icans", "rf.guo.ecog.icans", "rf.guo.sites3.icans")


def shown_ids() -> tuple[str, ...]:
    """Every entry of the evidence that an answer shows beside the engine's own figures."""
    beside = tuple(fact for facts in ELSEWHERE.values() for fact in facts)
    return (*STUDY.values(), *beside, TOCILIZUMAB_CRS, TOCILIZUMAB_ICANS, *SUPPORTING, *CONTRADICTING)
