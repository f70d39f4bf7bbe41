"""Signed notes and checkpoints (C2SP ``signed-note`` and ``tlog-checkpoint``), Ed25519.

A checkpoint says how many events a ledger holds and the root of the tree over their leaves:

    <origin>
    <number of events>
    <root, base64>

    \N{EM DASH} <key name> <base64 of 4 bytes that tell the key, then the signature>

The signature covers the text up to and with the line break before the empty line.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"
KEY_BYTES = 32
ID_BYTES = 4
MAX_NOTE_BYTES = 8_192
SIGNATURE_MARK = "\N{EM DASH} "

_NAME = re.compile(r"[!-*,-~]{1,100}", re.ASCII)  # printable, without space and plus
_SIZE = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_SECRET_PREFIX = "PRIVATE+KEY+"  # noqa: S105 - how such a key begins, no key


class NoteError(ValueError):
    """A note, checkpoint or key that is not what it should be. The message holds nothing of a secret."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a ledger had come: ``size`` events whose tree has this ``root`` (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Who may sign: a name and an Ed25519 key, 32 bytes."""

    name: str
    raw: bytes

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise NoteError("a key's name is 1 to 100 printable ASCII characters without space or plus")
        if len(self.raw) != KEY_BYTES:
            raise NoteError("an Ed25519 key has 32 bytes")

    @property
    def id(self) -> bytes:
        """The 4 bytes that tell this key from others of the same name."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.raw).digest()[:ID_BYTES]

    def __str__(self) -> str:
        """The line in which such keys are given to others."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(ED25519 + self.raw).decode()}"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs. Its repr holds nothing of the secret."""

    name: str
    seed: bytes = field(repr=False)

    @property
    def public(self) -> PublicKey:
        """Its public half."""
        return PublicKey(self.name, self._key().public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """The signature line of a note, with its line break."""
        signature = self._key().sign(text.encode())
        return f"{SIGNATURE_MARK}{self.name} {base64.b64encode(self.public.id + signature).decode()}\n"

    def secret_line(self) -> str:
        """The line in which the key is kept. Only for its file."""
        return f"{_SECRET_PREFIX}{self.name}+{self.public.id.hex()}+{base64.b64encode(ED25519 + self.seed).decode()}"

    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


def new_key(name: str) -> SigningKey:
    """A fresh key."""
    key = SigningKey(name, Ed25519PrivateKey.generate().private_bytes_raw())
    return read_signing_key(key.secret_line())


def read_public_key(line: str) -> PublicKey:
    """The key in a line such as ``PublicKey`` prints.

    Raises:
        NoteError: it is none.
    """
    name, key_id, raw = _key_parts(line.strip())
    key = PublicKey(name, raw)
    if key.id.hex() != key_id:
        raise NoteError("the key does not belong to its name and id: a character may be missing")
    return key


def read_signing_key(line: str) -> SigningKey:
    """The key in a line such as ``SigningKey.secret_line`` gives.

    Raises:
        NoteError: it is none.
    """
    if not line.startswith(_SECRET_PREFIX):
        raise NoteError("this is no signing key")
    name, key_id, raw = _key_parts(line.strip().removeprefix(_SECRET_PREFIX))
    if len(raw) != KEY_BYTES:
        raise NoteError("an Ed25519 key has 32 bytes")
    key = SigningKey(name, raw)
    if key.public.id.hex() != key_id:
        raise NoteError("the key does not belong to its name and id: a character may be missing")
    return key


def sign_checkpoint(checkpoint: Checkpoint, keys: Sequence[SigningKey]) -> str:
    """The signed note of a checkpoint; each key adds a line."""
    text = checkpoint.text()
    return text + "\n" + "".join(key.sign(text) for key in keys)


def open_checkpoint(note: str, keys: Sequence[PublicKey]) -> tuple[Checkpoint, tuple[PublicKey, ...]]:
    """The checkpoint in a note, and which of ``keys`` signed it, at least one.

    Raises:
        NoteError: it is malformed, a signature by one of the keys is wrong, or none of them signed it.
    """
    text, lines = _split(note)
    signers = []
    for line in lines:
        name, key_id, signature = _signature(line)
        # Four bytes can be hit on purpose: another key of the same name and id takes nothing from the right one.
        named = [key for key in keys if (key.name, key.id) == (name, key_id)]
        right = [key for key in named if _verifies(key, signature, text)]
        if named and not right:
            raise NoteError(f"the signature of {name} is wrong")
        signers += right
    if not signers:
        raise NoteError("none of the known keys signed it")
    return _checkpoint(text), tuple(signers)


def sign_key_change(old: SigningKey, new: SigningKey) -> tuple[str, str]:
    """What both keys sign when one succeeds the other: without the old one's word anybody could name a successor."""
    text = _key_change(old.public, new.public)
    return old.sign(text), new.sign(text)


def check_key_change(old: PublicKey, new: PublicKey, signatures: Sequence[str]) -> None:
    """Whether both keys signed that ``new`` succeeds ``old``.

    Raises:
        NoteError: one of them did not.
    """
    if len(signatures) != 2 or old.name != new.name:
        raise NoteError("a change of keys is signed by both")
    for key, line in zip((old, new), signatures, strict=True):
        name, key_id, signature = _signature(line.rstrip("\n"))
        if (name, key_id) != (key.name, key.id) or not _verifies(key, signature, _key_change(old, new)):
            raise NoteError("a change of keys is signed by both")


def _key_change(old: PublicKey, new: PublicKey) -> str:
    # No checkpoint: its second line is no number.
    return f"{old.name}\nkey change\n{old}\n{new}\n"


def _verifies(key: PublicKey, signature: bytes, text: str) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key.raw).verify(signature, text.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def _split(note: str) -> tuple[str, list[str]]:
    if len(note.encode(errors="replace")) > MAX_NOTE_BYTES:
        raise NoteError("it is longer than a checkpoint can be")
    head, gap, tail = note.rpartition("\n\n")
    if not (gap and head and tail.endswith("\n")) or any(ord(sign) < ord(" ") and sign != "\n" for sign in note):
        raise NoteError("it is not a signed note")
    return head + "\n", tail[:-1].split("\n")


def _signature(line: str) -> tuple[str, bytes, bytes]:
    name, _, encoded = line.removeprefix(SIGNATURE_MARK).partition(" ")
    raw = _decoded(encoded)
    if not line.startswith(SIGNATURE_MARK) or not _NAME.fullmatch(name) or len(raw) <= ID_BYTES:
        raise NoteError("a signature line is malformed")
    return name, raw[:ID_BYTES], raw[ID_BYTES:]


def _checkpoint(text: str) -> Checkpoint:
    lines = text[:-1].split("\n")
    if len(lines) != 3 or not _SIZE.fullmatch(lines[1]) or len(root := _decoded(lines[2])) != KEY_BYTES:
        raise NoteError("it is no checkpoint of a ledger")
    return Checkpoint(lines[0], int(lines[1]), root)


def _key_parts(line: str) -> tuple[str, str, bytes]:
    name, _, rest = line.partition("+")
    key_id, _, encoded = rest.partition("+")
    raw = _decoded(encoded)
    if not _NAME.fullmatch(name) or raw[:1] != ED25519:
        raise NoteError("a key reads: name, plus, 8 hexadecimal digits, plus, base64")
    return name, key_id, raw[1:]


def _decoded(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteError("it is not base64") from None
    # Another spelling of the same bytes would be another note that says the same.
    if base64.b64encode(raw).decode() != text:
        raise NoteError("it is not base64 in its one canonical form")
    return raw
