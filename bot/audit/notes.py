"""Checkpoints as they lie in their folder: one signed note a file (``<size>.note``), public keys under ``keys/``.

The signature is checked against those keys. Whether they are the right ones is for ``tarla audit verify`` to say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from bot.ledger.note import MAX_NOTE_BYTES, Checkpoint, NoteError, PublicKey, open_checkpoint, read_public_key

_NAME = re.compile(r"0*([0-9]{1,18})\.note", re.ASCII)
_MAX_KEY_BYTES = 1_024


@dataclass(frozen=True, slots=True)
class Notes:
    """Checkpoints by rising size, and the names of files that hold none or that no key there signed."""

    checkpoints: tuple[Checkpoint, ...]
    unusable: tuple[str, ...] = ()

    def covering(self, seq: int) -> Checkpoint | None:
        """The first checkpoint whose tree holds this event."""
        return next((each for each in self.checkpoints if each.size >= seq), None)


def read_notes(folder: Path) -> Notes:
    """All checkpoints of the folder; none where there is no folder.

    Raises:
        OSError: it cannot be read.
    """
    if not folder.is_dir():
        return Notes(())
    keys = _keys(folder / "keys")
    found: list[Checkpoint] = []
    unusable: list[str] = []
    for path in sorted(folder.iterdir()):
        if (match := _NAME.fullmatch(path.name)) is None:
            continue
        if not path.is_file():  # a pipe would be waited for
            unusable.append(path.name)
            continue
        try:
            with path.open("rb") as file:
                checkpoint, _signers = open_checkpoint(file.read(MAX_NOTE_BYTES + 1).decode(), keys)
        except (NoteError, UnicodeDecodeError):
            unusable.append(path.name)
            continue
        # A name that tells another size is not the keeper's.
        if checkpoint.size == int(match[1]):
            found.append(checkpoint)
        else:
            unusable.append(path.name)
    return Notes(tuple(sorted(found, key=lambda each: each.size)), tuple(unusable))


def _keys(folder: Path) -> list[PublicKey]:
    keys = []
    for path in sorted(folder.glob("*.pub")):
        try:
            with path.open("rb") as file:
                keys.append(read_public_key(file.read(_MAX_KEY_BYTES).decode()))
        except (NoteError, UnicodeDecodeError):
            continue
    return keys
