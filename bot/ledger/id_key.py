"""Slack ids in the ledger as keyed hashes: HMAC-SHA-256 (RFC 2104, FIPS 180-4) with a key that is held elsewhere."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import re
import secrets
import sqlite3
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bot.files import OWNER_ONLY, write_durably
from bot.ledger.connection import open_for_reading
from bot.ledger.errors import LedgerFault, fault_of_sqlite
from bot.settings import Settings, SettingsError
from handlers.ports import Entry, Json
from handlers.requests import Asker

KEY_BYTES = 32
PREFIX = "hmac:"
_KEY = re.compile(rf"[0-9a-f]{{{2 * KEY_BYTES}}}\n?", re.ASCII)
_IDS = ("user", "channel", "team", "enterprise")
# A message is named by its place, so its key holds ids too.
_MESSAGE = "message:"
# So many of the newest events that name somebody are looked at for hashed ids; starts and checkpoints name nobody.
LOOKED_BACK = 200
_NEWEST_ASKED = """
SELECT CAST(body AS BLOB) FROM payload JOIN event USING (seq)
WHERE kind IN ('computed', 'refused', 'looked_up', 'shared', 'outcome_recorded') ORDER BY seq DESC LIMIT ?"""


class Pseudonyms:
    """Puts keyed hashes in the place of ids; the same id has the same hash for as long as the key stays."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __repr__(self) -> str:
        return "Pseudonyms()"

    def of(self, name: str) -> str:
        """One id as it stands in the ledger, such as ``hmac:5f70…``; what is one already stays."""
        if name.startswith(PREFIX):
            return name
        return PREFIX + hmac.new(self._key, name.encode(), hashlib.sha256).hexdigest()

    def asker(self, asker: Asker) -> Asker:
        """Who asks, as it stands in the ledger."""
        known = {name: value for name in _IDS if (value := getattr(asker, name)) is not None}
        return replace(asker, **{name: self.of(value) for name, value in known.items()})

    def entry(self, entry: Entry) -> Entry:
        """An event as it is to be recorded."""
        payload = dict(entry.payload)
        asker = payload.get("asker")
        if isinstance(asker, Mapping):
            hashed: dict[str, Json] = {name: self.of(str(asker[name])) for name in _IDS if name in asker}
            payload["asker"] = {**asker, **hashed}
        key, part, rest = entry.idem_key.partition("#")
        if key.startswith(_MESSAGE):
            key = _MESSAGE + self.of(key)
        return replace(entry, idem_key=f"{key}{part}{rest}", payload=payload)


def pseudonyms_of(settings: Settings) -> Pseudonyms | None:
    """How this installation writes ids; None where it writes them as they are. The key is made where there is none yet.

    Raises:
        SettingsError: the key cannot be read or made, others may read it, or it is missing though the ledger needs it.
    """
    path = settings.tarla_id_key
    if path is None:
        return None
    try:
        if not path.exists():
            if _holds_hashed_ids(settings.tarla_ledger):
                raise SettingsError("TARLA_ID_KEY: the key file is missing, and the ledger was written with one")
            _make(path)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise SettingsError("TARLA_ID_KEY: others may read the key file: let its owner alone read it (chmod 600)")
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"TARLA_ID_KEY: the key file cannot be read or made ({type(error).__name__})") from None
    if not _KEY.fullmatch(text):
        raise SettingsError(f"TARLA_ID_KEY: the file does not hold a key of {KEY_BYTES} bytes in hexadecimal digits")
    return Pseudonyms(bytes.fromhex(text.strip()))


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):  # another process was first
        write_durably(path, f"{secrets.token_bytes(KEY_BYTES).hex()}\n".encode(), OWNER_ONLY)


def _holds_hashed_ids(ledger: Path) -> bool:
    if not ledger.exists():
        return False
    mark = f'"user":"{PREFIX}'.encode()
    try:
        with contextlib.closing(open_for_reading(ledger)) as connection:
            return any(mark in body for (body,) in connection.execute(_NEWEST_ASKED, (LOOKED_BACK,)))
    except (LedgerFault, sqlite3.Error) as error:
        fault = error if isinstance(error, LedgerFault) else fault_of_sqlite(error)
        if fault.code == "locked":
            raise SettingsError(
                "TARLA_ID_KEY: the key file is missing, and the ledger is locked: whether it was written with one "
                "cannot be seen; try again"
            ) from None
        return False  # it is told elsewhere, and nothing is recorded then
