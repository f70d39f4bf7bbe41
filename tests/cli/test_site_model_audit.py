"""The auditor's commands and the doctor where answers were given by a site's own model."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.doctor import examine
from bot.ledger import read_events
from bot.models.folder import POINTER, ModelFolder
from knowledge.model import load
from tests.support.app import settings_for
from tests.support.site_models import DATA_SHA256, SITE_ID, artefact, in_use, site_model

WORDS = "ldh 480/250 liver yes dm no cvd yes"


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger with an answer of the shipped model, then one of a site model, which is in use; its folder of models."""
    for name in [name for name in os.environ if name.startswith("TARLA_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TARLA_LEDGER", str(tmp_path / "ledger.db"))
    monkeypatch.setenv("TARLA_CHECKPOINTS", str(tmp_path / "checkpoints"))
    assert tarla("ask", WORDS).exit_code == 0
    (tmp_path / "site.npz").write_bytes(artefact())
    assert tarla("model", "use", "site.npz", "--yes").exit_code == 0
    assert tarla("ask", WORDS).exit_code == 0
    return tmp_path / "models"


def tarla(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def receipts(models: Path) -> list[str]:
    """Receipts of the two answers: the shipped model's first."""
    answers = [event for event in read_events(models.parent / "ledger.db") if event.kind == "computed"]
    return [f"{event.seq}-{event.leaf.hex()[:4]}" for event in answers]


def test_each_answer_is_worked_out_again_by_its_own_model(models: Path) -> None:
    """Whichever is in use now."""
    for command in (("model", "list"), ("model", "use", "--shipped", "--yes")):
        assert tarla(*command).exit_code == 0
        for receipt in receipts(models):
            done = tarla("audit", "show", receipt)
            assert done.exit_code == 0
            assert re.search(r"worked out again +the same to every decimal kept", done.stdout)
            assert json.loads(tarla("audit", "show", receipt, "--json").stdout)["worked_out_again"] == "same"


def test_what_show_says_of_a_site_model(models: Path) -> None:
    shipped, own = (tarla("audit", "show", receipt).stdout for receipt in receipts(models))
    assert re.search(rf"model +{re.escape(SITE_ID)}, sha256 {site_model().version.sha256}", own)
    assert re.search(rf"parent +facts-2, sha256 {load().version.sha256}", own)
    assert DATA_SHA256 in own
    assert "parent" not in shipped


def test_without_its_file_an_answer_cannot_be_worked_out_again_and_show_says_so(models: Path) -> None:
    version = site_model().version
    place = ModelFolder(models).place_of(version.sha256)
    place.chmod(0o600)
    place.write_bytes(b"altered")
    own = receipts(models)[1]
    done = tarla("audit", "show", own)
    assert done.exit_code == 0  # the row is as it was recorded
    assert "not possible: its file is kept" in done.stdout
    place.unlink()
    assert "neither shipped with this release nor kept" in tarla("audit", "show", own).stdout
    assert json.loads(tarla("audit", "show", own, "--json").stdout)["worked_out_again"] == "model_not_here"


def test_what_is_no_answer_is_not_worked_out(models: Path) -> None:
    (activated,) = (event for event in read_events(models.parent / "ledger.db") if event.kind == "model_activated")
    done = tarla("audit", "show", f"{activated.seq}-{activated.leaf.hex()[:4]}")
    assert "worked out again" not in done.stdout


def test_a_recall_is_against_the_model_in_use(models: Path) -> None:
    first, second = receipts(models)
    found = json.loads(tarla("audit", "recall", "--json").stdout)
    assert found["model"]["id"] == SITE_ID
    assert [each["receipt"] for each in found["changed"]] == [first]
    assert tarla("model", "use", "--shipped", "--yes").exit_code == 0
    back = json.loads(tarla("audit", "recall", "--json").stdout)
    assert back["model"]["id"] == load().version.id
    assert [each["receipt"] for each in back["changed"]] == [second]
    assert back["changed"][0]["model"] == SITE_ID
    of_model = json.loads(tarla("audit", "recall", "--json", "--model-id", SITE_ID).stdout)
    assert (of_model["answers"], of_model["estimate"]) == (1, 1)


def test_without_a_usable_model_there_is_no_recall(models: Path) -> None:
    for file in models.glob("*.npz"):
        file.unlink()
    done = tarla("audit", "recall")
    assert done.exit_code != 0
    assert "its file is missing" in done.output


@pytest.mark.usefixtures("models")
def test_statistics_report_and_exports_name_it() -> None:
    stats = tarla("audit", "stats").stdout
    assert (
        f"{SITE_ID} sha256 {site_model().version.sha256[:16]}, facts-2 updated with a file of 61 own patients" in stats
    )
    assert tarla("audit", "report", "--html", "report.html").exit_code == 0
    assert SITE_ID in Path("report.html").read_text(encoding="utf-8")
    shipped, _, own, *_ = (
        row
        for row in csv.DictReader(tarla("audit", "export", "--format", "csv").stdout.splitlines())
        if row["model_id"]
    )
    assert (shipped["model_parent_sha256"], shipped["model_data_sha256"], shipped["model_simulated"]) == ("", "", "")
    assert (own["model_id"], own["model_data_sha256"], own["model_simulated"]) == (SITE_ID, DATA_SHA256, "")
    assert own["model_parent_sha256"] == load().version.sha256
    fhir = tarla("audit", "export", "--format", "fhir").stdout
    assert f'"type":"data_sha256","valueString":"{DATA_SHA256}"' in fhir.replace(": ", ":").replace(", ", ",")


def test_the_doctor_says_which_and_what_to_type(models: Path) -> None:
    def found() -> tuple[bool, str, str]:
        settings = settings_for(models.parent / "ledger.db", api_url="http://127.0.0.1:9/api/")
        (finding,) = (each for each in asyncio.run(examine(settings)) if each.what == "model")
        return finding.ok, finding.state, finding.advice

    ok, state, _ = found()
    assert ok
    assert f"{SITE_ID}, SHA-256 as recorded; facts-2 updated with this centre's own patients: CRS in 37 of 47" in state
    ModelFolder(models).place_of(site_model().version.sha256).unlink()
    ok, state, advice = found()
    assert not ok
    assert "`tarla model use --shipped`" in state
    assert "docs/runbook.md" in advice


def test_a_folder_that_lost_its_pointer_is_seen_beside_the_ledger(models: Path) -> None:
    """The shipped model would answer, and nobody said so."""
    settings = settings_for(models.parent / "ledger.db", api_url="http://127.0.0.1:9/api/")
    (models / POINTER).unlink()
    (finding,) = (each for each in asyncio.run(examine(settings)) if each.what == "model")
    assert not finding.ok
    assert f"the model in use is {load().version.id} (SHA-256" in finding.state
    assert f"the last one that the ledger names is {SITE_ID}" in finding.state
    assert "TARLA_MODELS" in finding.advice
    assert tarla("model", "use", SITE_ID, "--yes").exit_code == 0
    assert tarla("model", "use", "--shipped", "--yes").exit_code == 0
    (finding,) = (each for each in asyncio.run(examine(settings)) if each.what == "model")
    assert finding.ok, finding.state


@pytest.mark.parametrize("words", [("model", "list"), ("ask", WORDS)])
def test_a_named_folder_that_is_not_there_answers_nothing(models: Path, words: tuple[str, ...]) -> None:
    gone = {"TARLA_MODELS": str(models.parent / "not" / "mounted")}
    done = CliRunner(env=gone).invoke(main, list(words))
    assert done.exit_code != 0
    assert "facts-2" not in done.output
    back = CliRunner(env=gone).invoke(main, ["model", "use", "--shipped", "--yes"])
    assert back.exit_code == 0, back.output
    assert CliRunner(env=gone).invoke(main, list(words)).exit_code == 0


def test_simulated_patients_are_told_in_every_list(models: Path) -> None:
    Path("simulated.npz").write_bytes(artefact(simulated=True))
    assert tarla("model", "use", "simulated.npz", "--yes", "--simulated").exit_code == 0
    assert tarla("ask", WORDS).exit_code == 0
    assert "SIMULATED" in tarla("audit", "show", receipts(models)[-1]).stdout
    assert "SIMULATED patients" in tarla("audit", "stats").stdout
    rows = list(csv.DictReader(tarla("audit", "export", "--format", "csv").stdout.splitlines()))
    assert "yes" in {row["model_simulated"] for row in rows}
    assert f"{SITE_ID} (simulated patients)" in tarla("audit", "stats").stdout
    refused = tarla("audit", "recall")
    assert refused.exit_code != 0
    assert "simulated patients" in refused.output
    assert "answers among" not in refused.output


def test_the_bot_does_not_record_the_same_activation_again(models: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What the command recorded is what a start compares with."""
    from bot.clock import SystemClock
    from bot.compose import make_tarla
    from bot.lifecycle.process import make_lifecycle
    from tests.support.app import until

    folder = models.parent
    places = {"tarla_checkpoints": folder / "checkpoints", "tarla_signing_key": folder / "keys" / "signing.key"}
    settings = settings_for(folder / "ledger.db", api_url="http://127.0.0.1:9/api/").model_copy(update=places)
    (folder / "keys").mkdir()

    def activations() -> list[str]:
        events = (event for event in read_events(folder / "ledger.db") if event.kind == "model_activated")
        return [str(dict(event.payload or {})["model"]["id"]) for event in events]

    async def start(count: int) -> None:
        made = make_tarla(settings, SystemClock())
        life = make_lifecycle(made, settings)
        await life.begin()

        def started() -> bool:
            return [event.kind for event in read_events(folder / "ledger.db")].count("started") == count

        await until(started)
        await asyncio.sleep(0.2)
        await life.end()
        await made.ledger.aclose()

    asyncio.run(start(1))
    assert activations() == [SITE_ID]
    assert "the last one that the ledger names" not in caplog.text
    # Switched behind the ledger's back: the next start records what answers from now on, with its counts.
    in_use(models, artefact(tilt=-1.0))
    asyncio.run(start(2))
    assert activations() == [SITE_ID, SITE_ID]
    assert f"the last one that the ledger names is {SITE_ID}" in caplog.text
    last = [event for event in read_events(folder / "ledger.db") if event.kind == "model_activated"][-1]
    assert dict(last.payload or {})["updated_with"]["crs_patients"] == 47
