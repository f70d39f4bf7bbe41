"""``tarla audit checkpoint``, ``verify``, ``rotate-key`` and ``verifier`` as commands."""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.ledger import read_events
from bot.ledger.note import Checkpoint, new_key, sign_checkpoint
from tests.support.vouched import Vouched, guards_off, vouched


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def tarla(places: Vouched, *words: str) -> Result:
    """``tarla words`` within this process."""
    return CliRunner().invoke(main, words, env=places.variables)


def test_the_worked_example(tmp_path: Path) -> None:
    """What docs/audit.md shows: ask, sign, verify, and the same without Tarla."""
    places = Vouched(tmp_path)

    def run(*words: str) -> str:
        done = tarla(places, *words)
        assert done.exit_code == 0, done.output
        return done.stdout

    run("ask", "ldh 480/250 liver yes dm no cvd yes")
    signed = run("audit", "checkpoint")
    key = signed.split("public key: ")[1].strip()
    assert "2 events, in " in signed
    assert key == str(places.ring().key.public)
    told = run("audit", "verify", "--key", key)
    assert told.splitlines()[0] == "3 events in order"
    assert "1 checkpoint; 2 events covered" in told
    assert "1 event after the last checkpoint: only locally protected" in told
    assert told.endswith("in order\n")
    assert "trusts their folder" not in told
    assert "trusts their folder" in run("audit", "verify")
    assert "proof of 1 hashes" in run("audit", "verify", "1", "--proof", "proof.json")
    proof = json.loads((tmp_path / "proof.json").read_text("utf-8"))
    assert "payload" not in proof
    assert set(proof["event"]) == {"seq", "idem_key", "kind", "ref", "time", "payload_hash"}
    run("audit", "verify", proof["receipt"], "--proof", "whole.json", "--with-payload")
    assert "480" in json.loads((tmp_path / "whole.json").read_text("utf-8"))["payload"]["body"]
    assert stat.S_IMODE((tmp_path / "whole.json").stat().st_mode) == 0o600
    run("audit", "verifier", "--out", "verify_ledger.py")
    for words in (("ledger", str(places.ledger), str(places.folder.path)), ("receipt", "proof.json")):
        done = subprocess.run(
            [sys.executable, "-I", "verify_ledger.py", *words, key],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "in order"), done.stdout
    rotated = run("audit", "rotate-key")
    assert f"old public key: {key}" in rotated
    assert run("audit", "verify", "--key", key).endswith("in order\n")


def test_what_is_wrong_is_told_with_status_1(tmp_path: Path) -> None:
    made = vouched(tmp_path, rounds=2)
    with guards_off(made.ledger) as connection:
        connection.execute("DELETE FROM payload WHERE seq > 9")
        connection.execute("DELETE FROM event WHERE seq > 9")
    done = tarla(made, "audit", "verify")
    assert done.exit_code == 1
    assert "WRONG: the ledger ends at event 9, but a checkpoint tells of 13" in done.stdout
    assert "Traceback" not in done.stderr
    done = tarla(made, "audit", "verify", "--json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert (found["ok"], [problem["code"] for problem in found["problems"]]) == (False, ["cut"])
    done = tarla(made, "audit", "checkpoint")
    assert (done.exit_code, "no checkpoint (older_file)" in done.stderr) == (1, True)


def test_receipts_that_are_not_right(tmp_path: Path) -> None:
    made = vouched(tmp_path, rounds=1)
    for words, told in [
        (("1-zzzz",), "a receipt reads like 1284-3f9a"),
        (("1-0000",), "event 1 bears the receipt 1-"),
        (("900",), "there is no event 900"),
        (("9", "--proof", "p.json"), "no checkpoint covers the event"),
    ]:
        done = tarla(made, "audit", "verify", *words)
        assert (done.exit_code, told in done.stderr) == (1, True), done.stderr
    done = tarla(made, "audit", "verify", "9")
    assert done.exit_code == 0
    assert "not yet covered by a checkpoint" in done.stdout
    assert not (tmp_path / "p.json").exists()


def test_without_ledger_or_with_a_wrong_key_nothing_is_made(tmp_path: Path) -> None:
    places = Vouched(tmp_path)
    for words, told in [
        (("checkpoint",), f"there is no file {places.ledger}"),
        (("rotate-key",), f"there is no file {places.ledger}"),
        (("verify",), "set TARLA_LEDGER to the ledger's file"),
        (("verify", "--key", "x"), "--key: "),
    ]:
        done = tarla(places, "audit", *words)
        assert (done.exit_code, told in done.stderr) == (1, True), done.stderr
        assert "Traceback" not in done.stderr
    assert not places.key_path.exists()
    assert not places.ledger.exists()


@pytest.mark.parametrize("command", ["checkpoint", "rotate-key"])
def test_an_emptied_file_is_not_made_a_ledger(command: str, tmp_path: Path) -> None:
    made = vouched(tmp_path, rounds=1)
    made.ledger.write_bytes(b"")
    done = tarla(made, "audit", command)
    assert done.exit_code == 1
    assert "the file holds no ledger" in done.stderr
    assert made.ledger.read_bytes() == b"", "what is left of a damaged ledger is evidence"


def test_a_locked_ledger_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.audit.walk.AUDIT_WAIT_MS", 10)
    made = vouched(tmp_path, rounds=1)
    with closing(sqlite3.connect(made.ledger, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        done = tarla(made, "audit", "checkpoint")
    assert done.exit_code == 1
    assert "another program holds it: try again, or end that program" in done.stderr


def test_no_command_writes_over_ledger_key_or_checkpoint(tmp_path: Path) -> None:
    made = vouched(tmp_path, rounds=1)
    note = next(made.folder.path.glob("*.note"))
    link = tmp_path / "link.db"
    link.hardlink_to(made.ledger)
    kept = {path: path.read_bytes() for path in (made.ledger, made.key_path, note)}
    for place in (*kept, link, Path(f"{made.ledger}-journal"), note.parent / "new.note"):
        for words in (
            ("verify", "1", "--proof", str(place)),
            ("verifier", "--out", str(place)),
            ("export", "--format", "csv", "--force", "--out", str(place)),
            ("report", "--force", "--html", str(place)),
            ("backup", str(place)),
        ):
            done = tarla(made, "audit", *words)
            assert (done.exit_code in (1, 2), "name another" in done.stderr) == (True, True), (words, done.output)
            assert place in (*kept, link) or not place.exists()
    assert {path: path.read_bytes() for path in kept} == kept


def test_a_proof_is_the_owners_alone_and_takes_no_other_files_place(tmp_path: Path) -> None:
    made = vouched(tmp_path, rounds=1)
    done = tarla(made, "audit", "verify", "1", "--proof", "proof.json", "--with-payload")
    assert done.exit_code == 0, done.output
    proof = tmp_path / "proof.json"
    assert proof.stat().st_mode & 0o777 == 0o600
    before = proof.read_bytes()
    for words in (("verify", "1", "--proof", "proof.json"), ("verifier", "--out", "proof.json")):
        done = tarla(made, "audit", *words)
        assert (done.exit_code, "exists already: name a new one" in done.stderr) == (1, True), done.output
    assert proof.read_bytes() == before
    done = tarla(made, "audit", "verify", "1", "--with-payload")
    assert (done.exit_code, "--with-payload belongs to --proof FILE" in done.stderr) == (2, True)


def test_a_receipt_may_be_typed_in_capitals(tmp_path: Path) -> None:
    made = vouched(tmp_path, rounds=1)
    receipt = next(
        f"{event.seq}-{event.leaf.hex()[:4]}"
        for event in read_events(made.ledger)
        if not event.leaf.hex()[:4].isdecimal()
    )
    assert tarla(made, "audit", "verify", f"#{receipt.upper()}").exit_code == 0


@pytest.mark.parametrize(
    "words", [("stats",), ("show", "1-abcd"), ("verify",), ("retain",), ("recall",), ("checkpoint",)]
)
def test_another_file_is_named_with_what_to_do(words: tuple[str, ...], tmp_path: Path) -> None:
    places = Vouched(tmp_path)
    places.ledger.parent.mkdir(exist_ok=True)
    places.ledger.write_bytes(b"")
    done = tarla(places, "audit", *words)
    assert done.exit_code != 0
    assert str(places.ledger) in done.stderr
    assert "set TARLA_LEDGER" in done.stderr


def test_the_standalone_verifier_says_how_it_is_called(tmp_path: Path) -> None:
    made = vouched(tmp_path, rounds=1)
    assert tarla(made, "audit", "verifier", "--out", "verify_ledger.py").exit_code == 0
    called = ("ledger", str(made.ledger), str(made.folder.path))
    for words, told in [
        ((), "python verify_ledger.py ledger LEDGER.db"),
        (("--help",), "python verify_ledger.py ledger LEDGER.db"),
        (called, "KEY is a public key line"),
        ((*called, "nonsense"), "a public key reads name+id+base64"),
    ]:
        done = subprocess.run(
            [sys.executable, "-I", "verify_ledger.py", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, told in done.stdout + done.stderr) == (1, True), done


def test_the_secret_is_printed_by_no_command(tmp_path: Path) -> None:
    made = vouched(tmp_path, rounds=1)
    secret = made.key_path.read_text("ascii").strip()[-40:]
    for words in (("checkpoint",), ("verify",), ("verify", "1"), ("rotate-key",), ("checkpoint",)):
        done = tarla(made, "audit", *words)
        assert secret not in done.stdout + done.stderr
    made.key_path.write_text("broken " + secret, "ascii")
    done = tarla(made, "audit", "checkpoint")
    assert done.exit_code == 1
    assert secret not in done.stdout + done.stderr


def test_a_terminal_adds_nothing_to_a_ledger_that_has_lost_its_end(tmp_path: Path) -> None:
    made = vouched(tmp_path, rounds=1)
    whole = made.ledger.read_bytes()
    with guards_off(made.ledger) as connection:
        connection.execute("DELETE FROM payload WHERE seq > 3")
        connection.execute("DELETE FROM event WHERE seq > 3")
    done = tarla(made, "ask", "ldh 480/250 liver yes")
    assert done.exit_code == 3
    assert "the audit ledger cannot be written" in done.output
    assert len(list(read_events(made.ledger))) == 3
    made.ledger.write_bytes(whole)
    assert tarla(made, "ask", "ldh 480/250 liver yes").exit_code == 0


@pytest.mark.parametrize("planted", ["nothing", "a stranger's note", "no keys"])
def test_a_terminal_gives_no_answer_from_an_older_file(tmp_path: Path, planted: str) -> None:
    places = vouched(tmp_path)
    with guards_off(places.ledger) as connection:
        connection.execute("DELETE FROM payload WHERE seq > 12")
        connection.execute("DELETE FROM event WHERE seq > 12")
    if planted == "a stranger's note":
        places.folder.place(99_999).write_text("nothing", "utf-8")
    if planted == "no keys":
        shutil.rmtree(places.folder.path / "keys")
    asked = tarla(places, "ask", "ldh 480/250 liver yes dm no cvd yes")
    assert asked.exit_code != 0
    assert "the audit ledger cannot be written" in asked.stderr
    assert not asked.stdout
    assert max(event.seq for event in read_events(places.ledger)) == 12


def test_a_stranger_in_the_folder_does_not_keep_a_terminal_from_its_answers(tmp_path: Path) -> None:
    """Whoever can add a key and a note to the folder holds no key of this ledger."""
    places = vouched(tmp_path)
    stranger = new_key(places.ring().origin)
    places.folder.publish(stranger.public)
    places.folder.put(99_999, sign_checkpoint(Checkpoint(stranger.name, 99_999, bytes(32)), [stranger]))
    assert tarla(places, "ask", "ldh 480/250 liver yes dm no cvd yes").exit_code == 0


def test_a_ledger_whose_last_write_was_cut_off_is_said_to_be_so(tmp_path: Path) -> None:
    places = vouched(tmp_path)
    cut = """import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
for number in range(3_000):
    connection.execute(
        "INSERT INTO event SELECT max(seq) + 1, 'x' || max(seq), 'computed', NULL, max(time), leaf, leaf FROM event"
    )
os._exit(0)"""
    subprocess.run([sys.executable, "-c", cut, str(places.ledger)], check=True)
    told = tarla(places, "audit", "verify")
    assert told.exit_code == 1
    assert "only opening the ledger for writing can undo it" in told.stderr
    assert tarla(places, "audit", "checkpoint").exit_code == 0
    assert tarla(places, "audit", "verify").exit_code == 0


@pytest.mark.parametrize("words", [("recall", "--record"), ("retain", "--prune")])
def test_nothing_is_added_to_a_ledger_that_has_lost_its_end(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Its next event would bear the number of a receipt that somebody has in hand."""
    places = Vouched(tmp_path)
    places.record("first")
    older = shutil.copy(places.ledger, tmp_path / "older.db")
    places.record("second")
    places.checkpoint()
    shutil.copy(older, places.ledger)
    before = list(read_events(places.ledger))
    done = tarla(places, "audit", *words)
    assert done.exit_code == 1
    assert "older_file" in done.output
    assert list(read_events(places.ledger)) == before
    # Looking is no harm.
    assert "older_file" not in tarla(places, "audit", words[0]).output
