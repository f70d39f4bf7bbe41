"""The documents' pictures: ``tarla model pictures`` draws each again from the shipped model.

A new picture is one more line in ``PICTURES``. Beside each stands a JSON file with every number drawn and the
SHA-256 of the picture, so that a test can tell a picture that the model has left behind, or that was edited.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bot.pictures.drawing import Drawing, render
from bot.pictures.forest import forest_picture
from bot.pictures.page import ldh_picture, patient_picture
from bot.pictures.saving import write_whole
from bot.pictures.study import calibration_picture, coverage_picture, ranks_picture
from knowledge import LdhMeasured, PatientFactors, Presence, UpperLimit, assess
from knowledge.assessment import Assessment
from knowledge.evidence import load as load_evidence
from knowledge.model import load as load_model
from knowledge.simulation.results import load_study

# A vector picture larger than this is kept as PNG instead.
LARGEST_SVG = 300_000  # bytes
DECIMALS = 6


def _example() -> Assessment:
    """The case that the README answers."""
    return assess(
        PatientFactors(
            ldh=LdhMeasured(value=480, uln=UpperLimit(value=250)),
            liver_metastases=Presence.YES,
            diabetes=Presence.NO,
            cardiovascular_disease=Presence.YES,
        )
    )


# Name of the file, without suffix, and what draws it.
PICTURES: dict[str, Callable[[], Drawing]] = {
    "patient": lambda: patient_picture(_example(), load_evidence()),
    "ldh": lambda: ldh_picture(_example(), load_evidence(), load_model()),
    "centre-crs": lambda: forest_picture("crs"),
    "centre-icans": lambda: forest_picture("icans"),
    "study-calibration": lambda: calibration_picture(load_study()),
    "study-coverage": lambda: coverage_picture(load_study()),
    "study-ranks": lambda: ranks_picture(load_study()),
}


def write_all(folder: Path) -> Iterator[Path]:
    """Write every picture and its numbers into ``folder``, which is made where missing; yields each path."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        drawing = draw()
        content, suffix = render(drawing, "svg"), "svg"
        if len(content) > LARGEST_SVG:
            content, suffix = render(drawing, "png"), "png"
        for stale in {"svg", "png"} - {suffix}:
            (folder / f"{name}.{stale}").unlink(missing_ok=True)
        picture = folder / f"{name}.{suffix}"
        write_whole(picture, content)
        record = {"sha256": hashlib.sha256(content).hexdigest(), "data": recorded(drawing)}
        write_whole(folder / f"{name}.json", (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode())
        yield picture


def recorded(drawing: Drawing) -> Any:
    """Everything drawn as it stands in the JSON file, with the title and the model that it was drawn from."""
    return _rounded({"title": drawing.title, "model": load_model().version.id, **drawing.data})


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DECIMALS)
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list | tuple) else value
