"""Every way to tamper is found and named: by ``tarla audit verify``, the next start, the stand-alone verifier."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.audit import standalone
from bot.audit.verification import Verification, verify
from bot.checkpoints import Alarm, CheckpointFolder, Made, SigningState
from bot.ledger import read_event
from bot.ledger.note import Checkpoint, PublicKey, new_key, sign_checkpoint
from tests.support.chaos import rng, scale, tally
from tests.support.vouched import Vouched, flip, guards_off, rebuild, vouched

TARGET = 10  # the second answer of the second round: 28 events, checkpoints at 6, 13, 20 and 25


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Vouched:
    made = vouched(tmp_path_factory.mktemp("original"))
    assert made.folder.sizes() == [6, 13, 20]
    shutil.copy(made.ledger, made.home / "older.db")
    made.record("later")
    assert isinstance(made.checkpoint(), Made)
    made.record("last")
    return made


@pytest.fixture
def made(original: Vouched, tmp_path: Path) -> Vouched:
    shutil.copytree(original.home, tmp_path / "copy")
    return Vouched(tmp_path / "copy")


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stand-alone verifier, where nothing of Tarla is."""
    return Path(shutil.copy(standalone.__file__, tmp_path_factory.mktemp("elsewhere") / "verify.py"))


def alone(verifier: Path, *arguments: object) -> tuple[int, str]:
    """Exit status and output of the stand-alone verifier, in a folder and with a path of its own."""
    done = subprocess.run(
        [sys.executable, "-I", verifier.name, *map(str, arguments)],
        cwd=verifier.parent,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "PYTHONUTF8": "1"},
    )
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


def key_of(made: Vouched) -> PublicKey:
    return made.ring().key.public


def codes(found: Verification) -> set[str]:
    return {problem.code for problem in found.problems}


def restore_older(made: Vouched) -> None:
    shutil.copy(made.home / "older.db", made.ledger)


def cut_tail(made: Vouched) -> None:
    with guards_off(made.ledger) as connection:
        connection.execute("DELETE FROM payload WHERE seq > 15")
        connection.execute("DELETE FROM event WHERE seq > 15")


def drop_row(made: Vouched) -> None:
    rebuild(made.ledger, lambda rows: [row for row in rows if row["seq"] != TARGET])


def rewrite(made: Vouched) -> None:
    rebuild(
        made.ledger,
        lambda rows: [
            row | {"body": row["body"].replace("0.512345", "0.112345")} if row["seq"] == TARGET else row for row in rows
        ],
    )


def rewrite_the_first(made: Vouched) -> None:
    rebuild(made.ledger, lambda rows: [row | {"kind": "refused"} if row["seq"] == 1 else row for row in rows])


def delete_row(made: Vouched) -> None:
    with guards_off(made.ledger) as connection:
        connection.execute("DELETE FROM payload WHERE seq = ?", (TARGET,))
        connection.execute("DELETE FROM event WHERE seq = ?", (TARGET,))


def drop_trigger(made: Vouched) -> None:
    with closing(sqlite3.connect(made.ledger)) as connection:
        connection.execute("DROP TRIGGER event_no_update")


def add_table(made: Vouched) -> None:
    with closing(sqlite3.connect(made.ledger)) as connection:
        connection.execute("CREATE TABLE note (x)")


def swap_notes(made: Vouched) -> None:
    first, second = (made.folder.place(size) for size in (6, 13))
    texts = first.read_bytes(), second.read_bytes()
    second.write_bytes(texts[0])
    first.write_bytes(texts[1])


def forge_note(made: Vouched) -> None:
    """A note about an event's number that was never signed, by a key of the same name."""
    made.folder.put(22, sign_checkpoint(Checkpoint(key_of(made).name, 22, bytes(32)), [new_key(key_of(made).name)]))


def alter_note(made: Vouched) -> None:
    place = made.folder.place(25)
    place.write_text(place.read_text("utf-8").replace("\n25\n", "\n24\n"), "utf-8")


def remove_note(made: Vouched) -> None:
    made.folder.place(13).unlink()


def remove_all_notes(made: Vouched) -> None:
    for size in made.folder.sizes():
        made.folder.place(size).unlink()


def another_ledgers_folder(made: Vouched) -> None:
    other = vouched(made.home / "other")
    shutil.rmtree(made.folder.path)
    shutil.copytree(other.folder.path, made.folder.path)


def sign_a_lie(made: Vouched) -> None:
    """Who holds the key can sign what never was; what was signed before shows it."""
    made.folder.put(28, sign_checkpoint(Checkpoint(key_of(made).name, 28, bytes(32)), [made.ring().key]))


def payload_of_nothing(made: Vouched) -> None:
    with guards_off(made.ledger) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("INSERT INTO payload VALUES (500, zeroblob(16), '{}')")


def prune_without_event(made: Vouched) -> None:
    with guards_off(made.ledger) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("INSERT INTO pruning VALUES (12, 1, 11)")
        connection.execute("DELETE FROM payload WHERE seq = ?", (TARGET,))


@dataclass(frozen=True)
class Case:
    """What is done, what ``verify`` calls it and how, and what the next start says (None: it cannot see it)."""

    tamper: Callable[[Vouched], None]
    code: str
    named: str
    start: str | None


CASES = [
    Case(restore_older, "cut", "the ledger ends at event 23, but a checkpoint tells of 25", "older_file"),
    Case(cut_tail, "cut", "the ledger ends at event 15, but a checkpoint tells of 20", "older_file"),
    Case(drop_row, "rewritten", "the events up to 13 are not those signed, though those up to 6 are", "rewritten"),
    Case(rewrite, "rewritten", "the events up to 13 are not those signed, though those up to 6 are", "rewritten"),
    Case(rewrite_the_first, "rewritten", "the events up to 6 are not those signed", "rewritten"),
    Case(delete_row, "gap", f"event {TARGET} is missing", "rewritten"),
    Case(drop_trigger, "schema", "something was dropped", "schema"),
    Case(add_table, "schema", "something was dropped, added", "schema"),
    Case(swap_notes, "swapped", "checkpoint 6 tells of 13 events", None),
    Case(forge_note, "foreign_checkpoint", "checkpoint 22", None),
    Case(alter_note, "foreign_checkpoint", "checkpoint 25", "foreign_checkpoint"),
    Case(remove_note, "missing_note", "13 (event 14)", None),
    Case(remove_all_notes, "no_checkpoint", "nothing outside the ledger vouches", None),
    Case(another_ledgers_folder, "foreign_checkpoint", "none of the known keys signed it", "foreign_checkpoint"),
    Case(sign_a_lie, "rewritten", "the events up to 28 are not those signed, though those up to 25 are", "rewritten"),
    Case(payload_of_nothing, "orphan_payload", "payload 500", None),
    Case(prune_without_event, "pruning", "12", None),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.tamper.__name__)
def test_it_is_named_by_verify_by_the_next_start_and_without_tarla(made: Vouched, verifier: Path, case: Case) -> None:
    key = key_of(made)
    case.tamper(made)
    found = verify(made.ledger, [made.folder], [key])
    assert case.code in codes(found), found.problems
    assert any(case.named in problem.sentence for problem in found.problems), found.problems
    status, output = alone(verifier, "ledger", made.ledger, made.folder.path, key)
    assert status == 1
    assert "WRONG" in output
    started = made.checkpoint(SigningState(), sign=False)
    assert (started.code if isinstance(started, Alarm) else None) == case.start


def test_what_nobody_touched_is_in_order_everywhere(made: Vouched, verifier: Path) -> None:
    found = verify(made.ledger, [made.folder], [key_of(made)])
    assert (found.problems, found.events, found.checkpoints, found.covered) == ([], 28, 4, 25)
    status, output = alone(verifier, "ledger", made.ledger, made.folder.path, key_of(made))
    assert (status, output.splitlines()[-1]) == (0, "in order")
    assert not isinstance(made.checkpoint(sign=False), Alarm)


def test_a_key_from_elsewhere_shows_a_folder_signed_anew_as_a_whole(made: Vouched, verifier: Path) -> None:
    """Who owns ledger and folder, but not the key, can make all anew; beside the right key nothing of it counts."""
    key = key_of(made)
    shutil.rmtree(made.folder.path)
    made.key_path.unlink()
    rewrite(made)
    assert isinstance(made.checkpoint(), Made)
    assert codes(verify(made.ledger, [made.folder], made.folder.public_keys())) == {"missing_note", "claim"}
    assert "foreign_checkpoint" in codes(verify(made.ledger, [made.folder], [key]))
    assert alone(verifier, "ledger", made.ledger, made.folder.path, key)[0] == 1


def test_a_second_folder_shows_what_was_changed_in_the_first(made: Vouched) -> None:
    copy = made.home / "elsewhere"
    shutil.copytree(made.folder.path, copy)
    remove_note(made)
    swap_to_nothing = CheckpointFolder(copy)
    assert verify(made.ledger, [made.folder, swap_to_nothing], [key_of(made)]).ok
    cut_tail(made)
    remove_all_notes(made)
    assert codes(verify(made.ledger, [made.folder, swap_to_nothing], [key_of(made)])) == {"cut"}


@pytest.mark.parametrize("column", ["body", "salt", "payload_hash", "leaf", "time", "kind", "idem_key"])
def test_one_flipped_bit_in_any_column_is_found_with_its_event(made: Vouched, verifier: Path, column: str) -> None:
    event = read_event(made.ledger, TARGET)
    assert event is not None
    value = getattr(event, column)
    raw = value.encode() if isinstance(value, str) else value
    if column in ("kind", "idem_key"):
        # Columns lie side by side in a record; the key alone stands in its index too, and in its delivery's.
        raw = event.idem_key.encode() + event.kind.encode()
    flip(made.ledger, raw, (len(event.idem_key) if column == "idem_key" else len(raw)) - 2)
    found = verify(made.ledger, [made.folder], [key_of(made)])
    assert found.problems[0].number == TARGET, found.problems
    status, output = alone(verifier, "ledger", made.ledger, made.folder.path, key_of(made))
    assert status == 1
    assert f"event {TARGET} " in output


def test_flips_anywhere_in_the_file_are_found_by_both_or_by_none(made: Vouched, verifier: Path) -> None:
    """A bit of free space, or of a page's bookkeeping, may mean nothing; then the content is as it was, for both."""
    key, data = key_of(made), made.ledger.read_bytes()
    random, found = rng("checkpoint-flips"), 0
    flips = scale(6, 1_000)
    for _ in range(flips):
        flipped = bytearray(data)
        flipped[random.randrange(len(data))] ^= 1 << random.randrange(8)
        made.ledger.write_bytes(flipped)
        try:
            ok = verify(made.ledger, [made.folder], [key]).ok
        except Exception as error:  # noqa: BLE001 - whatever it is, the ledger cannot be read and is not called right
            assert type(error).__name__ == "LedgerFault"  # noqa: PT017
            ok = False
        status, _ = alone(verifier, "ledger", made.ledger, made.folder.path, key)
        assert ok == (status == 0)
        found += not ok
    tally("byte flips", flips=flips, found=found, harmless=flips - found)


def test_a_receipts_proof_stands_alone_and_no_altered_one_does(made: Vouched, verifier: Path, tmp_path: Path) -> None:
    from bot.audit.receipts import check_receipt

    key, place = key_of(made), tmp_path / "proof.json"
    receipt = check_receipt(made.ledger, str(TARGET), [made.folder], [key])
    exported = dict(receipt.exported(with_payload=True))
    place.write_text(json.dumps(exported), "utf-8")
    status, output = alone(verifier, "receipt", place, key)
    assert (status, receipt.name in output) == (0, True), output
    assert alone(verifier, "receipt", place, new_key(key.name).public)[0] == 1
    event: dict[str, object] = dict(exported["event"])  # type: ignore[arg-type]
    nodes = list(exported["proof"])  # type: ignore[arg-type]
    altered = [
        {"event": event | {"kind": "refused"}},
        {"event": event | {"seq": TARGET + 1}},
        {"event": event | {"time": "2026-01-01T00:00:00.000000Z"}},
        {"receipt": f"{TARGET}-0000"},
        {"leaf": "00" * 32},
        {"proof": nodes[:-1]},
        {"proof": [*nodes, "00" * 32]},
        {"proof": nodes[::-1]},
        {"checkpoint": made.folder.read(20).text},
        {"checkpoint": str(exported["checkpoint"]).replace("\n13\n", "\n12\n")},
        {"payload": {"salt": "00" * 16, "body": "{}"}},
    ]
    for change in altered:
        place.write_text(json.dumps(exported | change), "utf-8")
        assert alone(verifier, "receipt", place, key)[0] == 1, change
