"""The folder of checkpoints: a note is there whole or not at all, and never changes."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from bot.checkpoints import CheckpointFolder, FolderError
from bot.files import write_durably
from bot.ledger.note import new_key


def test_a_note_is_kept_under_its_size_and_read_back(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path / "deep" / "checkpoints")
    assert folder.newest() is None
    for size in (30, 7, 112):
        assert folder.put(size, f"note of {size}\n").path.name == f"{size:012d}.note"
    assert [note.text for note in folder.notes()] == ["note of 7\n", "note of 30\n", "note of 112\n"]
    newest = folder.newest()
    assert newest is not None
    assert newest.size == 112


def test_a_note_is_never_overwritten(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path)
    folder.put(7, "the first\n")
    assert folder.put(7, "another\n").text == "the first\n"
    assert folder.read(7).text == "the first\n"
    assert [place.name for place in tmp_path.iterdir()] == ["000000000007.note"]


def test_where_there_are_no_hard_links_a_note_is_renamed_and_still_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_named: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    folder = CheckpointFolder(tmp_path)
    folder.put(7, "the first\n")
    assert folder.put(7, "another\n").text == "the first\n"
    assert [place.name for place in tmp_path.iterdir()] == ["000000000007.note"]


def test_what_is_no_note_is_left_alone(tmp_path: Path) -> None:
    for name in (".new-0123", "7.note", "000000000007.note.bak", "notes.txt"):
        (tmp_path / name).write_text("x")
    assert CheckpointFolder(tmp_path).sizes() == []


def test_bytes_that_are_no_text_are_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "000000000007.note").write_bytes(b"\xff\xfe")
    assert CheckpointFolder(tmp_path).read(7).text == "\ufffd\ufffd"


def test_a_folder_that_cannot_be_written_is_named_by_the_systems_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    folder = CheckpointFolder(tmp_path / "file")
    for attempt in (lambda: folder.put(7, "x"), folder.sizes, lambda: folder.publish(new_key("a").public)):
        with pytest.raises(FolderError, match=r"ENOTDIR|EEXIST"):
            attempt()


def test_public_keys_lie_beside_the_notes(tmp_path: Path) -> None:
    folder, key, other = CheckpointFolder(tmp_path), new_key("ward").public, new_key("ward").public
    for each in (key, other, key):
        folder.publish(each)
    assert set(folder.public_keys()) == {key, other}
    (tmp_path / "keys" / f"{key.id.hex()}.pub").write_text(f"{other}\n")
    with pytest.raises(FolderError, match="another public key"):
        folder.publish(key)
    (tmp_path / "keys" / "junk.pub").write_bytes(b"\xff")
    assert folder.public_keys()


def test_nothing_is_left_of_a_file_that_could_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="full"):
        write_durably(tmp_path / "note", b"x", 0o644)
    assert list(tmp_path.iterdir()) == []
