"""Bytes that the ledger hashes: canonical body, salted payload hash, leaf hash, time.

    payload_hash = SHA-256(salt || body)
    leaf         = SHA-256(0x00 || canonical JSON of idem_key, kind, payload_hash (hex), ref, seq, time)

Canonical JSON is RFC 8785; the leaf hash is that of RFC 6962, section 2.1.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import rfc8785

from bot.ledger.errors import EntryError

SALT_BYTES = 16
# An answer with all its evidence is about 4 KiB; more than 64 means a fault upstream.
MAX_PAYLOAD_BYTES = 65_536
MAX_DEPTH = 16
# RFC 8785 numbers are IEEE 754 doubles: integers beyond this would not survive.
MAX_INT = 2**53 - 1

_LEAF_PREFIX = b"\x00"
# Names shown in an error message: ones a programmer wrote. Anything else might be data.
_PLAIN_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

_Plain = str | int | bool | list["_Plain"] | dict[str, "_Plain"] | None


def canonical(payload: Mapping[str, object]) -> bytes:
    """RFC 8785 form of a payload, UTF-8.

    Raises:
        EntryError: a value is a float (decimals travel as strings) or not JSON, a
            key is not a string, a text is not Unicode, an integer is beyond 2**53,
            or the whole is too deep or too long. The message tells where, never what.
    """
    if not isinstance(payload, Mapping):
        raise EntryError(f"payload is a {type(payload).__name__}, not a mapping")
    body = rfc8785.dumps(_plain(payload, "payload", MAX_DEPTH))
    if len(body) > MAX_PAYLOAD_BYTES:
        raise EntryError(f"payload takes {len(body)} bytes, above {MAX_PAYLOAD_BYTES}")
    return body


def _plain(value: object, where: str, depth: int) -> _Plain:
    """The value in the built-in types that rfc8785 knows, checked."""
    if depth < 0:
        raise EntryError(f"{where} is nested deeper than {MAX_DEPTH}")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float):
        raise EntryError(f"{where} is a float; decimals are recorded as strings")
    if isinstance(value, int):
        if abs(value) > MAX_INT:
            raise EntryError(f"{where} is an integer beyond 2**53 - 1")
        return int(value)
    if isinstance(value, str):
        return _text(value, where)
    if isinstance(value, Mapping):
        return {_key(key, where): _plain(item, _inside(where, key), depth - 1) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return [_plain(item, f"{where}[{index}]", depth - 1) for index, item in enumerate(value)]
    raise EntryError(f"{where} is a {type(value).__name__}, which is not JSON")


def _text(value: str, where: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise EntryError(f"{where} holds a lone surrogate") from None
    return value


def _key(key: object, where: str) -> str:
    if not isinstance(key, str):
        raise EntryError(f"{where} has a key that is a {type(key).__name__}")
    return _text(key, f"a key of {where}")


def _inside(where: str, key: object) -> str:
    return f"{where}.{key}" if isinstance(key, str) and _PLAIN_NAME.fullmatch(key) else f"{where}.?"


def payload_hash(salt: bytes, body: bytes) -> bytes:
    """Salted hash of a canonical body, 32 bytes."""
    return hashlib.sha256(salt + body).digest()


def leaf_hash(*, seq: int, idem_key: str, kind: str, ref: int | None, time: str, payload_hash: bytes) -> bytes:
    """RFC 6962 leaf hash of one event, 32 bytes: commits to every column and to the payload."""
    columns = {
        "idem_key": idem_key,
        "kind": kind,
        "payload_hash": payload_hash.hex(),
        "ref": ref,
        "seq": seq,
        "time": time,
    }
    return hashlib.sha256(_LEAF_PREFIX + rfc8785.dumps(columns)).digest()


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with six decimals, e.g. ``2026-11-22T09:30:00.000000Z``.

    Raises:
        ValueError: the moment has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("the clock gave a time without a zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_timestamp(text: str) -> datetime:
    """The moment in a text of ``timestamp``.

    Raises:
        ValueError: it is not of that form.
    """
    if not text.endswith("Z"):
        raise ValueError("a time in the ledger is in UTC")
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")
