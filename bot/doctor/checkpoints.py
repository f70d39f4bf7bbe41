"""What ``tarla doctor`` says of checkpoints and their key. Nothing is made or changed."""

from __future__ import annotations

import os
from pathlib import Path

from bot.checkpoints.folder import CheckpointFolder, FolderError
from bot.checkpoints.keys import KeyRing, SigningKeyError, read_key
from bot.checkpoints.quick import quick_check
from bot.checkpoints.signing import Alarm, AlarmCode
from bot.doctor.finding import Finding
from bot.settings import Settings

ELSEWHERE = (
    "they are only as safe as this machine: copy them regularly to where this account cannot change them, "
    "set TARLA_CHECKPOINTS to a folder on another one, or set TARLA_CHECKPOINT_CHANNEL"
)
ADVICE = {
    AlarmCode.OLDER_FILE: "keep both files for the auditor, find out why, and put the newest ledger back",
    AlarmCode.REWRITTEN: "keep the file for the auditor and put back a backup that tarla audit verify finds right",
    AlarmCode.SCHEMA: "keep the file for the auditor and put back a backup that tarla audit verify finds right",
    AlarmCode.FOREIGN_CHECKPOINT: "set TARLA_CHECKPOINTS to this ledger's own folder, or put the right key file back",
    AlarmCode.FOLDER_UNWRITABLE: "set TARLA_CHECKPOINTS to a folder that this account may write",
    AlarmCode.KEY_UNUSABLE: "put the key file back or make it readable for this account alone",
    AlarmCode.LEDGER_UNREADABLE: "see what is said of the ledger",
}


def examine_checkpoints(settings: Settings) -> list[Finding]:
    """Key, folder, and whether the ledger still reaches its newest checkpoint."""
    folder = CheckpointFolder(settings.checkpoints)
    ring, key = _key(settings, folder)
    findings = [key, _folder(settings, folder)]
    if ring is not None and settings.tarla_ledger.exists():
        findings.append(_newest(settings, folder, ring))
    return findings


def _key(settings: Settings, folder: CheckpointFolder) -> tuple[KeyRing | None, Finding]:
    what = f"signing key {settings.signing_key}"
    if not settings.signing_key.exists() and not _sizes(folder):
        return None, Finding(what, True, "not there yet: made at the first start")
    try:
        ring = read_key(settings.signing_key, settings.tarla_ledger, folder.path)
    except SigningKeyError as error:
        return None, Finding(what, False, f"{error}; answers go on, checkpoints do not", ADVICE[AlarmCode.KEY_UNUSABLE])
    return ring, Finding(what, True, f"for this account alone; public: {ring.key.public}")


def _folder(settings: Settings, folder: CheckpointFolder) -> Finding:
    what, place = f"checkpoints {folder.path}", _existing(folder.path)
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        state = "the folder cannot be written; answers go on, checkpoints do not"
        return Finding(what, False, state, ADVICE[AlarmCode.FOLDER_UNWRITABLE])
    same_device = place.stat().st_dev == _existing(settings.tarla_ledger).stat().st_dev
    if same_device and settings.tarla_checkpoint_channel is None:
        return Finding(what, True, "can be written, on the same disk as the ledger", ELSEWHERE)
    return Finding(what, True, "can be written")


def _newest(settings: Settings, folder: CheckpointFolder, ring: KeyRing) -> Finding:
    what = "newest checkpoint"
    found = quick_check(settings.tarla_ledger, folder, ring.known)
    if isinstance(found, Alarm):
        return Finding(what, False, f"{found.code}: {found.detail}", ADVICE[found.code])
    if found == 0:
        return Finding(what, True, "none yet")
    return Finding(what, True, f"of {found} events; tarla audit verify compares them")


def _sizes(folder: CheckpointFolder) -> list[int]:
    try:
        return folder.sizes()
    except FolderError:
        return []


def _existing(place: Path) -> Path:
    """The place itself, or the folder above it that exists."""
    return place if place.exists() else _existing(place.parent)
