"""The tables in benchmarks/README.md are those of results/firth.json."""

from __future__ import annotations

import json

import pytest

from benchmarks.firth_table import README, as_markdown, in_text
from benchmarks.measure import RESULTS

BODY = json.loads((RESULTS / "firth.json").read_text())


def test_the_readme_shows_the_results_that_are_kept() -> None:
    text = README.read_text()
    assert in_text(text, as_markdown(BODY)) == text


def test_every_speed_is_compared_and_shown() -> None:
    tables = as_markdown(BODY)
    keys = [(each["cohorts"], each["question"], each["contender"]) for each in BODY["speeds"]]
    assert sorted(keys) == sorted((each["cohorts"], each["question"], each["contender"]) for each in BODY["agreement"])
    assert len(keys) == len(set(keys))
    assert sum(line.startswith("| ") for line in tables.splitlines()) == len(keys) + 2 * tables.count("**") // 2


def test_another_figure_makes_another_table() -> None:
    changed = json.loads(json.dumps(BODY))
    changed["speeds"][0]["per_second"] *= 2
    assert as_markdown(changed) != as_markdown(BODY)


def test_a_text_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="no marks"):
        in_text("nothing", "tables")
