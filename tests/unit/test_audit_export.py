"""What is handed on is what was recorded: read back, its hashes computed again, validated as FHIR."""

from __future__ import annotations

import base64
import csv
import io
import json
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fhir.resources.R4B.auditevent import AuditEvent

from bot.audit.cli import audit
from bot.audit.days import DayError, Days
from bot.audit.export import Format, writer_of
from bot.audit.export_csv import COLUMNS, guarded, unguarded
from bot.audit.fhir_codes import HASHED_PREFIX, KINDS
from bot.clock import SystemClock
from bot.ledger import StoredEvent, open_ledger, read_events, schema
from bot.ledger.id_key import PREFIX
from bot.ledger.kinds import LedgerKind
from bot.ledger.leaf import canonical, leaf_hash, payload_hash
from bot.ledger.read import RawEvent
from handlers.ports import Entry, Kind
from tests.support.big_ledger import make_ledger
from tests.support.pruned import prune_first

EVENTS = 240


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    make_ledger(path, EVENTS)
    return path


@pytest.fixture
def ledger(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "ledger.db"
    path.write_bytes(made.read_bytes())
    monkeypatch.setenv("TARLA_LEDGER", str(path))
    monkeypatch.chdir(tmp_path)
    return path


def run(*words: str) -> Result:
    return CliRunner().invoke(audit, ["export", *words])


def alter(path: Path, statement: str, *guards: str) -> None:
    """Change a ledger as its owner could: guards away, change, guards back."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        asked = "SELECT sql FROM sqlite_master WHERE name = ?"
        kept = [connection.execute(asked, (guard,)).fetchone()[0] for guard in guards]
        for guard in guards:
            connection.execute(f"DROP TRIGGER {guard}")
        connection.execute(statement)
        for text in kept:
            connection.execute(text)


def leaves_of(lines: str) -> Iterator[tuple[dict[str, Any], str, str]]:
    """Each line with payload hash and leaf hash computed from nothing but the line."""
    for line in lines.splitlines():
        event = json.loads(line)
        hashed = payload_hash(bytes.fromhex(event["salt"]), canonical(event["payload"]))
        columns = {name: event[name] for name in ("seq", "idem_key", "kind", "ref", "time")}
        yield event, hashed.hex(), leaf_hash(**columns, payload_hash=hashed).hex()


def as_raw(event: StoredEvent) -> RawEvent:
    body = None if event.body is None else event.body.encode()
    texts = (event.idem_key.encode(), event.kind.encode(), event.ref, event.time.encode())
    return RawEvent(event.seq, *texts, event.payload_hash, event.leaf, event.salt, body, event.seq)


def test_json_lines_are_the_ledger(ledger: Path) -> None:
    done = run("--format", "jsonl")
    assert done.exit_code == 0
    events = list(read_events(ledger))
    found = list(leaves_of(done.stdout))
    assert len(found) == EVENTS
    for event, (line, hashed, leaf) in zip(events, found, strict=True):
        assert (hashed, leaf) == (line["payload_hash"], line["leaf"]) == (event.payload_hash.hex(), event.leaf.hex())
        assert line["payload"] == event.payload


def test_csv_is_read_back(ledger: Path) -> None:
    done = run("--format", "csv", "--out", "events.csv")
    assert done.exit_code == 0, done.output
    with Path("events.csv").open(encoding="utf-8", newline="") as file:
        rows = [{name: unguarded(cell) for name, cell in row.items()} for row in csv.DictReader(file)]
    assert tuple(rows[0]) == COLUMNS
    for event, row in zip(read_events(ledger), rows, strict=True):
        assert (row["seq"], row["kind"], row["time"]) == (str(event.seq), event.kind, event.time)
        payload: Any = event.payload
        if event.kind == Kind.COMPUTED and "factors" in payload:
            assert row["liver_metastases"] == payload["factors"]["liver_metastases"]
            assert row["crs_any_risk"] == payload["outcomes"][0]["risk"]
            assert [row["icans_any_low"], row["icans_any_high"]] == payload["outcomes"][2]["interval"]
            assert row["user"] == payload["asker"]["user"]
        if "comparison" in payload:
            assert (row["compared"], row["crs_any_risk"]) == ("2", "")


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "'quoted", "\t=1", " =1", "\uff1d1", "\n=1", "\r"])
def test_a_cell_that_would_be_a_formula_is_guarded(cell: str) -> None:
    assert guarded(cell).startswith("'")
    assert unguarded(guarded(cell)) == cell


@pytest.mark.parametrize("cell", ["", "U0PERSON01", "0.5", "2026-01-01", "a=b"])
def test_other_cells_stay(cell: str) -> None:
    assert guarded(cell) == cell == unguarded(cell)


def test_an_account_that_is_a_formula_stays_harmless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ledger.db"
    user = '=HYPERLINK("http://example.org","ü\n✓")'
    with closing(open_ledger(path, clock=SystemClock())) as writer:
        writer.record_blocking(
            Entry(
                "+key", Kind.REFUSED, {"asker": {"user": user, "via": "cli"}, "reason": "E_EMPTY", "length": 2**53 - 1}
            )
        )
    monkeypatch.setenv("TARLA_LEDGER", str(path))
    (row,) = csv.DictReader(io.StringIO(run("--format", "csv").stdout, newline=""))
    assert (row["user"], row["idem_key"], row["length"]) == ("'" + user, "'+key", "9007199254740991")
    ((line, _, leaf),) = leaves_of(run("--format", "jsonl").stdout)
    assert (line["payload"]["asker"]["user"], line["leaf"]) == (user, leaf)
    resource = json.loads(run("--format", "fhir").stdout)
    AuditEvent.model_validate(resource)
    assert resource["agent"][0]["who"]["identifier"] == {"system": "urn:x-tarla:account", "value": user}


def test_every_line_is_a_valid_audit_event(ledger: Path) -> None:
    done = run("--format", "fhir")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert len(lines) == EVENTS
    kinds = set()
    for event, line in zip(read_events(ledger), lines, strict=True):
        resource = json.loads(line)
        assert AuditEvent.model_validate(resource).model_dump(mode="json").keys() >= {"type", "agent", "source"}
        assert resource["id"] == f"{event.seq}-{event.leaf.hex()[:4]}"
        # Invariant sev-1 of the specification, which the model does not check.
        assert not any("name" in entity and "query" in entity for entity in resource["entity"])
        assert sum(agent["requestor"] for agent in resource["agent"]) == 1
        assert "patient" not in line.lower()
        kinds.add(event.kind)
        payload: Any = event.payload
        queries = [entity["query"] for entity in resource["entity"] if "query" in entity]
        if event.kind == Kind.COMPUTED and "factors" in payload:
            assert json.loads(base64.b64decode(queries[0])) == payload["factors"]
    assert {"computed", "refused", "delivered", "looked_up"} <= kinds


@pytest.mark.parametrize("kind", [*map(str, Kind), *map(str, LedgerKind), "of_a_later_version"])
@pytest.mark.parametrize("problem", [None, "leaf"])
def test_every_kind_becomes_a_valid_audit_event_whatever_it_holds(ledger: Path, kind: str, problem: str | None) -> None:
    row = replace(as_raw(next(read_events(ledger))), kind=kind.encode())
    assert kind in KINDS or kind == "of_a_later_version"
    for body in (None, b"{}", b"[]", b"no json", b'{"asker":7,"model":[],"outcomes":{},"factors":null}'):
        resource = json.loads(writer_of(Format.FHIR).line(replace(row, body=body), problem))
        AuditEvent.model_validate(resource)
        assert resource["outcome"] == "8" if problem else resource["outcome"] in ("0", "4", "8")
        for form in (Format.CSV, Format.JSONL):
            assert writer_of(form).line(replace(row, body=body), problem).count("\n") == 1


def test_a_payload_of_two_lines_cannot_make_a_line_of_its_own(ledger: Path) -> None:
    row = replace(as_raw(next(read_events(ledger))), body=b'{\n"a":1}')
    line = writer_of(Format.JSONL).line(row, None)
    assert (line.count("\n"), json.loads(line)["payload"]) == (1, '{\n"a":1}')


@pytest.mark.parametrize(
    ("statement", "guards", "problem"),
    [
        ("UPDATE event SET time = '2020-01-01T00:00:00.000000Z' WHERE seq = 100", ("event_no_update",), "leaf"),
        ("UPDATE payload SET body = '{}' WHERE seq = 100", ("payload_no_update",), "payload_hash"),
        ("DELETE FROM payload WHERE seq = 100", ("payload_delete_due",), "payload_missing"),
    ],
)
def test_an_altered_row_stops_the_export(ledger: Path, statement: str, guards: tuple[str, ...], problem: str) -> None:
    alter(ledger, statement, *guards)
    stopped = run("--format", "jsonl", "--out", "events.jsonl")
    assert stopped.exit_code == 1
    assert f"event 100 is not as it was recorded ({problem})" in stopped.stderr
    assert sorted(path.name for path in Path().iterdir()) == ["ledger.db"]
    for form in Format:
        done = run("--format", form.value, "--all-the-same")
        assert done.exit_code == 1
        lines = done.stdout.splitlines()[form is Format.CSV :]
        assert len(lines) == EVENTS
        mark = {Format.CSV: f",{problem}", Format.JSONL: f'"problem":"{problem}"', Format.FHIR: f"({problem})"}[form]
        assert [number for number, line in enumerate(lines, 1) if mark in line] == [100]


def test_a_missing_row_is_marked_once(ledger: Path) -> None:
    alter(ledger, "DELETE FROM event WHERE seq = 100", "event_no_delete")
    assert "event 101 is not as it was recorded (gap)" in run("--format", "csv").stderr
    rows = list(csv.DictReader(io.StringIO(run("--format", "csv", "--all-the-same").stdout)))
    assert [row["seq"] for row in rows if row["problem"]] == ["101"]


def test_days_and_kinds_choose(ledger: Path) -> None:
    events = [event for event in read_events(ledger) if event.kind in ("refused", "shared")]
    day = events[len(events) // 2].time[:10]
    wanted = [event.seq for event in events if event.time[:10] == day]
    done = run("--format", "jsonl", "--since", day, "--until", day, "--kind", "refused", "--kind", "shared")
    assert [json.loads(line)["seq"] for line in done.stdout.splitlines()] == wanted != []


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize("words", [("--since", "2026-02-30"), ("--until", "today"), ("--kind", "nonsense")])
def test_what_cannot_be_chosen_is_said(words: tuple[str, ...]) -> None:
    assert run("--format", "csv", *words).exit_code == 2
    with pytest.raises(DayError):
        Days("2026-01-02", "2026-01-01")


@pytest.mark.usefixtures("ledger")
def test_a_file_is_private_and_not_written_over_unasked() -> None:
    assert run("--format", "csv", "--out", "events.csv").exit_code == 0
    assert stat.S_IMODE(Path("events.csv").stat().st_mode) == 0o600
    before = Path("events.csv").read_bytes()
    refused = run("--format", "jsonl", "--out", "events.csv")
    assert (refused.exit_code, Path("events.csv").read_bytes()) == (2, before)
    assert "--force" in refused.stderr
    assert run("--format", "jsonl", "--out", "events.csv", "--force").exit_code == 0
    assert Path("events.csv").read_bytes() != before
    assert sorted(path.name for path in Path().iterdir()) == ["events.csv", "ledger.db"]


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(("out", "told"), [("no/such/folder.csv", "no such folder"), (".", "it is a folder")])
def test_a_place_that_cannot_be_written_is_said(out: str, told: str) -> None:
    done = run("--format", "csv", "--out", out)
    assert done.exit_code == 2
    assert told in done.stderr


@pytest.mark.usefixtures("ledger")
def test_a_full_disk_is_said_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    opened = Path.open
    monkeypatch.setattr(
        Path,
        "open",
        lambda path, *args, **named: opened(Path("/dev/full") if ".part" in path.name else path, *args, **named),
    )
    done = run("--format", "jsonl", "--out", "events.jsonl")
    assert (done.exit_code, "the disk is full" in done.stderr) == (2, True)
    assert [path.name for path in Path().iterdir()] == ["ledger.db"]


def test_a_pruned_payload_is_not_missed(ledger: Path) -> None:
    prune_first(ledger, 180)
    done = run("--format", "jsonl")
    assert done.exit_code == 0
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert sum(line["payload"] is None for line in lines) > 150
    rows = list(csv.DictReader(io.StringIO(run("--format", "csv").stdout)))
    assert {row["payload"] for row in rows} == {"kept", "pruned"}
    pruned = next(json.loads(line) for line in run("--format", "fhir").stdout.splitlines() if "was pruned" in line)
    AuditEvent.model_validate(pruned)


@pytest.mark.parametrize("form", list(Format))
def test_an_empty_ledger_gives_an_empty_export(form: Format, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_ledger(tmp_path / "ledger.db", clock=SystemClock()).close()
    monkeypatch.setenv("TARLA_LEDGER", str(tmp_path / "ledger.db"))
    done = run("--format", form.value)
    assert (done.exit_code, done.stdout) == (0, ",".join(COLUMNS) + "\n" if form is Format.CSV else "")


def test_no_ledger_is_told_from_a_wrong_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ledger: Path) -> None:
    alter(ledger, "DROP TRIGGER event_no_update")
    assert run("--format", "csv").exit_code == 1
    monkeypatch.setenv("TARLA_LEDGER", str(tmp_path / "none.db"))
    assert run("--format", "csv").exit_code == 2


def test_pruning_leaves_the_ledgers_own_events() -> None:
    assert set(schema.KEPT_KINDS) <= set(KINDS)


def test_hashed_ids_are_in_a_system_of_their_own(ledger: Path) -> None:
    row = as_raw(next(read_events(ledger)))
    assert HASHED_PREFIX == PREFIX
    hashed = f"{PREFIX}{'0a' * 32}"
    body = canonical({"asker": {"user": hashed, "channel": hashed, "via": "form"}})
    resource = json.loads(writer_of(Format.FHIR).line(replace(row, body=body), None))
    AuditEvent.model_validate(resource)
    identifier = {"system": "urn:x-tarla:hashed-id", "value": hashed}
    assert resource["agent"][0]["who"]["identifier"] == resource["agent"][0]["location"]["identifier"] == identifier
