"""Ledgers with checkpoints, and what somebody who owns the file can do to them."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.checkpoints import Alarm, CheckpointFolder, KeyRing, Made, Nothing, SigningState, key_for, make_checkpoint
from bot.clock import SystemClock
from bot.ledger import LedgerWriter, open_ledger
from bot.ledger.leaf import leaf_hash, payload_hash
from handlers.ports import Entry, Kind

Row = dict[str, Any]


@dataclass(frozen=True)
class Vouched:
    """A ledger with its folder of checkpoints and its key, each in a folder of its own below ``home``."""

    home: Path

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.home / "ledger" / "ledger.db"

    @property
    def folder(self) -> CheckpointFolder:
        """Its checkpoints."""
        return CheckpointFolder(self.home / "checkpoints")

    @property
    def key_path(self) -> Path:
        """Its signing key."""
        return self.home / "key" / "signing.key"

    @property
    def variables(self) -> dict[str, str]:
        """The environment in which the program uses these."""
        return {
            "TARLA_LEDGER": str(self.ledger),
            "TARLA_CHECKPOINTS": str(self.folder.path),
            "TARLA_SIGNING_KEY": str(self.key_path),
        }

    def ring(self) -> KeyRing:
        """The key, made on first need."""
        return key_for(self.key_path, self.ledger, self.folder.path)

    @contextmanager
    def writing(self) -> Iterator[LedgerWriter]:
        """The ledger's writer."""
        with closing(open_ledger(self.ledger, clock=SystemClock())) as writer:
            yield writer

    def record(self, *names: str) -> None:
        """Record an answer and its delivery for each name."""
        with self.writing() as writer:
            for name in names:
                answer = writer.record_blocking(Entry(name, Kind.COMPUTED, {"risk": "0.512345", "name": name}))
                writer.record_blocking(Entry(f"{name}#delivery", Kind.DELIVERED, {"version": 1}, answer.seq))

    def checkpoint(self, state: SigningState | None = None, *, sign: bool = True) -> Made | Nothing | Alarm:
        """Make a checkpoint with the program's own code."""
        with self.writing() as writer:
            return make_checkpoint(
                self.ledger, self.folder, self.ring(), state or SigningState(), writer.record_blocking, sign=sign
            )


def vouched(home: Path, *, rounds: int = 3) -> Vouched:
    """A ledger with a checkpoint after each round of three answers, and one answer after the last."""
    made = Vouched(home)
    for number in range(rounds):
        made.record(*(f"request-{number}-{each}" for each in range(3)))
        assert isinstance(made.checkpoint(), Made)
    made.record("request-last")
    return made


@contextmanager
def guards_off(path: Path) -> Iterator[sqlite3.Connection]:
    """Change rows as the file's owner could, and put every guard back in place."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in guards:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("PRAGMA ignore_check_constraints = ON")
        yield connection
        for _, sql in guards:
            connection.execute(sql)


def rebuild(path: Path, edit: Callable[[list[Row]], list[Row]]) -> None:
    """Write the whole history anew after ``edit``, with numbers and all hashes as if it had always been so."""
    with guards_off(path) as connection:
        connection.row_factory = sqlite3.Row
        rows = edit(
            [dict(row) for row in connection.execute("SELECT * FROM event JOIN payload USING (seq) ORDER BY seq")]
        )
        moved = {row["seq"]: number for number, row in enumerate(rows, 1)}
        connection.execute("DELETE FROM payload")
        connection.execute("DELETE FROM event")
        for number, row in enumerate(rows, 1):
            hashed = payload_hash(row["salt"], row["body"].encode())
            columns = {name: row[name] for name in ("idem_key", "kind", "time")}
            columns |= {"seq": number, "ref": moved.get(row["ref"]), "payload_hash": hashed}
            columns["leaf"] = leaf_hash(**columns)
            connection.execute(
                "INSERT INTO event (idem_key, kind, time, seq, ref, payload_hash, leaf)"
                " VALUES (:idem_key, :kind, :time, :seq, :ref, :payload_hash, :leaf)",
                columns,
            )
            connection.execute("INSERT INTO payload VALUES (?, ?, ?)", (number, row["salt"], row["body"]))


def flip(path: Path, where: bytes, offset: int = 0, *, occurrence: int = 0) -> None:
    """Flip the lowest bit of one byte of the file, found by what stands there."""
    data = bytearray(path.read_bytes())
    data[[match.start() for match in re.finditer(re.escape(where), data)][occurrence] + offset] ^= 1
    path.write_bytes(data)
