"""docs/site-model.md: its tables are the measurements kept, its limits the program's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from knowledge.cohort.update.psis import MOST_K
from knowledge.cohort.update.weighing import LEAST_EFFECTIVE

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "site-model.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.splitlines() if line.startswith("|")]
NAMES = {"CRS, any grade": "crs_any", "CRS, grade ≥ 2": "crs_grade2plus", "ICANS, any grade": "icans_any"}
COVERED = {
    "CRS, level of the centre": "crs_level",
    "CRS, any grade, a patient": "crs_any",
    "CRS, grade ≥ 2, a patient": "crs_grade2plus",
    "ICANS, level of the centre": "icans_level",
    "ICANS, a patient": "icans_any",
}


def measured(name: str) -> Any:
    return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_a_centre_with_other_rates(name: str) -> None:
    found, key = measured("site_recovery"), NAMES[name]
    steps = [found["before"], *(found["after"][count] for count in ("20", "40", "80"))]
    rates = [found["before"][key]["observed"], *(step[key]["expected"] for step in steps)]
    shown = [f"{100 * rate:.1f} %" for rate in rates] + [f"{step[key]['intercept']:.2f}" for step in steps]
    assert [name, *shown] in ROWS
    assert f"refused and left out: {found['after']['80']['refused']} of {found['cohorts']}" in TEXT


@pytest.mark.parametrize("patients", ["30", "80"])
@pytest.mark.parametrize("name", COVERED)
def test_centres_drawn_from_the_model(name: str, patients: str) -> None:
    found = measured("site_coverage")["patients"][patients][COVERED[name]]
    shares = [f"{100 * found[share]:.1f} %" for share in ("within_95", "within_50")]
    widths = [f"{found[width]:.2f}" for width in ("mean_width_before", "mean_width_after")]
    assert [name, patients, *shares, *widths] in ROWS


def cell(line: dict[str, Any]) -> str:
    shown = f"{line['khat'] + 0.0:.2f}, {line['effective']:,}"
    return shown if line["khat"] <= MOST_K and line["effective"] >= LEAST_EFFECTIVE else f"**{shown}**"


@pytest.mark.parametrize("name", ["shipped", "larger"])
def test_what_an_update_bears(name: str) -> None:
    lines = {
        (line["levels"], line["shift"], line["patients"], line["pool"]): line
        for line in measured("site_capacity")
        if line["model"] == name
    }
    columns = [(16, 0.0, "crs"), (16, 1.0, "crs"), (16, 0.0, "icans"), (16, 1.0, "icans")]
    if name == "shipped":
        columns = [(1, 0.0, "crs"), (16, 0.0, "crs"), (1, 1.0, "crs"), *columns[1:]]
    for patients in sorted({key[2] for key in lines}):
        assert [
            f"{patients:,}",
            *(cell(lines[levels, shift, patients, pool]) for levels, shift, pool in columns),
        ] in ROWS
