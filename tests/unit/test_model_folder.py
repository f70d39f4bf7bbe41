"""Which model answers: the shipped one without a pointer, the site's own with one, and nothing when that is broken."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.models.folder import (
    POINTER,
    ModelFolder,
    check_basis,
    read_artefact,
    site_model,
    updates_shipped,
)
from bot.models.in_use import model_in_use
from bot.models.switching import listed
from knowledge.assessment import ModelVersion
from knowledge.model import ModelError, SiteModelError, encode, load, shipped_version
from tests.support import site_models
from tests.support.site_models import artefact, in_use

Arrays = dict[str, Any]
GO_BACK = "tarla model use --shipped"


@pytest.fixture
def folder(tmp_path: Path) -> ModelFolder:
    return ModelFolder(tmp_path / "models")


def test_without_a_pointer_the_shipped_model_answers(folder: ModelFolder, tmp_path: Path) -> None:
    assert model_in_use(folder)() is load()
    file = tmp_path / "file"
    file.touch()
    assert model_in_use(ModelFolder(file / "models"))() is load()
    assert shipped_version() == load().version


def test_a_named_folder_that_is_gone_is_not_the_shipped_model(tmp_path: Path) -> None:
    """As one that is not mounted: nobody would know that the centre's own model answers no more."""
    gone = tmp_path / "models"
    named = ModelFolder(gone, named=True)
    with pytest.raises(SiteModelError, match="not there") as raised:
        model_in_use(named)()
    assert GO_BACK in str(raised.value)
    gone.mkdir()
    assert model_in_use(named)() is load()
    gone.rmdir()
    gone.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SiteModelError, match="not there"):
        model_in_use(ModelFolder(gone))()
    (tmp_path / "elsewhere").mkdir()
    assert model_in_use(ModelFolder(gone))() is load()
    (gone / POINTER).symlink_to(tmp_path / "nowhere")
    with pytest.raises(SiteModelError, match="leads nowhere"):
        model_in_use(ModelFolder(gone))()


def test_the_model_pointed_to_answers_and_is_read_once(folder: ModelFolder) -> None:
    version = in_use(folder.path, artefact())
    model = model_in_use(folder)
    assert model().version == version
    assert model() is model()
    assert model().site == site_models.origin()


def test_a_process_keeps_the_model_it_began_with(folder: ModelFolder) -> None:
    """Also where it had not read it yet."""
    before = model_in_use(folder)
    version = in_use(folder.path, artefact())
    after = model_in_use(folder)
    with folder.pointing_to(None) as switch:
        switch()
    assert before() is load()
    assert after().version == version
    assert model_in_use(folder)() is load()


def test_a_switch_that_is_not_made_leaves_the_former_model(folder: ModelFolder) -> None:
    version = in_use(folder.path, artefact())
    with pytest.raises(KeyError), folder.pointing_to(None):
        raise KeyError
    assert folder.pointer() == version
    assert [each.name for each in folder.path.iterdir() if each.name.endswith(".part")] == []


def _artefact(folder: ModelFolder) -> Path:
    (path,) = folder.path.glob("*.npz")
    path.chmod(0o600)
    return path


def _point(folder: ModelFolder, **changes: str) -> None:
    said = json.loads((folder.path / POINTER).read_text())
    (folder.path / POINTER).write_text(json.dumps(said | changes))


def _missing(folder: ModelFolder) -> None:
    _artefact(folder).unlink()


def _altered(folder: ModelFolder) -> None:
    place = _artefact(folder)
    data = bytearray(place.read_bytes())
    data[len(data) // 2] ^= 1
    place.write_bytes(bytes(data))


def _emptied(folder: ModelFolder) -> None:
    _artefact(folder).write_bytes(b"")


def _a_folder_in_its_place(folder: ModelFolder) -> None:
    place = _artefact(folder)
    place.unlink()
    place.mkdir()


def _no_json(folder: ModelFolder) -> None:
    (folder.path / POINTER).write_text("{", encoding="utf-8")


def _no_text(folder: ModelFolder) -> None:
    (folder.path / POINTER).write_bytes(b"\xff\xfe")


def _too_deep(folder: ModelFolder) -> None:
    (folder.path / POINTER).write_text("[" * 100_000, encoding="utf-8")


def _a_pipe_in_its_place(folder: ModelFolder) -> None:
    place = _artefact(folder)
    place.unlink()
    os.mkfifo(place)


def _another_name(folder: ModelFolder) -> None:
    _point(folder, id="facts-2")


def _another_place(folder: ModelFolder) -> None:
    _point(folder, sha256="../../etc/passwd")


BREAKAGES = (
    *(_missing, _altered, _emptied, _a_folder_in_its_place, _a_pipe_in_its_place),
    *(_no_json, _no_text, _too_deep, _another_name, _another_place),
)


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_a_broken_site_model_is_never_replaced_by_the_shipped_one(
    folder: ModelFolder, breakage: Callable[[ModelFolder], None]
) -> None:
    in_use(folder.path, artefact())
    breakage(folder)
    model = model_in_use(folder)
    for _ in range(2):
        with pytest.raises(SiteModelError, match=GO_BACK) as raised:
            model()
        assert "etc/passwd" not in str(raised.value)


def test_a_file_put_back_answers_without_a_new_start(folder: ModelFolder) -> None:
    """The very bytes that were chosen, no others."""
    version = in_use(folder.path, artefact())
    place = folder.place_of(version.sha256)
    model = model_in_use(folder)
    place.unlink()
    with pytest.raises(SiteModelError, match="missing"):
        model()
    place.write_bytes(artefact())
    assert model().version == version


def test_another_release_of_facts_asks_for_a_new_update(folder: ModelFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    in_use(folder.path, artefact())
    model = model_in_use(folder)
    evidence = type(site_model.__globals__["load_evidence"]())
    monkeypatch.setattr(evidence, "facts_hash", lambda *_: "other")
    with pytest.raises(SiteModelError, match="run `tarla study update` again") as raised:
        model()
    assert "tarla model build" not in str(raised.value)


def test_other_priors_ask_for_a_new_update() -> None:
    content = site_models.site_model().content
    other = site_model(encode(replace(content, spec=content.spec.model_copy(update={"centre_sd_scale": 0.9})), "x+y"))
    with pytest.raises(SiteModelError, match=r"other priors.*`tarla study update`"):
        check_basis(other)


def test_a_larger_build_of_the_same_facts_may_be_the_parent() -> None:
    model = site_model(artefact(parent_sha256="b" * 64))
    check_basis(model)
    assert not updates_shipped(model)
    assert updates_shipped(site_model(artefact()))


def test_the_shipped_model_and_strange_bytes_are_no_site_models() -> None:
    for data in (
        encode(load().content, "facts-2"),
        b"",
        b"PK\x03\x04",
        encode(site_models.site_model().content, "A b"),
        encode(site_models.site_model().content, "facts-2"),  # the shipped model's own name
    ):
        with pytest.raises(SiteModelError):
            site_model(data)


def _spoilt_description(change: Callable[[dict[str, object]], object]) -> Callable[[Arrays], Arrays]:
    def spoil(arrays: Arrays) -> Arrays:
        text = change(json.loads(arrays["description"].tobytes()))
        data = text if isinstance(text, bytes) else json.dumps(text).encode()
        return arrays | {"description": np.frombuffer(data, dtype=np.uint8)}

    return spoil


def _spoilt(name: str, change: Callable[[Any], Any]) -> Callable[[Arrays], Arrays]:
    return lambda arrays: arrays | {name: change(arrays[name])}


def _with_first(value: float) -> Callable[[Any], Any]:
    def spoil(array: Any) -> Any:
        return np.where(np.arange(array.size).reshape(array.shape) == 0, value, array)

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        _spoilt_description(lambda said: {name: said[name] for name in said if name != "id"}),
        _spoilt_description(lambda said: said | {"id": 3}),
        _spoilt_description(lambda said: said | {"names": {"crs": ["mu"], "icans": ["mu"]}}),
        _spoilt_description(lambda _: b"[" * 100_000),
        _spoilt("crs_weight", lambda weight: 2 * weight),
        _spoilt("crs_weight", lambda weight: weight[:-1]),
        _spoilt("crs_weight", _with_first(-0.001)),
        _spoilt("icans_weight", _with_first(np.nan)),
        _spoilt("icans_matrix", _with_first(np.inf)),
        _spoilt("crs_matrix", np.transpose),
        _spoilt("crs_tau", lambda tau: tau[::-1]),
        _spoilt("icans_tau", lambda tau: 1.0 * tau),
        _spoilt("icans_coding", lambda _: np.array([{}], dtype=object)),
    ],
)
def test_draws_that_no_update_leaves_are_no_model(spoil: Callable[[Arrays], Arrays]) -> None:
    """Its bytes may be whole and chosen by hand: figures made of it would be nonsense."""
    with np.load(io.BytesIO(artefact())) as kept:
        arrays = spoil(dict(kept))
    written = io.BytesIO()
    np.savez(written, **arrays)
    with pytest.raises(SiteModelError, match="no model that this release can read"):
        site_model(written.getvalue())


def test_strange_zip_files_are_no_model() -> None:
    data = bytearray(artefact())
    data[data.rindex(b"PK\x01\x02") + 10] = 99  # a way of packing that nobody has
    with pytest.raises(SiteModelError, match="no model that this release can read"):
        site_model(bytes(data))


def test_a_file_that_swells_far_beyond_any_model_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.models.folder.MOST_UNPACKED", 1_000_000)
    small = tmp_path / "swells.npz"
    with zipfile.ZipFile(small, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("crs_matrix.npy", bytes(1_000_001))
    assert small.stat().st_size < 10_000
    with pytest.raises(OSError, match="too large"):
        read_artefact(small)


def test_a_kept_file_that_is_damaged_is_kept_anew(folder: ModelFolder) -> None:
    place = folder.keep(artefact())
    place.chmod(0o600)
    place.write_bytes(b"damaged")
    assert folder.keep(artefact()) == place
    assert place.read_bytes() == artefact()


def test_the_list_says_what_is_in_use_and_what_is_wrong(folder: ModelFolder) -> None:
    assert [(each.version, each.in_use, each.fault) for each in listed(folder)] == [(load().version, True, None)]
    version = in_use(folder.path, artefact())
    (folder.path / f"{'0' * 64}.npz").write_bytes(b"altered")
    (folder.path / "notes.npz").write_bytes(b"somebody's")
    shipped, broken, kept = listed(folder)
    assert (shipped.in_use, kept.in_use, kept.fault) == (False, True, None)
    assert kept.version == version
    assert broken.version.sha256 == "0" * 64
    assert "altered" in str(broken.fault)
    folder.place_of(version.sha256).unlink()
    assert [each.fault for each in listed(folder) if each.in_use] == ["its file is missing"]


def test_a_pointer_to_nothing_of_ours_cannot_be_told(folder: ModelFolder) -> None:
    folder.path.mkdir()
    with folder.pointing_to(ModelVersion(id="Not ours", sha256="0" * 64)) as switch:
        switch()
    with pytest.raises(ModelError, match="cannot be told"):
        list(listed(folder))
