"""Every way to tamper is found and named: by ``tarla audit verify``, the next start, the stand-alone verifier."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.audit import standalone
from bot.audit.receipts import ReceiptError, check_receipt
from bot.audit.verification import Verification, verify
from bot.checkpoints import Alarm, CheckpointFolder, Made, SigningState
from bot.checkpoints.quick import quick_check
from bot.clock import SystemClock
from bot.ledger import read_event
from bot.ledger.kinds import LedgerKind
from bot.ledger.leaf import leaf_hash, payload_hash, timestamp
from bot.ledger.merkle import root_of
from bot.ledger.note import Checkpoint, PublicKey, new_key, sign_checkpoint, sign_key_change
from bot.ledger.store import Store, prepare
from handlers.ports import Entry, Json
from tests.support.chaos import rng, scale, tally
from tests.support.pruned import prune_first
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


def hide_under_another_name(made: Vouched) -> None:
    """In a folder that takes new files and loses none: who holds the key signs another history under one more name."""
    rewrite(made)
    state = SigningState()
    made.folder.path.rename(made.home / "aside")
    made.checkpoint(state, sign=False)
    (made.home / "aside").rename(made.folder.path)
    with closing(sqlite3.connect(made.ledger)) as connection:
        leaves = [leaf for (leaf,) in connection.execute("SELECT leaf FROM event ORDER BY seq")]
    for size in (13, 20, 25):
        note = sign_checkpoint(Checkpoint(key_of(made).name, size, root_of(leaves[:size])), [made.ring().key])
        for name in (f"{size}.note", f"{size:013d}.note"):
            (made.folder.path / name).write_text(note, "utf-8")


def sign_nothing(made: Vouched) -> None:
    made.folder.put(0, sign_checkpoint(Checkpoint(key_of(made).name, 0, bytes(32)), [made.ring().key]))


def older_behind_a_planted_note(made: Vouched) -> None:
    """A note of nobody must not keep the start from seeing that the file is an older one."""
    restore_older(made)
    (made.folder.path / "999999999999.note").write_text("nothing")


def older_behind_a_copied_note(made: Vouched) -> None:
    restore_older(made)
    shutil.copy(made.folder.place(6), made.folder.place(99))


def older_behind_a_folder(made: Vouched) -> None:
    restore_older(made)
    made.folder.place(99).symlink_to(made.home)


def name_a_successor(made: Vouched) -> None:
    """Who owns the file but no key tells of a new one, and waits for a checkpoint to cover that."""
    key, evil = key_of(made), new_key(key_of(made).name)
    with made.writing() as writer:
        text = {"version": 1, "old": str(key), "new": str(evil.public)}
        writer.record_blocking(Entry("key-evil", LedgerKind.KEY_ROTATED, text))
    assert isinstance(made.checkpoint(), Made)
    made.record("new-history")
    state = SigningState()
    made.checkpoint(state, sign=False)
    made.folder.put(state.tree.size, sign_checkpoint(Checkpoint(key.name, state.tree.size, state.tree.root()), [evil]))


def own_word_for_a_successor(made: Vouched) -> None:
    """The same with both lines of signatures, by the new key alone."""
    key, evil = made.ring().key, new_key(key_of(made).name)
    lines = [line.strip("\n") for line in sign_key_change(evil, evil)]
    with made.writing() as writer:
        text: dict[str, Json] = {"version": 1, "old": str(key.public), "new": str(evil.public), "signatures": [*lines]}
        writer.record_blocking(Entry("key-evil", LedgerKind.KEY_ROTATED, text))
    assert isinstance(made.checkpoint(), Made)


def let_go_at_once(made: Vouched) -> None:
    """A pruning as cover for what was recorded a moment ago."""
    payload: dict[str, Json] = {
        "first": 1,
        "last": TARGET,
        "before": timestamp(SystemClock().now()),
        "years": 6,
        "version": 1,
    }
    with closing(Store(made.ledger, SystemClock())) as store:
        prepared = prepare(Entry("pruned:1", LedgerKind.PRUNED, payload))
        store.append([dataclasses.replace(prepared, pruned=(1, TARGET))], time.monotonic() + 2)
    with closing(sqlite3.connect(made.ledger)) as connection:
        connection.execute("DELETE FROM payload WHERE seq = ?", (TARGET,))
        connection.commit()


def let_go_in_the_future(made: Vouched) -> None:
    """A `pruned` event whose time makes all that was recorded today due."""
    prune_first(made.ledger, 12)


def let_go_of_what_is_kept(made: Vouched) -> None:
    """What the ledger says of itself stays for good, whatever was pruned around it."""
    prune_first(made.ledger, 20)
    with guards_off(made.ledger) as connection:
        connection.execute("DELETE FROM payload WHERE seq = 7")


def stray_event(made: Vouched) -> None:
    with guards_off(made.ledger) as connection:
        connection.execute(
            "INSERT INTO event SELECT -3, 'stray', kind, ref, time, payload_hash, leaf FROM event LIMIT 1"
        )


def deep_words(made: Vouched) -> None:
    """A payload that no reader of JSON gets through."""
    with guards_off(made.ledger) as connection:
        body = '{"a":' * 50_000 + "1" + "}" * 50_000
        (time_, salt, last) = connection.execute(
            "SELECT time, salt, seq FROM event JOIN payload USING (seq) ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        hashed = payload_hash(salt, body.encode())
        row = {"seq": last + 1, "idem_key": "checkpoint-5", "kind": "checkpoint", "ref": 5, "time": time_}
        leaf = leaf_hash(**row, payload_hash=hashed)
        connection.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)", (*row.values(), hashed, leaf))
        connection.execute("INSERT INTO payload VALUES (?, ?, ?)", (last + 1, salt, body))


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
    Case(hide_under_another_name, "rewritten", "the events up to 13 are not those signed", "rewritten"),
    Case(sign_nothing, "rewritten", "the events up to 0 are not those signed", None),
    Case(older_behind_a_planted_note, "cut", "the ledger ends at event 23, but a checkpoint tells of 25", "older_file"),
    Case(older_behind_a_copied_note, "cut", "the ledger ends at event 23, but a checkpoint tells of 25", "older_file"),
    Case(older_behind_a_folder, "foreign_checkpoint", "checkpoint 99", "older_file"),
    Case(name_a_successor, "unreadable", "event 29 does not say what its kind must", "foreign_checkpoint"),
    Case(own_word_for_a_successor, "unreadable", "event 29 does not say what its kind must", None),
    Case(let_go_at_once, "pruning", "the pruning of event 29 is not what its event says, or came before a year", None),
    Case(let_go_in_the_future, "pruning", "event 29 let payloads go at", None),
    Case(let_go_of_what_is_kept, "payload_missing", "the payload of event 7 is gone", None),
    Case(stray_event, "orphan_event", "number -3", None),
    Case(deep_words, "unreadable", "event 29 does not say what its kind must", None),
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


@pytest.mark.parametrize(
    "tamper", [older_behind_a_planted_note, older_behind_a_copied_note, older_behind_a_folder, restore_older]
)
def test_the_look_before_the_first_answer_sees_an_older_file_whatever_lies_beside(
    made: Vouched, tamper: Callable[[Vouched], None]
) -> None:
    tamper(made)
    found = quick_check(made.ledger, made.folder, made.ring().known)
    assert isinstance(found, Alarm)
    assert found.code == "older_file"


def test_a_pipe_in_a_notes_place_holds_nobody_up(made: Vouched, verifier: Path) -> None:
    os.mkfifo(made.folder.place(99))
    found = verify(made.ledger, [made.folder], [key_of(made)])
    assert "foreign_checkpoint" in codes(found)
    assert isinstance(quick_check(made.ledger, made.folder, made.ring().known), Alarm)
    assert alone(verifier, "ledger", made.ledger, made.folder.path, key_of(made))[0] == 1


def test_checkpoints_made_while_it_is_verified_are_no_fault(made: Vouched) -> None:
    """A pass over a large ledger takes longer than a busy bot needs for the next checkpoint."""
    left = [1]

    def meanwhile(_seq: int) -> None:
        if left:
            left.clear()
            made.record("meanwhile")
            assert isinstance(made.checkpoint(), Made)
            made.record("more")

    found = verify(made.ledger, [made.folder], [key_of(made)], meanwhile)
    assert (found.problems, found.events) == ([], 33)


def test_a_proof_cannot_paint_the_terminal(made: Vouched, verifier: Path, tmp_path: Path) -> None:
    place = tmp_path / "proof.json"
    proof = dict(check_receipt(made.ledger, str(TARGET), [made.folder], [key_of(made)]).exported(with_payload=False))
    event: dict[str, Json] = dict(proof["event"])  # type: ignore[arg-type]
    place.write_text(json.dumps(proof | {"event": event | {"kind": "x\x1b[2J\rin order\n"}}), "utf-8")
    status, output = alone(verifier, "receipt", place, key_of(made))
    assert status == 1
    assert "\x1b" not in output
    assert "in order" not in output.splitlines()


def test_a_receipt_says_that_its_content_is_gone_and_only_where_that_is_borne_out(made: Vouched) -> None:
    by = prune_first(made.ledger, 12)
    found = check_receipt(made.ledger, str(TARGET), [made.folder], [key_of(made)])
    assert found.let_go_by == by
    with guards_off(made.ledger) as connection:
        connection.execute("UPDATE pruning SET last = 25")
        connection.execute("DELETE FROM payload WHERE seq = 24")
    with pytest.raises(ReceiptError, match="payload_missing"):
        check_receipt(made.ledger, "24", [made.folder], [key_of(made)])


def test_a_receipt_that_only_strangers_signed_for_is_not_called_uncovered(made: Vouched) -> None:
    with pytest.raises(ReceiptError, match="none of them is signed by a key that you trust"):
        check_receipt(made.ledger, str(TARGET), [made.folder], [new_key(key_of(made).name).public])
    assert check_receipt(made.ledger, "28", [made.folder], [key_of(made)]).checkpoint is None
