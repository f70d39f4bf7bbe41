"""``tarla study validate`` through its real door: summary, page, JSON, and what it refuses."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.cohort.validation_page import validation_page
from bot.cohort.validation_words import in_short
from knowledge.cohort.file import Digest, write_csv
from knowledge.cohort.record import CohortRow
from knowledge.cohort.validation import Validation, validate
from knowledge.model import load
from knowledge.site_origin import SiteOrigin
from tests.support.centre import simulated_centre


def as_real(rows: list[CohortRow]) -> list[CohortRow]:
    """The same patients, not marked as simulated."""
    return [row.model_copy(update={"simulated": False}) for row in rows]


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


def test_nobody_without_prophylaxis(tmp_path: Path) -> None:
    path = tmp_path / "cohort.csv"
    path.write_bytes(write_csv(simulated_centre(3, seed=1, prophylaxis=1.0)))
    found = run(path, "--out", tmp_path / "out")
    assert found.exit_code == 0
    assert found.output.count("nothing can be said") == 3
    assert "nothing can be said" in (tmp_path / "out" / "validation.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("same", [True, False])
def test_a_site_model_is_not_validated_by_the_patients_who_updated_it(same: bool) -> None:
    rows = simulated_centre(12, seed=3)
    shipped, digest = load(), Digest()
    for row in rows:
        digest.add(row)
    origin = SiteOrigin(
        parent_id=shipped.version.id, parent_sha256=shipped.version.sha256,
        data_sha256=digest.hex if same else "0" * 64, simulated=True, seed=1, patients=12, with_prophylaxis=0,
        prophylaxis_unknown=0, crs_patients=12, crs_events=6, crs_grade2plus_events=2, crs_unknown=0, icans_patients=12,
        icans_events=3, icans_unknown=0, khat_crs=0.1, khat_icans=0.1, effective_crs=5_000.0, effective_icans=5_000.0,
    )  # fmt: skip
    model = replace(shipped, content=replace(shipped.content, site=origin))
    found = validate(rows, model, resamples=100, cohort_sha256=digest.hex)
    assert found.of_its_own_patients is same
    for text in (in_short(found), validation_page(found)):
        assert ("NOT A VALIDATION" in text) is same
        assert ("whether some of these are among them" in " ".join(text.split())) is not same
        assert "were SIMULATED" in text
