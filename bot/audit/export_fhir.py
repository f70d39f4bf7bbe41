"""FHIR R4 AuditEvent, one resource a line (NDJSON), in the manner of IHE's Basic Audit Log Patterns.

No patient is named in it, because none is known. The findings are in the query, as those patterns have it: base64.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.audit import fhir_codes as codes
from bot.audit.export import hexed, readable
from bot.audit.payload import figures, outcome_said, parsed, part, parts, text
from bot.audit.problems import told
from bot.ledger.read import RawEvent

_SLACK_USER = re.compile(r"[UW][A-Z0-9]{2,20}", re.ASCII)
# What a FHIR id and a FHIR instant may be.
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)
_INSTANT = re.compile(r"[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
EPOCH = "1970-01-01T00:00:00.000000Z"
SITE = "Tarla audit ledger"


class FhirWriter:
    """One ``AuditEvent`` a line."""

    def header(self) -> str:
        """Nothing."""
        return ""

    def line(self, row: RawEvent, problem: str | None) -> str:
        """One event."""
        resource = audit_event(row, problem)
        return json.dumps(resource, ensure_ascii=False, separators=(",", ":")) + "\n"


def audit_event(row: RawEvent, problem: str | None) -> dict[str, Any]:
    """The event as an R4 AuditEvent, JSON types only."""
    kind, payload = readable(row.kind), parsed(row.body)
    mapped = codes.KINDS.get(kind, codes.UNKNOWN)
    receipt = f"{row.seq}-{hexed(row.leaf)[:4]}"
    time = readable(row.time)
    resource: dict[str, Any] = {"resourceType": "AuditEvent"}
    if _ID.fullmatch(receipt):
        resource["id"] = receipt
    resource["type"] = _coding(codes.DICOM, mapped.type)
    own = {"system": codes.KIND, "code": kind.strip() or "unknown"}
    resource["subtype"] = [own] if mapped.subtype is None else [_coding(codes.DICOM, mapped.subtype), own]
    resource["action"] = mapped.action
    resource["recorded"] = time if _INSTANT.fullmatch(time) else EPOCH
    resource["outcome"] = (mapped.outcome if problem is None else codes.Outcome.SERIOUS_FAILURE).value
    said = _outcome_words(payload, row, problem)
    if said:
        resource["outcomeDesc"] = said
    if mapped.of_request:
        resource["purposeOfEvent"] = [
            {"coding": [{"system": codes.ACT_REASON, "code": "TREAT", "display": "treatment"}]}
        ]
    resource["agent"] = _agents(payload)
    resource["source"] = {
        "site": SITE,
        "observer": {"display": "Tarla"},
        "type": [{"system": codes.SOURCE_TYPE, "code": "4", "display": "Application Server"}],
    }
    resource["entity"] = _entities(row, receipt, payload)
    return resource


def _outcome_words(payload: Mapping[str, Any], row: RawEvent, problem: str | None) -> str:
    if problem is not None:
        return f"altered since it was recorded ({problem}): {told(problem)}"
    if row.body is None:
        return "the payload was pruned when its time was over"
    return text(payload.get("reason"))


def _agents(payload: dict[str, Any]) -> list[dict[str, Any]]:
    asker = part(payload, "asker")
    application: dict[str, Any] = {
        "type": _concept(codes.DICOM, "110153", "Source Role ID"),
        "who": {"display": "Tarla"},
        "name": "Tarla",
        "requestor": False,
    }
    user = text(asker.get("user"))
    if not user.strip():
        # Nobody asked, or nobody knows any more: the application answers for itself.
        return [{**application, "requestor": True}]
    system = _system(user, codes.SLACK_USER if _SLACK_USER.fullmatch(user) else codes.ACCOUNT)
    person: dict[str, Any] = {
        "type": _concept(codes.PARTICIPATION, *_part_of_person(payload)),
        "who": {"identifier": {"system": system, "value": user}},
        "requestor": True,
    }
    channel = text(asker.get("channel"))
    if channel.strip():
        person["location"] = {"identifier": {"system": _system(channel, codes.SLACK_CHANNEL), "value": channel}}
    return [person, application]


def _part_of_person(payload: dict[str, Any]) -> tuple[str, str]:
    """Who records an outcome tells something; everybody else is told something."""
    told = next(outcome_said(payload), None) is None
    return ("IRCP", "information recipient") if told else ("AUT", "author (originator)")


def _system(value: str, system: str) -> str:
    return codes.HASHED if value.startswith(codes.HASHED_PREFIX) else system


def _entities(row: RawEvent, receipt: str, payload: dict[str, Any]) -> list[dict[str, Any]]:
    event: dict[str, Any] = {
        "what": {"identifier": {"system": codes.RECEIPT, "value": receipt}},
        "type": _entity_type("2", "System Object"),
        "role": _role("3", "Report"),
        "detail": [
            *_details(
                ("idem_key", readable(row.idem_key)),
                ("payload_hash", hexed(row.payload_hash)),
                ("leaf", hexed(row.leaf)),
            ),
            *_details(*_figures_given(payload)),
            *_details(*outcome_said(payload)),
            *_details(("via", text(part(payload, "asker").get("via") or payload.get("via")))),
            *_details(*((name, text(payload.get(name))) for name in ("evidence", "code", "milliseconds", "word"))),
        ],
    }
    entities = [event]
    if row.ref is not None:
        about = {"identifier": {"system": codes.NUMBER, "value": readable(row.ref)}, "display": "the earlier event"}
        entities.append({"what": about, "type": _entity_type("2", "System Object"), "role": _role("3", "Report")})
    model = part(payload, "model")
    if text(model.get("id")).strip():
        entities.append(
            {
                "what": {"identifier": {"system": codes.MODEL, "value": text(model["id"])}},
                "type": _entity_type("2", "System Object"),
                "role": _role("5", "Master file"),
                "detail": _details(*_model_details(model)),
            }
        )
    query = asked(payload)
    if query is not None:
        encoded = json.dumps(query, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        entities.append(
            {
                "type": _entity_type("2", "System Object"),
                "role": _role("24", "Query"),
                "query": base64.b64encode(encoded).decode(),
            }
        )
    for entity in entities:
        if not entity.get("detail", True):
            del entity["detail"]
    return entities


def asked(payload: dict[str, Any]) -> dict[str, Any] | None:
    """What was asked, as understood: findings, the findings compared, or a look-up with its arguments."""
    if part(payload, "factors"):
        return part(payload, "factors")
    compared = parts(payload, "comparison")
    if compared:
        return {"comparison": [{name: each.get(name) for name in ("change", "factors")} for each in compared]}
    if "look_up" in payload:
        return {"look_up": payload["look_up"], "arguments": payload.get("arguments")}
    return None


def _figures_given(payload: dict[str, Any]) -> list[tuple[str, str]]:
    """Figures of the answer: each outcome's risk and interval."""
    return [(f"risk.{name}", f"{risk} ({low} to {high})") for name, risk, low, high in figures(payload)]


def _details(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"type": name, "valueString": value} for name, value in pairs if value.strip()]


def _coding(system: str, code: codes.Code) -> dict[str, str]:
    return {"system": system, "code": code.code, "display": code.display}


def _concept(system: str, code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def _entity_type(code: str, display: str) -> dict[str, str]:
    return {"system": codes.ENTITY_TYPE, "code": code, "display": display}


def _role(code: str, display: str) -> dict[str, str]:
    return {"system": codes.OBJECT_ROLE, "code": code, "display": display}


def _model_details(model: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "sha256", text(model.get("sha256"))
    yield "parent_sha256", text(part(model, "parent").get("sha256"))
    yield "data_sha256", text(model.get("data_sha256"))
    yield "simulated", "yes" if model.get("simulated") is True else ""
