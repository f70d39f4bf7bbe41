"""``tarla ask "evidence ..."``: the whole topic at a terminal, with its citations."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.ledger import read_events
from knowledge.evidence import load
from tests.support.program import tarla


def test_a_topic_is_printed_whole_and_recorded(tmp_path: Path) -> None:
    done = tarla(tmp_path, "ask", "evidence icans", COLUMNS="100")
    assert (done.returncode, done.stderr) == (0, "")
    evidence = load()
    for record in (*evidence.on("icans"), *evidence.conflicts_on("icans"), *evidence.gaps_on("icans")):
        assert f"[{record.id}]" in done.stdout
    for source in {record.source for record in evidence.on("icans")}:
        assert f"[{source}]" in done.stdout.split("\nSources:\n")[1]
    assert max(len(line) for line in done.stdout.splitlines() if "://" not in line) <= 100
    assert [event.kind for event in read_events(tmp_path / "ledger.db")] == ["looked_up", "delivered"]


@pytest.mark.parametrize("words", [["evidence", "liver"], ["evidence liver"]])
def test_words_may_come_as_one_argument_or_many(tmp_path: Path, words: list[str]) -> None:
    assert "[rf.joshi.liver.crs]" in tarla(tmp_path, "ask", *words).stdout


def test_an_unknown_topic_is_refused_with_the_list(tmp_path: Path) -> None:
    done = tarla(tmp_path, "ask", "evidence mueller")
    assert done.stdout == ""
    assert "There is no such topic or id in the evidence. Topics: crs, icans," in done.stderr
    assert 'tarla ask "evidence icans"' in done.stderr
    assert "mueller" not in done.stderr
