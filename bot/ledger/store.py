"""The ledger's one writing connection: appends batches of entries, each in one transaction.

Used by one thread. Knows nothing of callers, queues or futures.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.ledger import leaf, schema
from bot.ledger.connection import (
    FileIdentity,
    begin_writing,
    check_schema,
    check_version,
    file_identity,
    journal_mode,
    limit_wait,
    open_for_writing,
)
from bot.ledger.errors import EntryError, LedgerFault, fault_of_os, fault_of_sqlite
from handlers.ports import AlreadyRecordedError, Clock, Entry, Recorded

# The same forms that the tables check.
_IDEM_KEY = re.compile(rf"[!-~]{{1,{schema.MAX_IDEM_KEY_BYTES}}}")
_KIND = re.compile(rf"[a-z][a-z0-9_]{{0,{schema.MAX_KIND_BYTES - 1}}}")

Outcome = Recorded | AlreadyRecordedError | EntryError


@dataclass(frozen=True, slots=True)
class PreparedEntry:
    """An entry checked and turned into the bytes that will be stored.

    ``pruned`` belongs to a ``pruned`` event: the first and last event whose payloads may go because of it.
    """

    idem_key: str
    kind: str
    ref: int | None
    salt: bytes = field(repr=False)
    body: bytes = field(repr=False)
    pruned: tuple[int, int] | None = None


def prepare(entry: Entry) -> PreparedEntry:
    """Check an entry and fix its bytes, so that later changes to its payload do not matter.

    Raises:
        EntryError: it could never be recorded.
    """
    kind = str(entry.kind)
    if not _IDEM_KEY.fullmatch(entry.idem_key):
        raise EntryError(f"idem_key must be 1 to {schema.MAX_IDEM_KEY_BYTES} printable ASCII characters without space")
    if not _KIND.fullmatch(kind):
        raise EntryError("kind must be a lower-case word")
    if entry.ref is not None and (isinstance(entry.ref, bool) or not isinstance(entry.ref, int) or entry.ref < 1):
        raise EntryError("ref must be the seq of an earlier event")
    salt = secrets.token_bytes(leaf.SALT_BYTES)
    return PreparedEntry(entry.idem_key, kind, entry.ref, salt, leaf.canonical(entry.payload))


class Store:
    """Appends to the ledger at ``path``, opening it when needed.

    After a fault the connection is dropped and the next call opens the file anew.
    The file is created at most once: should it vanish later, it is missed, not
    replaced by an empty one whose numbers would begin again. Should it lose its last
    known event or its marks, nothing more is recorded until the right file is back.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._connection: sqlite3.Connection | None = None
        self._identity: FileIdentity | None = None
        # The last event known to be in the file: found there when it was opened, or recorded here.
        self._last: Recorded | None = None
        # The last one recorded here; None before the first.
        self.recorded: Recorded | None = None

    def append(self, entries: Sequence[PreparedEntry], deadline: float) -> list[Outcome]:
        """Record what can be recorded, durably, and give each entry's outcome in order.

        ``deadline`` in monotonic seconds bounds the waiting for locks.

        Raises:
            LedgerFault: nothing of the batch was recorded.
        """
        try:
            connection = self._begin(deadline)
            outcomes = [self._insert(connection, entry) for entry in entries]
            limit_wait(connection, deadline)  # COMMIT waits again, for readers to finish
            connection.execute("COMMIT")
            self._check_in_place()
        except sqlite3.Error as error:
            fault = fault_of_sqlite(error)
            self._back_out(keep_open=fault.code == "locked")
            raise fault from None
        except OSError as error:
            self.close()
            raise fault_of_os(error) from None
        except BaseException:
            self.close()
            raise
        self.recorded = next((done for done in reversed(outcomes) if isinstance(done, Recorded)), self.recorded)
        self._last = self.recorded or self._last
        return outcomes

    def probe(self, deadline: float, *, rehearse: bool) -> None:
        """Open the file if need be, and with ``rehearse`` make a durable write that changes no content.

        Raises:
            LedgerFault: a record would fail.
        """
        try:
            if not rehearse:
                self._ready(deadline)
            else:
                connection = self._begin(deadline)
                # The same value once more: it takes the lock, the journal and the disk that a record takes.
                (version,) = connection.execute("PRAGMA user_version").fetchone()
                connection.execute(f"PRAGMA user_version = {version}")
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            self.close()
            raise fault_of_sqlite(error) from None
        except LedgerFault:
            self.close()
            raise

    def close(self) -> None:
        """Drop the connection; an open transaction is rolled back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):  # it may be what failed
                connection.close()

    def _begin(self, deadline: float) -> sqlite3.Connection:
        """Begin a write transaction on the file as it is now, after looking whether it still is this ledger."""
        connection = self._ready(deadline)
        # SQLite trusts its cached pages while the file's change counter and size are the
        # known ones; those of another copy written over the file may be just that.
        connection.execute("PRAGMA shrink_memory")
        begin_writing(connection, deadline)
        if journal_mode(connection) != "delete":
            raise LedgerFault("cannot_open", "another program put the file into WAL mode")
        # Looked at every time: SQLite's own counter of schema changes can be set back, and
        # PRAGMA writable_schema does not move it.
        if check_version(connection) != schema.VERSION:
            raise LedgerFault("damaged", "the schema version is no longer the ledger's")
        check_schema(connection)
        self._check_continuity(connection)
        return connection

    def _ready(self, deadline: float) -> sqlite3.Connection:
        """The open connection, after making sure that the path still leads to its file."""
        if self._connection is not None:
            try:
                if file_identity(self._path) == self._identity:
                    return self._connection
            except OSError as error:
                self.close()
                raise fault_of_os(error) from None
            self.close()
        first_time = self._identity is None
        connection, identity = open_for_writing(self._path, may_create=first_time, deadline=deadline)
        self._connection = connection
        if self._last is None:
            self._last = _newest(connection)
        else:
            self._check_continuity(connection)
        self._identity = identity
        return connection

    def _check_continuity(self, connection: sqlite3.Connection) -> None:
        """An older copy put in place or written over the file would hand out receipt numbers a second time."""
        if self._last is None:
            return
        row = connection.execute("SELECT leaf FROM event WHERE seq = ?", (self._last.seq,)).fetchone()
        if row != (self._last.leaf,):
            self.close()
            raise LedgerFault("damaged", f"the file does not hold event {self._last.seq} that it held before")

    def _check_in_place(self) -> None:
        """A commit into a file that the path no longer leads to is lost."""
        if file_identity(self._path) != self._identity:
            raise LedgerFault("cannot_open", "the ledger file was replaced during the commit")

    def _insert(self, connection: sqlite3.Connection, entry: PreparedEntry) -> Outcome:
        earlier = connection.execute(
            "SELECT seq, time, leaf FROM event WHERE idem_key = ?", (entry.idem_key,)
        ).fetchone()
        if earlier is not None:
            return AlreadyRecordedError(Recorded(*earlier))
        (seq,) = connection.execute("SELECT coalesce(max(seq), 0) + 1 FROM event").fetchone()
        if entry.ref is not None and entry.ref >= seq:
            return EntryError("ref must be the seq of an earlier event")
        moment = leaf.timestamp(self._clock.now())
        payload_hash = leaf.payload_hash(entry.salt, entry.body)
        leaf_hash = leaf.leaf_hash(
            seq=seq, idem_key=entry.idem_key, kind=entry.kind, ref=entry.ref, time=moment, payload_hash=payload_hash
        )
        connection.execute(
            "INSERT INTO event (seq, idem_key, kind, ref, time, payload_hash, leaf) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (seq, entry.idem_key, entry.kind, entry.ref, moment, payload_hash, leaf_hash),
        )
        connection.execute(
            "INSERT INTO payload (seq, salt, body) VALUES (?, ?, ?)", (seq, entry.salt, entry.body.decode())
        )
        if entry.pruned is not None:
            connection.execute("INSERT INTO pruning (seq, first, last) VALUES (?, ?, ?)", (seq, *entry.pruned))
        return Recorded(seq, moment, leaf_hash)

    def _back_out(self, *, keep_open: bool) -> None:
        """End the transaction; a connection that cannot even do that is dropped."""
        connection = self._connection
        try:
            if keep_open and connection is not None and connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            keep_open = False
        if not keep_open:
            self.close()


def _newest(connection: sqlite3.Connection) -> Recorded | None:
    row = connection.execute("SELECT seq, time, leaf FROM event ORDER BY seq DESC LIMIT 1").fetchone()
    return None if row is None else Recorded(*row)
