"""``tarla study report`` through the real command line, on files."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.cohort.report.page import report_page
from knowledge.cohort.file import write_csv
from knowledge.cohort.report.study import StudyReport
from tests.support.centre import simulated_centre
from tests.support.report_pages import without_origin


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["study", "report", *map(str, words)], catch_exceptions=False)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("cohort") / "cohort.csv"
    path.write_bytes(write_csv(simulated_centre(40, 3, missing=0.1, prophylaxis=0.25)))
    return path


@pytest.fixture(scope="module")
def written(cohort, tmp_path_factory) -> tuple[Path, Result]:
    """A whole report, regressions and all, in a folder that was not there before."""
    folder = tmp_path_factory.mktemp("out") / "new" / "folder"
    return folder, run(cohort, "--out", folder)


def test_page_and_data_are_written_and_told(written):
    """Both files; the page is what the JSON gives and loads nothing; the terminal says simulated."""
    folder, result = written
    assert result.exit_code == 0, result.output
    assert result.output.startswith("SIMULATED.")
    assert "40 patients" in result.output
    assert sorted(each.name for each in folder.iterdir()) == ["report.html", "report.json"]
    text = (folder / "report.json").read_text(encoding="utf-8")
    data = json.loads(text)
    jsonschema.validate(data, StudyReport.model_json_schema(mode="serialization"))
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert report_page(StudyReport.model_validate_json(text)) == page
    assert without_origin(page, data) == set()
    assert data["simulated"] is True
    assert '<p class="mark">SIMULATED</p>' in page
    assert page.index("This is no trial") < page.index("<h2>")
    assert data["provenance"]["made_on"] is None
    assert data["models"]["seed"] == data["provenance"]["seed"]
    for outside in ("http:", "https:", "<script", "src=", "<link", "url(http"):
        assert outside not in page


def test_the_same_file_and_seed_give_the_same_bytes(written, cohort, tmp_path):
    assert run(cohort, "--out", tmp_path).exit_code == 0
    for file in ("report.html", "report.json"):
        assert (written[0] / file).read_bytes() == (tmp_path / file).read_bytes()


def test_the_tables_alone_are_the_same_tables(written, cohort, tmp_path):
    assert run(cohort, "--out", tmp_path, "--tables-only").exit_code == 0
    alone = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    whole = json.loads((written[0] / "report.json").read_text(encoding="utf-8"))
    assert alone["models"] is None
    for key in whole.keys() - {"models", "strobe", "methods"}:
        assert alone[key] == whole[key]


def test_a_table_shared_with_the_regressions_agrees(written):
    """Two modules count the same patients."""
    data = json.loads((written[0] / "report.json").read_text(encoding="utf-8"))
    population, patients = data["models"]["population"], data["flow"]["patients"]
    assert population["patients"] == patients["everyone"]
    assert population["without_prophylaxis"] == patients["without"]
    assert population["with_prophylaxis"] == patients["given"]
    assert population["prophylaxis_unknown"] == patients["not_known"]


def test_a_day_is_printed_where_one_is_given(cohort, tmp_path):
    assert run(cohort, "--out", tmp_path, "--tables-only", "--now", "2026-11-24").exit_code == 0
    assert "2026-11-24" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["provenance"]["made_on"] == "2026-11-24"


@pytest.mark.parametrize("there", ["report.html", "report.json"])
def test_nothing_is_overwritten_unasked(cohort, tmp_path, there):
    (tmp_path / there).write_text("mine", encoding="utf-8")
    result = run(cohort, "--out", tmp_path)
    assert result.exit_code == 2
    assert "--force" in result.output
    assert (tmp_path / there).read_text(encoding="utf-8") == "mine"
    assert len(list(tmp_path.iterdir())) == 1
    assert run(cohort, "--out", tmp_path, "--tables-only", "--force").exit_code == 0
    assert (tmp_path / there).read_text(encoding="utf-8") != "mine"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--now", "24.11.2026"], "write the day as 2026-11-24"),
        (["--now", "2026-13-40"], "write the day as 2026-11-24"),
    ],
)
def test_what_is_wrong_is_said(cohort, tmp_path, words, told):
    result = run(cohort, "--out", tmp_path / "out", *words)
    assert result.exit_code == 2
    assert told in result.output
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_a_file_is_refused(cohort, tmp_path):
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    result = run(cohort, "--out", tmp_path / "out", "--force")
    assert result.exit_code == 2
    assert "cannot be written" in result.output


def test_a_file_that_is_no_cohort_is_refused_without_its_cells(tmp_path):
    (tmp_path / "cohort.csv").write_text("age,sex\nJane Doe,female\n", encoding="utf-8")
    result = run(tmp_path / "cohort.csv", "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "Jane" not in result.output
    assert not (tmp_path / "out").exists()
