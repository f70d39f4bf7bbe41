"""``tarla study check``, ``columns`` and ``example``: problems by row and column, never a cell or a file's name."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from bot.audit.options import CannotError
from bot.cli import main
from bot.cohort.files import LISTED, cohort_or_fail
from knowledge.cohort.example import example_cohort, example_csv
from knowledge.cohort.file import COLUMNS, read_cohort, write_csv
from tests.support.program import command, environment

BAD = (
    b"\xef\xbb\xbfdose_date;tocilizumab_prophylaxis;crs_grade_dose1;icans_grade;age\nJane Doe;no;1;0;95\n;ja;G2;0;66\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.csv").write_bytes(example_csv())
    (tmp_path / "jane.csv").write_bytes(BAD)
    return tmp_path


def study(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["study", *map(str, words)])


def test_a_good_file(folder: Path) -> None:
    result = study("check", folder / "good.csv")
    assert result.exit_code == 0
    first, *_, last = result.stdout.splitlines()
    assert first == ("40 patients (simulated: they do not exist), 30 without and 10 with prophylactic tocilizumab")
    assert last == f"No problems. SHA-256 of the patients: {example_cohort().sha256}"
    assert "  crs_onset_hours                17 of 17" in result.stdout
    assert "  ldh                            39 of 40" in result.stdout


def test_patients_written_twice_are_told(folder: Path) -> None:
    first = example_csv().splitlines(keepends=True)[1]
    (folder / "good.csv").write_bytes(example_csv() + first + first)
    result = study("check", folder / "good.csv")
    assert result.exit_code == 0
    assert "2 patients are each the same as another in every column" in result.stdout
    assert json.loads(study("check", folder / "good.csv", "--json").stdout)["read"]["repeated"] == 2


def test_every_problem_is_listed_without_its_cell(folder: Path) -> None:
    result = study("check", folder / "jane.csv")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert [line.split(":")[0] for line in lines[:3]] == [
        "row 1, column A",
        "row 2, age",
        "row 3, tocilizumab_prophylaxis",
    ]
    assert "3 problems. Of the rows without one:" in lines
    assert "0 patients, 0 without and 0 with prophylactic tocilizumab" in lines
    assert "Jane" not in result.output
    assert "jane" not in result.output
    assert "SHA-256" not in result.output


def test_more_than_anyone_mends_are_counted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.cohort.cli_check.MOST_LISTED", 2)
    lines = study("check", folder / "jane.csv").stdout.splitlines()
    assert lines[2] == "and 1 more"
    assert "3 problems. Of the rows without one:" in lines
    assert json.loads(study("check", folder / "jane.csv", "--json").stdout)["more_problems"] == 1


def test_json(folder: Path) -> None:
    good = json.loads(study("check", folder / "good.csv", "--json").stdout)
    assert good["problems"] == []
    assert good["read"]["sha256"] == example_cohort().sha256
    assert good["read"]["simulated"] is True
    assert good["read"]["columns"]["crs_duration_hours"] == {"known": 15, "of": 17}
    result = study("check", folder / "jane.csv", "--json")
    bad = json.loads(result.stdout)
    assert result.exit_code == 1
    assert bad["problems"][1] == {
        "row": 2,
        "column": "age",
        "expected": "an age over 89 can identify a person: write 90",
    }
    assert "sha256" not in bad["read"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("none.csv", None, "there is no such file"),
        ("", None, "it is a folder"),
        (f"jane{'x' * 300}.csv", None, "the name is too long"),
        ("jane.xlsx", b"PK\x03\x04", "Save As, CSV UTF-8"),
        ("jane.csv", b"", "the file is empty"),
        ("jane.csv", b"Jane;Doe\n1;2\n", "names of the columns"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, name: str, content: bytes | None, told: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    for options in ((), ("--json",)):
        result = study("check", path, *options)
        assert result.exit_code == 2
        assert told in result.output
        assert "jane" not in result.output.casefold()
    with pytest.raises(CannotError, match=told):
        cohort_or_fail(path)


def test_parquet(folder: Path) -> None:
    path = folder / "cohort.parquet"
    pd.read_csv(io.BytesIO(example_csv())).to_parquet(path)
    result = study("check", path)
    assert result.exit_code == 0
    assert result.stdout == study("check", folder / "good.csv").stdout
    assert cohort_or_fail(path) == example_cohort()


def test_parquet_without_pyarrow_says_what_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "cohort.parquet"
    pd.read_csv(io.BytesIO(example_csv())).to_parquet(path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = study("check", path)
    assert result.exit_code == 2
    assert "pip install pyarrow, or save the cohort as CSV" in result.output


def test_other_commands_list_the_first_problems(tmp_path: Path) -> None:
    path = tmp_path / "jane.csv"
    path.write_bytes(BAD + b";no;Jane;0;66\n" * 20)
    with pytest.raises(CannotError) as caught:
        cohort_or_fail(path)
    lines = caught.value.message.splitlines()
    assert len(lines) == 1 + LISTED + 1
    assert lines[-1] == "  and 13 more: tarla study check lists all"
    assert "jane" not in caught.value.message.casefold()


def test_columns_are_all_described() -> None:
    about, _, listed = study("columns").stdout.partition("\n\n")
    assert "A blank cell is not known, never no" in about
    lines = listed.splitlines()
    assert [line.split(" ")[0] for line in lines if not line.startswith(" ")] == [column.name for column in COLUMNS]
    assert "crs_grade_dose1 (required)" in lines


def test_template_is_an_empty_file_to_fill_in() -> None:
    assert study("columns", "--template").stdout_bytes == write_csv([])


def test_example_is_printed_whole() -> None:
    assert read_cohort(study("example").stdout_bytes) == example_cohort()


def test_a_terminal_gets_a_bar_and_a_pipe_none(folder: Path) -> None:
    bar, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    words = [*command("study", "check"), str(folder / "good.csv")]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=end, env=environment(folder), check=True)
    os.close(end)
    drawn = os.read(bar, 10_000)
    os.close(bar)
    assert b"Reading" in drawn
    assert done.stdout == study("check", folder / "good.csv").stdout_bytes
