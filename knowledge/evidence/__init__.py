"""What is published on CRS and ICANS after tarlatamab, as checked data: ``load()`` gives it all."""

from knowledge.evidence.collection import Evidence
from knowledge.evidence.conflicts import Conflict, Gap
from knowledge.evidence.fields import Topic
from knowledge.evidence.marks import Mark
from knowledge.evidence.reader import load, load_from
from knowledge.evidence.records import Association, CentreTerm, Derived, Fact
from knowledge.evidence.sources import Source
from knowledge.evidence.subjects import Subject
from knowledge.evidence.tables import EvidenceError

__all__ = [
    "Association",
    "CentreTerm",
    "Conflict",
    "Derived",
    "Evidence",
    "EvidenceError",
    "Fact",
    "Gap",
    "Mark",
    "Source",
    "Subject",
    "Topic",
    "load",
    "load_from",
]
