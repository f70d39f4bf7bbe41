"""``tarla study validate`` through its real door: summary, page, JSON, and what it refuses."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.cohort.validation.making import as_json, validated
from bot.cohort.validation.page import validation_page
from bot.cohort.validation.words import in_short
from bot.models.folder import ModelFolder
from knowledge.cohort.file import Digest, write_csv
from knowledge.cohort.record import CohortRow
from knowledge.cohort.validation import Validation
from knowledge.model import load
from tests.support.centre import simulated_centre
from tests.support.program import environment
from tests.support.site_models import artefact, in_use, site_model


def as_real(rows: list[CohortRow]) -> list[CohortRow]:
    """The same patients, not marked as simulated."""
    return [row.model_copy(update={"simulated": False}) for row in rows]


@pytest.fixture(scope="module", autouse=True)
def nothing_of_the_tester(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Settings, ledger and models of whoever runs the tests do not count."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ.keys() - environment(folder).keys():
            patch.delenv(name)
        for name, value in environment(folder).items():
            patch.setenv(name, value)
        patch.chdir(folder)
        yield


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cohort") / "cohort.csv"
    path.write_bytes(write_csv(simulated_centre(60, seed=21, missing=0.1, prophylaxis=0.2)))
    return path


@pytest.fixture(scope="module")
def made(cohort: Path) -> Result:
    """Validated once, page and JSON beside the cohort in ``made/here``, JSON on standard output."""
    return run(cohort, "--json", "--out", cohort.parent / "made" / "here")


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["study", "validate", *map(str, words)], catch_exceptions=False)


class Page(HTMLParser):
    """Ids, styles and addresses of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.styled: list[str] = []
        self.loaded: list[str] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.ids.append(value)
            if name == "style":
                self.styled.append(tag)
            if name in ("src", "href", "xlink:href") and not (value or "").startswith("#"):
                self.loaded.append(f"{tag} {value}")

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_summary_says_what_was_compared_and_that_it_is_simulated(cohort: Path) -> None:
    found = run(cohort)
    assert found.exit_code == 0
    assert found.output.startswith("SIMULATED. ")
    assert load().version.sha256 in found.output
    for heading in ("CRS, any grade", "CRS, grade ≥ 2", "ICANS, any grade"):
        assert heading in found.output
    assert "Left out:" in found.output
    assert "nan" not in found.output.lower()


def test_no_line_of_the_summary_begins_with_the_sign_of_a_figure(tmp_path: Path) -> None:
    path = tmp_path / "cohort.csv"
    path.write_bytes(CliRunner().invoke(main, ["study", "example"]).stdout_bytes)
    found = run(path, "--shipped")
    assert found.exit_code == 0
    assert [line for line in found.output.splitlines() if line.lstrip().startswith("%")] == []


def test_page_and_json_hold_the_same_and_need_nothing_else(cohort: Path, made: Result) -> None:
    assert made.exit_code == 0
    folder = cohort.parent / "made" / "here"
    text = (folder / "validation.html").read_text(encoding="utf-8")
    record = json.loads((folder / "validation.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert record.pop("notice").startswith("Simulated patients")
    validation = Validation.model_validate(record)
    assert validation.simulated
    page = Page(text)
    assert len(page.ids) == len(set(page.ids))
    assert page.styled == []
    assert page.loaded == []
    shown = " ".join(page.text)
    assert "Simulated patients" in shown
    assert '<p class="mark">SIMULATED</p>' in text
    assert validation.model.sha256 in shown
    assert validation.cohort_sha256 == digest_of(cohort)
    assert validation.cohort_sha256 in shown
    for each in validation.outcomes:
        assert each.verdict in shown
    assert not re.search(r"\bnan\b|\binf\b", shown, re.IGNORECASE)
    assert text.count("<svg") == len(validation.outcomes) + sum(
        bool(each.decision.points) for each in validation.outcomes
    )


def digest_of(path: Path) -> str:
    from knowledge.cohort.file import iter_rows

    digest = Digest()
    for row in iter_rows(path.read_bytes()):
        digest.add(row)
    return digest.hex


def test_patients_that_are_not_simulated_are_not_called_so(tmp_path: Path) -> None:
    path = tmp_path / "cohort.csv"
    path.write_bytes(write_csv(as_real(simulated_centre(30, seed=4))))
    found = run(path, "--out", tmp_path / "out")
    page = (tmp_path / "out" / "validation.html").read_text(encoding="utf-8")
    record = (tmp_path / "out" / "validation.json").read_text(encoding="utf-8")
    for text in (found.output, page, record.replace('"simulated": false', "")):
        assert "simulated" not in text.lower()


def test_json_is_what_the_file_holds(cohort: Path, made: Result) -> None:
    written = (cohort.parent / "made" / "here" / "validation.json").read_text(encoding="utf-8")
    assert json.loads(made.stdout) == json.loads(written)


def test_nothing_is_written_over_unasked_and_the_same_file_gives_the_same_bytes(
    cohort: Path, made: Result, tmp_path: Path
) -> None:
    kept = tmp_path / "validation.json"
    kept.write_text("mine")
    found = run(cohort, "--out", tmp_path)
    assert found.exit_code == 2
    assert "--force" in found.output
    assert kept.read_text() == "mine"
    assert not kept.with_name("validation.html").exists()
    assert run(cohort, "--out", tmp_path, "--force", "--workers", 1).exit_code == made.exit_code == 0
    for name in ("validation.html", "validation.json"):
        assert (tmp_path / name).read_bytes() == (cohort.parent / "made" / "here" / name).read_bytes()


def test_a_file_that_cannot_be_used_is_refused_without_its_name_or_its_cells(tmp_path: Path) -> None:
    assert run(tmp_path / "Jane Doe.csv").exit_code == 2
    assert "Jane" not in run(tmp_path / "Jane Doe.csv").output
    path = tmp_path / "cohort.csv"
    text = write_csv(simulated_centre(5, seed=1)).decode()
    path.write_text(text.replace(",yes", ",Jane Doe"))
    found = run(path)
    assert found.exit_code == 2
    assert "row 2" in found.output
    assert "Jane" not in found.output


def test_patients_written_twice_are_told(tmp_path: Path) -> None:
    path = tmp_path / "cohort.csv"
    rows = simulated_centre(12, seed=3)
    path.write_bytes(write_csv([*rows, rows[0], rows[1]]))
    assert "2 patients are each the same as another in every column." in " ".join(run(path).output.split())


def test_nobody_without_prophylaxis(tmp_path: Path) -> None:
    path = tmp_path / "cohort.csv"
    path.write_bytes(write_csv(simulated_centre(3, seed=1, prophylaxis=1.0)))
    found = run(path, "--out", tmp_path / "out")
    assert found.exit_code == 0
    assert found.output.count("nothing can be said") == 3
    assert "nothing can be said" in (tmp_path / "out" / "validation.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("same", [True, False])
def test_a_site_model_is_not_validated_by_the_patients_who_updated_it(same: bool, tmp_path: Path) -> None:
    path = tmp_path / "cohort.csv"
    rows = simulated_centre(12, seed=3)
    digest = Digest()
    for row in rows:
        digest.add(row)
    model = site_model(simulated=True, data_sha256=digest.hex if same else "0" * 64)
    path.write_bytes(write_csv(reversed(rows)))  # in another order they are the same patients
    found = validated(path, model, seed=1, workers=1)
    assert found.of_its_own_patients is same
    assert all(each.verdict.startswith("In-sample, so no validation: ") is same for each in found.outcomes)
    record = json.loads(as_json(found))
    assert ("NOT A VALIDATION" in record["site_notice"]) is same
    assert "were SIMULATED" in record["site_notice"]
    assert ("in-sample, no validation</title>" in validation_page(found)) is same
    for text in (in_short(found), validation_page(found)):
        assert ("NOT A VALIDATION" in text) is same
        assert ("whether some of these are among them" in " ".join(text.split())) is not same
        assert "were SIMULATED" in text


def test_the_model_is_the_one_that_answers_unless_the_shipped_one_is_asked_for(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARLA_MODELS", str(tmp_path))
    version = in_use(tmp_path, artefact())
    assert f"Model {version.id}, SHA-256 {version.sha256}\n" in run(cohort).output
    assert f"Model {load().version.id}, SHA-256 {load().version.sha256}\n" in run(cohort, "--shipped").output
    ModelFolder(tmp_path).place_of(version.sha256).unlink()
    refused = run(cohort)
    assert refused.exit_code == 2
    assert "its file is missing" in refused.output
