"""docs/validation.md: what each measure needs is what the program asks for."""

from __future__ import annotations

import json
import re
from pathlib import Path

from knowledge.cohort.validation import accuracy, curve, needed, slope
from knowledge.cohort.validation.decision import THRESHOLDS
from knowledge.cohort.validation.resampling import RESAMPLES

TEXT = " ".join((Path(__file__).parents[2] / "docs" / "validation.md").read_text(encoding="utf-8").split())


def needs(measure: str) -> str:
    """The last cell of a measure's row."""
    row = re.search(rf"\| {measure} \|[^|]*\|[^|]*\| ([^|]*) \|", TEXT)
    assert row, measure
    return row[1]


def test_what_each_measure_needs() -> None:
    assert needs("calibration slope, intercept") == f"{slope.LEAST} with and {slope.LEAST} without"
    assert needs("decision curve") == f"{slope.LEAST} with and {slope.LEAST} without"
    curves = f"{curve.LEAST} with and {curve.LEAST} without, {curve.LEAST_DISTINCT} different estimates"
    assert needs("calibration curve") == curves
    assert needs("Brier score, scaled") == f"{accuracy.LEAST} patients"
    assert f"below {slope.MANY} patients with or without the outcome" in TEXT
    knots = [f"{len(shares)} from {least} " if len(shares) > 3 else "3 knots" for least, shares in curve.KNOTS.items()]
    assert all(each in TEXT for each in knots)
    assert f"{RESAMPLES:,} resamples" in TEXT
    assert f"{100 * THRESHOLDS[0]:.0f} to {100 * THRESHOLDS[-1]:.0f} %" in TEXT


def test_how_many_patients() -> None:
    widths = f"{needed.OE_WIDTH} for observed/expected, {needed.SLOPE_WIDTH} for the slope, {needed.C_WIDTH} for the c-"
    assert widths in TEXT
    assert f"{needed.BENEFIT_WIDTH} for the standardised net benefit" in TEXT
    assert needed.ROUGH == 2.0
    assert "twice these widths" in TEXT
    assert f"Until {needed.ENOUGH_SEEN} patients with and {needed.ENOUGH_SEEN} without" in TEXT
    assert 300 < needed.for_observed_expected(0.5) < needed.for_observed_expected(0.4) < 700  # "a few hundred for CRS"


def test_time_and_memory_are_those_measured() -> None:
    results = Path(__file__).parents[2] / "benchmarks" / "results" / "cohort_validation.json"
    lines = {line["what"]: line["value"] for line in json.loads(results.read_text(encoding="utf-8"))["lines"]}
    processor = lines["100,000 patients: processor time, all processes"]
    memory = lines["100,000 patients: most memory, all processes"]
    assert f"took {processor:.0f} s of processor time and at most {memory:.0f} MB" in TEXT
