"""One checkpoint: the ledger is first compared with the last one signed, and only what extends it is signed.

The order is: compare, sign, keep the note outside the ledger, record it. So what the ledger says was signed is
outside, whatever cuts the work off; a note whose record is missing gets it next time.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bot.checkpoints.folder import CheckpointFolder, FolderError, KeptNote
from bot.checkpoints.keys import KeyRing
from bot.checkpoints.newest import newest_own, own_checkpoint
from bot.ledger.connection import check_schema, open_for_reading
from bot.ledger.errors import LedgerFault, fault_of_sqlite
from bot.ledger.kinds import LedgerKind
from bot.ledger.merkle import Tree
from bot.ledger.note import SIGNATURE_MARK, Checkpoint, NoteError, SigningKey, open_checkpoint, sign_checkpoint
from handlers.ports import AlreadyRecordedError, Entry, Json, LedgerUnavailableError, Recorded

# Leaves read in one statement, and the rest after it: a reader that held its lock longer, or Python's, would
# keep answers waiting.
PAGE_LEAVES = 2_000
PAUSE_S = 0.002

_LAST = "SELECT coalesce(max(seq), 0) FROM event"
_LEAVES = "SELECT seq, leaf FROM event WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
_RECORDED = "SELECT 1 FROM event WHERE idem_key = ?"

Record = Callable[[Entry], Recorded]


class AlarmCode(StrEnum):
    """Why no checkpoint is signed."""

    OLDER_FILE = "older_file"
    REWRITTEN = "rewritten"
    SCHEMA = "schema"
    FOREIGN_CHECKPOINT = "foreign_checkpoint"
    FOLDER_UNWRITABLE = "folder_unwritable"
    KEY_UNUSABLE = "key_unusable"
    LEDGER_UNREADABLE = "ledger_unreadable"


# The ledger itself is not what was vouched for: nothing more may be built on it.
DISTRUSTED = frozenset({AlarmCode.OLDER_FILE, AlarmCode.REWRITTEN, AlarmCode.SCHEMA})


@dataclass(frozen=True, slots=True)
class Alarm:
    """No checkpoint: a closed code, and a sentence for the operator without any value from an event."""

    code: AlarmCode
    detail: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing to sign: the ledger is empty, or the newest checkpoint of ``size`` events covers it."""

    size: int


@dataclass(frozen=True, slots=True)
class Made:
    """A checkpoint kept outside the ledger; ``recorded`` says whether the ledger has its event."""

    checkpoint: Checkpoint
    note: KeptNote
    recorded: bool


class ComparisonStopped(Exception):  # noqa: N818 - no error: it was told to
    """The comparison was told to stop before its end."""


class SigningState:
    """What is kept between two checkpoints: the tree so far, and the last checkpoint it was compared with.

    Setting ``give_up`` from another thread ends a comparison under way.
    """

    def __init__(self) -> None:
        self.give_up = threading.Event()
        self.forget()

    def forget(self) -> None:
        """Begin anew, from the first leaf."""
        self.tree = Tree()
        self.last_leaf: bytes | None = None
        self.agreed: tuple[int, bytes] | None = None

    def follow(self, connection: sqlite3.Connection, known: Checkpoint | None) -> Alarm | None:
        """Take in the leaves not yet read; an alarm where the ledger does not extend what was read or ``known``."""
        (last,) = connection.execute(_LAST).fetchone()
        asked = max(self.tree.size, 0 if known is None else known.size)
        if last < asked:
            return Alarm(
                AlarmCode.OLDER_FILE,
                f"the ledger ends at event {last}, but event {asked} was in it: its end is gone or the file is older",
            )
        if self.last_leaf is not None:
            rows = connection.execute(_LEAVES, (self.tree.size - 1, self.tree.size, 1)).fetchall()
            if rows != [(self.tree.size, self.last_leaf)]:
                return self._rewritten(self.tree.size)
        if known is not None and known.size < self.tree.size and self.agreed != (known.size, known.root):
            self.forget()  # another process's checkpoint within what was read: compared from the start
        while True:
            if known is not None and self.tree.size == known.size:
                if self.tree.root() != known.root:
                    return self._rewritten(known.size)
                self.agreed = known.size, known.root
            if self.tree.size >= last:
                return None
            if self.give_up.is_set():
                raise ComparisonStopped
            end = last if known is None or known.size <= self.tree.size else known.size
            page = connection.execute(_LEAVES, (self.tree.size, end, PAGE_LEAVES)).fetchall()
            if not page or page[-1][0] != self.tree.size + len(page):
                return self._rewritten(self.tree.size + 1)
            for _seq, leaf in page:
                self.tree.append(leaf)
            self.last_leaf = page[-1][1]
            time.sleep(PAUSE_S)

    def _rewritten(self, upto: int) -> Alarm:
        self.forget()
        return Alarm(AlarmCode.REWRITTEN, f"the events up to {upto} are not those that were signed or read before")


def make_checkpoint(
    ledger: Path,
    folder: CheckpointFolder,
    ring: KeyRing,
    state: SigningState,
    record: Record,
    *,
    sign: bool = True,
    also: tuple[SigningKey, ...] = (),
    known_event: Recorded | None = None,
) -> Made | Nothing | Alarm:
    """Compare the ledger with its newest checkpoint; then sign, keep and record one of all events so far.

    Args:
        record: makes an event durable (``LedgerWriter.record_blocking``).
        sign: false compares only.
        also: further keys that sign, when keys change.
        known_event: one that the caller knows to be in the ledger: a file without it is not the ledger.

    Raises:
        ComparisonStopped: ``state.give_up`` was set.
    """
    try:
        found = newest_own(folder, ring.known)
    except FolderError as error:
        return Alarm(AlarmCode.FOLDER_UNWRITABLE, f"the folder of checkpoints cannot be read ({error})")
    newest, known = found.note, found.checkpoint
    try:
        with contextlib.closing(open_for_reading(ledger)) as connection:
            check_schema(connection)
            alarm = _missing(connection, known_event) or state.follow(connection, known)
            if alarm is not None:
                return alarm
            if found.foreign is not None:
                return Alarm(AlarmCode.FOREIGN_CHECKPOINT, found.foreign)
            if newest is not None and not connection.execute(_RECORDED, (_idem_key(newest.size),)).fetchall():
                _record(record, newest, ring)
    except LedgerFault as fault:
        code = AlarmCode.SCHEMA if fault.code == "damaged" else AlarmCode.LEDGER_UNREADABLE
        return Alarm(code, fault.detail)
    except sqlite3.Error as error:
        return Alarm(AlarmCode.LEDGER_UNREADABLE, fault_of_sqlite(error).detail)
    size = state.tree.size
    if not sign or size == 0 or (known is not None and known.size == size and not also):
        return Nothing(0 if known is None else known.size)
    return _sign(Checkpoint(ring.origin, size, state.tree.root()), folder, ring, record, also)


def _missing(connection: sqlite3.Connection, event: Recorded | None) -> Alarm | None:
    """An alarm where the ledger does not hold this event: its receipt is out, under no checkpoint yet."""
    if event is None or connection.execute(_LEAVES, (event.seq - 1, event.seq, 1)).fetchall() == [
        (event.seq, event.leaf)
    ]:
        return None
    (last,) = connection.execute(_LAST).fetchone()
    if last < event.seq:
        return Alarm(AlarmCode.OLDER_FILE, f"the ledger ends at event {last}, but this process recorded {event.seq}")
    return Alarm(AlarmCode.REWRITTEN, f"event {event.seq} is not the one that this process recorded")


def _sign(
    checkpoint: Checkpoint, folder: CheckpointFolder, ring: KeyRing, record: Record, also: tuple[SigningKey, ...]
) -> Made | Alarm:
    text = sign_checkpoint(checkpoint, [ring.key, *also])
    try:
        for key in (ring.key, *also):
            folder.publish(key.public)
        kept = folder.put(checkpoint.size, text)
        if kept.text != text and own_checkpoint(kept, ring.known) != checkpoint:
            return Alarm(AlarmCode.REWRITTEN, f"another history of {checkpoint.size} events was signed with this key")
    except FolderError as error:
        return Alarm(AlarmCode.FOLDER_UNWRITABLE, f"the folder of checkpoints cannot be written ({error})")
    except NoteError as error:
        return Alarm(AlarmCode.FOREIGN_CHECKPOINT, f"the checkpoint of {checkpoint.size} events is not ours: {error}")
    return Made(checkpoint, kept, _record(record, kept, ring))


def _idem_key(size: int) -> str:
    return f"checkpoint-{size}"


def _record(record: Record, note: KeptNote, ring: KeyRing) -> bool:
    checkpoint, signers = open_checkpoint(note.text, ring.known)
    lines = note.text.rpartition("\n\n")[2].splitlines()
    payload: dict[str, Json] = {
        "version": 1,
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "key": signers[0].id.hex(),
        "signatures": [line.removeprefix(SIGNATURE_MARK) for line in lines],
    }
    try:
        record(Entry(_idem_key(note.size), LedgerKind.CHECKPOINT, payload, ref=note.size))
    except AlreadyRecordedError:
        return True
    except LedgerUnavailableError:
        return False
    return True
