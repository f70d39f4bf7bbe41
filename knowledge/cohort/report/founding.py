"""The founding study's own figures, from the evidence, to be read beside the centre's."""

from __future__ import annotations

from knowledge.assessment import Outcome
from knowledge.cohort.report.contrasts import Contrast, contrast
from knowledge.cohort.report.proportions import Proportion, proportion
from knowledge.evidence import Evidence
from knowledge.frozen import FrozenModel


class PublishedRate(FrozenModel):
    """A published count with our intervals; ``rate`` is None where the source gives none, ``note`` the evidence's."""

    evidence: str
    rate: Proportion | None
    note: str | None = None


class Founding(FrozenModel):
    """The founding study; ``comparison`` holds our tests on its counts. Figures that are None were not found."""

    source: str
    patients: int
    patients_evidence: str
    median_age: float
    median_age_evidence: str
    male: PublishedRate
    ecog01: PublishedRate
    without: dict[Outcome, PublishedRate]
    given: dict[Outcome, PublishedRate]
    comparison: dict[Outcome, Contrast]
    comparison_evidence: str


WITHOUT = {
    Outcome.CRS_ANY: "inc.joshi.crs_any",
    Outcome.CRS_GRADE2PLUS: "inc.joshi.crs_g2plus",
    Outcome.CRS_GRADE3PLUS: "inc.joshi.crs_g3plus",
    Outcome.ICANS_ANY: "inc.joshi.icans_any",
    Outcome.ICANS_GRADE3PLUS: "inc.joshi.icans_g3plus",
}
GIVEN = {Outcome.CRS_ANY: "inc.joshi.toci_crs", Outcome.ICANS_ANY: "inc.joshi.toci_icans"}
COHORT, AGE, MALE, ECOG01, COMPARED = (
    "inc.joshi.n",
    "inc.joshi.age",
    "inc.joshi.male",
    "inc.joshi.ecog01",
    "pro.joshi.compare",
)


def founding(evidence: Evidence) -> Founding:
    """The figures as the evidence holds them.

    Raises:
        KeyError: a record is not there.
        ValueError: it does not hold what it should.
    """
    patients, age = evidence.fact(COHORT).denominator, evidence.fact(AGE).value
    if patients is None or not isinstance(age, float):
        raise ValueError("the founding study's size or median age is not in the evidence")
    without = {outcome: _rate(evidence, fact) for outcome, fact in WITHOUT.items()}
    given = {outcome: _rate(evidence, fact) for outcome, fact in GIVEN.items()}
    compared = {}
    for outcome, one in given.items():
        other = without[outcome]
        if one.rate is not None and other.rate is not None and (found := contrast(one.rate, other.rate)) is not None:
            compared[outcome] = found
    return Founding(
        source=evidence.fact(COHORT).source,
        patients=patients,
        patients_evidence=COHORT,
        median_age=age,
        median_age_evidence=AGE,
        male=_rate(evidence, MALE),
        ecog01=_rate(evidence, ECOG01),
        without=without,
        given=given,
        comparison=compared,
        comparison_evidence=COMPARED,
    )


def _rate(evidence: Evidence, fact_id: str) -> PublishedRate:
    fact = evidence.fact(fact_id)
    known = fact.count is not None and fact.denominator is not None
    return PublishedRate(
        evidence=fact_id, rate=proportion(fact.count or 0, fact.denominator or 0) if known else None, note=fact.note
    )
