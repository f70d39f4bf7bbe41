"""Faults of the ledger, in the closed vocabulary that conversations know.

No message here quotes a value from an entry or from a row: SQLite's own texts
are replaced by the name of its error code.
"""

from __future__ import annotations

import errno
import sqlite3

from handlers.ports import LedgerUnavailableError

_BY_PRIMARY_CODE = {
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_FULL: "disk_full",
    sqlite3.SQLITE_READONLY: "read_only",
    sqlite3.SQLITE_CANTOPEN: "cannot_open",
    sqlite3.SQLITE_PERM: "cannot_open",
    sqlite3.SQLITE_AUTH: "cannot_open",
    sqlite3.SQLITE_IOERR: "cannot_open",
    sqlite3.SQLITE_NOMEM: "cannot_open",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_NOTADB: "damaged",
    # A statement that no longer fits the tables, or a guard that refuses a correct
    # row: the file is not what this code wrote.
    sqlite3.SQLITE_ERROR: "damaged",
    sqlite3.SQLITE_SCHEMA: "damaged",
    sqlite3.SQLITE_CONSTRAINT: "damaged",
    sqlite3.SQLITE_MISMATCH: "damaged",
}
_BY_ERRNO = {
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
    errno.EROFS: "read_only",
}


class LedgerFault(LedgerUnavailableError):  # noqa: N818 - the port's name carries the suffix; this one is only ever seen as that
    """The port's error with a sentence for the operator.

    ``detail`` names an SQLite error code, an errno or a condition; it holds no
    value from an entry.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


class EntryError(ValueError):
    """The entry itself cannot be recorded: a mistake of the calling code, nothing was written."""


def fault_of_sqlite(error: sqlite3.Error) -> LedgerFault:
    """The fault behind an SQLite error, by its (extended) result code."""
    extended: int | None = getattr(error, "sqlite_errorcode", None)
    if extended is None:  # raised by Python's wrapper, not by SQLite
        return LedgerFault("cannot_open", type(error).__name__)
    if extended == sqlite3.SQLITE_READONLY_DBMOVED:
        return LedgerFault("cannot_open", "the ledger file was moved or deleted while open")
    if extended == sqlite3.SQLITE_READONLY_ROLLBACK:
        return LedgerFault("read_only", "a write was cut off; only opening the ledger for writing can undo it")
    primary = extended & 0xFF  # the low byte of an extended code is its class
    return LedgerFault(_BY_PRIMARY_CODE.get(primary, "cannot_open"), error.sqlite_errorname)


def fault_of_os(error: OSError) -> LedgerFault:
    """The fault behind an operating system's refusal."""
    number = error.errno or 0
    return LedgerFault(_BY_ERRNO.get(number, "cannot_open"), errno.errorcode.get(number, "OSError"))
