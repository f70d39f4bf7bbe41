"""Letting payloads go whose time is over: recorded first, then done in short transactions, resumable at any point.

Nothing is compacted: freed pages are overwritten with zeros and used again by later events. VACUUM would write the
whole file anew under one lock, for longer than any answer can wait.
"""

from __future__ import annotations

import contextlib
import dataclasses
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from bot.audit.retention import Plan, cut_off, unfinished_pruning
from bot.audit.wiping import wipe_gaps
from bot.ledger import LedgerCheck, LedgerFault, check_ledger, schema
from bot.ledger.connection import (
    AUDIT_WAIT_MS,
    FileIdentity,
    begin_writing,
    file_identity,
    limit_wait,
    open_for_reading,
    open_for_writing,
)
from bot.ledger.errors import fault_of_os, fault_of_sqlite
from bot.ledger.kinds import LedgerKind
from bot.ledger.leaf import timestamp
from bot.ledger.read import Pruning, prunings
from bot.ledger.store import Store, prepare
from handlers.ports import AlreadyRecordedError, Clock, Entry, Json

PAYLOAD_VERSION = 1
# One transaction is to hold the lock for about so long; the bot's own are as long, and its writer waits 1.2 s.
TARGET_S = 0.03
FEWEST, MOST = 10, 2_000
# Rest after each transaction, in multiples of its time, for those who wait; never less than a few polls for the lock.
REST, LEAST_REST_S = 1.0, 0.005
LOCK_WAIT_S = 1.0
# How long to go on asking for the lock beside a busy bot, and how often.
PATIENCE_S, AGAIN_S = 60.0, 0.005
# A check of the whole ledger that met a locked file is begun anew so often.
CHECKS = 3

_DELETE = f"""
DELETE FROM payload WHERE seq BETWEEN ? AND ?
AND seq NOT IN (SELECT seq FROM event WHERE {schema.IS_KEPT} AND seq BETWEEN ? AND ?)"""  # noqa: S608 - constants

Progress = Callable[[int], None]
T = TypeVar("T")


class RetentionError(Exception):
    """Nothing may be pruned; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What went: payloads deleted by this run, what was resumed, the new ``pruned`` event (None where none was needed).

    ``longest_s`` is the longest time that one transaction held the lock.
    """

    deleted: int
    resumed: tuple[Pruning, ...]
    event: Pruning | None
    longest_s: float


def check_before(path: Path, follow: Progress = lambda _seq: None) -> LedgerCheck:
    """Check the whole ledger.

    Raises:
        RetentionError: something is wrong with it; what is deleted from it could no longer be looked into.
        LedgerUnavailableError: it cannot be read.
    """
    found = checked(path, follow)
    if not found.ok:
        where = "" if found.bad_seq is None else f" at event {found.bad_seq}"
        raise RetentionError(f"nothing is pruned: the ledger does not check ({found.problem}{where})")
    return found


def checked(path: Path, follow: Progress = lambda _seq: None) -> LedgerCheck:
    """The verdict on the whole ledger, also while a busy bot keeps the file to itself for some time.

    Raises:
        LedgerUnavailableError: it cannot be read.
    """
    tried = 1
    while True:
        try:
            return check_ledger(path, lambda row: follow(row.seq))
        except LedgerFault as fault:
            if fault.code != "locked" or tried == CHECKS:
                raise
        tried += 1


def prune(path: Path, plan: Plan, clock: Clock, said: Mapping[str, Json], follow: Progress = lambda _n: None) -> Pruned:
    """Do what ``plan`` says: finish what earlier runs began, then record one ``pruned`` event and delete.

    The ledger must have been checked. ``said`` is kept in the event beside the range (who, which program).
    ``follow`` is given the payloads deleted with each step.

    Raises:
        RetentionError: an earlier ``pruned`` event may not be finished.
        LedgerUnavailableError: the ledger cannot be written; a later run goes on from there.
    """
    for each in plan.unfinished:
        if not each.due:
            raise RetentionError(f"event {each.pruning.seq} lets payloads go that are not older than it says")
        if each.before > plan.before:
            raise RetentionError(
                f"event {each.pruning.seq} let payloads go under a shorter policy and was not finished: "
                "finish it under that one, or give fewer years"
            )
    with _deleting(path) as deleting:
        resumed = tuple(each.pruning for each in plan.unfinished)
        for pruning in resumed:
            deleting.run(pruning, follow)
        event = None
        if plan.extent.last >= plan.extent.first and plan.extent.payloads:
            event = _record(path, plan, clock, said)
            deleting.run(event, follow)
    everything = max((each.last for each in recorded_prunings(path)), default=0)
    if everything:  # also where nothing was left to delete: an earlier run may have been cut off before this
        _patiently(partial(wipe_gaps, path, everything))
    return Pruned(deleting.deleted, resumed, event, deleting.longest_s)


def recorded_prunings(path: Path) -> tuple[Pruning, ...]:
    """All prunings, done or not.

    Raises:
        LedgerUnavailableError: the ledger cannot be read.
    """
    try:
        with contextlib.closing(open_for_reading(path, AUDIT_WAIT_MS)) as connection:
            return prunings(connection)
    except sqlite3.Error as error:
        raise fault_of_sqlite(error) from None


def still_to_do(path: Path) -> tuple[Pruning, ...]:
    """Prunings that were recorded and not finished.

    Raises:
        LedgerUnavailableError: the ledger cannot be read.
    """
    try:
        with contextlib.closing(open_for_reading(path, AUDIT_WAIT_MS)) as connection:
            return tuple(each for each in prunings(connection) if unfinished_pruning(connection, each) is not None)
    except sqlite3.Error as error:
        raise fault_of_sqlite(error) from None


def _record(path: Path, plan: Plan, clock: Clock, said: Mapping[str, Json]) -> Pruning:
    first, last = plan.extent.first, plan.extent.last
    if timestamp(cut_off(clock.now(), plan.years)) < plan.before:
        raise RetentionError("nothing is pruned: the clock was set back meanwhile")
    payload: dict[str, Json] = {
        "version": PAYLOAD_VERSION,
        "first": first,
        "last": last,
        "before": plan.before,
        "years": plan.years,
        **said,
    }
    # One key for each beginning: of two runs at once only one records, and both then delete the same.
    entry = dataclasses.replace(prepare(Entry(f"pruned:{first}", LedgerKind.PRUNED, payload)), pruned=(first, last))
    with contextlib.closing(Store(path, clock)) as store:
        (outcome,) = _patiently(lambda: store.append([entry], time.monotonic() + LOCK_WAIT_S))
    if isinstance(outcome, AlreadyRecordedError):
        return next(each for each in recorded_prunings(path) if each.seq == outcome.recorded.seq)
    if isinstance(outcome, Exception):
        raise outcome
    return Pruning(outcome.seq, first, last)


class _Deleting:
    """A connection of its own that only ever deletes payloads, a few at a time."""

    def __init__(self, connection: sqlite3.Connection, path: Path, identity: FileIdentity) -> None:
        self._connection, self._path, self._identity = connection, path, identity
        self._rows = 100.0
        self.deleted, self.longest_s = 0, 0.0

    def run(self, pruning: Pruning, follow: Progress) -> None:
        """Delete what a recorded pruning allows; what has gone already is passed over."""
        first = pruning.first
        while first <= pruning.last:
            last = min(pruning.last, first + int(self._rows) - 1)
            deleted, took = _patiently(partial(self._step, first, last))
            self.deleted, self.longest_s = self.deleted + deleted, max(self.longest_s, took)
            follow(deleted)
            first = last + 1
            # Half of what was aimed at where it took longer, so that a slow disk is found out with one step.
            self._rows = min(MOST, max(FEWEST, self._rows * min(2.0, max(0.25, TARGET_S / max(took, 1e-4)))))
            time.sleep(max(LEAST_REST_S, REST * took))

    def _step(self, first: int, last: int) -> tuple[int, float]:
        """Delete in one transaction; how many payloads, and for how many seconds the lock was held."""
        if file_identity(self._path) != self._identity:
            raise LedgerFault("cannot_open", "the ledger file was replaced while payloads were deleted")
        deadline = time.monotonic() + LOCK_WAIT_S
        begin_writing(self._connection, deadline)
        began = time.monotonic()
        try:
            deleted = self._connection.execute(_DELETE, (first, last, first, last)).rowcount
            limit_wait(self._connection, deadline)
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return deleted, time.monotonic() - began


@contextlib.contextmanager
def _deleting(path: Path) -> Iterator[_Deleting]:
    connection, identity = _patiently(
        lambda: open_for_writing(path, may_create=False, deadline=time.monotonic() + LOCK_WAIT_S)
    )
    try:
        # Zeros over what is deleted, in rows and in freed pages: else the bytes would stay until used again.
        (secure,) = connection.execute("PRAGMA secure_delete = ON").fetchone()
        if secure != 1:
            raise LedgerFault("cannot_open", "this SQLite does not overwrite what it deletes")
        yield _Deleting(connection, path, identity)
    except sqlite3.Error as error:
        raise fault_of_sqlite(error) from None
    except OSError as error:
        raise fault_of_os(error) from None
    finally:
        connection.close()


def _patiently(step: Callable[[], T]) -> T:
    """The step, again and again while somebody else holds the lock; a reader's statements wait by themselves."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return step()
        except (sqlite3.OperationalError, LedgerFault) as error:
            fault = error if isinstance(error, LedgerFault) else fault_of_sqlite(error)
            if fault.code != "locked" or time.monotonic() > until:
                raise fault from None
        time.sleep(AGAIN_S)
