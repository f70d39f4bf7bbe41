"""Small site models through the real artefact: the shipped draws, thinned, and weighted towards more events."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from bot.models.folder import ModelFolder
from knowledge.assessment import ModelVersion
from knowledge.model import Draws, Model, decode, encode, load
from knowledge.site_origin import SiteOrigin

# Every so many draws: enough for figures that differ from the shipped model's in print.
EVERY = 60
DATA_SHA256 = "1a2b3c4d" + "e" * 56
SITE_ID = "facts-2+site-1a2b3c4d"


def origin(**changes: Any) -> SiteOrigin:
    """How the small models say they were made."""
    said: dict[str, Any] = {
        "parent_id": load().version.id,
        "parent_sha256": load().version.sha256,
        "data_sha256": DATA_SHA256,
        "simulated": False,
        "seed": 7,
        "patients": 61,
        "with_prophylaxis": 12,
        "prophylaxis_unknown": 1,
        "crs_patients": 47,
        "crs_events": 37,
        "crs_grade2plus_events": 14,
        "crs_unknown": 1,
        "icans_patients": 46,
        "icans_events": 9,
        "icans_unknown": 2,
        "khat_crs": 0.31,
        "khat_icans": 0.12,
        "effective_crs": 18_000.0,
        "effective_icans": 22_000.0,
    }
    return SiteOrigin.model_validate(said | changes)


@lru_cache(maxsize=8)
def artefact(model_id: str = SITE_ID, tilt: float = 1.5, **changes: Any) -> bytes:
    """The bytes of a site model; ``tilt`` is the log weight per unit of the centre's log odds."""
    content = load().content
    return encode(
        replace(content, crs=_tilted(content.crs, tilt), icans=_tilted(content.icans, tilt), site=origin(**changes)),
        model_id,
    )


def site_model(**changes: Any) -> Model:
    """The same, decoded."""
    return decode(artefact(**changes))


def in_use(folder: Path, data: bytes) -> ModelVersion:
    """Keep the artefact in the folder of models and let it answer, without the command and its record."""
    models = ModelFolder(folder)
    models.keep(data)
    model = decode(data)
    with models.pointing_to(model.version) as switch:
        switch()
    assert model.version.sha256 == hashlib.sha256(data).hexdigest()
    return model.version


def _tilted(draws: Draws, tilt: float) -> Draws:
    taken = slice(None, None, EVERY)
    weight = draws.weight[taken] * np.exp(tilt * draws["a_new"][taken])
    return Draws(draws.names, draws.matrix[:, taken], weight / weight.sum(), draws.tau[taken], draws.coding[taken])
