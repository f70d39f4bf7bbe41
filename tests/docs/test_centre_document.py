"""docs/centre.md: tables and pictures are what evidence and model give now, and nothing is left out of them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from bot import centre_document
from bot.centre_document import DOCUMENT, filled
from bot.pictures.forest import rows_of
from knowledge import LdhMultiple, Outcome, PatientFactors, Presence, assess
from knowledge.evidence import load as load_evidence
from knowledge.exact import clopper_pearson
from knowledge.model import load as load_model
from knowledge.synthesis.spec import POOLS, Pool

REPOSITORY = Path(__file__).parents[2]
STALE = "stale: run make centre"


@pytest.fixture(scope="module")
def text() -> str:
    return (REPOSITORY / DOCUMENT).read_text(encoding="utf-8")


def test_tables_are_not_stale(text: str) -> None:
    assert filled(text) == text, STALE
    assert len(re.findall("<!-- begin ", text)) == 4


def test_blocks_are_written_over_and_nothing_else(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table edited by hand would be seen as stale; what stands around the tables is left as it is."""
    monkeypatch.setattr(centre_document, "pooled_table", lambda: "| new |")
    again = filled(text.replace("196/473", "197/473"))
    assert re.search("<!-- begin pooled: [^\n]* -->\n\n\\| new \\|\n\n<!-- end pooled -->", again)
    before, after = (re.sub("(?s)<!-- begin pooled.*?end pooled -->", "", each) for each in (text, again))
    assert before == after


def test_every_rate_stands_in_a_table_with_its_verdict(text: str) -> None:
    terms = load_evidence().centre_terms
    for name, term in terms.items():
        verdict = f"**used**: {term.reason}" if term.use else f"left out: {term.reason}"
        assert re.search(rf"^\| `{re.escape(name)}` \|.*\| {re.escape(verdict)} \|$", text, flags=re.MULTILINE), name
    assert set(re.findall(r"^\| `(inc\.[^`]+)`", text, flags=re.MULTILINE)) == set(terms)


@pytest.mark.parametrize("pool", POOLS)
def test_pictures_say_their_figures(pool: Pool) -> None:
    kept = (REPOSITORY / "docs" / "pictures" / f"centre-{pool}.svg").read_bytes()
    # matplotlib leaves each text as a comment before its glyphs.
    words = set(re.findall("<!-- (.*) -->", kept.decode()))
    rows = rows_of(pool, load_evidence())
    assert {row.figure for row in rows} | {row.label for row in rows} <= words


@pytest.mark.parametrize("pool", POOLS)
def test_the_rows_of_a_picture(pool: Pool) -> None:
    evidence = load_evidence()
    rows = rows_of(pool, evidence)
    used = evidence.centre_cohorts(f"{pool}_any")
    assert [row.value for row in rows if row.kind == "used"] == [fact.rate for fact in used]
    assert [row.kind for row in rows].count("founding") == 1
    for row, fact in zip(rows, used, strict=False):
        assert fact.count is not None
        assert fact.denominator is not None
        assert row.interval == clopper_pearson(fact.count, fact.denominator)
    left_out = [row for row in rows if row.kind == "left out"]
    assert len(left_out) >= 10
    assert all(row.reason for row in left_out)


def test_the_level_at_mean_findings_and_the_average_differ_as_the_document_says(text: str) -> None:
    model, average = load_model(), assess(PatientFactors())
    expected = {Outcome.CRS_ANY: ("48.3", "48.3"), Outcome.ICANS_ANY: ("25.8", "24.3")}
    for (outcome, shown), draws in zip(expected.items(), map(model.draws, POOLS), strict=True):
        level = float((draws.weight / (1 + np.exp(-draws["a_new"]))).sum())
        assert (f"{100 * average.risk_of(outcome).risk:.1f}", f"{100 * level:.1f}") == shown
        assert all(f"{figure} %" in text for figure in shown)


def test_the_jump_at_the_limit_is_as_the_model_page_says() -> None:
    at, above = (
        assess(PatientFactors(ldh=LdhMultiple(multiple=multiple), liver_metastases=Presence.YES)).outcomes[0].risk
        for multiple in (1.0, 1.0 + 1e-9)
    )
    page = " ".join((REPOSITORY / "docs" / "model.md").read_text(encoding="utf-8").split())
    assert f"goes from {100 * at:.0f} % at the limit to {100 * above:.0f} % just above it" in page
