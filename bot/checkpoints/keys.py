"""The signing key's file: made on first need, read by its owner alone, kept away from ledger and checkpoints.

Its first line is the secret; each further line is the public half of a key that this one succeeded, newest first.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.files import OWNER_ONLY, sync_folder, write_durably
from bot.ledger.note import NoteError, PublicKey, SigningKey, new_key, read_public_key, read_signing_key

NAME_PREFIX = "tarla-ledger/"
OWNER_ONLY_FOLDER = 0o700
# Where a successor stands until it has taken the key's place.
NEXT_SUFFIX = ".next"
_NOBODY_ELSE, _GROUP_READS = 0o077, 0o040
_MAX_BYTES = 16_384


class SigningKeyError(Exception):
    """The key cannot be used; the message says why and what to do, and holds nothing of the secret."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The key that signs, and the public halves of those it succeeded, newest first."""

    key: SigningKey
    earlier: tuple[PublicKey, ...] = ()

    @property
    def origin(self) -> str:
        """The ledger's name in its checkpoints: that of all its keys."""
        return self.key.name

    @property
    def known(self) -> tuple[PublicKey, ...]:
        """All keys whose checkpoints are this ledger's own."""
        return (self.key.public, *self.earlier)


def key_for(path: Path, ledger: Path, checkpoints: Path) -> KeyRing:
    """The key at ``path``, which is made if there is none and no checkpoint has been signed by a lost one.

    Raises:
        SigningKeyError: it cannot be made or used.
    """
    if not path.exists():
        _refuse_place(path, ledger, checkpoints)
        if _holds_checkpoints(checkpoints):
            raise SigningKeyError(
                "the folder holds checkpoints, but their signing key is gone: put the key file back, "
                "or name another folder for checkpoints of a new key"
            )
        _make(path)
    return read_key(path, ledger, checkpoints)


def read_key(path: Path, ledger: Path, checkpoints: Path) -> KeyRing:
    """The key at ``path``.

    Raises:
        SigningKeyError: it is not there, cannot be read, is no key, or others may read it.
    """
    _refuse_place(path, ledger, checkpoints)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, encoding="ascii") as file:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                raise SigningKeyError("the signing key is no ordinary file: name another place")
            if mode & (_NOBODY_ELSE & ~_GROUP_READS if _is_credential(path) else _NOBODY_ELSE):
                raise SigningKeyError(f"others may read the signing key: chmod 600 {path}")
            lines = file.read(_MAX_BYTES).splitlines()
    except OSError as error:
        raise SigningKeyError(f"the signing key cannot be read ({_name(error)})") from None
    except UnicodeDecodeError:
        lines = []
    try:
        return KeyRing(read_signing_key(lines[0]), tuple(read_public_key(line) for line in lines[1:] if line))
    except (NoteError, IndexError):
        raise SigningKeyError("the file of the signing key holds none: put the right one back") from None


def prepare_successor(path: Path, ring: KeyRing) -> KeyRing:
    """The next key, kept beside ``path``: the one already prepared if a change of keys was cut off, else a new one.

    Raises:
        SigningKeyError: it cannot be kept.
    """
    place = path.with_name(path.name + NEXT_SUFFIX)
    try:
        if not place.exists():
            successor = KeyRing(new_key(ring.origin), ring.known)
            with contextlib.suppress(FileExistsError):
                write_durably(place, _contents(successor), OWNER_ONLY)
        lines = place.read_text(encoding="ascii").splitlines()
        successor = KeyRing(read_signing_key(lines[0]), tuple(map(read_public_key, lines[1:])))
    except OSError as error:
        raise SigningKeyError(f"the new key cannot be kept ({_name(error)})") from None
    except (NoteError, IndexError, UnicodeDecodeError):
        raise SigningKeyError(f"the prepared key holds none: remove {place}") from None
    if successor.earlier != ring.known:
        raise SigningKeyError(f"the prepared key succeeds another one: remove {place}")
    return successor


@contextlib.contextmanager
def alone_with(path: Path) -> Iterator[None]:
    """One change of keys at a time: a second one would prepare a successor to a key that is gone.

    Raises:
        SigningKeyError: another is under way, or the key's folder cannot be read.
    """
    try:
        descriptor = os.open(path.parent, os.O_RDONLY)
    except OSError as error:
        raise SigningKeyError(f"the signing key cannot be read ({_name(error)})") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise SigningKeyError("another change of the signing key is under way") from None
    except OSError:
        pass  # a file system without such locks
    try:
        yield
    finally:
        os.close(descriptor)


def install_successor(path: Path) -> None:
    """Put the prepared key in the place of the old one, whose secret is then gone.

    Raises:
        SigningKeyError: it cannot be put there.
    """
    try:
        path.with_name(path.name + NEXT_SUFFIX).replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise SigningKeyError(f"the new key cannot take the old one's place ({_name(error)})") from None


def _is_credential(path: Path) -> bool:
    """Whether systemd has put the file there for this service (LoadCredential).

    The folder is closed to all but its account, who is let in by an access list: what stands in the place of the
    group's rights is then the list's mask, and no group's.
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return folder is not None and path.parent == Path(folder)


def _make(path: Path) -> None:
    ring = KeyRing(new_key(NAME_PREFIX + secrets.token_hex(8)))
    try:
        path.parent.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):  # another process was first: its key is the one
            write_durably(path, _contents(ring), OWNER_ONLY)
    except OSError as error:
        raise SigningKeyError(
            f"the signing key cannot be made ({_name(error)}): set TARLA_SIGNING_KEY to a place this account may write"
        ) from None


def _contents(ring: KeyRing) -> bytes:
    return "".join(f"{line}\n" for line in (ring.key.secret_line(), *ring.earlier)).encode()


def _refuse_place(path: Path, ledger: Path, checkpoints: Path) -> None:
    # Links followed: who may write or copy that folder would have ledger, checkpoints and key in one hand.
    folder = path.parent.resolve()
    if folder == ledger.parent.resolve():
        raise SigningKeyError("the signing key lies in the ledger's folder: set TARLA_SIGNING_KEY to another one")
    if checkpoints.resolve() in (folder, *folder.parents):
        raise SigningKeyError("the signing key lies among the checkpoints: set TARLA_SIGNING_KEY to another folder")


def _holds_checkpoints(folder: Path) -> bool:
    try:
        return any(place.suffix == ".note" for place in folder.iterdir())
    except OSError:
        return False


def _name(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, "OSError")
