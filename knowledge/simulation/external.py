"""The average patient's CRS of grade 2 or higher beside what other cohorts saw."""

from __future__ import annotations

from knowledge.assessment import Outcome
from knowledge.engine import assess
from knowledge.evidence import load as load_evidence
from knowledge.exact import clopper_pearson
from knowledge.factors import PatientFactors
from knowledge.model import Model
from knowledge.simulation.results import ExternalCheck, ExternalRate

EXTERNAL_FACTS = ("inc.guo.crs_g2plus", "inc.eu473.crs_g2plus_day1")


def external_check(model: Model) -> ExternalCheck:
    """The engine's answer for a patient of whom nothing is known, at a new centre, and the published rates."""
    evidence = load_evidence()
    rates = []
    for fact_id in EXTERNAL_FACTS:
        fact = evidence.fact(fact_id)
        if fact.count is None or fact.denominator is None:
            raise ValueError(f"{fact_id} has no count of events among n")
        low, high = clopper_pearson(fact.count, fact.denominator)
        rates.append(
            ExternalRate(
                fact=fact_id,
                population=fact.population,
                window=fact.window,
                events=fact.count,
                n=fact.denominator,
                interval=(round(low, 6), round(high, 6)),
            )
        )
    risk = assess(PatientFactors(), model).risk_of(Outcome.CRS_GRADE2PLUS)
    low, high = risk.interval
    return ExternalCheck(
        outcome=Outcome.CRS_GRADE2PLUS,
        risk=round(risk.risk, 6),
        interval=(round(low, 6), round(high, 6)),
        rates=tuple(rates),
    )
