"""``tarla study update`` from the cohort's file to the model's, its page and its record."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.cohort.cli_update import SEED
from knowledge.cohort.file import write_csv
from knowledge.cohort.record import CohortRow
from knowledge.cohort.update import site
from knowledge.engine import assess
from knowledge.factors import LdhMultiple, PatientFactors, Presence
from knowledge.model import Model, decode, encode, load, load_from
from tests.support.centre import Truth, simulated_centre
from tests.support.own_centres import small

TRUTH = Truth(crs=1.0, icans=-2.2)


def run(cohort: list[CohortRow], folder: Path, *options: str) -> Result:
    """The command on a file of these patients."""
    file = folder.with_name("cohort.csv")
    file.write_bytes(write_csv(cohort))
    return CliRunner().invoke(main, ["study", "update", str(file), "--out", str(folder), *options])


def not_simulated(cohort: list[CohortRow]) -> list[CohortRow]:
    return [row.model_copy(update={"simulated": False}) for row in cohort]


def parent_file(folder: Path, model: Model, name: str = "parent.npz") -> Path:
    file = folder / name
    file.write_bytes(encode(model.content, model.version.id))
    return file


def test_the_files_hold_a_model_that_answers_and_what_it_changes(tmp_path: Path) -> None:
    cohort = not_simulated(simulated_centre(60, 5, TRUTH, prophylaxis=0.2))
    folder = tmp_path / "out"
    result = run(cohort, folder)
    assert result.exit_code == 0, result.output
    model = load_from(folder)
    assert model.site is not None
    assert not model.site.simulated
    assert sorted(each.name for each in folder.iterdir()) == sorted(
        [f"{model.version.id}.npz", "model.json", "update.html", "update.json"]
    )
    record = json.loads((folder / "update.json").read_text(encoding="utf-8"))
    assert record["model"] == {"id": model.version.id, "sha256": model.version.sha256}
    assert record["origin"]["parent_sha256"] == load().version.sha256
    assert record["notice"] is None
    for change in record["changes"]:
        if change["patient"] == "LDH 5 × ULN, liver metastases yes" and change["outcome"] == "crs_any":
            factors = PatientFactors(ldh=LdhMultiple(multiple=5.0), liver_metastases=Presence.YES)
            assert change["after"]["risk"] == assess(factors, model).outcomes[0].risk
            assert change["before"]["risk"] == assess(factors).outcomes[0].risk
            break
    else:
        pytest.fail("the patient is not in the table")
    page = (folder / "update.html").read_text(encoding="utf-8")
    assert "SIMULATED" not in page
    assert "Pareto k says whether" in page
    assert f"tarla model use {model.version.id}.npz</code>" in page
    assert "in-sample" in page
    assert "Nothing has changed yet" in result.output
    assert result.output.rstrip().endswith(f"tarla model use {model.version.id}.npz")
    for tau in record["pools"]:
        assert sum(tau["tau_after"]) == pytest.approx(1.0)
        assert tau["tau_before"] == pytest.approx([1 / 3] * 3, abs=1e-3)


def test_simulated_patients_are_named_so_everywhere_and_the_same_again_is_the_same(tmp_path: Path) -> None:
    folder, cohort = tmp_path / "out", simulated_centre(30, 2)
    result = run(cohort, folder)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("SIMULATED.")
    assert result.output.rstrip().endswith("--simulated")
    page = (folder / "update.html").read_text(encoding="utf-8")
    assert "<title>SIMULATED: " in page
    assert '<p class="mark">SIMULATED</p>' in page
    assert "describes nobody" in page
    record = json.loads((folder / "update.json").read_text(encoding="utf-8"))
    assert record["simulated"]
    assert record["origin"]["simulated"]
    first = {each.name: each.read_bytes() for each in folder.iterdir()}
    again = run(cohort, folder)
    assert again.exit_code == 2
    assert "--force" in again.output
    assert run(cohort, folder, "--force").exit_code == 0
    assert {each.name: each.read_bytes() for each in folder.iterdir()} == first


def test_few_patients_no_events_and_an_outcome_that_nobody_has_are_said(tmp_path: Path) -> None:
    row = CohortRow(tocilizumab_prophylaxis=Presence.NO, crs_grade_dose1=0)
    result = run([row] * 3, tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "CRS: only 3 of your patients entered." in result.output
    assert "CRS: none of 3 had it." in result.output
    assert "ICANS: no patient without prophylaxis has a known outcome, so nothing has changed." in result.output
    page = (tmp_path / "out" / "update.html").read_text(encoding="utf-8")
    assert "none: all or none had it" in page
    assert "not updated" in page
    assert not re.search(r"\bnan\b|\binf\b", page)


def test_an_outlying_cohort_is_said_to_be_one_even_where_it_is_refused(tmp_path: Path) -> None:
    result = run(simulated_centre(40, 3, Truth(crs=4.0)), tmp_path / "out")
    assert result.exit_code == 2
    assert re.search(
        r"CRS of any grade: \d+ of 40 is outside what the model allows for in 19 of 20 centres", result.output
    )


def test_refusals_leave_nothing_behind(tmp_path: Path) -> None:
    parent = parent_file(tmp_path, small(load(), 10))
    many = run(simulated_centre(200, 5, TRUTH), tmp_path / "out", "--parent", str(parent))
    assert many.exit_code == 2
    assert "fewer" in many.output
    assert "tarla model build --draws" in many.output
    nobody = run([CohortRow(tocilizumab_prophylaxis=Presence.YES, crs_grade_dose1=0)], tmp_path / "out")
    assert nobody.exit_code == 2
    assert not list((tmp_path / "out").iterdir())


def test_the_parent_may_be_another_build_and_never_a_site_model(tmp_path: Path) -> None:
    cohort = simulated_centre(25, 2)
    parent = small(load(), 2)
    file = parent_file(tmp_path, parent)
    assert run(cohort, tmp_path / "out", "--parent", str(file)).exit_code == 0
    made = load_from(tmp_path / "out")
    assert made.site is not None
    assert made.site.parent_sha256 == decode(file.read_bytes()).version.sha256
    twice = run(cohort, tmp_path / "twice", "--parent", str(tmp_path / "out"))
    assert twice.exit_code == 2
    assert "count them twice" in twice.output
    for path in (tmp_path / "none.npz", tmp_path):
        missing = run(cohort, tmp_path / "twice", "--parent", str(path))
        assert missing.exit_code == 2
        assert "the model to start from cannot be" in missing.output
        assert str(tmp_path) not in missing.output


def test_the_help_names_the_seed_that_is_used() -> None:
    assert SEED == site.SEED


def test_a_model_with_more_draws_is_not_put_where_answers_come_from() -> None:
    result = CliRunner().invoke(main, ["model", "build", "--keep", "50000"])
    assert result.exit_code == 2
    assert "--keep needs --out" in result.output
