"""The committed pictures are those that the code draws from the shipped model and evidence."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from bot.pictures.registry import LARGEST_SVG, PICTURES, recorded, write_all

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "docs" / "pictures"
STALE = "the picture is not of this model: make pictures"
# As close as another processor comes, the model's own promise.
TOLERANCE = 2e-6


def committed(name: str) -> Path:
    (found,) = [path for path in FOLDER.glob(f"{name}.*") if path.suffix in (".svg", ".png")]
    return found


def assert_same(kept: object, drawn: object, where: str) -> None:
    """Equal to the last text, count and key; numbers within the tolerance."""
    if isinstance(drawn, dict):
        assert isinstance(kept, dict), (where, STALE)
        assert list(kept) == list(drawn), (where, STALE)
        for name, value in drawn.items():
            assert_same(kept[name], value, f"{where}.{name}")
    elif isinstance(drawn, list):
        assert isinstance(kept, list), (where, STALE)
        assert len(kept) == len(drawn), (where, STALE)
        for index, (one, other) in enumerate(zip(kept, drawn, strict=True)):
            assert_same(one, other, f"{where}[{index}]")
    elif isinstance(drawn, float):
        assert kept == pytest.approx(drawn, abs=TOLERANCE), (where, STALE)
    else:
        assert kept == drawn, (where, STALE)


@pytest.mark.parametrize("name", PICTURES)
def test_committed_pictures_are_of_the_shipped_model(name: str) -> None:
    """Every number drawn now is the one written down beside the picture, which is the very file written then."""
    kept = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert_same(kept["data"], recorded(PICTURES[name]()), name)
    content = committed(name).read_bytes()
    assert hashlib.sha256(content).hexdigest() == kept["sha256"], "edited, or not drawn with its numbers: make pictures"


def test_a_stale_number_is_found() -> None:
    """The comparison above can fail: by a changed number, a missing row, another model's name."""
    drawn = {"model": "facts-9", "risk": [0.5, 0.25]}
    assert_same({"model": "facts-9", "risk": [0.5, 0.25]}, drawn, "")
    for stale in (
        {"model": "facts-9", "risk": [0.5, 0.251]},
        {"model": "facts-9", "risk": [0.5]},
        {"model": "facts-8", "risk": [0.5, 0.25]},
        {"model": "facts-9"},
    ):
        with pytest.raises(AssertionError):
            assert_same(stale, drawn, "")


def test_no_picture_is_left_over_and_none_is_too_large() -> None:
    stems = {path.stem for path in FOLDER.iterdir()}
    assert stems == set(PICTURES)
    assert all(path.stat().st_size <= LARGEST_SVG for path in FOLDER.glob("*.svg"))


@pytest.mark.parametrize("document", ["README.md", "docs/model.md", "docs/study.md"])
def test_pictures_are_embedded_with_words_for_those_who_cannot_see_them(document: str) -> None:
    """Each embedded picture exists and has an alternative text that says more than its name."""
    path = REPOSITORY / document
    embedded = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", path.read_text(encoding="utf-8"))
    assert embedded
    for words, target in embedded:
        assert (path.parent / target).is_file()
        assert len(words.split()) >= 12


def test_drawing_again_gives_the_same_files(tmp_path: Path) -> None:
    """Picture and numbers, byte for byte; a picture of the other format is taken away."""
    (tmp_path / "ldh.png").write_bytes(b"of an earlier model")
    first = {path.name: path.read_bytes() for path in write_all(tmp_path)}
    assert not (tmp_path / "ldh.png").exists()
    assert {path.name: path.read_bytes() for path in write_all(tmp_path)} == first
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.json" for name in PICTURES} | set(first)
