"""The whole ledger against itself and against its checkpoints, in one pass and little memory."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.audit.trust import Judged, KeyChange, judge, key_change, replaced_before
from bot.checkpoints.folder import CheckpointFolder
from bot.ledger.check import LedgerCheck, check_ledger
from bot.ledger.clock_steps import ClockWatch
from bot.ledger.connection import AUDIT_WAIT_MS, open_for_reading
from bot.ledger.errors import LedgerFault
from bot.ledger.leaf import timestamp
from bot.ledger.merkle import EMPTY_ROOT, Tree
from bot.ledger.note import PublicKey
from bot.ledger.read import RawEvent, last_seq_of
from bot.ledger.schema import IS_KEPT

_CLAIMED = f"SELECT ref FROM event WHERE {IS_KEPT} AND kind = 'checkpoint'"  # noqa: S608 - put together of constants

# Of many of a kind so many are named.
NAMED_MOST = 5
# Two machines' clocks may differ so much.
CLOCKS_APART = timedelta(hours=1)

ROW_PROBLEMS = {
    "gap": "event {seq} is missing",
    "ref": "event {seq} refers to no earlier event",
    "time": "event {seq} has no proper time",
    "text": "event {seq} holds what is no text",
    "index": "event {seq} is not found where an index leads: the index was changed",
    "payload_missing": "the payload of event {seq} is gone, and no recorded pruning covers it",
    "payload_hash": "the payload of event {seq} was changed",
    "leaf": "event {seq} was changed",
    "orphan_payload": "payload {seq} belongs to no event",
    "orphan_event": "there is an event with the number {seq}, before the first",
    "pruning": "the pruning of event {seq} is not what its event says, or came before a year was over",
    "schema": "tables or triggers are not those of a ledger: something was dropped, added or changed",
    "damaged": "the file is damaged after event {good}",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: a closed code, the event or size it is about (None for the file), and a sentence."""

    code: str
    number: int | None
    sentence: str


@dataclass(slots=True)
class Verification:
    """The verdict. ``covered`` is the size of the greatest checkpoint that fits, ``covered_at`` the time of its last
    event; the events after it are protected by nothing outside the file. ``clock_steps`` counts events earlier than
    the one before them, which is no fault of the ledger; ``years`` is the shortest policy by which payloads
    were let go.
    """

    events: int = 0
    pruned: int = 0
    checkpoints: int = 0
    covered: int = 0
    covered_at: str | None = None
    clock_steps: int = 0
    years: int | None = None
    keys: tuple[PublicKey, ...] = ()
    problems: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


@dataclass(slots=True)
class _Claim:
    seq: int
    size: int
    root: str


class _Reading:
    """What one pass over the rows gathers."""

    def __init__(self, sizes: frozenset[int]) -> None:
        self.sizes, self.tree = sizes, Tree()
        self.roots: dict[int, bytes] = {0: EMPTY_ROOT}
        self.times: dict[int, str] = {}
        self.claims: list[_Claim] = []
        self.changes: list[KeyChange] = []
        self.unreadable: list[int] = []
        self.prunings: list[tuple[int, str]] = []
        self.shortest: int | None = None
        self.clock_steps, self._clock = 0, ClockWatch()

    def take(self, row: RawEvent) -> None:
        self.tree.append(row.leaf)
        if row.seq in self.sizes:
            self.roots[row.seq], self.times[row.seq] = self.tree.root(), row.time.decode()
        self.clock_steps += self._clock.see(row.seq, row.time.decode()) is not None
        try:
            if row.kind == b"checkpoint":
                said = json.loads(row.body or b"")
                self.claims.append(_Claim(row.seq, int(said["size"]), str(said["root"])))
            elif row.kind == b"pruned":
                years = int(json.loads(row.body or b"")["years"])
                self.shortest = years if self.shortest is None else min(self.shortest, years)
                self.prunings.append((row.seq, row.time.decode()))
            elif row.kind == b"key_rotated":
                self.changes.append(key_change(row.seq, row.body))
        except (ValueError, KeyError, TypeError, RecursionError):
            self.unreadable.append(row.seq)


def verify(
    ledger: Path,
    folders: Sequence[CheckpointFolder],
    keys: Sequence[PublicKey],
    follow: Callable[[int], None] = lambda _seq: None,
    now: datetime | None = None,
) -> Verification:
    """Check every row, and every checkpoint of every folder against the tree over the rows.

    Args:
        keys: whose signatures are trusted; those reached by recorded changes of key are too.
        follow: told the number of each row after it.
        now: the machine's time by default.

    Raises:
        LedgerUnavailableError: there is no ledger there or it cannot be read.
        FolderError: a folder cannot be read.
    """
    begun = 0
    with contextlib.suppress(LedgerFault):  # check_ledger says what is wrong with it
        begun = last_seq_of(ledger, AUDIT_WAIT_MS)  # before the notes: whatever it records by then must be among them
    notes = [note for folder in folders for note in folder.notes()]
    strangers = [name for folder in folders for name in folder.strangers()]
    reading = _Reading(frozenset(note.size for note in notes) | _claimed_sizes(ledger))

    def take(row: RawEvent) -> None:
        reading.take(row)
        follow(row.seq)

    check = check_ledger(ledger, take)
    judged = judge(notes, keys, reading.changes, reading.roots)
    found = Verification(
        events=check.events,
        pruned=check.pruned,
        checkpoints=len({note.size for note in notes}),
        clock_steps=reading.clock_steps,
        years=reading.shortest,
        keys=judged.keys,
    )
    found.problems += _of_rows(check, reading)
    found.problems += _of_prunings(reading, now or datetime.now(UTC))
    found.problems += _of_notes(check, reading, judged)
    found.problems += [
        Problem("foreign_checkpoint", None, f"{name!a}: no checkpoint has such a name") for name in strangers
    ]
    late = {
        claim.size
        for claim in reading.claims
        if claim.seq > begun and any(folder.place(claim.size).exists() for folder in folders)
    }
    found.problems += _of_claims(reading, {note.size for note in notes} | late)
    if not notes:
        found.problems.append(
            Problem("no_checkpoint", None, "no checkpoint: nothing outside the ledger vouches for it")
        )
    fitting = [
        each.checkpoint.size
        for each in judged.opened
        if reading.roots.get(each.checkpoint.size) == each.checkpoint.root
    ]
    found.covered = max(fitting, default=0)
    found.covered_at = reading.times.get(found.covered)
    return found


def _claimed_sizes(ledger: Path) -> frozenset[int]:
    try:
        with contextlib.closing(open_for_reading(ledger, AUDIT_WAIT_MS)) as connection:
            return frozenset(ref for (ref,) in connection.execute(_CLAIMED) if isinstance(ref, int))
    except (LedgerFault, sqlite3.Error):
        return frozenset()  # check_ledger says what is wrong with it


def _of_rows(check: LedgerCheck, reading: _Reading) -> list[Problem]:
    problems = [
        Problem("unreadable", seq, f"event {seq} does not say what its kind must") for seq in reading.unreadable
    ]
    if check.ok or check.problem is None:
        return problems
    sentence = ROW_PROBLEMS[check.problem].format(seq=check.bad_seq, good=check.events)
    return [Problem(check.problem, check.bad_seq, sentence), *problems]


def _of_prunings(reading: _Reading, now: datetime) -> list[Problem]:
    """A time in the future would make payloads due that are not."""
    latest = timestamp(now + CLOCKS_APART)
    return [
        Problem("pruning", seq, f"event {seq} let payloads go at {time}, which is yet to come")
        for seq, time in reading.prunings
        if time > latest
    ]


def _of_notes(check: LedgerCheck, reading: _Reading, judged: Judged) -> list[Problem]:
    problems = [
        Problem("foreign_checkpoint", note.size, f"checkpoint {note.size} ({note.path.name}): {why}")
        for note, why in judged.refused
    ]
    agreed, rewritten = 0, False
    for each in sorted(judged.opened, key=lambda opened: opened.checkpoint.size):
        size, told = each.note.size, each.checkpoint.size
        if told != size:
            problems.append(
                Problem("swapped", size, f"checkpoint {size} tells of {told} events: notes were swapped or renamed")
            )
        elif replaced_before(each, judged, reading.changes):
            problems.append(Problem("retired_key", size, f"checkpoint {size} is signed by a key replaced before it"))
        elif size > check.events:
            if check.ok:  # else the rows beyond the bad one were not read
                problems.append(_cut(check.events, size))
        elif reading.roots[size] == each.checkpoint.root:
            agreed = size
        elif not rewritten:
            rewritten = True
            problems.append(
                Problem(
                    "rewritten",
                    size,
                    f"history was rewritten: the events up to {size} are not those signed"
                    + (f", though those up to {agreed} are" if agreed else ""),
                )
            )
    return problems


def _cut(events: int, size: int) -> Problem:
    return Problem(
        "cut",
        size,
        f"the ledger ends at event {events}, but a checkpoint tells of {size}: "
        "its end was removed, or an older file was put in its place",
    )


def _of_claims(reading: _Reading, kept: AbstractSet[int]) -> list[Problem]:
    problems = []
    missing = [claim for claim in reading.claims if claim.size not in kept]
    if missing:
        named = ", ".join(f"{claim.size} (event {claim.seq})" for claim in missing[:NAMED_MOST])
        more = f" and {len(missing) - NAMED_MOST} more" * (len(missing) > NAMED_MOST)
        sentence = f"recorded checkpoints that are in none of the folders: {named}{more}"
        problems.append(Problem("missing_note", missing[0].size, sentence))
    for claim in reading.claims:
        root = reading.roots.get(claim.size)
        if root is not None and root.hex() != claim.root:
            problems.append(
                Problem("claim", claim.seq, f"event {claim.seq} records another root at {claim.size} than the ledger's")
            )
            break  # one lie is enough; a rewritten history may bring thousands
    return problems
