"""A new signing key in the old one's place, so that whoever trusts the one can follow to the other.

The ledger's event ``key_rotated`` names both keys and holds the signatures of both under that: the event alone would
prove nothing, as whoever can write the ledger's file can add one. The checkpoint after it, signed by both, commits to
the event; anybody can add a signature of their own to a note. The old secret goes last;
work cut off before is taken up where it was by the same command.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from bot.checkpoints.folder import CheckpointFolder, FolderError
from bot.checkpoints.keys import KeyRing, SigningKeyError, alone_with, install_successor, prepare_successor, read_key
from bot.checkpoints.signing import Alarm, AlarmCode, Made, Nothing, Record, SigningState, make_checkpoint
from bot.ledger.kinds import LedgerKind
from bot.ledger.note import PublicKey, sign_key_change
from handlers.ports import AlreadyRecordedError, Entry, Json


@dataclass(frozen=True, slots=True)
class Rotated:
    """The change of keys, and the checkpoint that both signed."""

    old: PublicKey
    new: PublicKey
    made: Made


def rotate_key(ledger: Path, folder: CheckpointFolder, key_path: Path, record: Record) -> Rotated | Alarm:
    """Change keys.

    Raises:
        LedgerUnavailableError: the ledger cannot be written; the old key stays.
    """
    with contextlib.ExitStack() as at_end:
        try:
            at_end.enter_context(alone_with(key_path))
        except SigningKeyError as error:
            return Alarm(AlarmCode.KEY_UNUSABLE, str(error))
        return _rotate(ledger, folder, key_path, record)


def _rotate(ledger: Path, folder: CheckpointFolder, key_path: Path, record: Record) -> Rotated | Alarm:
    try:
        ring = read_key(key_path, ledger, folder.path)
        state = SigningState()
        before = make_checkpoint(ledger, folder, ring, state, record, sign=False)
        if isinstance(before, Alarm):
            return before
        successor = prepare_successor(key_path, ring)
        folder.publish(ring.key.public)
        folder.publish(successor.key.public)
        announce(ring, successor, record)
        made = make_checkpoint(ledger, folder, ring, state, record, also=(successor.key,))
        if isinstance(made, Alarm):
            return made
        if isinstance(made, Nothing) or not made.recorded:
            return Alarm(AlarmCode.LEDGER_UNREADABLE, "the checkpoint is not recorded yet: try again")
        install_successor(key_path)
    except SigningKeyError as error:
        return Alarm(AlarmCode.KEY_UNUSABLE, str(error))
    except FolderError as error:
        return Alarm(AlarmCode.FOLDER_UNWRITABLE, f"the folder of checkpoints cannot be written ({error})")
    return Rotated(ring.key.public, successor.key.public, made)


def announce(old: KeyRing, new: KeyRing, record: Record) -> None:
    """Record the change, once.

    Raises:
        LedgerUnavailableError: it is not recorded.
    """
    payload: dict[str, Json] = {
        "version": 1,
        "old": str(old.key.public),
        "new": str(new.key.public),
        "signatures": [line.strip("\n") for line in sign_key_change(old.key, new.key)],
    }
    with contextlib.suppress(AlreadyRecordedError):
        record(Entry(f"key-{new.key.public.id.hex()}", LedgerKind.KEY_ROTATED, payload))
