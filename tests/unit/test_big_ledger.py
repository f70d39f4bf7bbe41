"""The made-up ledger that measurements run on is a real one."""

from __future__ import annotations

from pathlib import Path

from bot.audit.verification import verify
from bot.checkpoints.folder import CheckpointFolder
from bot.ledger import check_ledger, read_events
from handlers.ports import PastEvent, Recorded
from handlers.records import past_answer
from knowledge import assess
from tests.support.big_ledger import EARLIER_MODEL, make_ledger, sign_checkpoints


def test_it_is_whole_and_the_same_again(tmp_path: Path) -> None:
    make_ledger(tmp_path / "one.db", 1_200)
    make_ledger(tmp_path / "two.db", 1_200)
    one, two = check_ledger(tmp_path / "one.db"), check_ledger(tmp_path / "two.db")
    assert (one.ok, one.events) == (True, 1_200)
    assert one.last_leaf == two.last_leaf


def test_it_verifies_with_the_notes_that_its_events_tell_of(tmp_path: Path) -> None:
    make_ledger(tmp_path / "one.db", 3_100)
    folder = CheckpointFolder(tmp_path / "checkpoints")
    sign_checkpoints(tmp_path / "one.db", folder.path)
    found = verify(tmp_path / "one.db", [folder], folder.public_keys())
    assert not found.problems
    assert (found.checkpoints, found.events - found.covered <= 1_100) == (3, True)


def test_its_answers_are_the_engines_own_but_for_those_of_the_earlier_model(tmp_path: Path) -> None:
    make_ledger(tmp_path / "one.db", 1_000)
    same = other = 0
    for event in read_events(tmp_path / "one.db"):
        answer = past_answer(PastEvent(Recorded(event.seq, event.time, event.leaf), event.kind, event.payload))
        if answer is None:
            continue
        agrees = answer.agrees(assess(answer.factors))
        assert agrees == (answer.model_id != EARLIER_MODEL["id"])
        same, other = same + agrees, other + (not agrees)
    assert same > 250
    assert other > 20
