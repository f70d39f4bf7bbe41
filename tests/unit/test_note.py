"""Signed notes: the specification's published example, and what no altered note passes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ledger.note import (
    Checkpoint,
    NoteError,
    PublicKey,
    new_key,
    open_checkpoint,
    read_public_key,
    read_signing_key,
    sign_checkpoint,
)

# From the documentation of golang.org/x/mod/sumdb/note: key pair and one signed text.
SIGNER = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
LINE = (
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_key_and_signature_are_those_published() -> None:
    key = read_signing_key(SIGNER)
    assert str(key.public) == VERIFIER == str(read_public_key(VERIFIER))
    assert key.secret_line() == SIGNER
    assert key.sign(TEXT) == LINE


def test_a_checkpoint_comes_back_with_who_signed_it() -> None:
    old, new = new_key("ward.example/ledger"), new_key("ward.example/ledger")
    checkpoint = Checkpoint("ward.example/ledger", 1284, bytes(range(32)))
    note = sign_checkpoint(checkpoint, [old, new])
    assert open_checkpoint(note, [new.public]) == (checkpoint, (new.public,))
    assert open_checkpoint(note, [old.public, new.public]) == (checkpoint, (old.public, new.public))
    with pytest.raises(NoteError, match="none of the known keys"):
        open_checkpoint(note, [new_key("ward.example/ledger").public])


KEY = new_key("k")
NOTE = sign_checkpoint(Checkpoint("k", 7, b"r" * 32), [KEY])


@given(st.integers(0, len(NOTE) - 1), st.characters(exclude_categories=["Cs"]))
def test_no_changed_character_passes(place: int, character: str) -> None:
    changed = NOTE[:place] + character + NOTE[place + 1 :]
    if changed != NOTE:
        with pytest.raises(NoteError):
            open_checkpoint(changed, [KEY.public])


@pytest.mark.parametrize(
    "text",
    ["k\n07\n" + "A" * 43 + "=\n", "k\n-1\n" + "A" * 43 + "=\n", "k\n7\nAAAA\n", "k\n7\n" + "A" * 43 + "=\nmore\n"],
)
def test_a_signed_text_that_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteError, match="no checkpoint"):
        open_checkpoint(text + "\n" + KEY.sign(text), [KEY.public])


@pytest.mark.parametrize("line", ["", "x", "a+b+c", VERIFIER[:-4], VERIFIER.replace("c74f", "c74e"), SIGNER])
def test_what_is_no_key_is_refused(line: str) -> None:
    with pytest.raises(NoteError):
        read_public_key(line)


def test_a_secret_shows_nowhere() -> None:
    key = read_signing_key(SIGNER)
    assert SIGNER[-20:] not in repr(key) + str(key)
    with pytest.raises(NoteError) as failure:
        read_signing_key(SIGNER[:-2])
    assert SIGNER[30:60] not in str(failure.value)


def test_a_key_of_the_same_id_takes_nothing_from_the_right_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four bytes can be hit on purpose within hours; here they are made to."""
    monkeypatch.setattr(PublicKey, "id", b"same")
    right, other = new_key("ward"), new_key("ward")
    checkpoint = Checkpoint("ward", 1, bytes(32))
    note = sign_checkpoint(checkpoint, [right])
    for keys in ([right.public, other.public], [other.public, right.public]):
        assert open_checkpoint(note, keys) == (checkpoint, (right.public,))
    with pytest.raises(NoteError, match="is wrong"):
        open_checkpoint(note, [other.public])
