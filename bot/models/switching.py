"""Changing the model in use: recorded in the ledger first, and only then done."""

from __future__ import annotations

import contextlib
import fcntl
import os
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.ledger import LedgerWriter
from bot.ledger.kinds import LedgerKind
from bot.models.activation import activation
from bot.models.folder import ModelFolder, check_basis
from handlers.ports import Entry, Json, Recorded
from knowledge.assessment import ModelVersion
from knowledge.model import Model, ModelError, SiteModelError, load, shipped_version

LOCK = ".lock"


class UnknownModelError(Exception):
    """No kept model is meant, or more than one; the message says what to write."""


class NotSwitchedError(Exception):
    """The ledger says that a model was activated, and its folder does not; the message says what to do."""


@dataclass(frozen=True)
class Listed:
    """A model that could be used; ``fault`` says why not. ``model`` is None where it cannot be read."""

    version: ModelVersion
    model: Model | None
    in_use: bool
    fault: str | None = None


def listed(folder: ModelFolder) -> Iterator[Listed]:
    """The shipped model, then those kept, whether they can be used or not.

    Raises:
        SiteModelError: which one is in use cannot be told.
    """
    pointer = folder.pointer()
    shipped, fault = None, None
    try:
        shipped = load()
    except ModelError as error:
        fault = str(error)
    yield Listed(shipped_version(), shipped, pointer is None, fault)
    in_use = None if pointer is None else pointer.sha256
    kept = list(folder.kept())
    for sha256 in kept:
        yield _listed(folder, sha256, in_use=sha256 == in_use)
    if pointer is not None and pointer.sha256 not in kept:
        yield Listed(pointer, None, True, "its file is missing")


def _listed(folder: ModelFolder, sha256: str, *, in_use: bool) -> Listed:
    version = ModelVersion(id="?", sha256=sha256)
    model = None
    try:
        model = folder.load(sha256)
        check_basis(model)
    except SiteModelError as error:
        return Listed(version if model is None else model.version, model, in_use, str(error))
    return Listed(model.version, model, in_use)


def kept_as(folder: ModelFolder, name: str) -> Model | None:
    """The kept model of this id, or whose SHA-256 begins so (8 digits at least); None where there is none.

    Raises:
        UnknownModelError: several are meant.
        SiteModelError: the model meant cannot be used.
    """
    hashes = [sha256 for sha256 in folder.kept() if len(name) >= 8 and sha256.startswith(name.lower())]
    if not hashes:
        hashes = [each.version.sha256 for each in listed_of(folder) if each.version.id == name]
    if len(hashes) > 1:
        raise UnknownModelError("more than one kept model is meant: write the first signs of its SHA-256")
    if not hashes:
        return None
    model = folder.load(hashes[0])
    check_basis(model)
    return model


def listed_of(folder: ModelFolder) -> Iterator[Listed]:
    """The kept models, also where it cannot be told which is in use."""
    return (_listed(folder, sha256, in_use=False) for sha256 in folder.kept())


def activate(
    folder: ModelFolder, writer: LedgerWriter, model: Model, asker: Mapping[str, Json], *, data: bytes | None
) -> Recorded:
    """Record that ``model`` answers from now on, then let it; ``data`` are its bytes where it is not kept yet.

    Raises:
        LedgerUnavailableError: it cannot be recorded; nothing is switched.
        OSError: the folder cannot be written; nothing is recorded.
        NotSwitchedError: the folder failed after the record. The former model stays in use, and the bot records that
            at its next start.
    """
    folder.path.mkdir(parents=True, exist_ok=True, mode=0o750)
    with _alone(folder.path):
        if data is not None:
            folder.keep(data)
        # Both are tried before anything is recorded: a full or closed folder is seen here.
        with folder.pointing_to(None if model.site is None else model.version) as switch:
            payload = {"version": 1, **activation(model), "asker": dict(asker)}
            entry = Entry(f"model-use-{uuid.uuid4()}", LedgerKind.MODEL_ACTIVATED, payload)
            recorded = writer.record_blocking(entry)
            try:
                switch()
            except OSError as error:
                raise NotSwitchedError(
                    f"recorded as #{recorded.receipt}, and then the folder of models could not be written "
                    f"({error.strerror}): tarla model list says which model is in use; give the command again"
                ) from None
    return recorded


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One change at a time, so that ledger and pointer have them in the same order."""
    descriptor = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
