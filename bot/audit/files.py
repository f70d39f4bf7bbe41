"""Files that a command writes: whole or not at all, never in place of another unasked; why not, in plain words."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from bot.files import OWNER_ONLY, new_file

# The ledger, and what SQLite and a serving bot keep beside it under its name.
_BESIDE = ("", "-journal", "-wal", "-shm", ".serving")
# In plain words; anything else is named by its code.
_TOLD = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EACCES: "this account has no right to it",
    errno.EPERM: "this account has no right to it",
    errno.EROFS: "the file system is read-only",
    errno.ENOENT: "there is no such folder",
    errno.ENOTDIR: "there is no such folder",
    errno.ENAMETOOLONG: "the name is too long",
    errno.EFBIG: "the file would be larger than allowed",
    errno.EIO: "the disk reports an error",
}


class OutputError(Exception):
    """A file could not be written; the message says why. An existing file is as it was."""


def reason(error: OSError) -> str:
    """Why the operating system refused."""
    number = error.errno or 0
    return _TOLD.get(number, errno.errorcode.get(number, type(error).__name__))


def spare(path: Path, ledgers: Iterable[Path], folders: Iterable[Path], keys: Iterable[Path]) -> None:
    """Nothing is ever written in place of a ledger, its journals, a checkpoint or a key, whatever is asked.

    Raises:
        OutputError: ``path`` is one of these.
    """
    try:
        place = path.resolve()
        kept = {each.resolve().with_name(each.resolve().name + end) for each in ledgers for end in _BESIDE}
        if place in kept or any(_same(path, each) for each in ledgers):
            raise OutputError("it is the ledger's own file: name another")
        if any(place.is_relative_to(each.resolve()) for each in folders):
            raise OutputError("it lies among the checkpoints: name another folder")
        if any(place == each.resolve() or _same(path, each) for each in keys):
            raise OutputError("it is a key: name another file")
    except OSError as error:
        raise OutputError(reason(error)) from None


def _same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def check_target(path: Path, *, force: bool) -> None:
    """Whether a file can be expected to be written there, before long work begins.

    Raises:
        OutputError: it exists (without ``force``), is a folder, or its folder cannot be written.
    """
    try:
        if path.is_dir():
            raise OutputError("it is a folder: name a file")
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise OutputError("it is a link or no ordinary file: name another")
        if path.exists() and not force:
            raise OutputError("the file exists already")
        if not path.parent.is_dir():
            raise OutputError(_TOLD[errno.ENOENT])
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise OutputError("this account may not write in that folder: name another")
    except OSError as error:
        raise OutputError(reason(error)) from None


@contextlib.contextmanager
def output_file(path: Path, *, force: bool = False, mode: int = OWNER_ONLY) -> Iterator[Path]:
    """A file for the content of ``path``, which takes that name once the block ends without an error.

    Raises:
        OutputError: it cannot be made or named, or ``path`` came to exist meanwhile (without ``force``).
    """
    check_target(path, force=force)
    try:
        with new_file(path, mode=mode, replace=force) as part:
            yield part
    except FileExistsError:
        raise OutputError("the file exists already") from None
    except OSError as error:
        raise OutputError(reason(error)) from None
