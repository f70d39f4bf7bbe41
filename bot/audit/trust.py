"""Whose checkpoints count: keys that the auditor trusts, and those reached from them by recorded changes of key."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.checkpoints.folder import KeptNote
from bot.ledger.note import Checkpoint, NoteError, PublicKey, check_key_change, open_checkpoint, read_public_key


@dataclass(frozen=True, slots=True)
class KeyChange:
    """What the event ``seq`` says, and both keys signed: ``new`` signs in the place of ``old``."""

    seq: int
    old: PublicKey
    new: PublicKey


def key_change(seq: int, body: bytes | None) -> KeyChange:
    """The change of keys that an event's payload tells.

    Raises:
        ValueError, KeyError, TypeError, RecursionError: it tells none, or not both keys signed it (``NoteError``).
    """
    said = json.loads(body or b"")
    change = KeyChange(seq, *(read_public_key(str(said[which])) for which in ("old", "new")))
    check_key_change(change.old, change.new, [str(line) for line in said["signatures"]])
    return change


def followed(keys: Sequence[PublicKey], changes: Sequence[KeyChange]) -> tuple[PublicKey, ...]:
    """The keys, and those that signed changes lead to from them."""
    trusted = dict.fromkeys(keys)
    for _ in changes:
        for change in changes:
            if change.old in trusted or change.new in trusted:
                trusted |= dict.fromkeys((change.old, change.new))
    return tuple(trusted)


@dataclass(slots=True)
class Opened:
    """A note that trusted keys signed."""

    note: KeptNote
    checkpoint: Checkpoint
    signers: tuple[PublicKey, ...]


@dataclass(slots=True)
class Judged:
    """Notes by whether they count; ``refused`` holds why not."""

    keys: tuple[PublicKey, ...]
    opened: list[Opened] = field(default_factory=list)
    refused: list[tuple[KeptNote, str]] = field(default_factory=list)


def judge(
    notes: Sequence[KeptNote],
    keys: Sequence[PublicKey],
    changes: Sequence[KeyChange],
    roots: Mapping[int, bytes],
) -> Judged:
    """Open the notes with the trusted keys and all that follow from them.

    A change of key counts once a checkpoint by a trusted key, with the ledger's own root, covers its event; then both
    keys do, so that trust in either leads to the other. ``roots`` are the ledger's at the notes' sizes.
    """
    trusted = dict.fromkeys(keys)
    while True:
        judged = _open(notes, tuple(trusted))
        covered = max(
            (each.checkpoint.size for each in judged.opened if roots.get(each.checkpoint.size) == each.checkpoint.root),
            default=0,
        )
        reached = [
            key
            for change in changes
            if change.seq <= covered and (change.old in trusted or change.new in trusted)
            for key in (change.old, change.new)
            if key not in trusted
        ]
        if not reached:
            return judged
        trusted |= dict.fromkeys(reached)


def replaced_before(each: Opened, judged: Judged, changes: Sequence[KeyChange]) -> bool:
    """Whether only keys signed it whose successors had signed alone before: such a key should be gone."""
    retired = {
        change.old
        for change in changes
        for other in judged.opened
        if other.checkpoint.size < each.checkpoint.size
        and change.new in other.signers
        and change.old not in other.signers
    }
    return bool(retired) and set(each.signers) <= retired


def _open(notes: Sequence[KeptNote], keys: tuple[PublicKey, ...]) -> Judged:
    judged = Judged(keys)
    for note in notes:
        try:
            checkpoint, signers = open_checkpoint(note.text, keys)
        except NoteError as error:
            judged.refused.append((note, str(error)))
            continue
        if checkpoint.origin not in {key.name for key in signers}:
            judged.refused.append((note, "it tells of another ledger"))
        else:
            judged.opened.append(Opened(note, checkpoint, signers))
    return judged
