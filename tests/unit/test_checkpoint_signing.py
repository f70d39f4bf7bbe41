"""Only a ledger that extends the last checkpoint is signed; what was signed is outside before it is recorded."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.checkpoints import Alarm, Made, Nothing, SigningState, make_checkpoint
from bot.ledger import check_ledger, read_events
from bot.ledger.merkle import root_of
from bot.ledger.note import Checkpoint, new_key, open_checkpoint, sign_checkpoint
from handlers.ports import Entry, LedgerUnavailableError, Recorded
from tests.support.vouched import Vouched, guards_off, rebuild, vouched


def test_a_checkpoint_tells_size_and_root_and_is_recorded_after_it_is_kept(tmp_path: Path) -> None:
    made = Vouched(tmp_path)
    made.record("a", "b")
    result = made.checkpoint()
    assert isinstance(result, Made)
    events = list(read_events(made.ledger))
    checkpoint, signers = open_checkpoint(result.note.path.read_text(encoding="utf-8"), [made.ring().key.public])
    assert checkpoint == Checkpoint(made.ring().origin, 4, root_of(event.leaf for event in events[:4]))
    assert signers == (made.ring().key.public,)
    assert (events[-1].kind, events[-1].ref, events[-1].idem_key) == ("checkpoint", 4, "checkpoint-4")
    payload = events[-1].payload
    assert payload is not None
    assert (payload["size"], payload["root"]) == (4, checkpoint.root.hex())
    assert f"\u2014 {payload['signatures'][0]}\n" in result.note.text  # type: ignore[index]
    assert made.folder.public_keys() == (made.ring().key.public,)
    assert check_ledger(made.ledger).ok


def test_an_empty_ledger_has_nothing_to_sign(tmp_path: Path) -> None:
    made = Vouched(tmp_path)
    with made.writing():
        pass
    assert made.checkpoint() == Nothing(0)
    assert made.folder.sizes() == []


def test_the_tree_is_carried_on_and_agrees_with_one_begun_anew(tmp_path: Path) -> None:
    made, state = Vouched(tmp_path), SigningState()
    for number in range(5):
        made.record(*(f"{number}-{each}" for each in range(number)))
        made.checkpoint(state)
    assert isinstance(made.checkpoint(sign=False), Nothing)  # compares from the first leaf
    assert len(made.folder.sizes()) == 5 - 1  # the first round had no event


def test_nothing_new_is_nothing_to_sign_without_the_record_of_the_last(tmp_path: Path) -> None:
    made = Vouched(tmp_path)
    made.record("a")

    def refuse(_entry: Entry) -> Recorded:
        raise LedgerUnavailableError("disk_full")

    state = SigningState()
    result = make_checkpoint(made.ledger, made.folder, made.ring(), state, refuse)
    assert isinstance(result, Made)
    assert not result.recorded
    # The next one finds the note without its record and makes up for it.
    after = made.checkpoint(state)
    assert after == Nothing(2)
    assert [event.kind for event in read_events(made.ledger)][-1] == "checkpoint"


def alarm(made: Vouched, state: SigningState | None = None) -> str:
    before = made.folder.sizes()
    result = made.checkpoint(state)
    assert isinstance(result, Alarm), result
    assert made.folder.sizes() == before
    return result.code


@pytest.mark.parametrize("running", [True, False])
def test_an_older_file_is_not_signed(tmp_path: Path, running: bool) -> None:
    made, state = Vouched(tmp_path), SigningState()
    made.record("a", "b")
    older = shutil.copy(made.ledger, tmp_path / "older.db")
    made.record("c")
    made.checkpoint(state)
    shutil.copy(older, made.ledger)
    assert alarm(made, state if running else None) == "older_file"


@pytest.mark.parametrize("running", [True, False])
def test_a_rewritten_history_is_not_signed(tmp_path: Path, running: bool) -> None:
    made, state = vouched(tmp_path), SigningState()
    made.checkpoint(state)
    rebuild(
        made.ledger, lambda rows: [*rows[:4], *rows[6:], *(row | {"idem_key": f"x{row['seq']}"} for row in rows[:3])]
    )
    made.record("more")
    assert alarm(made, state if running else None) == "rewritten"


def test_a_gap_is_not_signed(tmp_path: Path) -> None:
    made = vouched(tmp_path)
    with guards_off(made.ledger) as connection:
        connection.execute("DELETE FROM payload WHERE seq = 3")
        connection.execute("DELETE FROM event WHERE seq = 3")
    assert alarm(made) == "rewritten"


def test_a_changed_schema_is_not_signed(tmp_path: Path) -> None:
    made = vouched(tmp_path)
    with closing(sqlite3.connect(made.ledger)) as connection:
        connection.execute("DROP TRIGGER event_no_update")
    assert alarm(made) == "schema"


def test_another_ledgers_folder_is_not_added_to(tmp_path: Path) -> None:
    made, other = vouched(tmp_path / "a"), vouched(tmp_path / "b")
    shutil.rmtree(made.folder.path)
    shutil.copytree(other.folder.path, made.folder.path)
    assert alarm(made) == "foreign_checkpoint"


def test_a_forged_or_renamed_note_stops_signing(tmp_path: Path) -> None:
    made = vouched(tmp_path)
    newest = made.folder.newest()
    assert newest is not None
    forged = sign_checkpoint(Checkpoint(made.ring().origin, 500, bytes(32)), [new_key(made.ring().origin)])
    made.folder.put(500, forged)
    assert alarm(made) == "foreign_checkpoint"
    made.folder.place(500).write_text(newest.text, encoding="utf-8")
    assert alarm(made) == "foreign_checkpoint"


def test_a_missing_ledger_and_a_folder_that_is_a_file(tmp_path: Path) -> None:
    made = vouched(tmp_path)
    ring = made.ring()

    def never(_entry: Entry) -> Recorded:
        raise AssertionError

    result = make_checkpoint(tmp_path / "gone.db", made.folder, ring, SigningState(), never)
    assert isinstance(result, Alarm)
    assert result.code == "ledger_unreadable"
    shutil.rmtree(made.folder.path)
    made.folder.path.write_text("a file")
    result = make_checkpoint(made.ledger, made.folder, ring, SigningState(), never)
    assert isinstance(result, Alarm)
    assert result.code == "folder_unwritable"


def test_another_processs_checkpoint_is_compared_too(tmp_path: Path) -> None:
    """Two that keep checkpoints of one ledger in turn; each finds the other's, and one that does not fit."""
    made, one, other = Vouched(tmp_path), SigningState(), SigningState()
    for number, state in enumerate([one, other, other, one, other, one]):
        made.record(f"request-{number}")
        assert isinstance(made.checkpoint(state), Made)
    assert len(made.folder.sizes()) == 6
    wrong = sign_checkpoint(Checkpoint(made.ring().origin, one.tree.size, bytes(32)), [made.ring().key])
    made.folder.place(one.tree.size).unlink()
    made.folder.put(one.tree.size, wrong)
    assert alarm(made, one) == alarm(made, other) == "rewritten"


def test_two_roots_of_one_size_are_never_both_signed(tmp_path: Path) -> None:
    """Another process was faster with the same number of events; its note stays, and an unlike one is an alarm."""
    made = Vouched(tmp_path)
    made.record("a")
    ring = made.ring()

    def other_was_faster(root: bytes) -> Made | Nothing | Alarm:
        state = SigningState()
        make_checkpoint(made.ledger, made.folder, ring, state, refuse, sign=False)
        made.folder.put(2, sign_checkpoint(Checkpoint(ring.origin, 2, root), [ring.key]))
        from bot.checkpoints.signing import _sign

        return _sign(Checkpoint(ring.origin, 2, state.tree.root()), made.folder, ring, refuse, ())

    def refuse(_entry: Entry) -> Recorded:
        raise LedgerUnavailableError("locked")

    root = root_of(event.leaf for event in read_events(made.ledger))
    assert isinstance(other_was_faster(root), Made)
    made.folder.place(2).unlink()
    result = other_was_faster(bytes(32))
    assert isinstance(result, Alarm)
    assert result.code == "rewritten"
