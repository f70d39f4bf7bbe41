"""The check finds every change to a ledger's content and names the first bad event."""

import json
import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.ledger import LedgerCheck, check_ledger, open_ledger, read_events
from handlers.ports import Entry, Kind, LedgerUnavailableError

EVENTS = 12
TARGET = 7


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "ledger.db"
    with closing(open_ledger(path, clock=SystemClock())) as writer:
        for i in range(1, EVENTS + 1):
            ref = i - 1 if i % 2 == 0 else None
            kind = Kind.COMPUTED if ref is None else Kind.DELIVERED
            writer.record_blocking(Entry(f"key-{i:04d}", kind, {"n": i, "risk": f"0.{i:06d}"}, ref))
    return path


@pytest.fixture
def path(made: Path, tmp_path: Path) -> Path:
    """A closed ledger that may be tampered with byte by byte."""
    return Path(shutil.copy(made, tmp_path))


def without_guards(path: Path, *statements: str) -> None:
    """Change rows as the file's owner could, and put every guard back in place."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in guards:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in ("PRAGMA ignore_check_constraints = ON", *statements):
            connection.execute(statement)
        for _, sql in guards:
            connection.execute(sql)


def flip(path: Path, where: bytes, offset: int = 0, *, occurrence: int = 0) -> None:
    """Flip the lowest bit of one byte of the file, found by what stands there."""
    data = bytearray(path.read_bytes())
    positions = [match.start() for match in re.finditer(re.escape(where), data)]
    data[positions[occurrence] + offset] ^= 1
    path.write_bytes(data)


def test_sound_ledger_passes(path: Path) -> None:
    last = list(read_events(path))[-1]
    assert check_ledger(path) == LedgerCheck(ok=True, events=EVENTS, last_leaf=last.leaf)


def test_empty_ledger_passes(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    open_ledger(path, clock=SystemClock()).close()
    assert check_ledger(path) == LedgerCheck(ok=True, events=0)


@pytest.mark.parametrize("column", ["body", "salt", "payload_hash", "leaf", "time", "kind", "idem_key"])
def test_one_flipped_bit_is_found_where_sqlites_own_check_sees_nothing(path: Path, column: str) -> None:
    event = next(event for event in read_events(path) if event.seq == TARGET)
    value = getattr(event, column)
    raw = value.encode() if isinstance(value, str) else value
    if column == "kind":
        raw = event.idem_key.encode() + raw  # columns lie side by side in a record
    flip(path, raw, len(raw) - 2)
    with closing(sqlite3.connect(path)) as connection:
        if column != "idem_key":  # the copy in the index differs now
            assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
    found = check_ledger(path)
    assert (found.ok, found.events, found.bad_seq) == (False, TARGET - 1, TARGET)
    assert found.problem == ("payload_hash" if column in {"body", "salt", "payload_hash"} else "leaf")


def test_flip_in_the_index_is_found(path: Path) -> None:
    key = f"key-{TARGET:04d}".encode()
    assert path.read_bytes().count(key) == 2
    with closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name LIKE '%autoindex_event%'"
        ).fetchone()
        (page_size,) = connection.execute("PRAGMA page_size").fetchone()
    in_index = [m.start() // page_size == root - 1 for m in re.finditer(key, path.read_bytes())].index(True)
    flip(path, key, len(key) - 1, occurrence=in_index)
    found = check_ledger(path)
    assert (found.ok, found.problem) == (False, "index")


def test_text_that_is_no_longer_utf8_is_found_and_not_quoted(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data.replace(b'{"n":7,"risk":"0.000007"}', b'{"n":7,"risk":"0.00000\xff"}'))
    assert check_ledger(path).bad_seq == TARGET
    with pytest.raises(LedgerUnavailableError) as failure:
        list(read_events(path))
    assert str(failure.value) == f"damaged: event {TARGET} is not readable text"


@pytest.mark.parametrize(
    ("statement", "bad_seq", "problem"),
    [
        ("DELETE FROM event WHERE seq = 7", 7, "gap"),
        ("DELETE FROM event WHERE seq = 1", 1, "gap"),
        ("UPDATE event SET seq = 0 WHERE seq = 1", 1, "gap"),
        ("UPDATE event SET seq = 99 WHERE seq = 12", 12, "gap"),
        ("DELETE FROM payload WHERE seq = 7", 7, "payload_missing"),
        ("UPDATE payload SET body = replace(body, '0.0', '0.9') WHERE seq = 7", 7, "payload_hash"),
        ("UPDATE event SET ref = 7 WHERE seq = 7", 7, "ref"),
        ("UPDATE event SET ref = 1 WHERE seq = 8", 8, "leaf"),
        ("UPDATE event SET ref = NULL WHERE seq = 8", 8, "leaf"),
        ("UPDATE event SET time = '2026-13-22T09:30:00.000000Z' WHERE seq = 7", 7, "time"),
        ("UPDATE event SET time = '2026-11-22T09:30:00.000000Z' WHERE seq = 7", 7, "leaf"),
        ("UPDATE event SET kind = 'refused' WHERE seq = 7", 7, "leaf"),
        ("UPDATE event SET idem_key = 'other' WHERE seq = 7", 7, "leaf"),
        ("UPDATE event SET leaf = zeroblob(32) WHERE seq >= 7", 7, "leaf"),
        ("INSERT INTO payload VALUES (40, zeroblob(16), '{}')", 40, "orphan_payload"),
        (
            "UPDATE payload SET body = (SELECT body FROM payload WHERE seq = 8),"
            " salt = (SELECT salt FROM payload WHERE seq = 8) WHERE seq = 7",
            7,
            "payload_hash",
        ),
    ],
)
def test_change_by_the_files_owner_is_found(path: Path, statement: str, bad_seq: int, problem: str) -> None:
    without_guards(path, statement)
    found = check_ledger(path)
    assert (found.ok, found.bad_seq, found.problem) == (False, bad_seq, problem)


def test_guards_put_back_unchanged_are_the_same_schema(path: Path) -> None:
    without_guards(path)
    assert check_ledger(path).ok


def _truncate(path: Path) -> None:
    os.truncate(path, 4096)


def _overwrite_header(path: Path) -> None:
    path.write_bytes(b"x" * 100 + path.read_bytes()[100:])


@pytest.mark.parametrize("spoil", [_truncate, _overwrite_header])
def test_spoilt_file_is_a_verdict_not_an_error(path: Path, spoil: Callable[[Path], None]) -> None:
    spoil(path)
    assert check_ledger(path).ok is False


def test_body_in_the_file_is_the_canonical_json(path: Path) -> None:
    event = next(read_events(path))
    assert event.body == '{"n":1,"risk":"0.000001"}'
    assert json.loads(event.body) == event.payload
