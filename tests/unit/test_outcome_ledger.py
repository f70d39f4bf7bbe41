"""Outcomes in a real ledger: which one stands, and that whatever reads the ledger knows the new kind."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fhir.resources.R4B.auditevent import AuditEvent

from bot.audit.recalling import Asked, recall
from bot.cli import main
from bot.ledger import LedgerFault, LedgerHistory, check_ledger, read_events
from bot.ledger.leaf import canonical, leaf_hash, payload_hash
from handlers.outcome.record import PatientOutcome, outcome_payload
from handlers.ports import Entry, Kind, Recorded, outcome_key
from knowledge import PatientFactors
from knowledge.factors import Presence
from knowledge.model import load as load_model
from tests.support.outcomes import ASKER, RecordedCentre
from tests.support.pruned import prune_first
from tests.support.vouched import Vouched, guards_off

SEEN, LATER = PatientOutcome(None, 0, Presence.NO, 2), PatientOutcome(1, 0, Presence.NO, 8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def centre(path: Path) -> Iterator[RecordedCentre]:
    with closing(RecordedCentre(path)) as made:
        yield made


@pytest.fixture
def story(centre: RecordedCentre) -> tuple[Recorded, Recorded, Recorded]:
    """An answer, an early outcome, and the one in its place."""
    answer = centre.answer(PatientFactors())
    told = answer, centre.outcome(answer, SEEN), centre.outcome(answer, LATER)
    centre.close()
    return told


def audit(path: Path, *words: str) -> Result:
    return CliRunner(env={"TARLA_LEDGER": str(path)}).invoke(main, ["audit", *words])


def stands(path: Path, answer: int) -> int | None:
    """The number of the outcome that stands."""
    found = asyncio.run(LedgerHistory(path).outcome_of(answer))
    return None if found is None else found.recorded.seq


def test_the_last_of_those_that_took_each_others_place_stands(path: Path, centre: RecordedCentre) -> None:
    first, second = centre.answer(PatientFactors()), centre.answer(PatientFactors())
    assert stands(path, first.seq) is None
    for day in range(1, 6):
        last = centre.outcome(first, PatientOutcome(0, 0, Presence.NO, day))
        centre.outcome(second, PatientOutcome(0, 0, Presence.NO, day))
        assert stands(path, first.seq) == last.seq
    assert stands(path, last.seq) is None


@pytest.mark.parametrize("which", [1, 2])
def test_where_one_of_them_was_altered_none_stands(
    path: Path, story: tuple[Recorded, Recorded, Recorded], which: int
) -> None:
    with guards_off(path) as connection:
        connection.execute("UPDATE payload SET body = replace(body, 'no', 'yes') WHERE seq = ?", (story[which].seq,))
    with pytest.raises(LedgerFault, match="not as it was recorded"):
        stands(path, story[0].seq)
    own = asyncio.run(LedgerHistory(path).answers_of(ASKER.user, ASKER.team, 10))
    assert [event.recorded.seq for event in own.events] == [story[0].seq]
    assert own.altered == (story[which].receipt,)
    assert own.outcomes == {}


def test_an_outcome_about_another_event_does_not_stand(path: Path, centre: RecordedCentre) -> None:
    first, second = centre.answer(PatientFactors()), centre.answer(PatientFactors())
    payload = outcome_payload(first.receipt, SEEN, None, ASKER, "0.1.0")
    centre.record(Entry(outcome_key(first.seq, None), Kind.OUTCOME, payload, second.seq))
    with pytest.raises(LedgerFault, match="is not about event"):
        stands(path, first.seq)


def test_with_its_payload_pruned_it_is_known_that_there_was_one(
    path: Path, story: tuple[Recorded, Recorded, Recorded]
) -> None:
    prune_first(path, 3)
    found = asyncio.run(LedgerHistory(path).outcome_of(story[0].seq))
    assert found is not None
    assert (found.recorded.seq, found.payload) == (story[2].seq, None)
    assert check_ledger(path).ok
    assert "1 answers left out" not in audit(path, "stats").output
    shown = audit(path, "show", story[2].receipt)
    assert (shown.exit_code, "pruned when its time was over" in shown.stdout) == (0, True)


def test_show_and_stats(path: Path, story: tuple[Recorded, Recorded, Recorded]) -> None:
    shown = audit(path, "show", story[1].receipt)
    assert shown.exit_code == 0
    facts = {" ".join(line.split()) for line in shown.stdout.splitlines()}
    assert {"crs grade not known", "icans grade 0", "grading ASTCT 2019", "day 2", "replaces none"} <= facts
    assert f"about event {story[0].seq}" in facts
    answer = audit(path, "show", story[0].receipt).stdout
    assert answer.count("outcome_recorded") == 2
    said = json.loads(audit(path, "show", "--json", story[2].receipt).stdout)
    assert said["payload"]["replaces"] == story[1].seq
    assert "outcome_recorded" in audit(path, "stats").stdout


def test_exports(path: Path, story: tuple[Recorded, Recorded, Recorded]) -> None:
    chosen = ("--kind", "outcome_recorded")
    table = list(csv.DictReader(io.StringIO(audit(path, "export", "--format", "csv", *chosen).stdout)))
    names = ("ref", "crs_grade", "icans_grade", "grading", "tocilizumab_prophylaxis", "day", "replaces")
    assert [tuple(row[name] for name in names) for row in table] == [
        ("1", "", "0", "ASTCT 2019", "no", "2", ""),
        ("1", "1", "0", "ASTCT 2019", "no", "8", str(story[1].seq)),
    ]
    for line, event in zip(
        audit(path, "export", "--format", "jsonl", *chosen).stdout.splitlines(),
        list(read_events(path))[1:],
        strict=True,
    ):
        row: dict[str, Any] = json.loads(line)
        hashed = payload_hash(bytes.fromhex(row["salt"]), canonical(row["payload"]))
        columns = {name: row[name] for name in ("seq", "idem_key", "kind", "ref", "time")}
        assert leaf_hash(**columns, payload_hash=hashed) == event.leaf
    resource = json.loads(audit(path, "export", "--format", "fhir", *chosen).stdout.splitlines()[1])
    AuditEvent.model_validate(resource)
    assert (resource["action"], resource["outcome"], "purposeOfEvent" in resource) == ("C", "0", False)
    assert resource["agent"][0]["type"]["coding"][0]["code"] == "AUT"
    details = {each["type"]: each["valueString"] for each in resource["entity"][0]["detail"]}
    assert (
        details.items() >= {"crs_grade": "1", "icans_grade": "0", "tocilizumab_prophylaxis": "no", "day": "8"}.items()
    )


def test_a_recall_is_about_answers_alone(path: Path, story: tuple[Recorded, Recorded, Recorded]) -> None:
    with closing(recall(path, Asked(), model=load_model())) as found:
        assert found.summary.sound
        assert (found.summary.events, found.summary.answers, found.summary.unchanged) == (3, 1, 1)
    assert audit(path, "report", "--html", str(path.parent / "report.html")).exit_code == 0
    assert "outcome_recorded" in (path.parent / "report.html").read_text()
    assert story


def test_the_stand_alone_verifier_takes_it(tmp_path: Path) -> None:
    made = Vouched(tmp_path)
    made.ledger.parent.mkdir()
    with closing(RecordedCentre(made.ledger)) as centre:
        receipt = centre.outcome(centre.answer(PatientFactors()), LATER).receipt
    made.checkpoint()
    run = CliRunner(env=made.variables)
    key = str(made.ring().key.public)
    for words in (
        ("verify", receipt, "--proof", str(tmp_path / "proof.json")),
        ("verifier", "--out", str(tmp_path / "v.py")),
    ):
        assert run.invoke(main, ["audit", *words]).exit_code == 0
    for words in (("ledger", str(made.ledger), str(made.folder.path)), ("receipt", str(tmp_path / "proof.json"))):
        done = subprocess.run(
            [sys.executable, "-I", str(tmp_path / "v.py"), *words, key], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "in order"), done.stdout
    assert "outcome_recorded" in done.stdout
