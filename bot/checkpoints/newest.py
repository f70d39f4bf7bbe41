"""The checkpoints that are the ledger's own, whatever else somebody has put into the folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.checkpoints.folder import CheckpointFolder, FolderError, KeptNote
from bot.ledger.note import Checkpoint, NoteError, PublicKey, open_checkpoint


@dataclass(frozen=True, slots=True)
class Newest:
    """What was found: the note and its checkpoint (None without one), and what is wrong with a note of a greater size.

    A note that is not ours may not hide that the ledger falls short of one that is.
    """

    note: KeptNote | None = None
    checkpoint: Checkpoint | None = None
    foreign: str | None = None


def newest_own(folder: CheckpointFolder, keys: Sequence[PublicKey]) -> Newest:
    """The checkpoint of the greatest size that one of ``keys`` signed.

    Raises:
        FolderError: the folder cannot be read.
    """
    foreign: str | None = None
    for size in reversed(folder.sizes()):
        try:
            note = folder.read(size)
            return Newest(note, own_checkpoint(note, keys), foreign)
        except (NoteError, FolderError) as error:
            foreign = foreign or f"the newest checkpoint is not this ledger's: {error}"
    return Newest(foreign=foreign)


@dataclass(frozen=True, slots=True)
class OwnNotes:
    """Checkpoints by rising size, and the names of files that hold none of this ledger's."""

    checkpoints: tuple[Checkpoint, ...] = ()
    unusable: tuple[str, ...] = ()

    def covering(self, seq: int) -> Checkpoint | None:
        """The first checkpoint whose tree holds this event."""
        return next((each for each in self.checkpoints if each.size >= seq), None)


def own_notes(folder: CheckpointFolder) -> OwnNotes:
    """All checkpoints of a folder as the keys beside them say; none where there is no folder.

    Whether these are the right keys, and whether the ledger fits, is for ``tarla audit verify`` to say.

    Raises:
        FolderError: it cannot be read.
    """
    keys, found, unusable = folder.public_keys(), [], folder.strangers()
    for note in folder.notes():
        try:
            found.append(own_checkpoint(note, keys))
        except NoteError:
            unusable.append(note.path.name)
    return OwnNotes(tuple(found), tuple(unusable))


def own_checkpoint(note: KeptNote, keys: Sequence[PublicKey]) -> Checkpoint:
    """The checkpoint in a note of the folder.

    Raises:
        NoteError: it is not signed by one of ``keys``, or tells of another ledger or size.
    """
    checkpoint, signers = open_checkpoint(note.text, keys)
    if checkpoint.origin not in {key.name for key in signers}:
        raise NoteError("it tells of another ledger")
    if checkpoint.size != note.size:
        raise NoteError("it tells another number of events than its file's name")
    return checkpoint
