"""Every way past the guards that SQLite and its tools offer: blocked, or named by the check and noticed at work.

What a table of rows promises is only worth what happens when somebody takes its triggers away. For each way:

- BLOCKED    the guards refuse it and nothing has changed;
- HARMLESS   it runs, and no row and no guard is different afterwards;
- SCHEMA     ``check_ledger`` says ``schema``, the running writer records nothing more, a new one does not begin;
- REFUSED    as SCHEMA, but the file is no longer taken for a ledger at all;
- a problem and a number: ``check_ledger`` says just that.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlite_utils

from bot.clock import SystemClock
from bot.ledger import check_ledger, open_ledger, read_events
from handlers.ports import LedgerUnavailableError, Recorded
from tests.support.chaos import tally
from tests.support.invariants import check_invariants, merkle_root
from tests.support.ledger_files import entry, reopening_fault
from tests.support.ledger_rows import answer_entry

EVENTS = 5
BLOCKED, HARMLESS, SCHEMA, REFUSED = "blocked", "harmless", "schema", "refused"
Verdict = str | tuple[str, int]
Way = Callable[[Path], object]

# A connection that asks for no protection whatever.
EVERYTHING_OFF = (
    "PRAGMA recursive_triggers = OFF",
    "PRAGMA foreign_keys = OFF",
    "PRAGMA ignore_check_constraints = ON",
    "PRAGMA trusted_schema = ON",
    "PRAGMA cell_size_check = OFF",
    "PRAGMA legacy_alter_table = ON",
)
ROW = "idem_key, kind, ref, time, payload_hash, leaf FROM event WHERE seq = 2"
NEW_ROW = "'new', kind, ref, time, payload_hash, leaf FROM event WHERE seq = 2"


def sql(*statements: str) -> Way:
    """Statements on a connection with everything off."""

    def run(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for statement in (*EVERYTHING_OFF, *statements):
                connection.execute(statement)

    return run


def attached(*statements: str) -> Way:
    """Statements on another database to which the ledger is attached as ``l``."""

    def run(path: Path) -> None:
        with closing(sqlite3.connect(path.with_name("other.db"), isolation_level=None)) as connection:
            connection.execute("ATTACH ? AS l", (str(path),))
            for statement in (*EVERYTHING_OFF, *statements):
                connection.execute(statement)

    return run


def tool(use: Callable[[Any], object], *, recursive_triggers: bool = True) -> Way:
    """sqlite-utils; its own setting for triggers, or the weaker one."""

    def run(path: Path) -> None:
        db = sqlite_utils.Database(path, recursive_triggers=recursive_triggers)
        try:
            use(db)
        finally:
            db.close()

    return run


def guards_away_and_back(*statements: str) -> Way:
    """Statements while all triggers are gone; then the same triggers again, and SQLite's counter as it was."""

    def run(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            (counter,) = connection.execute("PRAGMA schema_version").fetchone()
            guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for name, _ in guards:
                connection.execute(f"DROP TRIGGER {name}")
            for statement in (*EVERYTHING_OFF, *statements):
                connection.execute(statement)
            for _, text in guards:
                connection.execute(text)
            connection.execute(f"PRAGMA schema_version = {counter}")

    return run


def without_triggers(*statements: str) -> Way:
    """Statements on a connection for which SQLite was told to run no triggers (Python 3.12 can)."""

    def run(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.setconfig(sqlite3.SQLITE_DBCONFIG_ENABLE_TRIGGER, False)  # type: ignore[attr-defined]
            for statement in statements:
                connection.execute(statement)

    return run


def counter_set_back(statement: str) -> Way:
    """A change of the schema after which SQLite's counter of such changes stands where it stood."""

    def run(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            (counter,) = connection.execute("PRAGMA schema_version").fetchone()
            connection.execute(statement)
            connection.execute(f"PRAGMA schema_version = {counter}")

    return run


def row(db: Any, seq: int = 2) -> dict[str, Any]:
    """One event as sqlite-utils gives it."""
    found: dict[str, Any] = next(db["event"].rows_where("seq = ?", [seq]))
    return found


WAYS: dict[str, tuple[Way, Verdict]] = {
    "update": (sql("UPDATE event SET kind = 'refused' WHERE seq = 2"), BLOCKED),
    "update or replace": (sql("UPDATE OR REPLACE event SET seq = 1 WHERE seq = 2"), BLOCKED),
    "update rowid": (sql("UPDATE event SET rowid = 9 WHERE seq = 5"), BLOCKED),
    "delete": (sql("DELETE FROM event WHERE seq = 5"), BLOCKED),
    "delete all (truncate optimisation)": (sql("DELETE FROM event"), BLOCKED),
    "delete a payload": (sql("DELETE FROM payload WHERE seq = 2"), BLOCKED),
    "delete all payloads": (sql("DELETE FROM payload"), BLOCKED),
    "insert or replace": (sql(f"INSERT OR REPLACE INTO event SELECT 2, {ROW}"), BLOCKED),
    "replace by the unique key": (sql(f"REPLACE INTO event SELECT 6, {ROW}"), BLOCKED),
    "replace a payload": (sql("REPLACE INTO payload SELECT 5, salt, '{}' FROM payload WHERE seq = 5"), BLOCKED),
    "upsert": (sql(f"INSERT INTO event SELECT 2, {ROW} ON CONFLICT DO UPDATE SET kind = 'refused'"), BLOCKED),
    "upsert by key": (
        sql(f"INSERT INTO event SELECT 6, {ROW} ON CONFLICT (idem_key) DO UPDATE SET kind = 'refused'"),
        BLOCKED,
    ),
    "update from": (sql("UPDATE event SET kind = o.kind FROM payload AS p, event AS o WHERE event.seq = 2"), BLOCKED),
    "gap": (sql(f"INSERT INTO event SELECT 7, {NEW_ROW}"), BLOCKED),
    "prune without an event": (sql("INSERT INTO pruning VALUES (5, 1, 4)"), BLOCKED),
    "attached: update": (attached("UPDATE l.event SET kind = 'refused'"), BLOCKED),
    "attached: delete": (attached("DELETE FROM l.event"), BLOCKED),
    "attached: replace": (attached("INSERT OR REPLACE INTO l.payload VALUES (2, zeroblob(16), '{}')"), BLOCKED),
    "temporary trigger that deletes": (
        sql(
            "CREATE TEMP TRIGGER sly AFTER INSERT ON main.event BEGIN DELETE FROM payload WHERE seq = 2; END",
            f"INSERT INTO event SELECT 6, {NEW_ROW}",
        ),
        BLOCKED,
    ),
    "temporary trigger that changes": (
        sql(
            "CREATE TEMP TRIGGER sly BEFORE UPDATE ON main.event BEGIN SELECT 1; END",
            "UPDATE event SET kind = 'refused'",
        ),
        BLOCKED,
    ),
    "sqlite-utils update": (tool(lambda db: db["event"].update(2, {"kind": "refused"})), BLOCKED),
    "sqlite-utils delete": (tool(lambda db: db["event"].delete(5)), BLOCKED),
    "sqlite-utils upsert": (tool(lambda db: db["event"].upsert(row(db) | {"kind": "refused"}, pk="seq")), BLOCKED),
    "sqlite-utils insert, replace": (tool(lambda db: db["event"].insert(row(db), pk="seq", replace=True)), BLOCKED),
    "sqlite-utils insert, replace, weaker": (
        tool(lambda db: db["event"].insert(row(db), pk="seq", replace=True), recursive_triggers=False),
        BLOCKED,
    ),
    "sqlite-utils convert": (tool(lambda db: db["payload"].convert("body", lambda _: "{}")), BLOCKED),
    "sqlite-utils transform": (tool(lambda db: db["event"].transform(types={"kind": str})), SCHEMA),
    "sqlite-utils transform, other table": (tool(lambda db: db["payload"].transform(rename={"salt": "s"})), SCHEMA),
    "sqlite-utils drop": (tool(lambda db: db["event"].drop()), SCHEMA),
    "sqlite-utils rename table": (tool(lambda db: db.rename_table("event", "old")), SCHEMA),
    "sqlite-utils add column": (tool(lambda db: db["event"].add_column("note", str)), SCHEMA),
    "sqlite-utils create index": (tool(lambda db: db["event"].create_index(["kind"])), SCHEMA),
    "sqlite-utils counts": (tool(lambda db: db["event"].enable_counts()), SCHEMA),
    "drop trigger": (sql("DROP TRIGGER event_no_delete"), SCHEMA),
    "drop trigger, counter set back": (counter_set_back("DROP TRIGGER event_no_delete"), SCHEMA),
    "drop trigger, attached": (attached("DROP TRIGGER l.payload_no_update"), SCHEMA),
    "drop the new trigger": (sql("DROP TRIGGER pruning_insert_newest"), SCHEMA),
    "drop table": (sql("DROP TABLE payload"), SCHEMA),
    "drop and make anew": (
        sql("CREATE TABLE copy AS SELECT * FROM event", "DROP TABLE event", "ALTER TABLE copy RENAME TO event"),
        SCHEMA,
    ),
    "rename table": (sql("ALTER TABLE event RENAME TO old"), SCHEMA),
    "rename and back": (sql("ALTER TABLE event RENAME TO old", "ALTER TABLE old RENAME TO event"), SCHEMA),
    "rename column": (sql("ALTER TABLE event RENAME COLUMN kind TO what"), SCHEMA),
    "add column": (sql("ALTER TABLE payload ADD COLUMN note TEXT"), SCHEMA),
    "add trigger": (sql("CREATE TRIGGER sly AFTER INSERT ON event BEGIN SELECT 1; END"), SCHEMA),
    "add view": (sql("CREATE VIEW v AS SELECT 1"), SCHEMA),
    "writable_schema: triggers deleted": (
        sql("PRAGMA writable_schema = ON", "DELETE FROM sqlite_master WHERE type = 'trigger'"),
        SCHEMA,
    ),
    "writable_schema: trigger emptied": (
        sql(
            "PRAGMA writable_schema = ON",
            "UPDATE sqlite_master SET sql = replace(sql, 'WHERE', 'WHERE 0 AND') WHERE name = 'event_insert_next'",
        ),
        SCHEMA,
    ),
    "writable_schema: check removed": (
        sql(
            "PRAGMA writable_schema = ON",
            "UPDATE sqlite_master SET sql = replace(sql, ') STRICT', ')') WHERE name = 'event'",
        ),
        SCHEMA,
    ),
    "version set back by one": (sql("PRAGMA user_version = 1"), SCHEMA),
    "version set back to none": (sql("PRAGMA user_version = 0"), SCHEMA),
    "version of the future": (sql("PRAGMA user_version = 99"), REFUSED),
    "another application's": (sql("PRAGMA application_id = 7"), REFUSED),
    "vacuum": (sql("VACUUM"), HARMLESS),
    "vacuum into": (lambda path: sql(f"VACUUM INTO '{path.with_name('copy.db')}'")(path), HARMLESS),
    "other page size": (sql("PRAGMA page_size = 8192", "VACUUM"), HARMLESS),
    "reindex and analyse": (sql("REINDEX", "ANALYZE"), HARMLESS),
    "temporary table of the same name": (
        sql("CREATE TEMP TABLE event AS SELECT * FROM main.event", "DELETE FROM event"),
        HARMLESS,
    ),
    "temporary trigger that swallows": (
        sql("CREATE TEMP TRIGGER sly BEFORE DELETE ON main.event BEGIN SELECT RAISE(IGNORE); END", "DELETE FROM event"),
        HARMLESS,
    ),
    "guards away and back": (guards_away_and_back(), HARMLESS),
    "and an event changed": (guards_away_and_back("UPDATE event SET kind = 'refused' WHERE seq = 2"), ("leaf", 2)),
    "and an event deleted": (guards_away_and_back("DELETE FROM event WHERE seq = 3"), ("gap", 3)),
    "and an event moved": (guards_away_and_back("UPDATE event SET seq = 9 WHERE seq = 5"), ("gap", 5)),
    "and a payload changed": (
        guards_away_and_back("UPDATE payload SET body = replace(body, '0.', '1.') WHERE seq = 4"),
        ("payload_hash", 4),
    ),
    "and a payload deleted": (guards_away_and_back("DELETE FROM payload WHERE seq = 1"), ("payload_missing", 1)),
    "and a pruning claimed": (guards_away_and_back("INSERT INTO pruning VALUES (5, 1, 4)"), ("pruning", 5)),
    "forged event": (
        sql(
            f"INSERT INTO event SELECT 6, {NEW_ROW}",
            "INSERT INTO payload SELECT 6, salt, body FROM payload WHERE seq = 2",
        ),
        ("leaf", 6),
    ),
    "forged event without payload": (sql(f"INSERT INTO event SELECT 6, {NEW_ROW}"), ("payload_missing", 6)),
}
if hasattr(sqlite3.Connection, "setconfig"):
    WAYS["triggers not run"] = (without_triggers("UPDATE event SET kind = 'refused' WHERE seq = 2"), ("leaf", 2))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Recorded]]:
    """A closed ledger of answers, and what was promised of it."""
    path = tmp_path_factory.mktemp("made") / "ledger.db"
    with closing(open_ledger(path, clock=SystemClock())) as writer:
        return path, {f"k{n}": writer.record_blocking(answer_entry(f"k{n}", n)) for n in range(EVENTS)}


def contents(path: Path) -> list[list[tuple[Any, ...]]]:
    """Every row, read without any of the ledger's own code."""
    with closing(sqlite3.connect(path)) as connection:
        return [
            connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()  # noqa: S608 - names from here
            for table in ("event", "payload", "pruning")
        ]


@pytest.mark.parametrize("name", WAYS)
def test_way_past_the_guards(made: tuple[Path, dict[str, Recorded]], tmp_path: Path, name: str) -> None:
    path, told = Path(shutil.copy(made[0], tmp_path)), made[1]
    way, verdict = WAYS[name]
    before = contents(path)
    with closing(open_ledger(path, clock=SystemClock())) as writer:
        writer.record_blocking(entry("warm-up")) if verdict in (SCHEMA, REFUSED) else None  # its caches are full
        if verdict == BLOCKED:
            with pytest.raises(sqlite3.IntegrityError, match="ledger: "):
                way(path)
        else:
            way(path)
        if verdict in (BLOCKED, HARMLESS):
            assert contents(path) == before
            assert writer.record_blocking(entry("after")).seq == EVENTS + 1
            check_invariants(path, told)
            return
        if verdict in (SCHEMA, REFUSED):
            code = "damaged" if verdict == SCHEMA else "cannot_open"
            with pytest.raises(LedgerUnavailableError, match=code):
                writer.record_blocking(entry("after"))
            assert writer.status().code == code
    if verdict == REFUSED:
        assert reopening_fault(path) == "cannot_open"
        with pytest.raises(LedgerUnavailableError):
            check_ledger(path)
    elif verdict == SCHEMA:
        assert reopening_fault(path) == "damaged"
        assert check_ledger(path).problem == "schema"
    else:
        found = check_ledger(path)
        assert (found.ok, (found.problem, found.bad_seq)) == (False, verdict)


@pytest.mark.parametrize(
    "change", ["DELETE FROM event WHERE seq = 5", "UPDATE event SET leaf = zeroblob(32) WHERE seq = 5"]
)
def test_newest_event_taken_or_changed_stops_the_running_writer(
    made: tuple[Path, dict[str, Recorded]], tmp_path: Path, change: str
) -> None:
    path = Path(shutil.copy(made[0], tmp_path))
    with closing(open_ledger(path, clock=SystemClock())) as writer:
        guards_away_and_back(change, "DELETE FROM payload WHERE seq = 5")(path)
        for key in ("after", "again"):
            with pytest.raises(LedgerUnavailableError, match="damaged"):
                writer.record_blocking(entry(key))


@pytest.mark.parametrize("keep", [0, 3, EVENTS - 1])
def test_end_cut_off_with_all_guards_put_back_needs_a_checkpoint(
    made: tuple[Path, dict[str, Recorded]], tmp_path: Path, keep: int
) -> None:
    """What no look at the file alone can tell: the rows that are left are all right."""
    path = Path(shutil.copy(made[0], tmp_path))
    root = merkle_root([event.leaf for event in read_events(path)])
    check_invariants(path, {}, [(EVENTS, root)])
    guards_away_and_back(*(f"DELETE FROM {table} WHERE seq > {keep}" for table in ("payload", "event")))(path)  # noqa: S608
    assert check_ledger(path).ok
    with pytest.raises(AssertionError, match="I2"):
        check_invariants(path, {}, [(EVENTS, root)])


def test_every_verdict_was_put_to_the_test() -> None:
    counts = {
        word: sum(verdict == word for _, verdict in WAYS.values()) for word in (BLOCKED, HARMLESS, SCHEMA, REFUSED)
    }
    tally("ways past the guards", ways=len(WAYS), **counts, named_by_number=len(WAYS) - sum(counts.values()))
    assert min(counts.values()) > 0
