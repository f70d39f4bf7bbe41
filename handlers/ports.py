"""What a conversation needs from the outside world, as Protocols.

The process (``bot``) provides the real parts; tests provide hand-written fakes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, Union

from handlers.receipts import receipt_of
from knowledge.model import Model, ModelError

# Ledger payloads are canonical JSON (RFC 8785): decimals travel as strings, so
# that every implementation of the canonical form gives the same bytes.
Json = Union[str, int, bool, None, Sequence["Json"], Mapping[str, "Json"]]  # noqa: UP007 - `|` cannot hold a forward reference at run time


# Gives the model that answers here, the shipped one or a site's own; raises ModelError where it cannot be used.
ModelInUse = Callable[[], Model]


def model_or_none(in_use: ModelInUse) -> Model | None:
    """The model in use; None where it cannot be used."""
    try:
        return in_use()
    except ModelError:
        return None


class Kind(StrEnum):
    """Kinds of ledger event that a conversation gives rise to."""

    COMPUTED = "computed"
    REFUSED = "refused"
    LOOKED_UP = "looked_up"
    SHARED = "shared"
    OUTCOME = "outcome_recorded"
    DELIVERED = "delivered"
    DELIVERY_FAILED = "delivery_failed"


@dataclass(frozen=True, slots=True)
class Entry:
    """One event to be recorded.

    ``idem_key`` names the request it belongs to: the same key is never recorded
    twice. ``kind`` is a ``Kind``, or a word of the ledger's own. ``ref`` is the
    ``seq`` of the earlier event that this one is about.
    """

    idem_key: str
    kind: str
    payload: Mapping[str, Json]
    ref: int | None = None


def outcome_key(answer: int, replaces: int | None) -> str:
    """The event's idempotency key. Each outcome has one successor, whoever sends it and how often.

    Args:
        answer: the ledger's number of the answer.
        replaces: that of the outcome which stood before; None for the first.
    """
    return f"outcome:{answer}.{replaces or 0}"


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it stands in the ledger, durable."""

    seq: int
    time: str
    leaf: bytes

    @property
    def receipt(self) -> str:
        """What the reader can quote: the sequence number and the start of the leaf hash."""
        return receipt_of(self.seq, self.leaf)


class AlreadyRecordedError(Exception):
    """The idempotency key is in the ledger already; nothing was written."""

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(f"already recorded as {recorded.receipt}")
        self.recorded = recorded


class LedgerUnavailableError(Exception):
    """The event could not be made durable in time, and will not appear later.

    ``code`` is a short closed-vocabulary reason (``locked``, ``disk_full``,
    ``read_only``, ``cannot_open``, ``timeout``, ``damaged``, ``closed``).
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Ledger(Protocol):
    """The audit ledger as a conversation sees it."""

    async def record(self, entry: Entry) -> Recorded:
        """Make the entry durable and return where it stands.

        Raises:
            AlreadyRecordedError: its ``idem_key`` is in the ledger.
            LedgerUnavailableError: it is not durable and will not become so.
        """
        ...


@dataclass(frozen=True, slots=True)
class PastEvent:
    """An event read back. ``payload`` is None where it was pruned."""

    recorded: Recorded
    kind: str
    payload: Mapping[str, Json] | None


@dataclass(frozen=True, slots=True)
class OwnAnswers:
    """Answers of one person, newest first.

    ``altered`` are receipts of rows that are not as they were recorded. ``searched`` is how many events were looked
    through, and ``complete`` false where older ones were not. ``outcomes`` are those that stand for these answers, by
    the answer's number.
    """

    events: tuple[PastEvent, ...]
    altered: tuple[str, ...] = ()
    searched: int = 0
    complete: bool = True
    outcomes: Mapping[int, PastEvent] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LedgerCounts:
    """How many events there are since a day: by the Monday (ISO 8601) of their week and kind, and refusals by code."""

    by_week: Mapping[tuple[str, str], int]
    refusals: Mapping[str, int]
    first_seq: int
    last_seq: int
    complete: bool = True


class History(Protocol):
    """The ledger as a conversation reads it."""

    async def answers_of(self, user: str, team: str | None, limit: int) -> OwnAnswers:
        """The last ``limit`` answers that this person was given in this workspace, each row's hashes checked.

        Raises:
            LedgerUnavailableError: the ledger cannot be read.
        """
        ...

    async def counts_since(self, day: str) -> LedgerCounts:
        """Counts of all events since the beginning of ``day`` (ISO 8601, UTC).

        Raises:
            LedgerUnavailableError: the ledger cannot be read.
        """
        ...

    async def event(self, receipt: str) -> PastEvent | None:
        """The event of this receipt; None when there is none, or when its leaf is another.

        Raises:
            LedgerUnavailableError: the ledger cannot be read.
        """
        ...

    async def outcome_of(self, answer: int) -> PastEvent | None:
        """The outcome that stands for the answer of this number, the last of those that took each other's place.

        Raises:
            LedgerUnavailableError: the ledger cannot be read, or an outcome was changed since it was recorded.
        """
        ...


@dataclass(frozen=True, slots=True)
class Person:
    """An account as Slack knows it; ``team`` and ``enterprise`` are its own, None where Slack does not say."""

    user: str
    team: str | None = None
    enterprise: str | None = None
    enterprise_teams: tuple[str, ...] = ()
    is_stranger: bool = False
    is_guest: bool = False
    is_bot: bool = False
    is_deactivated: bool = False


@dataclass(frozen=True, slots=True)
class OwnWorkspace:
    """Where the app is installed. ``team`` is None in an installation for a whole organisation."""

    team: str | None
    enterprise: str | None = None


class DirectoryUnavailableError(Exception):
    """Slack does not say who somebody is: no answer in time, or an error; the argument is a closed code."""


class Directory(Protocol):
    """Slack's people and user groups."""

    async def workspace(self) -> OwnWorkspace:
        """The workspace the app is installed in.

        Raises:
            DirectoryUnavailableError: Slack does not say.
        """
        ...

    async def person(self, user: str) -> Person | None:
        """The account of this id; None where Slack knows none.

        Raises:
            DirectoryUnavailableError: Slack does not say.
        """
        ...

    async def members(self, group: str) -> frozenset[str]:
        """User ids of a user group; empty where Slack knows no such group.

        Raises:
            DirectoryUnavailableError: Slack does not say.
        """
        ...


class Clock(Protocol):
    """Wall-clock time, for the ledger and for measuring how long an answer took."""

    def now(self) -> datetime:
        """Current time, timezone-aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never steps back."""
        ...
