"""Which codes an event has as a FHIR AuditEvent: one line for every kind of event.

Types and subtypes are DICOM's (PS3.16, CID 400 and 401), which FHIR R4 names for them; no code there says what became
of an answer, so each event has its own kind as a further subtype, from a code system that is Tarla's alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

DICOM = "http://dicom.nema.org/resources/ontology/DCM"
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
SOURCE_TYPE = "http://terminology.hl7.org/CodeSystem/security-source-type"
ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
OBJECT_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
# Not registered anywhere: names that are ours and no web address.
KIND, MODEL, ACCOUNT = (f"urn:x-tarla:{name}" for name in ("event-kind", "model", "account"))
RECEIPT, NUMBER = "urn:x-tarla:receipt", "urn:x-tarla:event-number"
# An id kept as a keyed hash (TARLA_ID_KEY) begins so, and is in a system of its own: a user's, channel's or account's.
HASHED_PREFIX, HASHED = "hmac:", "urn:x-tarla:hashed-id"
SLACK_USER, SLACK_CHANNEL = "urn:x-tarla:slack-user", "urn:x-tarla:slack-channel"


class Outcome(StrEnum):
    """``AuditEvent.outcome``."""

    SUCCESS = "0"
    MINOR_FAILURE = "4"
    SERIOUS_FAILURE = "8"


@dataclass(frozen=True, slots=True)
class Code:
    """A DICOM code."""

    code: str
    display: str


ACTIVITY = Code("110100", "Application Activity")
LOG_USED = Code("110101", "Audit Log Used")
EXPORT = Code("110106", "Export")
QUERY = Code("110112", "Query")
START, STOP = Code("110120", "Application Start"), Code("110121", "Application Stop")
SECURITY, SOFTWARE = Code("110129", "Security Configuration"), Code("110131", "Software Configuration")


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a kind becomes. ``action`` is one of C R U D E; ``of_request`` says that somebody asked, to treat."""

    type: Code
    action: str
    outcome: Outcome = Outcome.SUCCESS
    subtype: Code | None = None
    of_request: bool = False


KINDS = MappingProxyType(
    {
        "computed": Mapped(QUERY, "E", of_request=True),
        "refused": Mapped(QUERY, "E", Outcome.MINOR_FAILURE, of_request=True),
        "looked_up": Mapped(QUERY, "R", of_request=True),
        "shared": Mapped(EXPORT, "R", of_request=True),
        # No question and no answer: somebody put something on record. Not to treat, so no purpose is named.
        "outcome_recorded": Mapped(ACTIVITY, "C"),
        "delivered": Mapped(ACTIVITY, "E", of_request=True),
        "delivery_failed": Mapped(ACTIVITY, "E", Outcome.SERIOUS_FAILURE, of_request=True),
        "interrupted": Mapped(ACTIVITY, "E", Outcome.SERIOUS_FAILURE, of_request=True),
        "started": Mapped(ACTIVITY, "E", subtype=START),
        "stopped": Mapped(ACTIVITY, "E", subtype=STOP),
        "model_activated": Mapped(ACTIVITY, "U", subtype=SOFTWARE),
        "key_rotated": Mapped(ACTIVITY, "U", subtype=SECURITY),
        "checkpoint": Mapped(LOG_USED, "E"),
        "pruned": Mapped(LOG_USED, "D"),
        "recalled": Mapped(LOG_USED, "R"),
        "notified": Mapped(ACTIVITY, "E"),
    }
)
# A kind of a later version than this program.
UNKNOWN = Mapped(ACTIVITY, "E")
