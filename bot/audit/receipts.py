"""One receipt: its row, its hashes, and the proof that it is in a signed checkpoint."""

from __future__ import annotations

import contextlib
import sqlite3
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.audit.trust import KeyChange, followed, key_change
from bot.checkpoints.folder import CheckpointFolder, KeptNote
from bot.ledger.check import Retention, problem_of
from bot.ledger.connection import AUDIT_WAIT_MS, open_for_reading
from bot.ledger.errors import fault_of_sqlite
from bot.ledger.merkle import hash_ranges, inclusion_ranges, root_from_inclusion
from bot.ledger.note import Checkpoint, NoteError, PublicKey, open_checkpoint
from bot.ledger.read import RawEvent, prunings, raw_events
from handlers.ports import Json
from handlers.receipts import read_typed_receipt, receipt_of

PROOF_FORMAT = "tarla-receipt-1"
_KEY_CHANGES = "SELECT seq, body FROM payload JOIN event USING (seq) WHERE kind = 'key_rotated'"
_LEAVES = "SELECT leaf FROM event WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT 2000"


class ReceiptError(Exception):
    """The receipt or its event is wrong; the message says what, and holds nothing of the event's content."""


@dataclass(frozen=True, slots=True)
class CheckedReceipt:
    """An event found right. ``checkpoint``, ``note`` and ``proof`` are None while no signed checkpoint covers it.

    ``let_go_by`` is the ``pruned`` event because of which the payload is gone.
    """

    row: RawEvent
    checkpoint: Checkpoint | None = None
    note: KeptNote | None = None
    proof: tuple[bytes, ...] | None = None
    let_go_by: int | None = None

    @property
    def name(self) -> str:
        """As shown under an answer."""
        return receipt_of(self.row.seq, self.row.leaf)

    def exported(self, *, with_payload: bool) -> Mapping[str, Json]:
        """A proof that stands for itself; without the payload it holds nothing of a patient.

        Raises:
            ReceiptError: no checkpoint covers it yet, or the payload is gone.
        """
        if self.checkpoint is None or self.note is None or self.proof is None:
            raise ReceiptError(
                "there is no proof yet: no checkpoint covers the event; tarla audit checkpoint makes one"
            )
        row = self.row
        exported: dict[str, Json] = {
            "format": PROOF_FORMAT,
            "receipt": self.name,
            "event": {
                "seq": row.seq,
                "idem_key": row.idem_key.decode(),
                "kind": row.kind.decode(),
                "ref": row.ref,
                "time": row.time.decode(),
                "payload_hash": row.payload_hash.hex(),
            },
            "leaf": row.leaf.hex(),
            "proof": [node.hex() for node in self.proof],
            "checkpoint": self.note.text,
        }
        if with_payload:
            if row.salt is None or row.body is None:
                raise ReceiptError("the event's payload is gone: its time was over")
            exported["payload"] = {"salt": row.salt.hex(), "body": row.body.decode()}
        return exported


def check_receipt(
    ledger: Path, receipt: str, folders: Sequence[CheckpointFolder], keys: Sequence[PublicKey]
) -> CheckedReceipt:
    """The event of a receipt (``1284-3f9a``, or a number alone), with its proof from the earliest checkpoint.

    Raises:
        ReceiptError: there is no such event, it was changed, or the ledger is not the one that was signed.
        LedgerUnavailableError: the ledger cannot be read.
        FolderError: a folder cannot be read.
    """
    wanted = read_typed_receipt(receipt)
    if wanted is None:
        raise ReceiptError("a receipt reads like 1284-3f9a")
    seq = wanted.seq
    try:
        with contextlib.closing(open_for_reading(ledger, AUDIT_WAIT_MS)) as connection:
            row = next(raw_events(connection, after=seq - 1, page=1), None)
            if row is None or row.seq != seq:
                raise ReceiptError(f"there is no event {seq} in this ledger")
            by = _let_go(connection, row) if row.body is None else None
            pruned = by is not None
            if (problem := problem_of(row, seq, pruned=pruned)) is not None:
                raise ReceiptError(f"event {seq} is not as it was recorded ({problem})")
            if not wanted.fits(row.leaf):
                raise ReceiptError(f"event {seq} bears the receipt {receipt_of(seq, row.leaf)}, not this one")
            covering = _earliest(seq, folders, followed(keys, _changes(connection)))
            if covering is None:
                return CheckedReceipt(row, let_go_by=by)
            note, checkpoint = covering
            try:
                proof = hash_ranges(_leaves(connection, checkpoint.size), inclusion_ranges(seq - 1, checkpoint.size))
            except ValueError:
                raise ReceiptError(
                    f"the ledger ends before event {checkpoint.size}, which a checkpoint covers"
                ) from None
    except sqlite3.Error as error:
        raise fault_of_sqlite(error) from None
    if root_from_inclusion(row.leaf, seq - 1, checkpoint.size, proof) != checkpoint.root:
        raise ReceiptError(f"the events up to {checkpoint.size} are not those signed: history was rewritten")
    return CheckedReceipt(row, checkpoint, note, tuple(proof), by)


def _let_go(connection: sqlite3.Connection, row: RawEvent) -> int | None:
    """The event because of which the payload is gone, itself found right; None where there is none."""
    for pruning in prunings(connection):
        retention = Retention((pruning,))
        if not retention.covers(row):
            continue
        event = next(raw_events(connection, after=pruning.seq - 1, page=1), None)
        if event is None or problem_of(event, pruning.seq) is not None:
            continue
        if retention.problem_of(row) is None and retention.problem_of(event) is None:
            return pruning.seq
    return None


def _changes(connection: sqlite3.Connection) -> list[KeyChange]:
    """Changes of keys that both keys signed; another row that says there was one means nothing."""
    found = []
    for seq, body in connection.execute(_KEY_CHANGES):
        with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
            found.append(key_change(seq, body))
    return found


def _earliest(
    seq: int, folders: Sequence[CheckpointFolder], keys: Sequence[PublicKey]
) -> tuple[KeptNote, Checkpoint] | None:
    """The smallest checkpoint that covers the event and is signed by one of the keys; None where none covers it.

    Raises:
        ReceiptError: others signed all that do.
    """
    found: tuple[KeptNote, Checkpoint] | None = None
    foreign = 0
    for folder in folders:
        sizes = folder.sizes()
        for size in sizes[bisect_left(sizes, seq) :]:
            note = folder.read(size)
            try:
                checkpoint, _signers = open_checkpoint(note.text, keys)
            except NoteError:
                foreign += 1
                continue
            if checkpoint.size == size:
                if found is None or size < found[1].size:
                    found = note, checkpoint
                break
    if found is None and foreign:
        raise ReceiptError(
            f"checkpoints cover event {seq}, but none of them is signed by a key that you trust or one that follows it"
        )
    return found


def _leaves(connection: sqlite3.Connection, size: int) -> Iterator[bytes]:
    after = 0
    while after < size:
        page = connection.execute(_LEAVES, (after, size)).fetchall()
        if not page:
            return
        yield from (leaf for (leaf,) in page)
        after += len(page)
