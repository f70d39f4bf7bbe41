"""Counts over the whole ledger in one pass, in memory that grows with days and versions but not with events."""

from __future__ import annotations

import hashlib
import heapq
import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.audit.days import Days
from bot.audit.payload import parsed, part, text
from bot.ledger import LedgerCheck, check_ledger
from bot.ledger.read import RawEvent

# Delivery times are counted by whole milliseconds, as they are recorded, so quantiles are exact; longer ones together.
MOST_MS = 60_000
SHARES = (0.5, 0.9, 0.99, 0.999)
LARGEST = 10
# Bounds on what a ledger of strange content could make this hold.
MOST_NAMES, MOST_PEOPLE, MOST_LISTED = 200, 100_000, 500
OTHER = "other"
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,60}", re.ASCII)


@dataclass
class Use:
    """A version in use: in how many events, the first and the last of them."""

    count: int
    first_seq: int
    first_time: str
    last_seq: int
    last_time: str


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """Time between one event and the next, in seconds; negative where the clock was set back."""

    seconds: float
    seq: int
    since: str
    until: str


@dataclass(frozen=True, slots=True)
class Listed:
    """One of the rare events: number, time, and what its payload says in a few words."""

    seq: int
    time: str
    words: str


@dataclass
class Stats:
    """What ``statistics_of`` counts. Days and times are UTC; ``by_day`` is by (day, kind)."""

    days: Days = field(default_factory=Days)
    events: int = 0
    first: tuple[int, str] | None = None
    last: tuple[int, str] | None = None
    pruned_payloads: int = 0
    by_day: Counter[tuple[str, str]] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    delivery_ms: Counter[int] = field(default_factory=Counter)
    models: dict[tuple[str, str], Use] = field(default_factory=dict)
    evidence: dict[str, Use] = field(default_factory=dict)
    programs: dict[str, Use] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    steps_back: list[Gap] = field(default_factory=list)
    steps_back_counted: int = 0
    listed: dict[str, list[Listed]] = field(default_factory=dict)
    check: LedgerCheck | None = None
    _users: set[bytes] = field(default_factory=set, repr=False)
    _channels: set[bytes] = field(default_factory=set, repr=False)
    _before: tuple[str, datetime] | None = field(default=None, repr=False)

    @property
    def users(self) -> int:
        """How many people asked; who they are is not told here."""
        return len(self._users)

    @property
    def channels(self) -> int:
        """In how many channels."""
        return len(self._channels)

    @property
    def by_kind(self) -> Counter[str]:
        """Events by kind."""
        total: Counter[str] = Counter()
        for (_day, kind), count in self.by_day.items():
            total[kind] += count
        return total

    @property
    def by_month(self) -> Counter[tuple[str, str]]:
        """Events by month (2026-11) and kind."""
        total: Counter[tuple[str, str]] = Counter()
        for (day, kind), count in self.by_day.items():
            total[day[:7], kind] += count
        return total

    def quantile(self, share: float) -> int | None:
        """Milliseconds that at least this share of deliveries did not exceed; None without any."""
        wanted, seen = math.ceil(share * self.delivery_ms.total()), 0
        for milliseconds in sorted(self.delivery_ms):
            seen += self.delivery_ms[milliseconds]
            if seen >= wanted:
                return milliseconds
        return None

    def add(self, row: RawEvent) -> None:
        """Count one event whose hashes are right."""
        time, kind = row.time.decode(), row.kind.decode()
        if not self.days.covers(time):
            return
        self.events += 1
        self.first = self.first or (row.seq, time)
        self.last = (row.seq, time)
        self._count((time[:10], kind), self.by_day, limit=None)
        self._clock(row.seq, time)
        if row.body is None:
            self.pruned_payloads += 1
            return
        payload = parsed(row.body)
        if kind == "refused":
            self._count(_code(payload.get("reason")), self.refusals)
        elif kind == "delivery_failed":
            self._count(_code(payload.get("reason")), self.failures)
        elif kind == "delivered" and isinstance(milliseconds := payload.get("milliseconds"), int):
            self.delivery_ms[max(0, min(MOST_MS, milliseconds))] += 1
        elif kind in LISTED:
            self._list(row, time, kind, payload)
        self._versions(row.seq, time, payload)
        self._people(part(payload, "asker"))

    def _count(self, name: Any, counter: Counter[Any], limit: int | None = MOST_NAMES) -> None:
        counter[name if limit is None or name in counter or len(counter) < limit else OTHER] += 1

    def _clock(self, seq: int, time: str) -> None:
        moment = datetime.fromisoformat(time)
        if self._before is not None:
            gap = Gap((moment - self._before[1]).total_seconds(), seq, self._before[0], time)
            if gap.seconds < 0:
                self.steps_back_counted += 1
                _keep(self.steps_back, Gap(-gap.seconds, seq, gap.since, gap.until))
            else:
                _keep(self.gaps, gap)
        self._before = (time, moment)

    def _versions(self, seq: int, time: str, payload: dict[str, Any]) -> None:
        model = part(payload, "model")
        if model:
            name = text(model.get("id")) + (" (simulated patients)" if model.get("simulated") is True else "")
            _use(self.models, (name, text(model.get("sha256"))), seq, time)
        for name, uses in (("evidence", self.evidence), ("code", self.programs)):
            if isinstance(payload.get(name), str):
                _use(uses, payload[name], seq, time)

    def _people(self, asker: dict[str, Any]) -> None:
        place = text(asker.get("team"))
        for name, seen in (("user", self._users), ("channel", self._channels)):
            if asker.get(name) is not None and len(seen) < MOST_PEOPLE:
                seen.add(hashlib.blake2b(f"{place}\0{asker[name]}".encode(), digest_size=12).digest())

    def _list(self, row: RawEvent, time: str, kind: str, payload: dict[str, Any]) -> None:
        kept = self.listed.setdefault(kind, [])
        if len(kept) < MOST_LISTED:
            kept.append(Listed(row.seq, time, LISTED[kind](row, payload)))


def statistics_of(path: Path, days: Days, follow: Callable[[int], None] = lambda _seq: None) -> Stats:
    """Statistics of these days, and the verdict on the whole ledger; at a fault counting ends there.

    Raises:
        LedgerUnavailableError: the ledger cannot be read.
    """
    stats = Stats(days)

    def take(row: RawEvent) -> None:
        stats.add(row)
        follow(row.seq)

    stats.check = check_ledger(path, take)
    return stats


def _use(uses: dict[Any, Use], name: Any, seq: int, time: str) -> None:
    use = uses.get(name)
    if use is not None:
        use.count, use.last_seq, use.last_time = use.count + 1, seq, time
    elif len(uses) < MOST_NAMES:
        uses[name] = Use(1, seq, time, seq, time)


def _keep(largest: list[Gap], gap: Gap) -> None:
    if len(largest) < LARGEST:
        heapq.heappush(largest, gap)
    else:
        heapq.heappushpop(largest, gap)


def _code(value: object) -> str:
    return value if isinstance(value, str) and _CODE.fullmatch(value) else OTHER


def _model(_row: RawEvent, payload: dict[str, Any]) -> str:
    model = part(payload, "model") or payload
    said = f"{text(model.get('id'))} sha256 {text(model.get('sha256'))[:16]}".strip()
    parent, counts = part(model, "parent"), part(payload, "updated_with")
    if parent:
        whose = "SIMULATED patients" if model.get("simulated") is True else "own patients"
        rows = text(counts.get("patients"))
        said += f", {text(parent.get('id'))} updated with {f'a file of {rows} ' if rows else ''}{whose}"
    return said


def _range(_row: RawEvent, payload: dict[str, Any]) -> str:
    first, last, before = (text(payload.get(name)) for name in ("first", "last", "before"))
    return f"events {first} to {last}, recorded before {before[:10]}"


def _about(row: RawEvent, _payload: dict[str, Any]) -> str:
    return "" if row.ref is None else f"event {row.ref}"


def _numbers(_row: RawEvent, payload: dict[str, Any]) -> str:
    counts = ((name, value) for name, value in payload.items() if name != "version" and isinstance(value, int))
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in counts)


# Events that are shown one by one, and what is said of each.
LISTED: dict[str, Callable[[RawEvent, dict[str, Any]], str]] = {
    "model_activated": _model,
    "pruned": _range,
    "recalled": _numbers,
    "interrupted": _about,
    "key_rotated": _about,
}
