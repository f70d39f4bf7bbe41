"""The documents say what the program does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.settings import Settings
from handlers.lookup.registry import LOOK_UPS
from handlers.parsing import parse
from knowledge.evidence import load as load_evidence
from knowledge.firth import fit
from knowledge.label import Version
from knowledge.label import load as load_label
from knowledge.model import load as load_model
from tests.support.engine_firth import references

REPOSITORY = Path(__file__).parents[2]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
# What differs from run to run: receipts, times, hashes, durations.
VARYING = (
    (r"#(\d+)-[0-9a-f]{4}", r"#\1-HASH"),
    (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME"),
    (r"leaf [0-9a-f]{16}…", "leaf HASH"),
    (r'"milliseconds": \d+', '"milliseconds": N'),
)


def steady(text: str) -> str:
    """The text without what differs from run to run, and without trailing blanks."""
    for pattern, replacement in VARYING:
        text = re.sub(pattern, replacement, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def code_blocks(text: str) -> list[str]:
    """Fenced blocks of a Markdown text."""
    return re.findall(r"^```[a-z]*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def test_readme_shows_what_the_demonstration_prints() -> None:
    """The README's answer is the program's own, word for word."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "TARLA_"))}
    done = subprocess.run(
        [sys.executable, "-m", "bot", "demo"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=REPOSITORY,
        env=environment,
    )
    shown = [block for block in code_blocks(README) if "> /tarla" in block]
    assert len(shown) == 1
    assert steady(shown[0]) == steady(done.stdout)


@pytest.mark.parametrize("name", ["README.md", "docs/firth.md"])
def test_python_in_the_documents_runs(name: str) -> None:
    """The examples work as they stand."""
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    examples = re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    assert examples
    for example in examples:
        done = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout


def test_firths_mean_prediction_is_off_by_as_much_as_the_document_says() -> None:
    """docs/firth.md: with 2 or 3 events among 30, by 30 to 67 % in the reference sets."""
    few = [reference for reference in references() if reference.y.sum() in (2, 3) and len(reference.y) == 30]
    excess = [fit(each.X, each.y).predict(each.X).mean() / each.y.mean() - 1 for each in few]
    assert len(few) == 4
    assert f"{100 * min(excess):.0f} to {100 * max(excess):.0f} %" == "30 to 67 %"
    assert "30 to 67 %" in (REPOSITORY / "docs" / "firth.md").read_text(encoding="utf-8")


def test_both_commands_stand_on_the_first_screen() -> None:
    """A stranger sees what it is, what it is not, and the two commands, without scrolling far."""
    first = "\n".join(README.splitlines()[:70])
    assert "make demo" in first
    assert "make test" in first
    assert "not for a patient with symptoms" in first


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_is_described(name: str) -> None:
    """docs/operations.md lists each setting."""
    table = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
    assert f"| `{name.upper()}` |" in table


def test_versions_stand_in_the_changelog() -> None:
    """The model and the evidence that ship are named in the changelog."""
    text = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"`{load_model().version.id}`" in text
    assert load_evidence().version in text


def test_every_command_in_the_documents_is_understood() -> None:
    """Complete commands in backticks parse."""
    texts = [README, *(path.read_text(encoding="utf-8") for path in (REPOSITORY / "docs").glob("*.md"))]
    commands = [found for text in texts for found in re.findall(r"`/tarla ((?i:ldh) [^`]+)`", text)]
    assert commands
    for command in commands:
        parse(command)


def test_every_control_names_a_test_that_exists() -> None:
    """docs/hazards.md points only at tests that are there."""
    named = re.findall(r"`(tests/[^`]+)`", (REPOSITORY / "docs" / "hazards.md").read_text(encoding="utf-8"))
    assert len(named) >= 12
    assert not [path for path in named if not (REPOSITORY / path).is_file()]


def test_label_document_shows_what_works() -> None:
    """docs/label.md: every look-up in it is answered, and the versions and dates are those of the data."""
    text = (REPOSITORY / "docs" / "label.md").read_text(encoding="utf-8")
    table = text.split("| ask | answer |")[1].split("\n\n")[0]
    asked = [words for row in table.splitlines() for words in re.findall("`([^`]+)`", row.split(" | ")[0])]
    commands = [words for words in asked if words.split()[0] in LOOK_UPS]
    assert len(commands) >= 20
    for command in commands:
        first, *rest = command.split()
        LOOK_UPS[first](rest, "2026-11-24")
    label = load_label()
    for said in (
        label.compiled.date,
        label.compiled.review_by,
        "version 5, effective 2025-11-19",
        "lab.us.update_2026_09",
    ):
        assert said in text
    for version in label.all(Version):
        assert f"`{version.id}`" in text
