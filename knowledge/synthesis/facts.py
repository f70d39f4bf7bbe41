"""Where the synthesis takes its figures from: published facts, by id."""

from __future__ import annotations

from knowledge.evidence import Evidence
from knowledge.synthesis.spec import CentreCohort, Spec

STUDY_CRS_ANY = "inc.joshi.crs_any"
STUDY_CRS_GRADE3PLUS = "inc.joshi.crs_g3plus"
STUDY_ICANS_ANY = "inc.joshi.icans_any"
# The conditions of significance: which predictor of which outcome.
STUDY_PREDICTORS = (
    "rf.joshi.ldh.crs",
    "rf.joshi.liver.crs",
    "rf.joshi.ldh.crs_g2",
    "rf.joshi.diabetes.icans",
    "rf.joshi.cvd.icans",
)
# Cohorts of matching definition, the founding study and nested trials left out.
CRS_CENTRES = ("inc.eu473.crs_after_dose1", "inc.multi102.crs_dose1")
ICANS_CENTRES = ("inc.guo.icans_any", "inc.wclc25.icans_any", "inc.multi102.icans_any")
# What the priors of grade and covariates were read from.
PRIOR_FACTS = (
    "inc.eu473.crs_g2plus_day1",
    "inc.eu473.crs_g2",
    "inc.eu473.crs_g3",
    "inc.eu473.crs_g4",
    "cov.ldh.high163",
    "cov.liver.d304",
    "cov.dm.aarts_men",
    "cov.dm.spain",
    "cov.cardiac.aarts_men",
    "cov.cardiac.aarts_women",
    "cov.dm_hf.corr",
)


def published_spec(evidence: Evidence) -> Spec:
    """The specification with every count taken from the evidence."""
    crs_any = _counts(evidence, STUDY_CRS_ANY)
    return Spec(
        n=crs_any.n,
        crs_any=crs_any.events,
        crs_grade3=_counts(evidence, STUDY_CRS_GRADE3PLUS).events,
        crs_grade2_least=_counts(evidence, STUDY_CRS_GRADE3PLUS).events,
        icans_any=_counts(evidence, STUDY_ICANS_ANY).events,
        crs_centres=tuple(_counts(evidence, fact) for fact in CRS_CENTRES),
        icans_centres=tuple(_counts(evidence, fact) for fact in ICANS_CENTRES),
    )


def model_fact_ids(spec: Spec) -> tuple[str, ...]:
    """Every entry of the evidence that a model with this specification rests on."""
    centres = tuple(cohort.fact for cohort in (*spec.crs_centres, *spec.icans_centres))
    study = (STUDY_CRS_ANY, STUDY_CRS_GRADE3PLUS, STUDY_ICANS_ANY, *STUDY_PREDICTORS)
    return (*study, *centres, *PRIOR_FACTS)


def _counts(evidence: Evidence, fact_id: str) -> CentreCohort:
    fact = evidence.fact(fact_id)
    if fact.count is None or fact.denominator is None:
        raise ValueError(f"{fact_id} has no count of events among n")
    return CentreCohort(fact=fact_id, events=fact.count, n=fact.denominator)
