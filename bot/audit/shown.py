"""One event in full: what its row says, whether its hashes are right, what refers to it, which checkpoint covers it."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bot.audit.payload import parsed
from bot.checkpoints.newest import OwnNotes
from bot.ledger.check import Retention, problem_of
from bot.ledger.connection import AUDIT_WAIT_MS, check_schema, open_for_reading
from bot.ledger.errors import fault_of_sqlite
from bot.ledger.leaf import leaf_hash, payload_hash
from bot.ledger.note import Checkpoint
from bot.ledger.read import RawEvent, last_seq, prunings, raw_events
from handlers.receipts import Receipt, receipt_of

# Looked through in pages of one statement each: no index leads from an event to what refers to it.
PAGE_EVENTS = 20_000
MOST_REFERRING = 200
# An answer about an earlier one has edited findings, or sets patients side by side.
_REFERRING = """
SELECT e.seq, CASE WHEN e.kind <> 'computed' OR p.body IS NULL THEN e.kind
  WHEN instr(p.body, '"comparison":') > 0 THEN 'computed (compared)' ELSE 'computed (edited)' END, e.time, e.leaf
FROM event AS e LEFT JOIN payload AS p ON p.seq = e.seq
WHERE e.seq > ? AND e.seq <= ? AND e.ref = ? ORDER BY e.seq"""


class Fit(StrEnum):
    """How a receipt fits the ledger."""

    RIGHT = "right"
    NO_SUCH_NUMBER = "no_such_number"
    OTHER_LEAF = "other_leaf"
    ALTERED = "altered"


@dataclass(frozen=True, slots=True)
class Referring:
    """A later event about this one."""

    seq: int
    kind: str
    time: str
    receipt: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What was found. ``row`` is None where the ledger has no event of that number; ``last`` is its newest.

    ``payload_right`` and ``leaf_right`` tell each hash apart, the first None where the payload was pruned.
    ``pruned_by`` is the event that let the payload go. ``covered`` is the first checkpoint over it; ``notes`` how many
    there are.
    """

    fit: Fit
    receipt: Receipt
    last: int
    row: RawEvent | None = None
    problem: str | None = None
    payload_right: bool | None = None
    leaf_right: bool = False
    pruned_by: int | None = None
    referring: tuple[Referring, ...] = ()
    covered: Checkpoint | None = None
    notes: int = 0


def look_up(path: Path, receipt: Receipt, notes: OwnNotes) -> Shown:
    """The event of a receipt and all that is known of it.

    Raises:
        LedgerUnavailableError: the ledger cannot be read, or its tables or guards are not the known ones.
    """
    try:
        with contextlib.closing(open_for_reading(path, AUDIT_WAIT_MS)) as connection:
            check_schema(connection)
            last = last_seq(connection)
            row = next(raw_events(connection, after=receipt.seq - 1, page=1), None)
            if row is None or row.seq != receipt.seq:
                return Shown(Fit.NO_SUCH_NUMBER, receipt, last, notes=len(notes.checkpoints))
            known = prunings(connection)
            pruned_by = next((each.seq for each in known if each.first <= row.seq <= each.last), None)
            problem = problem_of(row, row.seq, pruned=Retention(known).covers(row))
            referring = tuple(_referring(connection, row.seq, last))
    except sqlite3.Error as error:
        raise fault_of_sqlite(error) from None
    payload_right, leaf_right = _hashes(row)
    fit = Fit.ALTERED if problem is not None else Fit.RIGHT if receipt.fits(row.leaf) else Fit.OTHER_LEAF
    return Shown(
        fit=fit,
        receipt=receipt,
        last=last,
        row=row,
        problem=problem,
        payload_right=payload_right,
        leaf_right=leaf_right,
        pruned_by=pruned_by if row.body is None else None,
        referring=referring,
        covered=notes.covering(row.seq),
        notes=len(notes.checkpoints),
    )


def _hashes(row: RawEvent) -> tuple[bool | None, bool]:
    try:
        held = None if row.salt is None or row.body is None else payload_hash(row.salt, row.body) == row.payload_hash
        computed = leaf_hash(
            seq=row.seq,
            idem_key=row.idem_key.decode(),
            kind=row.kind.decode(),
            ref=row.ref,
            time=row.time.decode(),
            payload_hash=row.payload_hash,
        )
    except (UnicodeDecodeError, AttributeError, TypeError):
        return False, False
    return held, computed == row.leaf


def _referring(connection: sqlite3.Connection, seq: int, last: int) -> list[Referring]:
    found: list[Referring] = []
    after = seq
    while after < last and len(found) < MOST_REFERRING:
        upto = after + PAGE_EVENTS
        for number, kind, time, leaf in connection.execute(_REFERRING, (after, upto, seq)).fetchall():
            kind, time = kind.decode(errors="replace"), time.decode(errors="replace")
            found.append(Referring(number, kind, time, receipt_of(number, leaf)))
        after = upto
    return found[:MOST_REFERRING]


def as_json(shown: Shown, again: str | None = None) -> dict[str, object]:
    """All of it, JSON types only; texts that are none come with their bytes escaped.

    ``again`` says what working the answer out by its own model came to.
    """
    from bot.audit.export import hexed, readable  # not at the top: exports load more than a look at one event

    row = shown.row
    said: dict[str, object] = {"receipt": str(shown.receipt), "fit": shown.fit.value, "last_seq": shown.last}
    if row is None:
        return said
    said |= {
        "seq": row.seq,
        "idem_key": readable(row.idem_key),
        "kind": readable(row.kind),
        "ref": row.ref,
        "time": readable(row.time),
        "payload_hash": hexed(row.payload_hash),
        "leaf": hexed(row.leaf),
        "salt": None if row.salt is None else hexed(row.salt),
        "payload": None if row.body is None else parsed(row.body) or readable(row.body),
        "worked_out_again": again,
        "pruned_by": shown.pruned_by,
        "problem": shown.problem,
        "payload_hash_right": shown.payload_right,
        "leaf_right": shown.leaf_right,
        "referring": [
            {"seq": each.seq, "kind": each.kind, "time": each.time, "receipt": each.receipt} for each in shown.referring
        ],
        "checkpoints": shown.notes,
        "covered_by": None if shown.covered is None else shown.covered.size,
    }
    return said
