"""The folder of the site's own models: artefacts by the SHA-256 of their bytes, and a pointer to the one in use.

Without a pointer the shipped model answers. A pointer that cannot be followed is an error, never the shipped model.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.files import sync_folder, write_durably
from knowledge.assessment import ModelVersion
from knowledge.evidence import load as load_evidence
from knowledge.model import FactsChangedError, Model, ModelError, SiteModelError, decode, shipped_version
from knowledge.synthesis.facts import published_spec

POINTER = "in_use.json"
SUFFIX = ".npz"
# A site model weighs a few megabytes, one of a larger build some tens; what is far larger is none, and is not read.
MOST_BYTES = 300_000_000
# The draws hardly shrink when they are packed; what swells by far more is no model.
MOST_UNPACKED = 5 * MOST_BYTES
# Readable by whoever runs the bot's group: nothing of a patient is in a model.
MODE = 0o640
BACK = "`tarla model use --shipped` goes back to the shipped model"
AGAIN = "run `tarla study update` again and activate its result"
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
# As the update names its models, after their parent, so that none bears the shipped one's; it stands in answers.
_ID = re.compile(r"(?=.{3,64}$)[a-z0-9][a-z0-9.-]*\+[a-z0-9.+-]+", re.ASCII)


@dataclass(frozen=True)
class ModelFolder:
    """The site's models. Nothing is cached: each call looks at the disk.

    ``named`` says that the operator named the folder: where it is not there, whatever holds it is not, and which model
    is in use cannot be told. A folder that nobody named is made by the first ``tarla model use``.
    """

    path: Path
    named: bool = False

    def pointer(self) -> ModelVersion | None:
        """The model in use; None for the shipped one.

        Raises:
            SiteModelError: there is a pointer, and it cannot be read.
        """
        place = self.path / POINTER
        try:
            text = place.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            if not self.path.is_dir() and (self.named or self.path.is_symlink()):
                raise _cannot_be_told("the folder of models is not there") from None
            if place.is_symlink():
                raise _cannot_be_told("the pointer leads nowhere") from None
            return None
        except (OSError, ValueError) as error:
            raise _cannot_be_told(type(error).__name__) from None
        try:
            found = json.loads(text)
            version = ModelVersion(id=found["id"], sha256=found["sha256"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise _cannot_be_told(type(error).__name__) from None
        if not _SHA256.fullmatch(version.sha256) or not _ID.fullmatch(version.id):
            raise _cannot_be_told("not written by Tarla")
        return version

    @contextlib.contextmanager
    def pointing_to(self, version: ModelVersion | None) -> Iterator[Callable[[], None]]:
        """Prepare to name the model in use (None: the shipped one); what is yielded does it, at once or not at all.

        Raises:
            OSError: it cannot be written; the former one stays in use.
        """
        place = self.path / POINTER
        part = self.path / f".{POINTER}.part"
        named = None if version is None else {"id": version.id, "sha256": version.sha256}
        with part.open("w", encoding="utf-8") as out:
            out.write(json.dumps(named, indent=2) + "\n")
            out.flush()
            os.fsync(out.fileno())
        part.chmod(MODE)

        def switch() -> None:
            if version is None:
                place.unlink(missing_ok=True)
            else:
                part.replace(place)
            sync_folder(self.path)

        try:
            yield switch
        finally:
            part.unlink(missing_ok=True)

    def place_of(self, sha256: str) -> Path:
        """Where the artefact of this hash lies, if it is kept."""
        return self.path / f"{sha256}{SUFFIX}"

    def keep(self, data: bytes) -> Path:
        """Keep an artefact; one that is there with the same bytes stays.

        Raises:
            OSError: it cannot be written.
        """
        place = self.place_of(hashlib.sha256(data).hexdigest())
        if place.is_file() and place.read_bytes() == data:
            return place
        self.path.mkdir(parents=True, exist_ok=True, mode=0o750)
        place.unlink(missing_ok=True)  # of this name and with other bytes: damaged
        write_durably(place, data, MODE)
        return place

    def belongs_to(self, account: int) -> bool:
        """Whether the pointer and what it names are of this account (its number); true without a pointer."""
        pointer = self.pointer()
        files = () if pointer is None else (self.path / POINTER, self.place_of(pointer.sha256))
        return all(file.stat().st_uid == account for file in files)

    def kept(self) -> Iterator[str]:
        """SHA-256 of every artefact by its name, in order."""
        try:
            names = sorted(each.name for each in self.path.iterdir() if each.name.endswith(SUFFIX))
        except OSError:
            return
        yield from (name for each in names if _SHA256.fullmatch(name := each.removesuffix(SUFFIX)))

    def load(self, sha256: str) -> Model:
        """The kept model of this hash, whether or not it may answer today.

        Raises:
            SiteModelError: it is missing, altered, unreadable, or built from facts that have changed since.
        """
        try:
            data = _bytes_of(self.place_of(sha256))
        except OSError as error:
            missing = isinstance(error, FileNotFoundError | NotADirectoryError)
            why = "its file is missing" if missing else f"its file cannot be read ({type(error).__name__})"
            raise SiteModelError(f"{_named(sha256)} is not usable: {why}; put the file back, or {BACK}") from None
        if hashlib.sha256(data).hexdigest() != sha256:
            told = "its file was altered; put the file back as it was"
            raise SiteModelError(f"{_named(sha256)} is not usable: {told}, or {BACK}")
        return site_model(data)

    def in_use(self, version: ModelVersion) -> Model:
        """The model that the pointer names, fit to answer.

        Raises:
            SiteModelError: as ``load``, or it rests on other priors than this release's.
        """
        model = self.load(version.sha256)
        if model.version.id != version.id:
            raise _cannot_be_told("it names another model than its file")
        check_basis(model)
        return model


def site_model(data: bytes) -> Model:
    """A site's own model from the bytes of its artefact.

    Raises:
        SiteModelError: it is no artefact, no site model, or built from facts that have changed since.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        model = decode(data)
    except FactsChangedError:
        told = "this release of Tarla rests on other facts than the model does"
        raise SiteModelError(f"{_named(sha256)} is not usable: {told}; {AGAIN}, or {BACK}") from None
    except ModelError:
        told = "its file is no model that this release can read"
        raise SiteModelError(f"{_named(sha256)} is not usable: {told}; {AGAIN}, or {BACK}") from None
    if model.site is None:
        raise SiteModelError("this is no model updated with a site's own patients (tarla study update makes one)")
    if not _ID.fullmatch(model.version.id):
        raise SiteModelError("the model's name is not one that tarla study update gives")
    return model


def check_basis(model: Model) -> None:
    """Whether a site model updates a model of this release's facts and priors: the shipped one, or a larger build.

    Raises:
        SiteModelError: it does not, or is no site model.
    """
    if model.site is None or model.spec != published_spec(load_evidence()):
        told = "it updates a model with other priors than this release's"
        raise SiteModelError(f"the site model {model.version.id} is not usable: {told}; {AGAIN}, or {BACK}")


def updates_shipped(model: Model) -> bool:
    """Whether a site model updates the very file that is shipped, not another build from the same facts.

    Raises:
        ModelError: the shipped model's own description cannot be read.
    """
    return model.site is not None and model.site.parent_sha256 == shipped_version().sha256


def _bytes_of(path: Path) -> bytes:
    # A pipe or a device would never end.
    if not stat.S_ISREG((found := path.stat()).st_mode) or found.st_size > MOST_BYTES:
        raise OSError("no file, or too large")
    data = path.read_bytes()
    with contextlib.suppress(zipfile.BadZipFile, ValueError, NotImplementedError):  # no model, as will be told
        if sum(each.file_size for each in zipfile.ZipFile(io.BytesIO(data)).infolist()) > MOST_UNPACKED:
            raise OSError("too large")
    return data


def read_artefact(path: Path) -> bytes:
    """The bytes of a file that is to be a model.

    Raises:
        OSError: it cannot be read, or is far too large.
    """
    return _bytes_of(path)


def _named(sha256: str) -> str:
    return f"the site model (SHA-256 {sha256[:12]}…)"


def _cannot_be_told(why: str) -> SiteModelError:
    return SiteModelError(f"which model is in use cannot be told ({why}): name it with `tarla model use`, or {BACK}")
