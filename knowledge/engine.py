"""The risk engine: what is known of a patient in, an assessment out."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from knowledge import comparators
from knowledge.assessment import Assessment, ObservedCount, Outcome
from knowledge.evidence import load as load_evidence
from knowledge.exact import clopper_pearson
from knowledge.factors import LdhCategory, LdhMultiple, PatientFactors, Presence
from knowledge.model import Model
from knowledge.model import load as load_model
from knowledge.predict import CrsRisks, crs_risks, icans_risk
from knowledge.synthesis.facts import model_fact_ids

# Near the upper limit half the model's weight jumps; the answer says by how much.
NEAR_LIMIT = (0.9, 1.1)
# A multiple just above the limit: elevated, with the same log2 ratio to nine digits.
JUST_ABOVE_LIMIT = 1.0 + 1e-9


def assess(factors: PatientFactors, model: Model | None = None) -> Assessment:
    """Risk of CRS and ICANS before the first infusion, without tocilizumab prophylaxis.

    Args:
        factors: what is known; anything may be unknown and is averaged over.
        model: another model than the shipped one.

    Raises:
        ModelError: the shipped model is missing, altered or built from other facts.
    """
    chosen = model or load_model()
    crs = crs_risks(chosen, factors.ldh, factors.liver_metastases)
    icans = icans_risk(chosen, factors.diabetes, factors.cardiovascular_disease)
    return Assessment(
        factors=factors,
        outcomes=(crs.any_grade, crs.grade2plus, icans),
        observed=observed(),
        assumptions=tuple(_assumptions(factors, crs, chosen)),
        evidence=evidence_ids(chosen),
        model=chosen.version,
        site=chosen.site,
    )


@lru_cache(maxsize=1)
def observed() -> tuple[ObservedCount, ...]:
    """What the founding study saw without prophylaxis, with exact 95 % intervals."""
    evidence = load_evidence()
    patients = evidence.fact(comparators.STUDY_N).denominator
    if patients is None:
        raise ValueError(f"{comparators.STUDY_N} does not say among how many patients")
    counts = []
    for outcome, fact_id in comparators.STUDY.items():
        events = evidence.fact(fact_id).count
        interval = None if events is None else clopper_pearson(events, patients)
        counts.append(ObservedCount(outcome=outcome, events=events, n=patients, interval=interval))
    return tuple(counts)


@lru_cache(maxsize=4)
def evidence_ids(model: Model) -> tuple[str, ...]:
    """Entries of the evidence that an answer of this model rests on or shows, each once."""
    return tuple(dict.fromkeys((*comparators.shown_ids(), *model_fact_ids(model.spec))))


def _assumptions(factors: PatientFactors, crs: CrsRisks, model: Model) -> Iterator[str]:
    """What was assumed where the input was silent, coarse or extreme, in plain words."""
    if factors == PatientFactors():
        yield "Nothing is known of this patient: these are the model's averages; read them beside the study's rates."
    yield from _ldh_assumptions(factors, crs, model)
    unknown = Presence.UNKNOWN
    if factors.liver_metastases is unknown and factors.ldh is not None:
        yield "Liver metastases not known: averaged over yes and no, given what is known of the LDH."
    if factors.diabetes is unknown and factors.cardiovascular_disease is unknown:
        yield "Diabetes and CVD not known: averaged over yes and no, as they occur together."
    elif factors.diabetes is unknown:
        yield "Diabetes not known: averaged over yes and no, given what is known of CVD."
    elif factors.cardiovascular_disease is unknown:
        yield "CVD not known: averaged over yes and no, given what is known of diabetes."


def _ldh_assumptions(factors: PatientFactors, crs: CrsRisks, model: Model) -> Iterator[str]:
    ldh = factors.ldh
    if ldh is None and factors.liver_metastases is Presence.UNKNOWN:
        yield "LDH and liver metastases not known: averaged over both, as they occur together."
    elif ldh is None:
        yield "LDH not known: averaged over the LDH of patients with this liver status."
    elif isinstance(ldh, LdhCategory):
        side = "above" if ldh.category == "high" else "at or below"
        yield f"LDH {ldh.category}, without a figure: averaged over values {side} the upper limit of normal."
    else:
        if crs.held_share > 0:
            yield (
                f"LDH lies beyond the range of {_share(crs.held_share)} of the model's draws; "
                "there it is held at the end of the range."
            )
        if NEAR_LIMIT[0] <= ldh.ratio <= NEAR_LIMIT[1]:
            yield _jump_at_limit(factors, model)


def _jump_at_limit(factors: PatientFactors, model: Model) -> str:
    at = crs_risks(model, LdhMultiple(multiple=1.0), factors.liver_metastases)
    above = crs_risks(model, LdhMultiple(multiple=JUST_ABOVE_LIMIT), factors.liver_metastases)
    return (
        "LDH is near its upper limit, where the estimate jumps because the study may have counted only above or not: "
        f"just above the limit instead of at it, CRS of any grade goes from {_percent(at.any_grade.risk)} "
        f"to {_percent(above.any_grade.risk)} and CRS grade ≥ 2 from {_percent(at.grade2plus.risk)} "
        f"to {_percent(above.grade2plus.risk)}."
    )


def _share(fraction: float) -> str:
    if fraction < 0.01:
        return "less than 1 %"
    return "nearly all" if fraction > 0.99 else _percent(fraction)


def _percent(fraction: float) -> str:
    if fraction < 0.01:
        return "below 1 %"
    return "above 99 %" if fraction > 0.99 else f"{100 * fraction:.0f} %"


__all__ = ["Outcome", "assess", "evidence_ids", "observed"]
