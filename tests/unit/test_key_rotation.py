"""Changing the signing key: trust in one key leads to the other, and work cut off is taken up again."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.audit import standalone
from bot.audit.receipts import check_receipt
from bot.audit.verification import verify
from bot.checkpoints import Alarm, CheckpointFolder, Made, SigningState
from bot.checkpoints import rotation as rotating
from bot.checkpoints.rotation import Rotated, rotate_key
from bot.ledger import read_events
from bot.ledger.note import Checkpoint, PublicKey, new_key, open_checkpoint, sign_checkpoint
from tests.support.vouched import Vouched, vouched


def rotate(made: Vouched) -> Rotated | Alarm:
    with made.writing() as writer:
        return rotate_key(made.ledger, made.folder, made.key_path, writer.record_blocking)


def codes(made: Vouched, *keys: PublicKey) -> set[str]:
    return {problem.code for problem in verify(made.ledger, [made.folder], keys).problems}


def alone(made: Vouched, key: PublicKey) -> int:
    arguments = [standalone.__file__, "ledger", str(made.ledger), str(made.folder.path), str(key)]
    return subprocess.run([sys.executable, "-I", *arguments], capture_output=True, check=False).returncode


@pytest.fixture
def made(tmp_path: Path) -> Vouched:
    return vouched(tmp_path, rounds=2)


def test_both_sign_the_change_and_trust_in_either_covers_all(made: Vouched) -> None:
    state = SigningState()
    made.checkpoint(state)
    done = rotate(made)
    assert isinstance(done, Rotated)
    _, signers = open_checkpoint(done.made.note.text, [done.old, done.new])
    assert signers == (done.old, done.new)
    made.record("after")
    after = made.checkpoint(state)  # a process that was running all the while
    assert isinstance(after, Made)
    assert open_checkpoint(after.note.text, [done.new])[1] == (done.new,)
    assert done.old.name == done.new.name == after.checkpoint.origin
    for key in (done.old, done.new):
        assert codes(made, key) == set()
        assert alone(made, key) == 0
    assert codes(made, new_key(done.old.name).public) == {"foreign_checkpoint"}
    kinds = [event.kind for event in read_events(made.ledger)]
    assert kinds.count("key_rotated") == 1


def test_a_signature_added_to_a_note_makes_no_key_trusted(made: Vouched) -> None:
    """Anybody can add a line to a note; only a recorded change leads to another key."""
    stranger, key = new_key(made.ring().origin), made.ring().key.public
    newest = made.folder.newest()
    assert newest is not None
    newest.path.write_text(newest.text + stranger.sign(newest.text.rpartition("\n\n")[0] + "\n"), encoding="utf-8")
    made.folder.put(15, sign_checkpoint(Checkpoint(key.name, 15, bytes(32)), [stranger]))
    made.folder.publish(stranger.public)
    assert codes(made, key) == {"foreign_checkpoint"}
    assert alone(made, key) == 1


def test_a_replaced_key_counts_no_more_once_its_successor_signs(made: Vouched) -> None:
    old = made.ring().key
    done = rotate(made)
    assert isinstance(done, Rotated)
    made.record("after")
    made.checkpoint()
    made.record("later")
    state = SigningState()
    made.checkpoint(state, sign=False)
    size = state.tree.size
    made.folder.put(size, sign_checkpoint(Checkpoint(old.name, size, state.tree.root()), [old]))
    assert codes(made, done.new) == codes(made, done.old) == {"retired_key"}
    assert alone(made, done.new) == 1


@pytest.mark.parametrize("step", ["announce", "make_checkpoint", "install_successor"])
@pytest.mark.parametrize("done_before_the_cut", [False, True])
def test_cut_off_anywhere_the_same_command_ends_it(
    made: Vouched, step: str, done_before_the_cut: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = made.ring()
    real = getattr(rotating, step)

    def cut(*arguments: object, **named: object) -> object:
        if step == "make_checkpoint" and not named.get("also"):
            return real(*arguments, **named)
        if done_before_the_cut:
            real(*arguments, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(rotating, step, cut)
        with pytest.raises(KeyboardInterrupt):
            rotate(made)
    swapped = (step, done_before_the_cut) == ("install_successor", True)
    assert (made.ring() == old) is not swapped
    # Meanwhile the bot goes on with whichever key there is.
    made.record("meanwhile")
    assert isinstance(made.checkpoint(), Made)
    done = rotate(made)
    assert isinstance(done, Rotated)
    made.record("after")
    assert isinstance(made.checkpoint(), Made)
    for key in (old.key.public, done.new):
        assert codes(made, key) == set()
        assert alone(made, key) == 0


def test_without_a_key_or_folder_nothing_is_changed(made: Vouched) -> None:
    made.key_path.rename(made.home / "away")
    refused = rotate(made)
    assert isinstance(refused, Alarm)
    assert refused.code == "key_unusable"
    (made.home / "away").rename(made.key_path)
    old = made.ring()
    shutil.rmtree(made.folder.path)
    made.folder.path.write_text("a file")
    refused = rotate(made)
    assert isinstance(refused, Alarm)
    assert refused.code == "folder_unwritable"
    assert made.ring() == old


def test_two_changes_lead_from_the_first_key_to_the_third(made: Vouched) -> None:
    first, second = rotate(made), rotate(made)
    assert isinstance(first, Rotated)
    assert isinstance(second, Rotated)
    assert made.ring().known == (second.new, first.new, first.old)
    for key in made.ring().known:
        found = verify(made.ledger, [CheckpointFolder(made.folder.path)], [key])
        assert found.ok, found.problems
        assert set(found.keys) == set(made.ring().known)
        assert alone(made, key) == 0


def test_a_lost_key_leaves_its_checkpoints_valid_beside_those_of_a_new_folder(made: Vouched) -> None:
    lost = made.ring().key.public
    made.key_path.unlink()
    made.folder.path.rename(made.home / "before")
    made.record("after")
    assert isinstance(made.checkpoint(), Made)
    folders = [CheckpointFolder(made.home / "before"), made.folder]
    assert verify(made.ledger, folders, [lost, made.ring().key.public]).ok
    assert not verify(made.ledger, folders, [made.ring().key.public]).ok


def test_two_changes_at_once_are_not_both_made(made: Vouched, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second would succeed a key whose own successor signs already, and nobody could follow."""
    real, second = rotating.announce, []

    def announce(*arguments: object) -> None:
        second.append(rotate(made))
        real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(rotating, "announce", announce)
    assert isinstance(rotate(made), Rotated)
    assert [each.code for each in second if isinstance(each, Alarm)] == ["key_unusable"]
    made.record("after")
    assert isinstance(made.checkpoint(), Made)
    assert codes(made, made.ring().key.public) == set()


def test_a_receipt_is_covered_by_the_key_that_follows_the_trusted_one(made: Vouched) -> None:
    done = rotate(made)
    assert isinstance(done, Rotated)
    made.record("after")
    assert isinstance(made.checkpoint(), Made)
    last = max(event.seq for event in read_events(made.ledger) if event.idem_key == "after")
    for key in (done.old, done.new):
        assert check_receipt(made.ledger, str(last), [made.folder], [key]).checkpoint is not None
