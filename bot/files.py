"""Files that are there whole or not at all, and after a power cut too."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

OWNER_ONLY = 0o600
# What file systems without hard links answer.
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


@contextlib.contextmanager
def new_file(path: Path, *, mode: int = OWNER_ONLY, replace: bool = False) -> Iterator[Path]:
    """An empty file beside ``path``; once the block ends without an error it is on disk and takes the name.

    Raises:
        FileExistsError: the name is taken (without ``replace``); what bears it stays as it is.
        OSError: it cannot be made or named.
    """
    part = path.with_name(f".new-{secrets.token_hex(8)}.part")
    descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    try:
        yield part
        os.fsync(descriptor)
        if replace:
            part.replace(path)
        else:
            _give_name(part, path)
    finally:
        os.close(descriptor)
        with contextlib.suppress(OSError):  # gone where it was renamed
            part.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_durably(path: Path, contents: bytes, mode: int) -> None:
    """Write a new file.

    Raises:
        FileExistsError: there is one, which stays as it is.
        OSError: it cannot be written.
    """
    with new_file(path, mode=mode) as part:
        part.write_bytes(contents)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder as durable as the files. Some network file systems cannot; theirs is what they give.

    Raises:
        OSError: the folder cannot be opened, or its disk fails.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, *_NO_LINKS):
            raise
    finally:
        os.close(descriptor)


def _give_name(temporary: Path, path: Path) -> None:
    try:
        path.hardlink_to(temporary)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if path.exists():
            raise FileExistsError(errno.EEXIST, "exists") from None
        temporary.rename(path)
