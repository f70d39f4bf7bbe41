"""docs/centre.md: tables and pictures are what evidence and model give now, and nothing is left out of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot import centre_document
from bot.centre_document import DOCUMENT, filled
from bot.pictures.forest import rows_of
from knowledge.evidence import load as load_evidence
from knowledge.exact import clopper_pearson
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
