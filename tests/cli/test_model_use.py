"""``tarla model use`` and ``list``: nothing answers that was not checked, shown, agreed to and recorded first."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.ledger import StoredEvent, check_ledger, read_events
from bot.models.folder import POINTER, ModelFolder
from bot.models.switching import LOCK
from handlers.answer.own_patients import SIMULATED
from knowledge.cohort.update.site import update
from knowledge.model import decode, load
from tests.support.centre import Truth, simulated_centre
from tests.support.program import PATIENCE_S, command, environment
from tests.support.site_models import DATA_SHA256, SITE_ID, artefact, site_model

WORDS = "ldh 480/250 liver yes dm no cvd yes"
SHIPPED = load().version


class Place:
    """A ledger, its folder of models, and files as an update leaves them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger, self.models = folder / "ledger.db", folder / "models"

    def file(self, name: str = "site.npz", **changes: Any) -> str:
        path = self.folder / name
        path.write_bytes(artefact(**changes))
        return str(path)

    def run(self, *words: str, **variables: str) -> Result:
        variables = {"TARLA_LEDGER": str(self.ledger), "HOME": str(self.folder), "COLUMNS": "100", **variables}
        return CliRunner().invoke(main, ["model", *words], env=variables)

    def events(self) -> list[StoredEvent]:
        assert check_ledger(self.ledger).ok
        return list(read_events(self.ledger))

    def pointer(self) -> dict[str, str] | None:
        path = self.models / POINTER
        return json.loads(path.read_text()) if path.exists() else None


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    for name in [name for name in os.environ if name.startswith("TARLA_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return Place(tmp_path)


def test_a_file_is_kept_recorded_and_then_in_use(place: Place) -> None:
    done = place.run("use", place.file(), "--yes")
    assert done.exit_code == 0, done.output
    version = site_model().version
    assert place.pointer() == {"id": SITE_ID, "sha256": version.sha256}
    assert (place.models / f"{version.sha256}.npz").read_bytes() == artefact()
    (event,) = place.events()
    assert event.kind == "model_activated"
    said: Mapping[str, Any] = event.payload or {}
    assert said["model"] == {
        "id": SITE_ID,
        "sha256": version.sha256,
        "parent": {"id": SHIPPED.id, "sha256": SHIPPED.sha256},
        "data_sha256": DATA_SHA256,
    }
    assert said["asker"]["via"] == "cli"
    counts = said["updated_with"]
    assert (counts["patients"], counts["crs_patients"], counts["crs_events"], counts["icans_patients"]) == (
        61,
        47,
        37,
        46,
    )
    assert (counts["khat_crs"], counts["khat_icans"]) == ("0.3100", "0.1200")
    assert f"recorded as #{event.seq}-{event.leaf.hex()[:4]}" in done.output
    assert "start it again" in done.output


def test_before_and_after_are_the_engines_figures(place: Place) -> None:
    shown = place.run("use", place.file(), "--yes").output
    from bot.models.changes import OUTCOMES, TYPICAL
    from handlers.answer.figures import risk_estimate
    from knowledge import assess

    model = site_model()
    for factors in TYPICAL:
        for outcome in OUTCOMES:
            now, after = (risk_estimate(assess(factors, each).risk_of(outcome)) for each in (load(), model))
            assert any(line.split("   ")[-1].strip() == after and now in line for line in shown.splitlines())
    assert "CRS in 37 of 47, grade ≥ 2 in 14; ICANS in 9 of 46" in shown
    assert "Pareto k of the new weights: CRS 0.31, ICANS 0.12" in shown


def test_without_a_terminal_and_without_yes_nothing_changes(place: Place) -> None:
    done = place.run("use", place.file())
    assert done.exit_code == 2
    assert "add --yes" in done.output
    assert place.pointer() is None
    assert not place.ledger.exists()
    assert not place.models.exists()


@pytest.mark.parametrize(("typed", "status", "kinds"), [(b"n\n", 2, []), (b"y\n", 0, ["model_activated"])])
def test_at_a_terminal_it_asks(place: Place, typed: bytes, status: int, kinds: list[str]) -> None:
    master, slave = os.openpty()
    try:
        process = subprocess.Popen(
            command("model", "use", place.file()),
            cwd=place.folder,
            env=environment(place.folder),
            stdin=slave,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        os.write(master, typed)
        output, _ = process.communicate(timeout=PATIENCE_S)
    finally:
        os.close(master)
        os.close(slave)
    assert process.returncode == status, output
    assert b"Let this model answer from now on?" in output
    assert ([event.kind for event in place.events()] if place.ledger.exists() else []) == kinds
    assert (place.pointer() is not None) == (status == 0)


def test_back_to_the_shipped_model_by_its_name_or_by_the_option(place: Place) -> None:
    file = place.file()
    for back in (SHIPPED.id, "--shipped"):
        assert place.run("use", file, "--yes").exit_code == 0
        assert place.run("use", back, "--yes").exit_code == 0
        assert place.pointer() is None
    named = [dict(event.payload or {})["model"] for event in place.events()]
    assert [each["id"] for each in named] == [SITE_ID, SHIPPED.id] * 2
    assert named[1] == {"id": SHIPPED.id, "sha256": SHIPPED.sha256}


def test_a_kept_model_is_used_by_name_or_hash_and_two_of_one_name_are_told_apart(place: Place) -> None:
    first, second = site_model(), site_model(tilt=-1.0)
    assert place.run("use", place.file(), "--yes").exit_code == 0
    assert place.run("use", "--shipped", "--yes").exit_code == 0
    assert place.run("use", SITE_ID, "--yes").exit_code == 0
    assert place.run("use", place.file("other.npz", tilt=-1.0), "--yes").exit_code == 0
    doubtful = place.run("use", SITE_ID, "--yes")
    assert doubtful.exit_code == 2
    assert "more than one kept model" in doubtful.output
    assert place.run("use", first.version.sha256[:12].upper(), "--yes").exit_code == 0
    assert (place.pointer() or {})["sha256"] == first.version.sha256
    assert second.version.sha256 in {path.stem for path in place.models.glob("*.npz")}


def test_the_model_in_use_is_not_activated_a_second_time(place: Place) -> None:
    assert place.run("use", "--shipped", "--yes").output.startswith(f"{SHIPPED.id} is in use already")
    file = place.file()
    place.run("use", file, "--yes")
    again = place.run("use", file, "--yes")
    assert (again.exit_code, len(place.events())) == (0, 1)
    assert "in use already" in again.output


def test_simulated_patients_need_a_word_of_their_own(place: Place) -> None:
    file = place.file(simulated=True)
    refused = place.run("use", file, "--yes")
    assert refused.exit_code == 2
    assert "--simulated" in refused.output
    assert not place.ledger.exists()
    done = place.run("use", file, "--yes", "--simulated")
    assert done.exit_code == 0
    assert SIMULATED in done.output
    (event,) = place.events()
    assert dict(event.payload or {})["model"]["simulated"] is True
    assert SIMULATED in place.run("list").output


@pytest.mark.parametrize("content", [b"", b"no model", b"PK\x03\x04broken", None])
def test_what_is_no_site_model_is_refused_and_its_name_not_repeated(place: Place, content: bytes | None) -> None:
    path = place.folder / "Arthur Dent.npz"
    if content is not None:
        path.write_bytes(content)
    done = place.run("use", str(path), "--yes")
    assert done.exit_code == 2
    assert "Dent" not in done.output
    assert "Traceback" not in done.output
    assert not place.models.exists()
    assert not place.ledger.exists()


def test_the_shipped_file_given_as_a_site_model_is_refused(place: Place) -> None:
    from knowledge.model import data_folder

    done = place.run("use", str(data_folder().joinpath("facts-2.npz")), "--yes")
    assert done.exit_code == 2
    assert "no model updated with a site's own patients" in done.output


@pytest.mark.parametrize("words", [[], ["site.npz", "--shipped"]])
def test_one_model_is_named(place: Place, words: list[str]) -> None:
    done = place.run("use", *words)
    assert done.exit_code == 2
    assert "name one model, or --shipped" in done.output


def test_audit_or_nothing(place: Place) -> None:
    """What cannot be recorded is not switched."""
    file = place.file()
    assert place.run("use", "--shipped").exit_code == 0
    assert place.run("use", file, "--yes").exit_code == 0
    with closing(sqlite3.connect(place.ledger, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        done = place.run("use", "--shipped", "--yes")
    assert done.exit_code == 2
    assert "nothing was changed" in done.output
    assert (place.pointer() or {})["id"] == SITE_ID
    assert len(place.events()) == 1


def test_a_folder_that_cannot_be_written_is_seen_before_anything_is_recorded(place: Place) -> None:
    place.models.write_text("a file where the folder should be", encoding="utf-8")
    done = place.run("use", place.file(), "--yes")
    assert done.exit_code == 2
    assert "nothing was changed: the folder of models cannot be written" in done.output
    assert [event.kind for event in place.events()] == []


def test_a_switch_that_fails_after_the_record_says_so(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_folder: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bot.models.folder.sync_folder", full)
    done = place.run("use", place.file(), "--yes")
    assert done.exit_code == 2
    assert "recorded as #1-" in done.output
    assert "tarla model list" in done.output


def test_files_of_another_account_than_the_ledgers_are_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where root gave the command: the bot may not be able to read what it is to answer by."""
    own = place.run("use", place.file(), "--yes")
    assert (own.exit_code, own.stderr) == (0, "")
    monkeypatch.setattr("bot.models.folder.ModelFolder.belongs_to", lambda _folder, account: account != os.getuid())
    other = place.run("use", place.file("other.npz", tilt=0.5), "--yes")
    assert other.exit_code == 0
    assert "another account" in other.stderr
    monkeypatch.undo()
    folder = ModelFolder(place.models)
    assert folder.belongs_to(os.getuid())
    assert not folder.belongs_to(os.getuid() + 1)


def test_the_list_for_people_and_for_programs(place: Place) -> None:
    place.run("use", place.file(), "--yes")
    text = place.run("list")
    assert text.exit_code == 0
    assert f"in use  {SITE_ID}" in text.output
    models = json.loads(place.run("list", "--json").output)["models"]
    assert [(each["id"], each["in_use"], each["usable"]) for each in models] == [
        (SHIPPED.id, False, True),
        (SITE_ID, True, True),
    ]
    assert models[1]["site"]["crs_patients"] == 47
    (place.models / f"{models[1]['sha256']}.npz").unlink()
    broken = place.run("list")
    assert broken.exit_code == 1
    assert "NOT USABLE: its file is missing" in broken.output


def test_from_a_broken_model_the_way_back_works(place: Place) -> None:
    place.run("use", place.file(), "--yes")
    for file in place.models.glob("*.npz"):
        file.unlink()
    done = place.run("use", SHIPPED.id, "--yes")
    assert done.exit_code == 0, done.output
    assert "From a model that is not usable to" in done.output
    (place.models / POINTER).write_text("{", encoding="utf-8")
    assert place.run("list").exit_code == 2
    assert place.run("use", "--shipped", "--yes").exit_code == 0
    assert place.pointer() is None
    assert (place.models / LOCK).exists()


def test_ask_answers_by_the_site_model_or_not_at_all(place: Place) -> None:
    """The same installation, in processes of its own: text, JSON, and no answer once the file is gone."""

    def ask(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command("ask", WORDS, *more),
            cwd=place.folder,
            env=environment(place.folder),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    place.run("use", place.file(), "--yes")
    text = ask().stdout
    assert f"model {SITE_ID} ·" in text
    assert "This centre's own patients: The estimates are for this centre" in text
    body = json.loads(ask("--json").stdout)
    assert body["model"]["id"] == SITE_ID
    assert body["site"]["data_sha256"] == DATA_SHA256
    computed = [event for event in place.events() if event.kind == "computed"]
    assert [dict(event.payload or {})["model"]["data_sha256"] for event in computed] == [DATA_SHA256] * 2
    for file in place.models.glob("*.npz"):
        file.unlink()
    gone = ask()
    assert gone.returncode == 1
    assert gone.stdout == ""
    assert "this centre's own model is not usable" in gone.stderr
    assert "tarla model use --shipped" in gone.stderr
    assert len([event for event in place.events() if event.kind == "computed"]) == 2


def test_what_an_update_writes_is_taken(place: Place) -> None:
    """The real update of the shipped model, by a small simulated centre."""
    data = update(load(), simulated_centre(12, 5, Truth(crs=1.0)), "c0ffee00" + "1" * 56).data
    (place.folder / "updated.npz").write_bytes(data)
    assert place.run("use", "updated.npz", "--yes").exit_code == 2
    done = place.run("use", "updated.npz", "--yes", "--simulated")
    assert done.exit_code == 0, done.output
    assert (place.pointer() or {})["id"] == "facts-2+site-c0ffee00"
    origin = decode(data).site
    assert origin is not None
    assert f"CRS in {origin.crs_events} of 12" in done.output
