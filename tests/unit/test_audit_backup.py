"""A backup is whole, private and checked, or there is none."""

from __future__ import annotations

import base64
import json
import resource
import signal
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.audit.backup import back_up, leaves
from bot.audit.cli import audit
from bot.audit.files import OutputError
from bot.clock import SystemClock
from bot.ledger import check_ledger, open_ledger, read_events
from bot.ledger.merkle import root_of
from bot.ledger.note import Checkpoint, SigningKey, new_key, sign_checkpoint
from handlers.ports import LedgerUnavailableError
from tests.support.big_ledger import make_ledger
from tests.support.pruned import prune_first

EVENTS = 150
PAGES, ROWS = 3, 0  # beginnings allowed: none means row by row


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "data" / "ledger.db"
    path.parent.mkdir()
    make_ledger(path, EVENTS)
    monkeypatch.setenv("TARLA_LEDGER", str(path))
    monkeypatch.setenv("TARLA_CHECKPOINTS", str(tmp_path / "checkpoints"))
    monkeypatch.chdir(tmp_path)
    return path


def run(*words: str) -> Result:
    return CliRunner().invoke(audit, ["backup", *words])


def keep_note(folder: Path, checkpoint: Checkpoint, key: SigningKey) -> None:
    (folder / "keys").mkdir(parents=True, exist_ok=True)
    (folder / "keys" / "one.pub").write_text(f"{key.public}\n")
    (folder / f"{checkpoint.size:012d}.note").write_text(sign_checkpoint(checkpoint, [key]))


@pytest.mark.parametrize("beginnings", [PAGES, ROWS])
def test_either_way_gives_the_same_ledger(ledger: Path, beginnings: int) -> None:
    prune_first(ledger, 40)
    done = back_up(ledger, Path("copy.db"), beginnings=beginnings)
    assert (done.by_rows, done.events, done.pruned > 30) == (beginnings == ROWS, EVENTS + 1, True)
    assert list(read_events(Path("copy.db"))) == list(read_events(ledger))
    assert done.root == root_of(leaf for _seq, leaf in leaves(ledger)).hex()
    assert stat.S_IMODE(Path("copy.db").stat().st_mode) == 0o600
    assert done.size == Path("copy.db").stat().st_size
    with closing(sqlite3.connect("copy.db")) as copy, closing(sqlite3.connect(ledger)) as original:
        for asked in ("SELECT * FROM _sqlite_migrations", "SELECT * FROM pruning", "PRAGMA user_version"):
            assert copy.execute(asked).fetchall() == original.execute(asked).fetchall()
    open_ledger(Path("copy.db").absolute(), clock=SystemClock()).close()
    assert check_ledger(Path("copy.db")).ok


def test_what_was_made_is_told(ledger: Path) -> None:
    done = run("copy.db", "--json")
    assert done.exit_code == 0
    last = list(read_events(ledger))[-1]
    said = json.loads(done.stdout)
    assert (said["events"], said["last_receipt"]) == (EVENTS, f"{EVENTS}-{last.leaf.hex()[:4]}")
    assert said["root"] in run("other.db").stdout


@pytest.mark.usefixtures("ledger")
def test_nothing_is_written_over() -> None:
    Path("copy.db").write_text("precious")
    done = run("copy.db")
    assert (done.exit_code, Path("copy.db").read_text()) == (2, "precious")
    assert "exists already" in done.stderr
    assert run("data").exit_code == run("no/folder/copy.db").exit_code == 2
    Path("link.db").symlink_to("elsewhere.db")
    assert run("link.db").exit_code == 2


def test_an_altered_ledger_gives_no_backup(ledger: Path) -> None:
    with closing(sqlite3.connect(ledger, isolation_level=None)) as connection:
        (guard,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'payload_no_update'").fetchone()
        connection.execute("DROP TRIGGER payload_no_update")
        connection.execute("UPDATE payload SET body = '{}' WHERE seq = 70")
        connection.execute(guard)
    done = run("copy.db")
    assert done.exit_code == 1
    assert "at event 70" in done.stderr
    assert not list(Path().glob("*copy*"))


def test_checkpoints_are_compared(ledger: Path) -> None:
    key, folder = new_key("ward"), Path("checkpoints")
    all_leaves = [leaf for _seq, leaf in leaves(ledger)]
    for size in (1, 64, 100):
        keep_note(folder, Checkpoint("ward", size, root_of(all_leaves[:size])), key)
    done = run("copy.db", "--verify")
    assert done.exit_code == 0, done.output
    assert "compared with 3 checkpoints" in done.stdout
    keep_note(folder, Checkpoint("ward", 90, bytes(32)), key)
    wrong = run("second.db", "--verify")
    assert (wrong.exit_code, Path("second.db").exists()) == (1, False)
    assert "the checkpoint over 90 events has another root at event 90" in wrong.stderr
    assert run("third.db").exit_code == 0


@pytest.mark.usefixtures("ledger")
def test_a_ledger_that_has_lost_its_end_gives_no_backup() -> None:
    keep_note(Path("checkpoints"), Checkpoint("ward", EVENTS + 50, bytes(32)), new_key("ward"))
    done = run("copy.db", "--verify")
    assert (done.exit_code, Path("copy.db").exists()) == (1, False)
    assert f"the ledger ends at event {EVENTS}, but a checkpoint tells of {EVENTS + 50}" in done.stderr


def test_a_note_nobody_signed_is_named(ledger: Path) -> None:
    folder, key = Path("checkpoints"), new_key("ward")
    keep_note(folder, Checkpoint("ward", 64, root_of(leaf for seq, leaf in leaves(ledger) if seq <= 64)), key)
    note = folder / f"{64:012d}.note"
    note.write_text(note.read_text().replace(base64.b64encode(b"\0").decode()[:1], "B", 1) + "x")
    done = run("copy.db", "--verify")
    assert done.exit_code == 1
    assert note.name in done.stderr


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """A disk with room for so many bytes a file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("beginnings", [PAGES, ROWS])
def test_without_room_there_is_no_backup(ledger: Path, beginnings: int) -> None:
    with no_file_above(40_000), pytest.raises((OutputError, LedgerUnavailableError)) as failure:
        back_up(ledger, Path("copy.db"), beginnings=beginnings)
    assert "disk" in str(failure.value) or "IOERR" in str(failure.value) or "EFBIG" in str(failure.value)
    assert not list(Path().glob("*copy*"))


def test_an_empty_ledger_is_backed_up_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_ledger(tmp_path / "ledger.db", clock=SystemClock()).close()
    monkeypatch.setenv("TARLA_LEDGER", str(tmp_path / "ledger.db"))
    done = run(str(tmp_path / "copy.db"))
    assert done.exit_code == 0
    assert "0 events" in done.stdout
    monkeypatch.setenv("TARLA_LEDGER", str(tmp_path / "none.db"))
    assert run(str(tmp_path / "second.db")).exit_code == 2
