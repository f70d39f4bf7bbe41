"""Another model in the place of the shipped one, through the real artefact and its real loader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from knowledge import model as model_module
from knowledge.model import POINTER, Draws, encode, load, pointer_text

SHIPPED = load()


def scaled_draws(draws: Draws, name: str, factor: float) -> Draws:
    """The same draws, one parameter of them too large or too small."""
    matrix = np.array(draws.matrix)
    matrix[draws.names.index(name)] *= factor
    return replace(draws, matrix=matrix)


def faulty_model(folder: Path, model_id: str, factor: float) -> None:
    """The shipped model with the effect of liver metastases off by ``factor``: wrong for some patients, not for all."""
    content = replace(SHIPPED.content, crs=scaled_draws(SHIPPED.content.crs, "b_liver", factor))
    data = encode(content, model_id)
    folder.mkdir()
    (folder / f"{model_id}.npz").write_bytes(data)
    (folder / POINTER).write_text(pointer_text(model_id, f"{model_id}.npz", data), encoding="utf-8")


def use_model(patch: pytest.MonkeyPatch, folder: Path) -> Callable[[], None]:
    """Install the model in ``folder``; what is returned puts the shipped one back."""
    patch.setattr(model_module, "data_folder", lambda: folder)
    load.cache_clear()

    def back() -> None:
        patch.undo()
        load.cache_clear()

    return back
