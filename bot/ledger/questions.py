"""Questions over many events: one person's answers, and counts. Read-only, in pages, newest first, bounded.

Each page is a statement of its own: a reader that held its lock for longer would keep every writer from committing.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from bot.ledger.read import RawEvent, last_seq, raw_events
from handlers.ports import outcome_key

PAGE_EVENTS = 2_000
# Answers further back are not looked for; counts cover weeks and go further.
ANSWERS_SEARCHED_MOST = 50_000
COUNTED_MOST = 200_000
_REASON = re.compile(rb"^E_[A-Z0-9_]{1,60}$")
OTHER_REASON = "other"

# The body is canonical JSON, so the user's id stands in it as written here; looking for that first spares reading
# most bodies as JSON. A body that is no JSON is a damaged row, which check_ledger finds; it is nobody's answer here.
_OWN_ANSWERS = """
SELECT e.seq FROM event AS e JOIN payload AS p ON p.seq = e.seq
WHERE e.seq > :after AND e.seq <= :upto AND e.kind = 'computed' AND instr(p.body, :mark) > 0
  AND CASE WHEN json_valid(p.body) THEN
    json_extract(p.body, '$.asker.user') = :user AND json_extract(p.body, '$.asker.team') IS :team
  ELSE 0 END
ORDER BY e.seq DESC LIMIT :limit"""

# The Monday of an ISO week: six days back, then on to the next Monday.
_COUNTS = """
SELECT date(substr(time, 1, 10), '-6 days', 'weekday 1') AS monday, kind, count(*)
FROM event WHERE seq > :after AND seq <= :upto AND time >= :day GROUP BY monday, kind"""

_REASONS = """
SELECT CASE WHEN json_valid(p.body) THEN json_extract(p.body, '$.reason') END AS reason, count(*)
FROM event AS e JOIN payload AS p ON p.seq = e.seq
WHERE e.seq > :after AND e.seq <= :upto AND e.kind = 'refused' AND e.time >= :day GROUP BY reason"""


@dataclass(frozen=True, slots=True)
class FoundAnswers:
    """Rows newest first, how many events were looked through, and whether that was all there are."""

    rows: tuple[RawEvent, ...]
    searched: int
    complete: bool


# By its key alone, over the unique index: an outcome's key names the answer and the outcome that it takes the place of.
_BY_KEY = "SELECT seq FROM event WHERE idem_key = ?"


@dataclass(frozen=True, slots=True)
class Counted:
    """Counts by (Monday, kind) and by refusal code, the events they cover, and whether those were all."""

    by_week: dict[tuple[str, str], int]
    refusals: dict[str, int]
    first_seq: int
    last_seq: int
    complete: bool


def own_answers(connection: sqlite3.Connection, user: str, team: str | None, limit: int) -> FoundAnswers:
    """The newest ``limit`` rows of ``computed`` events whose asker is this user of this team; hashes not checked."""
    last = upto = last_seq(connection)
    found: list[int] = []
    mark = f'"user":{json.dumps(user, ensure_ascii=False)}'
    floor = max(0, last - ANSWERS_SEARCHED_MOST)
    while upto > floor and len(found) < limit:
        after = max(floor, upto - PAGE_EVENTS)
        asked = {"after": after, "upto": upto, "mark": mark, "user": user, "team": team}
        found += [seq for (seq,) in connection.execute(_OWN_ANSWERS, asked | {"limit": limit - len(found)})]
        upto = after
    rows = tuple(row for seq in found for row in [next(raw_events(connection, after=seq - 1, page=1))])
    return FoundAnswers(rows, last - upto, complete=len(found) >= limit or upto == 0)


def outcome_steps(connection: sqlite3.Connection, answer: int) -> Iterator[RawEvent]:
    """Rows of the outcomes of an answer, each in the place of the one before; hashes not checked."""
    replaced = 0
    while (found := connection.execute(_BY_KEY, (outcome_key(answer, replaced),)).fetchone()) is not None:
        (seq,) = found
        # Also in a file that somebody wrote into this comes to an end.
        if seq <= replaced or (row := next(raw_events(connection, after=seq - 1, page=1), None)) is None:
            return
        yield row
        replaced = seq


def counts_since(connection: sqlite3.Connection, day: str) -> Counted:
    """Counts of events recorded since ``day`` (ISO 8601, UTC) began."""
    by_week: Counter[tuple[str, str]] = Counter()
    refusals: Counter[str] = Counter()
    last = upto = last_seq(connection)
    first, floor = last + 1, max(0, last - COUNTED_MOST)
    while upto > floor:
        after = max(floor, upto - PAGE_EVENTS)
        asked = {"after": after, "upto": upto, "day": day}
        weeks = connection.execute(_COUNTS, asked).fetchall()
        if not weeks:
            # A clock set right may leave single times out of order, hardly a whole page of them.
            return Counted(dict(by_week), dict(refusals), first, last, complete=True)
        for monday, kind, count in weeks:
            by_week[monday.decode(), kind.decode()] += count
        for reason, count in connection.execute(_REASONS, asked):
            known = isinstance(reason, bytes) and _REASON.match(reason)
            refusals[reason.decode() if known else OTHER_REASON] += count
        first, upto = after + 1, after
    return Counted(dict(by_week), dict(refusals), first, last, complete=upto == 0)
