"""docs/cohort-report.md says what is in report.json."""

from __future__ import annotations

import re
from pathlib import Path

from knowledge.cohort.report.study import StudyReport


def test_every_key_of_the_json_is_described():
    text = (Path(__file__).parents[2] / "docs/cohort-report.md").read_text(encoding="utf-8")
    told = text[text.index("## report.json") :]
    rows = [line.split("|")[1] for line in told.splitlines() if line.startswith("| `")]
    assert {key for row in rows for key in re.findall(r"`(\w+)`", row)} == set(StudyReport.model_fields)
