"""What is published on CRS and ICANS after tarlatamab, as checked data: ``load()`` gives it all."""

from knowledge.evidence.reader import Evidence, EvidenceError, load, load_from
from knowledge.evidence.records import Association, CentreTerm, Derived, Fact, Source, Topic

__all__ = [
    "Association",
    "CentreTerm",
    "Derived",
    "Evidence",
    "EvidenceError",
    "Fact",
    "Source",
    "Topic",
    "load",
    "load_from",
]
