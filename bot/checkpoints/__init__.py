"""Signed checkpoints of the audit ledger: made, kept outside it, and compared with it before each new one."""

from bot.checkpoints.folder import CheckpointFolder, FolderError, KeptNote
from bot.checkpoints.keys import KeyRing, SigningKeyError, key_for, read_key
from bot.checkpoints.signing import Alarm, AlarmCode, Made, Nothing, SigningState, make_checkpoint

__all__ = [
    "Alarm",
    "AlarmCode",
    "CheckpointFolder",
    "FolderError",
    "KeptNote",
    "KeyRing",
    "Made",
    "Nothing",
    "SigningKeyError",
    "SigningState",
    "key_for",
    "make_checkpoint",
    "read_key",
]
