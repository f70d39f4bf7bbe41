"""Tests leave the tester's own ledger, models, keys and checkpoints alone."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from bot.settings import Settings
from tests.support.program import environment

HERE = Path(__file__).parents[1]


def test_every_default_place_lies_in_a_home_of_the_runs_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings, home = Settings(), Path(os.environ["HOME"])
    assert home != Path(pwd.getpwuid(os.getuid()).pw_dir)
    for place in (settings.tarla_ledger, settings.models, settings.checkpoints, settings.signing_key):
        assert place.is_relative_to(home)


def test_what_the_tester_has_set_reaches_no_test(tmp_path: Path) -> None:
    """Run with an environment such as a tester's; the ledger that it names is not there afterwards."""
    theirs = {name: str(tmp_path / name) for name in ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "HOME")}
    theirs["TARLA_LEDGER"], theirs["TARLA_MODELS"] = str(tmp_path / "ledger.db"), str(tmp_path / "models")
    test = f"{HERE / 'unit' / 'test_own_home.py'}::test_every_default_place_lies_in_a_home_of_the_runs_own"
    words = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test)
    done = subprocess.run(words, cwd=HERE.parent, env=os.environ | theirs, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_process_of_its_own_has_its_folder_as_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/nowhere")
    made = environment(tmp_path)
    assert made["HOME"] == str(tmp_path)
    assert "XDG_DATA_HOME" not in made
