"""``/tarla evidence`` over HTTP: shown to its reader alone, and kept as what was looked up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from handlers.evidence.topics import TOPICS
from handlers.evidence.view import evidence_look_up
from tests.support.app import over_http


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.mark.parametrize(
    ("words", "code", "arguments"),
    [
        ("evidence", "evidence", {}),
        ("evidence icans", "evidence.icans", {"topic": "icans", "page": 1}),
        ("Evidence  TOCI 2", "evidence.tocilizumab", {"topic": "tocilizumab", "page": 2}),
        ("evidence inc.d300F.crs_any_out", "evidence.record", {"record": "inc.d300F.crs_any_out"}),
    ],
)
async def test_what_was_looked_up_is_recorded_and_its_receipt_shown(
    path: Path, words: str, code: str, arguments: dict[str, object]
) -> None:
    async with over_http(path) as running:
        reply = await running.ask(words)
        today = running.tarla.conversation.today
        looked_up, delivered = await running.events()
    assert reply.message["response_type"] == "ephemeral"
    expected = evidence_look_up(words.lower().split()[1:], today)
    assert reply.message["blocks"][:-1] == list(expected.blocks)
    assert f"receipt #1-{looked_up.leaf.hex()[:4]}" in json.dumps(reply.message["blocks"][-1])
    assert (looked_up.kind, delivered.kind, delivered.ref) == ("looked_up", "delivered", looked_up.seq)
    payload = json.loads(looked_up.body or "")
    assert (payload["look_up"], payload["arguments"]) == (code, arguments)
    assert payload["records"] == list(expected.records)
    assert payload["evidence"] == "2026-11-22"


@pytest.mark.parametrize("words", ["evidence mueller", "evidence icans mueller", "evidence mueller 2"])
async def test_what_is_not_a_topic_is_refused_and_not_kept(path: Path, words: str) -> None:
    async with over_http(path) as running:
        reply = await running.ask(words)
        refused, _ = await running.events()
    assert refused.kind == "refused"
    assert json.loads(refused.body or "")["reason"] == "E_LOOKUP_TOPIC"
    assert all(topic.id in reply.text for topic in TOPICS)
    assert "/tarla evidence icans" in reply.text
    for held in (reply.text, path.read_bytes().decode("latin-1")):
        assert "mueller" not in held.lower()


async def test_evidence_is_shown_even_where_nothing_can_be_recorded(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    async with over_http(tmp_path / "file" / "ledger.db") as running:
        reply = await running.ask("evidence liver")
    assert "`cov.liver.d304`" in reply.text
    assert "receipt" not in reply.text
