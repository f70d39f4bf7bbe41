"""Recompute every recorded answer with the present model: streaming, in bounded memory, whatever the ledger's length.

What changes is kept in SQLite's own temporary database, which lies on disk beyond a small cache and has no name.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bot.audit.payload import account_of
from bot.audit.recomputing import Difference, Figure, Level, Recomputing
from bot.ledger.check import Retention, problem_of
from bot.ledger.connection import AUDIT_WAIT_MS, open_for_reading
from bot.ledger.errors import fault_of_sqlite
from bot.ledger.kinds import LedgerKind
from bot.ledger.read import RawEvent, prunings, raw_events
from handlers.ports import Json, Kind
from handlers.receipts import receipt_of
from knowledge.assessment import ModelVersion
from knowledge.model import Model

# So many receipts of rows that cannot be read are named; beyond that they are counted.
NAMED_MOST = 1_000
_SPOOL = """
CREATE TABLE changed (seq INTEGER PRIMARY KEY, who TEXT, level TEXT, delivered INTEGER, data TEXT);
CREATE TABLE shared (ref INTEGER, channel TEXT);
CREATE TABLE told (who TEXT PRIMARY KEY)"""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which answers are looked at: of one model, from one day to another (ISO 8601, UTC, both included)."""

    model_id: str | None = None
    since: str | None = None
    until: str | None = None

    def takes(self, time: str, model_id: str) -> bool:
        """Whether an answer of this time and model is meant."""
        day = time[:10]
        since, until = self.since or "", self.until or "9999"
        return since <= day <= until and self.model_id in (None, model_id)


@dataclass(frozen=True, slots=True)
class ChangedAnswer:
    """An answer that reads otherwise today. ``delivered`` is None where no outcome is recorded."""

    seq: int
    receipt: str
    time: str
    who: str
    asker: Mapping[str, str]
    model: str
    same_model: bool
    comparison: bool
    delivered: bool | None
    shared: tuple[str, ...]
    difference: Difference


@dataclass
class Named:
    """Rows counted and, up to a bound, named by receipt."""

    count: int = 0
    receipts: list[str] = field(default_factory=list)

    def add(self, row: RawEvent, why: str) -> None:
        """One more."""
        self.count += 1
        if len(self.receipts) < NAMED_MOST:
            receipt = receipt_of(row.seq, row.leaf) if isinstance(row.leaf, bytes) else f"{row.seq}-????"
            self.receipts.append(f"{receipt} ({why})")


@dataclass
class Summary:
    """Counts of one recall, up to the event ``last``; ``models`` those of answers by the model that gave them."""

    model: ModelVersion
    asked: Asked
    events: int = 0
    last: int = 0
    answers: int = 0
    unchanged: int = 0
    by_level: Counter[str] = field(default_factory=Counter)
    in_doubt: int = 0
    persons: int = 0
    models: Counter[str] = field(default_factory=Counter)
    changed_by_model: Counter[str] = field(default_factory=Counter)
    pruned: int = 0
    missing: int = 0
    altered: Named = field(default_factory=Named)
    unreadable: Named = field(default_factory=Named)
    faults: Named = field(default_factory=Named)
    digest: str = ""

    @property
    def printed(self) -> int:
        """Answers of which a reader would see something change."""
        return self.by_level[Level.ESTIMATE] + self.by_level[Level.REASON]

    @property
    def sound(self) -> bool:
        """Whether every row could be read and this program gives the figures of its own model again."""
        return not (self.altered.count or self.unreadable.count or self.faults.count or self.missing)


class Recall:
    """A finished recall: the summary and, on disk, what changes. Close it."""

    def __init__(self, summary: Summary, spool: sqlite3.Connection) -> None:
        self.summary, self._spool = summary, spool

    def close(self) -> None:
        """Drop what changes."""
        self._spool.close()

    def changed(self) -> Iterator[ChangedAnswer]:
        """All answers that differ, grouped by person, each person's in the order they were given."""
        return self._read("ORDER BY who, seq")

    def persons(self) -> Iterator[tuple[str, Callable[[], Iterator[ChangedAnswer]]]]:
        """Those who were shown something that reads otherwise today, each with how to read their answers."""
        cursor = self._spool.execute("SELECT DISTINCT who FROM changed WHERE level != 'hidden' ORDER BY who")
        for (who,) in cursor.fetchall():  # names alone: as many as people ever asked

            def answers(who: str = who) -> Iterator[ChangedAnswer]:
                return self._read("WHERE who = ? AND level != 'hidden' ORDER BY seq", who)

            yield who, answers

    def told(self) -> frozenset[str]:
        """Who has had a notice of the earlier recall that this one goes on with."""
        return frozenset(who for (who,) in self._spool.execute("SELECT who FROM told"))

    def _read(self, condition: str, *values: str) -> Iterator[ChangedAnswer]:
        query = f"SELECT seq, who, delivered, data FROM changed {condition}"  # noqa: S608 - our own conditions
        for seq, who, delivered, data in self._spool.execute(query, values):
            said = json.loads(data)
            found = said.pop("difference")
            found["figures"] = tuple(Figure(**figure) for figure in found["figures"])
            found["reasons"] = tuple((was, now) for was, now in found["reasons"])
            difference = Difference(**{**found, "level": Level(found["level"])})
            shared = tuple(
                channel
                for (channel,) in self._spool.execute("SELECT DISTINCT channel FROM shared WHERE ref = ?", (seq,))
            )
            outcome = None if delivered is None else bool(delivered)
            yield ChangedAnswer(seq=seq, who=who, delivered=outcome, shared=shared, difference=difference, **said)


def recall(
    path: Path,
    asked: Asked,
    follow: Callable[[int], None] = lambda _seq: None,
    *,
    model: Model,
    upto: int | None = None,
    ref: int = 0,
) -> Recall:
    """Look at every event once, up to ``upto``; ``model`` is that in use.

    ``ref`` is the earlier recall whose notices are looked for.

    Raises:
        LedgerUnavailableError: the ledger cannot be read.
    """
    spool = sqlite3.connect("")
    spool.executescript(_SPOOL)
    spool.execute("BEGIN")
    recomputing = Recomputing(model)
    looking = _Looking(recomputing, spool, Summary(recomputing.model, asked), upto, ref)
    try:
        with contextlib.closing(open_for_reading(path, AUDIT_WAIT_MS)) as connection:
            retention = Retention(prunings(connection))
            for row in raw_events(connection, after=-1):
                if row.body is None and not retention.covers(row):
                    retention.learn(prunings(connection))
                looking.at(row, pruned=retention.covers(row))
                follow(row.seq)
    except sqlite3.Error as error:
        spool.close()
        raise fault_of_sqlite(error) from None
    except BaseException:
        spool.close()
        raise
    looking.finish()
    return Recall(looking.summary, spool)


class _Looking:
    """One pass over the ledger."""

    def __init__(
        self, recomputing: Recomputing, spool: sqlite3.Connection, summary: Summary, upto: int | None, ref: int
    ) -> None:
        self._recomputing, self._spool, self.summary = recomputing, spool, summary
        self._upto, self._ref = upto, ref
        self._digest = hashlib.sha256()
        self._last = 0

    def at(self, row: RawEvent, *, pruned: bool) -> None:
        """Take in one row, whatever state it is in."""
        summary = self.summary
        if self._upto is not None and row.seq > self._upto:
            self._later(row, pruned=pruned)
            return
        summary.missing += max(0, row.seq - self._last - 1)
        self._last = summary.last = max(self._last, row.seq)
        summary.events += 1
        problem = problem_of(row, row.seq, pruned=pruned)
        if problem is not None:
            summary.altered.add(row, problem)
        elif row.kind == Kind.COMPUTED.value.encode():
            if row.body is None:
                summary.pruned += 1
            else:
                self._answer(row, row.body)
        elif row.ref is not None:
            self._about(row, row.ref)

    def finish(self) -> None:
        """Close the counts."""
        self._spool.execute("CREATE INDEX changed_of ON changed (who, seq)")
        self._spool.execute("CREATE INDEX shared_of ON shared (ref)")
        (self.summary.persons,) = self._spool.execute(
            "SELECT count(DISTINCT who) FROM changed WHERE level != 'hidden'"
        ).fetchone()
        self.summary.digest = self._digest.hexdigest()

    def _answer(self, row: RawEvent, body: bytes) -> None:
        summary = self.summary
        try:
            payload = json.loads(body)
            model_id, sha256 = str(payload["model"]["id"]), str(payload["model"]["sha256"])
            asker = {str(name): str(value) for name, value in payload["asker"].items()}
            who = account_of(asker)
            time = row.time.decode()
            if not summary.asked.takes(time, model_id):
                return
            difference = self._recomputing.compare(payload)
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            summary.unreadable.add(row, type(error).__name__)
            return
        summary.answers += 1
        summary.models[model_id] += 1
        if difference is None:
            summary.unchanged += 1
            return
        same_model = sha256 == summary.model.sha256
        if same_model and difference.beyond_rounding:
            summary.faults.add(row, "same model, other figures")
        summary.by_level[difference.level] += 1
        summary.in_doubt += any(figure.in_doubt for figure in difference.figures)
        summary.changed_by_model[model_id] += difference.level is not Level.HIDDEN
        said: dict[str, Json | object] = {
            "receipt": receipt_of(row.seq, row.leaf),
            "time": time,
            "asker": asker,
            "model": model_id,
            "same_model": same_model,
            "comparison": "comparison" in payload,
            "difference": asdict(difference),
        }
        data = json.dumps(said, ensure_ascii=False)
        self._digest.update(row.leaf + difference.level.encode())
        self._spool.execute("INSERT INTO changed VALUES (?, ?, ?, NULL, ?)", (row.seq, who, difference.level, data))

    def _about(self, row: RawEvent, ref: int) -> None:
        """What became of an answer."""
        if row.kind in (b"delivered", b"delivery_failed"):
            # An answer counts as delivered if any try was.
            self._spool.execute(
                "UPDATE changed SET delivered = max(coalesce(delivered, 0), ?) WHERE seq = ?",
                (row.kind == b"delivered", ref),
            )
        elif row.kind == b"shared" and row.body is not None:
            channel = str(json.loads(row.body).get("asker", {}).get("channel", "unknown"))
            known = self._spool.execute("SELECT 1 FROM changed WHERE seq = ?", (ref,)).fetchone()
            if known is not None:
                self._spool.execute("INSERT INTO shared VALUES (?, ?)", (ref, channel))

    def _later(self, row: RawEvent, *, pruned: bool) -> None:
        """Beyond the recall that is gone on with only its notices matter."""
        mine = row.ref == self._ref and row.kind == LedgerKind.NOTIFIED.value.encode() and row.body is not None
        if mine and problem_of(row, row.seq, pruned=pruned) is None:
            self._spool.execute("INSERT OR IGNORE INTO told VALUES (?)", (json.loads(row.body or b"")["who"],))
