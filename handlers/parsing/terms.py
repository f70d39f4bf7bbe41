"""What the words of the grammar mean: the terms that a text is made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from knowledge.factors import LdhUnit, Presence


class Subject(StrEnum):
    """What a name in the text is about."""

    LDH = "ldh"
    ULN = "uln"
    LIVER = "liver"
    DIABETES = "diabetes"
    CVD = "cvd"


class Meaning(StrEnum):
    """What a value word says of the name beside it."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    HIGH = "high"
    NORMAL = "normal"


class Side(StrEnum):
    """On which side of its name a value may stand."""

    BEFORE = "before"
    AFTER = "after"
    EITHER = "either"


class Form(StrEnum):
    """How a value is written.

    As a word, as a sign that stands alone or is written onto its name, as `with`, or as words
    that tell of the past: a history may be denied (`denies dm, h/o mi`), a known one is stated.
    """

    WORD = "word"
    LONE_SIGN = "lone sign"
    GLUED_SIGN = "glued sign"
    PREPOSITION = "preposition"
    HISTORY = "history"
    KNOWN_HISTORY = "known history"
    DENIED_HISTORY = "denied history"


class Noun(StrEnum):
    """The noun a name ends in, which an item before it in the list may share: `liver or heart disease`."""

    LEFT_OUT = "left out"
    DISEASE = "disease"
    METASTASES = "metastases"


@dataclass(frozen=True, slots=True)
class Name:
    """A factor, LDH or its upper limit.

    ``narrower`` marks a single diagnosis that is only one way of having the
    factor (heart failure is one way of having CVD, type 2 one of having diabetes).
    ``diagnosis`` marks what is present when it stands alone in its clause: `liver mets`
    is a diagnosis, `liver` and `cardiac history` are not. ``noun`` is None where none can be shared.
    """

    subject: Subject
    narrower: bool = False
    diagnosis: bool = False
    noun: Noun | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """A finding that needs a name beside it; ``only`` is the one subject it can be said of, where there is one."""

    meaning: Meaning
    side: Side = Side.EITHER
    form: Form = Form.WORD
    only: Subject | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A name and its value in one word (``nondiabetic``), or a diagnosis alone in its clause (``unvalued``)."""

    subject: Subject
    presence: Presence
    narrower: bool = False
    unvalued: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A canonical number, not yet known to be of what."""

    value: float


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of enzyme activity."""

    unit: LdhUnit


@dataclass(frozen=True, slots=True)
class Times:
    """``x``, ``times``, ``x uln``: the figure before it is a multiple of the upper limit."""


@dataclass(frozen=True, slots=True)
class Slash:
    """Between an LDH and its upper limit."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """``or``, ``nor``: ends a list that a negation opened, and is ambiguous elsewhere."""


@dataclass(frozen=True, slots=True)
class Neither:
    """Opens a list that ``nor`` or ``or`` ends."""


@dataclass(frozen=True, slots=True)
class Filler:
    """``pt``, ``PMH:``: says nothing at the head of a clause, and is not understood elsewhere.

    ``history`` marks those that tell of the past unless a colon makes them a heading.
    """

    history: bool = False


@dataclass(frozen=True, slots=True)
class Connector:
    """``of``, ``at``, ``is`` between LDH or its limit and what is said of it."""


Term = Name | Value | Finding | Figure | Unit | Times | Slash | Alternative | Neither | Filler | Connector


@dataclass(frozen=True, slots=True)
class Placed:
    """A term where it stands.

    ``position`` is the number of its first word in the text, from 1.
    ``opens`` is true after a boundary that no name and value may bind across,
    ``linked`` after ``=`` or ``:``. Of boundaries, ``breaks`` marks those that end a list
    and ``joined`` an `and`, see ``words``. ``headed`` is true directly after a filler,
    ``by_line`` after a line break that no full stop or `but` stands beside.
    """

    term: Term
    position: int
    opens: bool
    linked: bool
    breaks: bool = False
    joined: bool = False
    headed: bool = False
    by_line: bool = False
