"""What can be told before the first answer: whether the ledger still reaches its newest checkpoint, and who signed."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from bot.checkpoints.folder import CheckpointFolder, FolderError
from bot.checkpoints.newest import newest_own
from bot.checkpoints.signing import Alarm, AlarmCode
from bot.ledger.connection import check_schema, open_for_reading
from bot.ledger.errors import LedgerFault, fault_of_sqlite
from bot.ledger.note import PublicKey
from bot.ledger.read import last_seq
from bot.ledger.schema import IS_KEPT

_UNCOVERED = f"SELECT 1 FROM event WHERE seq > ? AND NOT ({IS_KEPT}) LIMIT 1"  # noqa: S608 - put together of constants


def quick_check(ledger: Path, folder: CheckpointFolder, keys: tuple[PublicKey, ...]) -> Alarm | int:
    """The size of the newest checkpoint (0 without one) if the ledger has at least as many events; else an alarm.

    The roots are not compared: that takes reading every leaf.
    """
    try:
        newest = newest_own(folder, keys)
    except FolderError as error:
        return Alarm(AlarmCode.FOLDER_UNWRITABLE, f"the folder of checkpoints cannot be read ({error})")
    size = 0 if newest.checkpoint is None else newest.checkpoint.size
    try:
        with contextlib.closing(open_for_reading(ledger)) as connection:
            check_schema(connection)
            last = last_seq(connection)
    except LedgerFault as fault:
        code = AlarmCode.SCHEMA if fault.code == "damaged" else AlarmCode.LEDGER_UNREADABLE
        return Alarm(code, fault.detail)
    except sqlite3.Error as error:
        return Alarm(AlarmCode.LEDGER_UNREADABLE, fault_of_sqlite(error).detail)
    if last < size:
        return Alarm(AlarmCode.OLDER_FILE, f"the ledger ends at event {last}, but a checkpoint tells of {size}")
    return size if newest.foreign is None else Alarm(AlarmCode.FOREIGN_CHECKPOINT, newest.foreign)


def has_requests_after(ledger: Path, size: int) -> bool:
    """Whether there is any event after the first ``size`` other than the ledger's own; false if nobody can tell."""
    try:
        with contextlib.closing(open_for_reading(ledger)) as connection:
            return connection.execute(_UNCOVERED, (size,)).fetchone() is not None
    except (LedgerFault, sqlite3.Error):
        return False
