"""``tarla ask "outcome ..."``: no form at a terminal, and nothing recorded."""

from __future__ import annotations

from pathlib import Path

from bot.ledger import read_events
from tests.support.program import tarla


def test_it_is_said_how(tmp_path: Path) -> None:
    done = tarla(tmp_path, "ask", "outcome 1-abcd Miller")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Outcomes are not recorded at a terminal." in done.stderr
    assert "In Slack type /tarla outcome and the receipt" in done.stderr
    assert "Miller" not in done.stderr
    assert list(read_events(tmp_path / "ledger.db")) == []
