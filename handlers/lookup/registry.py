"""Which word begins which look-up. A plain table: a new look-up is a line in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from handlers.evidence.view import evidence_look_up
from handlers.lookup.dose import dose
from handlers.lookup.grade import grade
from handlers.lookup.manage import manage
from handlers.lookup.monitor import monitor
from handlers.lookup.reply import LookUp, LookUpCode, LookUpRefusal
from handlers.lookup.toci import toci
from handlers.parsing.nearest import SHORT_WORD, slips
from handlers.parsing.vocabulary import KNOWN_WORDS

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

# What to type, for a first word that comes near.
EXAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "dose": "/tarla dose c1d8 23",
        "evidence": "/tarla evidence icans",
        "grade": "/tarla grade crs",
        "manage": "/tarla manage crs 2",
        "monitor": "/tarla monitor c1d8",
        "toci": "/tarla toci 82kg",
    }
)
# Commands that are no look-ups, told in the same way.
COMMANDS: Mapping[str, str] = MappingProxyType({"outcome": "/tarla outcome 1284-3f9a"})
# A word of its own that questions begin with.
_NOT_A_SLIP = frozenset({"does"})


def near_look_up(word: str) -> LookUpRefusal | None:
    """The refusal of a first word (ASCII lower case) that is a slip of the finger away from a name in these tables."""
    if word in LOOK_UPS or word in KNOWN_WORDS or word in _NOT_A_SLIP:
        return None
    reach = 1 if len(word) <= SHORT_WORD else 2
    near = [
        name for name in (*LOOK_UPS, *COMMANDS) if abs(len(name) - len(word)) <= reach and slips(word, name) <= reach
    ]
    if len(near) != 1:
        return None
    message = "No finding and no look-up begins with this word. Did you mean the one below?"
    return LookUpRefusal(LookUpCode.UNKNOWN_TOPIC, message, {**EXAMPLES, **COMMANDS}[near[0]], 1)
