"""What a change of model does to a few typical patients, and how models are listed."""

from __future__ import annotations

from handlers.answer.figures import risk_estimate
from handlers.answer.findings import describe
from handlers.answer.plain import aligned
from handlers.answer.view import LABELS
from knowledge.assessment import Outcome
from knowledge.engine import assess
from knowledge.factors import LdhMultiple, PatientFactors, Presence
from knowledge.model import Model

YES, NO = Presence.YES, Presence.NO
# From every study predictor absent to all present, and the average patient.
TYPICAL = (
    PatientFactors(ldh=LdhMultiple(multiple=0.8), liver_metastases=NO, diabetes=NO, cardiovascular_disease=NO),
    PatientFactors(ldh=LdhMultiple(multiple=1.9), liver_metastases=YES, diabetes=NO, cardiovascular_disease=YES),
    PatientFactors(ldh=LdhMultiple(multiple=5.0), liver_metastases=YES, diabetes=YES, cardiovascular_disease=YES),
    PatientFactors(),
)
OUTCOMES = (Outcome.CRS_ANY, Outcome.CRS_GRADE2PLUS, Outcome.ICANS_ANY)
NOT_USABLE = "not usable"


def before_and_after(before: Model | None, after: Model) -> list[str]:
    """Lines of text; ``before`` is None where the model in use cannot be used."""
    lines = []
    for factors in TYPICAL:
        now, then = (None if model is None else assess(factors, model) for model in (before, after))
        rows = [("", "now", "after")]
        for outcome in OUTCOMES:
            was, becomes = (
                NOT_USABLE if each is None else risk_estimate(each.risk_of(outcome)) for each in (now, then)
            )
            rows.append((f"  {LABELS[outcome]}", was, becomes))
        lines += [describe(factors) if factors != PatientFactors() else "nothing known", *aligned(rows)]
    return lines
