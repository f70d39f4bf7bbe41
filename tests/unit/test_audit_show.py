"""One event in full, and three ways in which a receipt may not fit."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.audit.cli import audit
from bot.ledger import StoredEvent, read_events
from bot.ledger.merkle import root_of
from bot.ledger.note import Checkpoint, new_key, sign_checkpoint
from tests.support.big_ledger import make_ledger
from tests.support.pruned import prune_first


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "data" / "ledger.db"
    path.parent.mkdir()
    make_ledger(path, 250)
    monkeypatch.setenv("TARLA_LEDGER", str(path))
    monkeypatch.setenv("TARLA_CHECKPOINTS", str(tmp_path / "checkpoints"))
    return path


def run(*words: str) -> Result:
    return CliRunner().invoke(audit, ["show", *words])


def receipt(event: StoredEvent) -> str:
    return f"{event.seq}-{event.leaf.hex()[:4]}"


def first_of(path: Path, kind: str) -> StoredEvent:
    return next(event for event in read_events(path) if event.kind == kind)


def alter(path: Path, statement: str, guard: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        (text,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (guard,)).fetchone()
        connection.execute(f"DROP TRIGGER {guard}")
        connection.execute(statement)
        connection.execute(text)


def test_an_answer_is_shown_in_full(ledger: Path) -> None:
    event = first_of(ledger, "computed")
    payload = event.payload
    assert payload is not None
    done = run("#" + receipt(event).upper())
    assert done.exit_code == 0
    values = [event.time, event.idem_key, event.leaf.hex(), event.payload_hash.hex()]
    outcomes = payload["outcomes"]
    assert isinstance(outcomes, list)
    for outcome in outcomes:
        values += [outcome["risk"], " to ".join(outcome["interval"])]
    for part in ("asker", "model"):
        values += payload[part].values()  # type: ignore[union-attr]
    values += [str(payload["evidence"]), str(payload["code"])]
    assert [value for value in values if str(value) not in done.stdout] == []
    delivered = next(each for each in read_events(ledger) if each.ref == event.seq)
    assert f"  #{receipt(delivered)}" in done.stdout
    said = json.loads(run(receipt(event), "--json").stdout)
    assert (said["fit"], said["payload"], said["leaf_right"]) == ("right", payload, True)
    assert said["referring"][0]["seq"] == delivered.seq


def test_every_kind_can_be_shown(ledger: Path) -> None:
    for kind in {event.kind for event in read_events(ledger)}:
        event = first_of(ledger, kind)
        done = run(receipt(event))
        assert (done.exit_code, f"{event.seq}, {kind}" in done.stdout) == (0, True)


@pytest.mark.usefixtures("ledger")
def test_a_number_that_is_not_there() -> None:
    done = run("9999-0000")
    assert done.exit_code == 1
    assert "no event 9999 in this ledger: its newest is 250" in done.stdout
    assert json.loads(run("9999-0000", "--json").stdout)["fit"] == "no_such_number"


def test_another_leaf(ledger: Path) -> None:
    event = first_of(ledger, "computed")
    wrong = f"{event.seq}-{(int(event.leaf.hex()[:4], 16) ^ 1):04x}"
    done = run(wrong)
    assert (done.exit_code, done.stdout.startswith("ANOTHER EVENT")) == (1, True)
    assert run(f"{event.seq}-{event.leaf.hex()}").exit_code == 0


@pytest.mark.parametrize(
    ("statement", "guard", "payload_right", "leaf_right"),
    [
        ("UPDATE payload SET body = '{\"a\":1}' WHERE seq = 3", "payload_no_update", False, True),
        ("UPDATE event SET kind = 'refused' WHERE seq = 3", "event_no_update", True, False),
    ],
)
def test_an_altered_event(ledger: Path, statement: str, guard: str, payload_right: bool, leaf_right: bool) -> None:
    event = next(each for each in read_events(ledger) if each.seq == 3)
    alter(ledger, statement, guard)
    done = run(receipt(event))
    assert (done.exit_code, done.stdout.startswith("ALTERED")) == (1, True)
    said = json.loads(run(receipt(event), "--json").stdout)
    assert (said["fit"], said["payload_hash_right"], said["leaf_right"]) == ("altered", payload_right, leaf_right)


def test_a_pruned_payload_says_so(ledger: Path) -> None:
    event = first_of(ledger, "computed")
    by = prune_first(ledger, 100)
    done = run(receipt(event))
    assert done.exit_code == 0
    assert f"pruned when its time was over, let go by event {by}" in done.stdout
    alter(ledger, "DELETE FROM payload WHERE seq = 150", "payload_delete_due")
    later = next(each for each in read_events(ledger) if each.seq == 150)
    gone = run(receipt(later))
    assert (gone.exit_code, "MISSING" in gone.stdout) == (1, True)


def test_the_first_checkpoint_over_it_is_named(ledger: Path, tmp_path: Path) -> None:
    assert "no checkpoints" in run(receipt(next(read_events(ledger)))).stdout
    folder, key = tmp_path / "checkpoints", new_key("ward")
    (folder / "keys").mkdir(parents=True)
    (folder / "keys" / "one.pub").write_text(f"{key.public}\n")
    events = list(read_events(ledger))
    for size in (100, 200):
        checkpoint = Checkpoint("ward", size, root_of(event.leaf for event in events[:size]))
        (folder / f"{size:012d}.note").write_text(sign_checkpoint(checkpoint, [key]))
    covered = [json.loads(run(receipt(events[seq - 1]), "--json").stdout)["covered_by"] for seq in (100, 101, 201)]
    assert covered == [100, 200, None]


@pytest.mark.parametrize("word", ["", "12", "0-abcd", "12-xyz0", "12-abc", "patient"])
def test_what_is_no_receipt(ledger: Path, word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(word)
    assert done.exit_code == 2
    assert not word or word not in done.stderr.replace("1284-3f9a", "")
    monkeypatch.setenv("TARLA_LEDGER", str(ledger.parent / "none.db"))
    assert run("1-abcd").exit_code == 2
