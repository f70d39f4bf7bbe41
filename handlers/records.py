"""What the ledger keeps of an answer or a refusal: closed vocabulary, figures to six decimals, versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from handlers.lookup import LookUp
from handlers.ports import Json, Kind, PastEvent, Recorded
from handlers.requests import Asker
from knowledge.assessment import Assessment, OutcomeRisk
from knowledge.factors import LdhCategory, LdhMeasured, LdhMultiple, PatientFactors
from knowledge.model import Model

# Changes when the meaning of a field changes, so that an old row is read as it was meant.
PAYLOAD_VERSION = 1
DECIMALS = 6
ROUNDED_APART = 2.5 * 10.0**-DECIMALS


def computed_payload(
    assessment: Assessment, notes: tuple[str, ...], asker: Asker, evidence_version: str, code_version: str
) -> dict[str, Json]:
    """The payload of a ``computed`` event: enough to compute the answer again and to say who read it."""
    return {
        "version": PAYLOAD_VERSION,
        "asker": asker.record(),
        "factors": factors_record(assessment.factors),
        "outcomes": [outcome_record(outcome) for outcome in assessment.outcomes],
        "assumptions": list(assessment.assumptions),
        "notes": list(notes),
        "model": model_record(assessment),
        "evidence": evidence_version,
        "code": code_version,
    }


def comparison_payload(
    rows: Sequence[tuple[str, Assessment]], asker: Asker, evidence_version: str, code_version: str
) -> dict[str, Json]:
    """The payload of a ``computed`` event for patients set side by side; each row names what it changes."""
    return {
        "version": PAYLOAD_VERSION,
        "asker": asker.record(),
        "comparison": [
            {
                "change": change,
                "factors": factors_record(assessment.factors),
                "outcomes": [outcome_record(outcome) for outcome in assessment.outcomes],
            }
            for change, assessment in rows
        ],
        "model": model_record(rows[0][1]),
        "evidence": evidence_version,
        "code": code_version,
    }


def model_record(given_by: Assessment | Model) -> dict[str, Json]:
    """Which model answered: its name and hash; for a site model also its parent and the hash of the patients' file."""
    version = given_by.model if isinstance(given_by, Assessment) else given_by.version
    record: dict[str, Json] = {"id": version.id, "sha256": version.sha256}
    if (site := given_by.site) is not None:
        record |= {"parent": {"id": site.parent_id, "sha256": site.parent_sha256}, "data_sha256": site.data_sha256}
        record |= {"simulated": True} if site.simulated else {}
    return record


def shared_payload(receipt: str, asker: Asker, evidence_version: str, code_version: str) -> dict[str, Json]:
    """The payload of a ``shared`` event: which answer, by whom, and (in ``asker``) to which channel."""
    return {
        "version": PAYLOAD_VERSION,
        "asker": asker.record(),
        "receipt": receipt,
        "evidence": evidence_version,
        "code": code_version,
    }


def refused_payload(token: str, asker: Asker, length: int, code_version: str) -> dict[str, Json]:
    """The payload of a ``refused`` event: why and where, never what."""
    code, _, position = token.partition("@")
    return {
        "version": PAYLOAD_VERSION,
        "asker": asker.record(),
        "reason": code,
        "word": int(position),
        "length": length,
        "code": code_version,
    }


def looked_up_payload(look_up: LookUp, asker: Asker, evidence_version: str, code_version: str) -> dict[str, Json]:
    """The payload of a ``looked_up`` event: which look-up, with what, and which records it quoted."""
    return {
        "version": PAYLOAD_VERSION,
        "asker": asker.record(),
        "look_up": look_up.code,
        "arguments": dict(look_up.arguments),
        "records": list(look_up.records),
        "evidence": evidence_version,
        "code": code_version,
    }


@dataclass(frozen=True, slots=True)
class PastAnswer:
    """An answer read back from its ``computed`` event."""

    recorded: Recorded
    user: str
    team: str | None
    factors: PatientFactors
    notes: tuple[str, ...]
    model_id: str
    model_sha256: str
    evidence: str
    outcomes: tuple[Json, ...] = ()

    def agrees(self, assessment: Assessment) -> bool:
        """Whether these figures are those of the record, but for the last decimal, which machines may round apart."""
        again = [outcome_record(outcome) for outcome in assessment.outcomes]
        return len(again) == len(self.outcomes) and all(map(_same, self.outcomes, again))


def _same(one: Json, other: Json) -> bool:
    """Whether two records are alike, decimals to within twice the last place kept."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if one == other:
        return True
    try:
        return abs(float(str(one)) - float(str(other))) < ROUNDED_APART
    except ValueError:
        return False


def past_answer(event: PastEvent) -> PastAnswer | None:
    """The answer in an event; None where the event is no single answer, or its payload was pruned.

    Raises:
        TypeError, KeyError, ValueError: the payload is not what ``computed_payload`` writes.
    """
    payload = event.payload
    if event.kind != Kind.COMPUTED or payload is None or "factors" not in payload:
        return None
    asker, factors, model, notes = (payload.get(name) for name in ("asker", "factors", "model", "notes"))
    outcomes = payload.get("outcomes")
    if not (isinstance(asker, dict) and isinstance(factors, dict) and isinstance(model, dict)):
        raise TypeError("a computed event names asker, factors and model")
    return PastAnswer(
        recorded=event.recorded,
        user=str(asker["user"]),
        team=str(asker["team"]) if "team" in asker else None,
        factors=factors_from_record(factors),
        notes=tuple(str(note) for note in notes) if isinstance(notes, list) else (),
        model_id=str(model["id"]),
        model_sha256=str(model["sha256"]),
        evidence=str(payload["evidence"]),
        outcomes=tuple(outcomes) if isinstance(outcomes, list) else (),
    )


def factors_record(factors: PatientFactors) -> dict[str, Json]:
    """Findings as understood; numbers as decimal strings."""
    return {
        "ldh": _ldh_record(factors),
        "liver_metastases": factors.liver_metastases.value,
        "diabetes": factors.diabetes.value,
        "cardiovascular_disease": factors.cardiovascular_disease.value,
    }


def _ldh_record(factors: PatientFactors) -> Json:
    ldh = factors.ldh
    if isinstance(ldh, LdhMeasured):
        return {
            "value": repr(ldh.value),
            "unit": ldh.unit.value,
            "uln": repr(ldh.uln.value),
            "uln_unit": ldh.uln.unit.value,
            "uln_from": ldh.uln_from,
        }
    if isinstance(ldh, LdhMultiple):
        return {"multiple": repr(ldh.multiple)}
    if isinstance(ldh, LdhCategory):
        return {"category": ldh.category}
    return None


def factors_from_record(record: dict[str, Json]) -> PatientFactors:
    """The findings that ``factors_record`` wrote down, for computing an answer again.

    Raises:
        ValueError: the record was not written by it.
    """
    if record.keys() != PatientFactors.model_fields.keys():
        raise ValueError("a record of findings names each factor, and nothing else")
    return PatientFactors.model_validate({**record, "ldh": _ldh_from_record(record["ldh"])})


def _ldh_from_record(ldh: Json) -> dict[str, object] | None:
    if ldh is None:
        return None
    parts = ldh if isinstance(ldh, dict) else {}
    if parts.keys() == {"value", "unit", "uln", "uln_unit", "uln_from"}:
        limit = {"value": float(str(parts["uln"])), "unit": parts["uln_unit"]}
        measured = {"kind": "measured", "value": float(str(parts["value"])), "unit": parts["unit"], "uln": limit}
        return {**measured, "uln_from": parts["uln_from"]}
    if parts.keys() == {"multiple"}:
        return {"kind": "multiple", "multiple": float(str(parts["multiple"]))}
    return {"kind": "category", **parts}


def outcome_record(outcome: OutcomeRisk) -> dict[str, Json]:
    """One outcome's figures, decimals as strings."""
    return {
        "outcome": outcome.outcome.value,
        "risk": _decimal(outcome.risk),
        "interval": [_decimal(limit) for limit in outcome.interval],
        "risk_study_centre": _decimal(outcome.risk_study_centre),
        "interval_study_centre": [_decimal(limit) for limit in outcome.interval_study_centre],
        "risk_by_prior": [_decimal(risk) for risk in outcome.risk_by_prior],
    }


def outcome_from_record(record: Json) -> OutcomeRisk:
    """The figures that ``outcome_record`` wrote down, to six decimals.

    Raises:
        TypeError, KeyError, ValueError: the record was not written by it.
    """
    if not isinstance(record, Mapping):
        raise TypeError("an outcome is an object")
    return OutcomeRisk.model_validate(
        {
            name: value if name == "outcome" else _numbers(value)
            for name, value in record.items()
            if name in OutcomeRisk.model_fields
        }
    )


def _numbers(value: Json) -> float | list[float]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [float(str(each)) for each in value]
    return float(str(value))


def _decimal(value: float) -> str:
    return f"{value:.{DECIMALS}f}"
