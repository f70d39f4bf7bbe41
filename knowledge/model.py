"""The model artefact: two joint sets of weighted draws, and where they come from.

One ``.npz`` file holds the draws and a JSON description (priors, facts and
their hash, seed, diagnostics). ``model.json`` beside it names the file in use and its
SHA-256; a file that does not match is refused, never used.
"""

from __future__ import annotations

import hashlib
import io
import json
import zlib
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import pairwise
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from knowledge.assessment import ModelVersion
from knowledge.evidence import load as load_evidence
from knowledge.site_origin import SiteOrigin
from knowledge.synthesis.facts import model_fact_ids
from knowledge.synthesis.parameters import CRS_COLUMNS, ICANS_COLUMNS
from knowledge.synthesis.spec import Pool, Spec

Floats = NDArray[np.float64]

POINTER = "model.json"
_DRAW_ARRAYS = ("matrix", "weight", "tau", "coding")
_WEIGHTS_SUM_WITHIN = 1e-9
# Whatever a file that is no artefact makes of its readers: NumPy's, zip's and JSON's own errors among them.
_UNREADABLE = (
    *(ValueError, KeyError, IndexError, TypeError, AttributeError, OSError, EOFError, MemoryError, RecursionError),
    *(NotImplementedError, RuntimeError, BadZipFile, zlib.error),
)
_FACTS_CHANGED = "the model was built from facts that have changed since"
_BUILD_AGAIN = "build it again: tarla model build"
_UPDATE_AGAIN = "update again from a model of the present facts: tarla study update"


class ModelError(Exception):
    """The model file is missing, altered, or was built from other facts."""


class FactsChangedError(ModelError):
    """The model was built from facts other than the present ones."""


class SiteModelError(ModelError):
    """The site's own model, which is in use, cannot be used; nothing answers in its place."""


@dataclass(frozen=True, eq=False)
class Draws:
    """Weighted joint draws: ``matrix`` (P, N) in the order of ``names``, ``weight`` (N,) summing to one.

    ``tau`` (N,) and ``coding`` (N,) index the prior sd and the coding of LDH; draws of one tau are contiguous.
    """

    names: tuple[str, ...]
    matrix: Floats
    weight: Floats
    tau: NDArray[np.int64]
    coding: NDArray[np.int64]

    def __getitem__(self, name: str) -> Floats:
        """One parameter's draws (N,)."""
        row: Floats = self.matrix[self.names.index(name)]
        return row

    @cached_property
    def tau_slices(self) -> tuple[slice, ...]:
        """Where the draws of each tau stand, narrowest prior first."""
        edges = np.searchsorted(self.tau, np.arange(int(self.tau[-1]) + 2))
        return tuple(slice(int(a), int(b)) for a, b in pairwise(edges))


@dataclass(frozen=True)
class ModelContent:
    """What a build yields and an artefact holds. ``site`` is None unless a centre's own patients updated the draws."""

    spec: Spec
    seed: int
    crs: Draws
    icans: Draws
    diagnostics: dict[str, object]
    site: SiteOrigin | None = None


@dataclass(frozen=True, eq=False)
class Model:
    """A model ready to answer. Equality is identity, so answers can be cached by model."""

    version: ModelVersion
    content: ModelContent
    facts_sha256: str
    description: dict[str, object] = field(repr=False)

    @property
    def spec(self) -> Spec:
        """The priors and conditions it was built with."""
        return self.content.spec

    @property
    def site(self) -> SiteOrigin | None:
        """Which model and which patients a site model comes from; None for one built from the published facts alone."""
        return self.content.site

    def draws(self, pool: Pool) -> Draws:
        """The CRS or the ICANS draws."""
        return self.content.crs if pool == "crs" else self.content.icans


def encode(content: ModelContent, model_id: str) -> bytes:
    """The artefact as bytes; the same content gives the same bytes."""
    fact_ids = model_fact_ids(content.spec)
    description = {
        "id": model_id,
        "seed": content.seed,
        "spec": content.spec.model_dump(mode="json"),
        "facts": list(fact_ids),
        "facts_sha256": load_evidence().facts_hash(fact_ids),
        "names": {"crs": content.crs.names, "icans": content.icans.names},
        "diagnostics": content.diagnostics,
    }
    if content.site is not None:
        description["site"] = content.site.model_dump(mode="json")
    arrays: dict[str, NDArray[np.generic]] = {
        "description": np.frombuffer(json.dumps(description, sort_keys=True, indent=1).encode(), dtype=np.uint8)
    }
    for pool, draws in (("crs", content.crs), ("icans", content.icans)):
        arrays |= {f"{pool}_{name}": getattr(draws, name) for name in _DRAW_ARRAYS}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def decode(data: bytes) -> Model:
    """A model from the bytes of its artefact.

    Raises:
        ModelError: the bytes are no artefact, or it was built from facts other than the present ones.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            description = json.loads(arrays["description"].tobytes())
            names = description["names"]
            pools = {
                pool: Draws(tuple(names[pool]), *(arrays[f"{pool}_{name}"] for name in _DRAW_ARRAYS))
                for pool in ("crs", "icans")
            }
        content = ModelContent(
            spec=Spec.model_validate(description["spec"]),
            seed=description["seed"],
            crs=pools["crs"],
            icans=pools["icans"],
            diagnostics=description["diagnostics"],
            site=SiteOrigin.model_validate(description["site"]) if "site" in description else None,
        )
        built_from = str(description["facts_sha256"])
        fact_ids = tuple(description["facts"])
        version = ModelVersion(id=description["id"], sha256=hashlib.sha256(data).hexdigest())
        for pool, columns in (("crs", CRS_COLUMNS), ("icans", ICANS_COLUMNS)):
            _check(pools[pool], columns)
    except _UNREADABLE as error:
        reason = f"the model file cannot be read ({type(error).__name__}); {_BUILD_AGAIN}"
        raise ModelError(reason) from error
    changed = f"{_FACTS_CHANGED}; {_BUILD_AGAIN if content.site is None else _UPDATE_AGAIN}"
    try:
        facts = load_evidence().facts_hash(fact_ids)
    except (KeyError, ValueError) as error:  # a fact it rests on is gone, or it names none
        raise FactsChangedError(changed) from error
    if facts != built_from:
        raise FactsChangedError(changed)
    return Model(version, content, facts, description)


def _check(draws: Draws, names: tuple[str, ...]) -> None:
    """Whether figures can be made of these draws.

    Raises:
        ValueError: they are not of the shape that ``Draws`` describes, or hold what is no number.
    """
    count = draws.weight.size
    sound = (
        draws.names == names
        and count > 0
        and draws.matrix.shape == (len(names), count)
        and draws.weight.shape == draws.tau.shape == draws.coding.shape == (count,)
        and draws.matrix.dtype == draws.weight.dtype == np.float64
        and draws.tau.dtype == draws.coding.dtype == np.int64
        and bool(np.isfinite(draws.matrix).all())
        and bool((draws.weight >= 0.0).all())
        and abs(float(draws.weight.sum()) - 1.0) < _WEIGHTS_SUM_WITHIN  # false for NaN too
        and int(draws.tau[0]) >= 0
        and bool((np.diff(draws.tau) >= 0).all())
    )
    if not sound:
        raise ValueError("the draws are not as a build leaves them")


def data_folder() -> Traversable:
    """Where the shipped model lies."""
    return files("knowledge").joinpath("data", "model")


def load_from(folder: Traversable) -> Model:
    """The model that ``model.json`` in ``folder`` names.

    Raises:
        ModelError: it is missing, altered or built from other facts.
    """
    pointer = _pointer(folder)
    try:
        data = folder.joinpath(pointer["file"]).read_bytes()
    except OSError as error:
        raise _not_installed(error) from error
    if hashlib.sha256(data).hexdigest() != pointer["sha256"]:
        raise ModelError("the model file does not have the SHA-256 recorded for it; install Tarla again")
    return decode(data)


def shipped_version() -> ModelVersion:
    """The shipped model's name and recorded hash, without reading the model.

    Raises:
        ModelError: they cannot be read.
    """
    pointer = _pointer(data_folder())
    return ModelVersion(id=pointer["id"], sha256=pointer["sha256"])


@lru_cache(maxsize=1)
def load() -> Model:
    """The shipped model, read once.

    Raises:
        ModelError: as ``load_from``.
    """
    return load_from(data_folder())


def _pointer(folder: Traversable) -> dict[str, str]:
    try:
        pointer = json.loads(folder.joinpath(POINTER).read_text(encoding="utf-8"))
        return {name: str(pointer[name]) for name in ("id", "file", "sha256")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _not_installed(error) from error


def _not_installed(error: Exception) -> ModelError:
    return ModelError(f"no usable model is installed ({type(error).__name__}); build one: tarla model build")


def pointer_text(model_id: str, file: str, data: bytes) -> str:
    """The text of ``model.json`` for an artefact."""
    return json.dumps({"id": model_id, "file": file, "sha256": hashlib.sha256(data).hexdigest()}, indent=2) + "\n"
