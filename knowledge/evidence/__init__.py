"""What is published on CRS and ICANS after tarlatamab, as checked data: ``load()`` gives it all."""

from knowledge.evidence.fields import Topic
from knowledge.evidence.marks import Mark
from knowledge.evidence.reader import Evidence, EvidenceError, load, load_from
from knowledge.evidence.records import Association, CentreTerm, Derived, Fact
from knowledge.evidence.sources import Source

__all__ = [
    "Association",
    "CentreTerm",
    "Derived",
    "Evidence",
    "EvidenceError",
    "Fact",
    "Mark",
    "Source",
    "Topic",
    "load",
    "load_from",
]
