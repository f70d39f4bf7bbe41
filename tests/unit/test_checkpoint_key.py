"""The signing key's file: made once, for its owner alone, and never silently replaced."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from bot.checkpoints import KeyRing, SigningKeyError, key_for, read_key
from bot.checkpoints.keys import install_successor, prepare_successor
from tests.support.vouched import Vouched, vouched


def places(folder: Path) -> tuple[Path, Path, Path]:
    return folder / "key" / "signing.key", folder / "ledger" / "ledger.db", folder / "checkpoints"


def test_it_is_made_on_first_need_for_its_owner_alone(tmp_path: Path) -> None:
    key, *others = places(tmp_path)
    ring = key_for(key, *others)
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.parent.stat().st_mode & 0o777 == 0o700
    assert ring.origin.startswith("tarla-ledger/")
    assert len(ring.origin) == len("tarla-ledger/") + 16
    assert key_for(key, *others) == read_key(key, *others) == ring
    assert [place.name for place in key.parent.iterdir()] == [key.name]


def test_two_keys_are_two_names(tmp_path: Path) -> None:
    assert key_for(*places(tmp_path / "a")).origin != key_for(*places(tmp_path / "b")).origin


def test_who_comes_at_the_same_time_gets_the_same_key(tmp_path: Path) -> None:
    gate, found = threading.Barrier(8), list[KeyRing]()

    def ask() -> None:
        gate.wait()
        found.append(key_for(*places(tmp_path)))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len({ring.key.seed for ring in found}) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_may_read_is_refused_with_what_to_do(tmp_path: Path, mode: int) -> None:
    key, *others = places(tmp_path)
    ring = key_for(key, *others)
    key.chmod(mode)
    with pytest.raises(SigningKeyError, match="chmod 600") as refusal:
        read_key(key, *others)
    assert ring.key.secret_line() not in str(refusal.value)


@pytest.mark.parametrize(("mode", "good"), [(0o400, True), (0o440, True), (0o444, False), (0o460, False)])
def test_a_key_given_by_systemd_is_read_as_its_access_list_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, good: bool
) -> None:
    key, *others = places(tmp_path)
    ring = key_for(key, *others)
    key.chmod(mode)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(key.parent))
    if good:
        assert read_key(key, *others) == ring
    else:
        with pytest.raises(SigningKeyError, match="chmod 600"):
            read_key(key, *others)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "elsewhere"))
    if mode != 0o400:
        with pytest.raises(SigningKeyError, match="chmod 600"):
            read_key(key, *others)


def test_a_key_beside_the_ledger_or_among_the_checkpoints_is_refused(tmp_path: Path) -> None:
    _, ledger, checkpoints = places(tmp_path)
    (tmp_path / "link").symlink_to(ledger.parent)
    for key, named in [
        (ledger.parent / "signing.key", "the ledger's folder"),
        (tmp_path / "link" / "signing.key", "the ledger's folder"),
        (checkpoints / "signing.key", "among the checkpoints"),
        (checkpoints / "deep" / "signing.key", "among the checkpoints"),
    ]:
        with pytest.raises(SigningKeyError, match=named):
            key_for(key, ledger, checkpoints)
        assert not key.exists()


@pytest.mark.parametrize("contents", ["", "nothing\n", "PRIVATE+KEY+x+00000000+AAAA\n", "\xe4\n"])
def test_a_file_without_a_key_is_refused_and_stays(tmp_path: Path, contents: str) -> None:
    key, *others = places(tmp_path)
    key.parent.mkdir()
    key.touch(0o600)
    key.write_text(contents, encoding="utf-8")
    with pytest.raises(SigningKeyError, match="holds none"):
        key_for(key, *others)
    assert key.read_text(encoding="utf-8") == contents


def test_a_lost_key_is_not_replaced_while_there_are_checkpoints_of_it(tmp_path: Path) -> None:
    made = vouched(tmp_path, rounds=1)
    made.key_path.unlink()
    with pytest.raises(SigningKeyError, match="put the key file back"):
        made.ring()
    assert not made.key_path.exists()


def test_the_secret_shows_nowhere(tmp_path: Path) -> None:
    key, *others = places(tmp_path)
    ring = key_for(key, *others)
    secret = ring.key.secret_line()[-40:]
    assert secret in key.read_text()
    assert secret not in repr(ring) + str(ring)
    assert ring.key.seed.hex() not in repr(ring)
    assert str(ring.key.seed) not in repr(ring)


def test_a_successor_waits_beside_the_key_and_then_takes_its_place(tmp_path: Path) -> None:
    made = Vouched(tmp_path)
    old = made.ring()
    first, again = prepare_successor(made.key_path, old), prepare_successor(made.key_path, old)
    assert first == again
    assert made.ring() == old
    waiting = made.key_path.with_name("signing.key.next")
    assert waiting.stat().st_mode & 0o777 == 0o600
    install_successor(made.key_path)
    new = made.ring()
    assert (new.key, new.earlier, new.origin) == (first.key, (old.key.public,), old.origin)
    assert not waiting.exists()
    assert old.key.secret_line() not in made.key_path.read_text()
