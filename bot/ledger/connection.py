"""Opening the ledger's file: creating it, guarding the connection, checking the schema."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from bot.ledger import schema
from bot.ledger.errors import LedgerFault, fault_of_os, fault_of_sqlite

# How long SQLite waits for another process's lock. Slack gives up after 3 s, and
# the answer still has to be sent.
BUSY_TIMEOUT_MS = 1_200
# The same for whoever reads the whole ledger and for whom nobody waits: beside busy writers its lock is seldom free.
AUDIT_WAIT_MS = 30_000
# How often to ask for the write lock. SQLite's own waiting soon asks only ten times a
# second, and a busy neighbour would always be there first.
LOCK_POLL_S = 0.001

# Releases in which a WAL file cannot be corrupted when it is reset: this one and all later,
# and the corrections of two older lines.
WAL_SAFE_SINCE = (3, 51, 3)
WAL_SAFE_IN_LINE = {(3, 50): 7, (3, 44): 6}

_GUARDED = (
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
    "PRAGMA foreign_keys = ON",
    "PRAGMA recursive_triggers = ON",
)

_WAL_REFUSED = (
    "the file was put into WAL mode, in which SQLite {} may corrupt it; turn it back with the sqlite3 program of"
    " release 3.51.3 or later (or 3.50.7, 3.44.6): sqlite3 LEDGER 'PRAGMA journal_mode = DELETE'"
)

FileIdentity = tuple[int, int]

# A process that closes a file loses its POSIX locks on it, whichever descriptor they
# were taken through. So nothing in this process may open the file until the one
# descriptor that is not SQLite's, that of its creation, is closed.
_creating = threading.Lock()


def require_sqlite(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> None:
    """Refuse an SQLite without STRICT tables.

    Raises:
        LedgerFault: ``cannot_open``.
    """
    if version < schema.MIN_SQLITE:
        found, needed = (".".join(map(str, numbers)) for numbers in (version, schema.MIN_SQLITE))
        raise LedgerFault("cannot_open", f"SQLite {needed} or newer is needed, this is {found}")


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Whether this SQLite release (three numbers) has the correction of the WAL-reset defect of 3.7.0 to 3.51.2."""
    if version >= WAL_SAFE_SINCE:
        return True
    major, minor, release = version
    corrected = WAL_SAFE_IN_LINE.get((major, minor))
    return corrected is not None and release >= corrected


def file_identity(path: Path) -> FileIdentity:
    """Device and inode that the path stands for at this moment."""
    status = path.stat()
    return status.st_dev, status.st_ino


def limit_wait(connection: sqlite3.Connection, deadline: float) -> None:
    """Let the next statement wait for locks until ``deadline`` (monotonic seconds), at most the busy timeout."""
    left_ms = int((deadline - time.monotonic()) * 1000)
    connection.execute(f"PRAGMA busy_timeout = {max(0, min(BUSY_TIMEOUT_MS, left_ms))}")


def begin_writing(connection: sqlite3.Connection, deadline: float) -> None:
    """Take the write lock, waiting until ``deadline`` (monotonic seconds), at most the busy timeout.

    Raises:
        sqlite3.OperationalError: another connection holds it.
    """
    limit = min(deadline, time.monotonic() + BUSY_TIMEOUT_MS / 1000)
    connection.execute("PRAGMA busy_timeout = 0")
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= limit:
                raise
            time.sleep(LOCK_POLL_S)
        else:
            limit_wait(connection, deadline)
            return


def open_for_writing(path: Path, *, may_create: bool, deadline: float) -> tuple[sqlite3.Connection, FileIdentity]:
    """A guarded, durable connection to an up-to-date ledger, and the file it stands for.

    The connection is in autocommit mode and belongs to the calling thread.

    Raises:
        LedgerFault: the file cannot be made or opened, is another application's, is
            newer than this code, or its tables or guards are not the known ones.
    """
    require_sqlite()
    try:
        if may_create:
            _create_if_missing(path)
        identity = file_identity(path)
    except OSError as error:
        raise fault_of_os(error) from None
    with contextlib.ExitStack() as on_failure:
        try:
            connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=0, isolation_level=None
            )
            on_failure.callback(connection.close)
            limit_wait(connection, deadline)
            for pragma in _GUARDED:
                connection.execute(pragma)
            version = check_version(connection)
            if version == 0 and not may_create:
                raise LedgerFault("damaged", "an empty file stands in the ledger's place")
            _make_durable(connection)
            if version < schema.VERSION:
                _upgrade(connection, deadline)
            check_schema(connection)
            if file_identity(path) != identity:
                raise LedgerFault("cannot_open", "the ledger file was replaced while being opened")
        except sqlite3.Error as error:
            raise fault_of_sqlite(error) from None
        except OSError as error:
            raise fault_of_os(error) from None
        on_failure.pop_all()
    return connection, identity


def open_for_reading(path: Path, wait_ms: int = BUSY_TIMEOUT_MS) -> sqlite3.Connection:
    """A read-only connection that gives TEXT as bytes, so that damaged text can be looked at.

    Each statement waits up to ``wait_ms`` for a lock.

    Raises:
        sqlite3.Error: SQLite cannot open or read it.
        LedgerFault: it is no ledger, or a newer one.
    """
    require_sqlite()
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=0, isolation_level=None)
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(connection.close)
        connection.text_factory = bytes
        for pragma in (f"PRAGMA busy_timeout = {wait_ms}", "PRAGMA query_only = ON", *_GUARDED):
            connection.execute(pragma)
        if check_version(connection) == 0:
            raise LedgerFault("cannot_open", "the file holds no ledger")
        on_failure.pop_all()
    return connection


def check_version(connection: sqlite3.Connection) -> int:
    """Schema version of the ledger, 0 for a file yet empty.

    Raises:
        LedgerFault: the file is another application's or a newer Tarla's, or its
            version was set back.
    """
    with _one_moment(connection):
        (application_id,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        empty = connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None
    if (application_id, version, empty) == (0, 0, True):
        return 0
    if application_id != schema.APPLICATION_ID:
        raise LedgerFault("cannot_open", "the file is another application's database")
    if version > schema.VERSION:
        detail = f"written by a newer Tarla (schema {version}, this one knows up to {schema.VERSION})"
        raise LedgerFault("cannot_open", detail)
    if version < 1:
        raise LedgerFault("damaged", "the schema version is not one of the ledger's")
    return int(version)


def check_schema(connection: sqlite3.Connection) -> None:
    """Compare tables, indexes and triggers with those of the file's schema version.

    Raises:
        LedgerFault: ``damaged``; something was changed, dropped or added.
    """
    with _one_moment(connection):
        version = check_version(connection)
        found = schema.fingerprint(connection)
    if found != schema.FINGERPRINTS.get(version):
        raise LedgerFault("damaged", "tables or triggers are not those of the ledger")


@contextlib.contextmanager
def _one_moment(connection: sqlite3.Connection) -> Iterator[None]:
    """Let the statements inside see one state of the file, though another process may be making the ledger.

    Raises:
        LedgerFault: ``damaged``; the schema is so spoilt that SQLite's message about it is no text.
    """
    own = not connection.in_transaction
    if own:
        connection.execute("BEGIN")
    try:
        yield
    except UnicodeDecodeError:
        raise LedgerFault("damaged", "the schema is not readable text") from None
    finally:
        if own and connection.in_transaction:  # an error may have ended it
            connection.execute("ROLLBACK")


def _create_if_missing(path: Path) -> None:
    with _creating:
        if path.exists():
            return
        new_folder = not path.parent.exists()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):  # another process was first
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        # The names must survive a power cut as well as the contents.
        for folder in (path.parent, path.parent.parent) if new_folder else (path.parent,):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _make_durable(connection: sqlite3.Connection) -> None:
    """A returned COMMIT is on disk, and so is the removal of its journal.

    The ledger never writes in WAL mode. A file that another program left in it is turned
    back, but not by a release that may corrupt it.

    Raises:
        LedgerFault: ``cannot_open``, the file is in WAL mode and this SQLite is a defective
            one; ``locked``, another connection keeps it in its mode.
    """
    connection.execute("PRAGMA synchronous = EXTRA")
    if journal_mode(connection) == "wal" and not wal_is_safe(sqlite3.sqlite_version_info):
        raise LedgerFault("cannot_open", _WAL_REFUSED.format(sqlite3.sqlite_version))
    (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    if mode != "delete":
        raise LedgerFault("locked", f"journal mode stays {mode}")


def journal_mode(connection: sqlite3.Connection) -> str:
    """How the file is written, as SQLite names it; ``delete`` is the ledger's way."""
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    return str(mode)


def _upgrade(connection: sqlite3.Connection, deadline: float) -> None:
    from bot.ledger.migrations import apply_pending  # slow to import, and hardly ever needed

    limit_wait(connection, deadline)
    # Processes that start together queue here; whoever comes second finds the work done.
    connection.execute("BEGIN EXCLUSIVE")
    check_schema(connection)
    apply_pending(connection)
    connection.execute("COMMIT")
