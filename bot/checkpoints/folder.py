"""The folder of checkpoints: one file a note, never changed once there; the public keys beside them."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.files import write_durably
from bot.ledger.note import MAX_NOTE_BYTES, NoteError, PublicKey, read_public_key

# Whoever keeps a copy or checks it may read them: they hold no patient's data and no secret.
READABLE, READABLE_FOLDER = 0o644, 0o755
KEYS = "keys"
# Twelve digits, more only where they are needed: one name for each size.
_NOTE_NAME = re.compile(r"([0-9]{12}|[1-9][0-9]{12,17})\.note", re.ASCII)
_MAX_KEY_BYTES = 1_024


class FolderError(Exception):
    """The folder cannot be read or written; the argument names the operating system's reason."""


@dataclass(frozen=True, slots=True)
class KeptNote:
    """A file of the folder: the size that its name tells, and what it holds."""

    size: int
    text: str
    path: Path


class CheckpointFolder:
    """Checkpoints at ``path``; the folder is made when the first is put there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def sizes(self) -> list[int]:
        """Sizes of all checkpoints by their file names, rising; none where there is no folder.

        Raises:
            FolderError: the folder cannot be read.
        """
        try:
            with os.scandir(self.path) as entries:
                return sorted(int(match[1]) for entry in entries if (match := _NOTE_NAME.fullmatch(entry.name)))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise FolderError(_name(error)) from None

    def strangers(self) -> list[str]:
        """Names of files that look like checkpoints but do not have the name of any.

        Raises:
            FolderError: the folder cannot be read.
        """
        try:
            with os.scandir(self.path) as entries:
                names = sorted(entry.name for entry in entries if entry.name.endswith(".note"))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise FolderError(_name(error)) from None
        return [name for name in names if not _NOTE_NAME.fullmatch(name)]

    def read(self, size: int) -> KeptNote:
        """The note of this size; bytes that are no text are replaced, so that no signature fits them.

        Raises:
            FolderError: it cannot be read.
        """
        place = self.place(size)
        try:
            return KeptNote(size, _contents(place, MAX_NOTE_BYTES + 1), place)
        except OSError as error:
            raise FolderError(_name(error)) from None

    def newest(self) -> KeptNote | None:
        """The note of the greatest size.

        Raises:
            FolderError: the folder cannot be read.
        """
        sizes = self.sizes()
        return self.read(sizes[-1]) if sizes else None

    def notes(self) -> Iterator[KeptNote]:
        """All notes by rising size, read one at a time.

        Raises:
            FolderError: the folder cannot be read.
        """
        return map(self.read, self.sizes())

    def put(self, size: int, text: str) -> KeptNote:
        """Keep a note durably. Where there is one of this size, that one stays and is given back.

        Raises:
            FolderError: it cannot be written.
        """
        place = self.place(size)
        try:
            self.path.mkdir(mode=READABLE_FOLDER, parents=True, exist_ok=True)
            write_durably(place, text.encode(), READABLE)
        except FileExistsError:
            return self.read(size)
        except OSError as error:
            raise FolderError(_name(error)) from None
        return KeptNote(size, text, place)

    def place(self, size: int) -> Path:
        """Where the note of this size stands or would stand."""
        return self.path / f"{size:012d}.note"

    def publish(self, key: PublicKey) -> None:
        """Keep a public key beside the notes, for those who check them.

        Raises:
            FolderError: it cannot be written, or another key stands under its id.
        """
        place = self.path / KEYS / f"{key.id.hex()}.pub"
        try:
            if not place.exists():
                place.parent.mkdir(mode=READABLE_FOLDER, parents=True, exist_ok=True)
                write_durably(place, f"{key}\n".encode(), READABLE)
        except FileExistsError:
            pass  # another process was first
        except OSError as error:
            raise FolderError(_name(error)) from None
        if str(key) not in map(str, self.public_keys()):
            raise FolderError("another public key stands in this one's place")

    def public_keys(self) -> tuple[PublicKey, ...]:
        """The public keys beside the notes; files that hold none are left out.

        Raises:
            FolderError: they cannot be read.
        """
        keys = []
        try:
            for place in sorted((self.path / KEYS).glob("*.pub")):
                try:
                    keys.append(read_public_key(_contents(place, _MAX_KEY_BYTES)))
                except NoteError:
                    continue
        except OSError as error:
            raise FolderError(_name(error)) from None
        return tuple(keys)


def _contents(place: Path, most: int) -> str:
    # Not waiting: a pipe in a file's place would hold up whoever opens it for ever. What is no file holds no note.
    descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return os.read(descriptor, most).decode(errors="replace") if stat.S_ISREG(os.fstat(descriptor).st_mode) else ""
    finally:
        os.close(descriptor)


def _name(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, "OSError")
