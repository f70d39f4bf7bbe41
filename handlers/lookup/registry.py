"""Which word begins which look-up. A plain table: a new look-up is a line in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from handlers.evidence.view import evidence_look_up
from handlers.lookup.dose import dose
from handlers.lookup.grade import grade
from handlers.lookup.manage import manage
from handlers.lookup.monitor import monitor
from handlers.lookup.reply import LookUp
from handlers.lookup.toci import toci

# The words after the first one, in ASCII lower case, and today's date (ISO 8601). Raises LookUpRefusal.
Find = Callable[[Sequence[str], str], LookUp]

LOOK_UPS: Mapping[str, Find] = MappingProxyType(
    {
        "dose": dose,
        "evidence": evidence_look_up,
        "grade": grade,
        "manage": manage,
        "monitor": monitor,
        "toci": toci,
    }
)
