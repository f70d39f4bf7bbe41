"""``tarla model card`` as a program: Markdown, JSON, to a file, and what it says when it cannot."""

from __future__ import annotations

import json
from pathlib import Path

from knowledge.card import ModelCard
from knowledge.model import load as load_model
from tests.support.program import tarla


def test_markdown_by_default(tmp_path: Path) -> None:
    done = tarla(tmp_path, "model", "card")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"# Model card: Tarla {load_model().version.id}\n")
    assert load_model().version.sha256 in done.stdout
    assert list(tmp_path.iterdir()) == []  # nothing is recorded: no patient was asked about


def test_json_to_a_file_is_what_is_printed(tmp_path: Path) -> None:
    printed = tarla(tmp_path, "model", "card", "--json")
    done = tarla(tmp_path, "model", "card", "--json", "--out", "card.json")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    written = (tmp_path / "card.json").read_text(encoding="utf-8")
    assert written == printed.stdout
    assert ModelCard.model_validate(json.loads(written)).identity.sha256 == load_model().version.sha256


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    done = tarla(tmp_path, "model", "card", "--out", str(tmp_path / "none" / "card.md"))
    assert done.returncode == 1
    assert "No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr
