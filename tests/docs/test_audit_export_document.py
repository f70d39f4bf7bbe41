"""docs/audit-export.md shows what the program writes, and docs/audit.md the figures that are kept."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.audit import BUDGET_MB, as_markdown, in_text
from benchmarks.measure import RESULTS
from bot.audit.cli import audit
from bot.audit.export_csv import COLUMNS
from bot.audit.fhir_codes import KINDS
from bot.audit.problems import TOLD
from tests.support.big_ledger import make_ledger

DOCS = Path(__file__).parents[2] / "docs"
SEQ = 3


def example_ledger(folder: Path) -> Path:
    """A small ledger, the same each time."""
    path = folder / "ledger.db"
    make_ledger(path, 40)
    return path


def examples(ledger: Path) -> dict[str, str]:
    """The example of each format, as the document has it."""
    found = {}
    for form in ("jsonl", "csv", "fhir"):
        done = CliRunner(env=os.environ | {"TARLA_LEDGER": str(ledger)}).invoke(audit, ["export", "--format", form])
        assert done.exit_code == 0
        lines = done.stdout.splitlines()
        if form == "csv":
            found[form] = f"{lines[0]}\n{lines[SEQ]}\n"
        elif form == "jsonl":
            found[form] = lines[SEQ - 1] + "\n"
        else:
            found[form] = json.dumps(json.loads(lines[SEQ - 1]), indent=2, ensure_ascii=False) + "\n"
    return found


def mapping() -> str:
    """A line for every kind of event."""
    lines = []
    for kind, each in KINDS.items():
        subtype = "" if each.subtype is None else f"{each.subtype.code} {each.subtype.display}"
        purpose = "TREAT" if each.of_request else ""
        cells = (
            f"`{kind}`",
            f"{each.type.code} {each.type.display}",
            subtype,
            each.action,
            each.outcome.value,
            purpose,
        )
        lines.append(f"| {' | '.join(cells)} |".replace("|  |", "| |"))
    return "\n".join(lines)


def test_the_examples_are_what_the_program_writes(tmp_path: Path) -> None:
    text = (DOCS / "audit-export.md").read_text(encoding="utf-8")
    for form, example in examples(example_ledger(tmp_path)).items():
        assert f"\n{example}```" in text, form


def test_the_mapping_is_the_programs() -> None:
    assert mapping() in (DOCS / "audit-export.md").read_text(encoding="utf-8")


def test_every_column_and_fault_is_explained() -> None:
    text = (DOCS / "audit-export.md").read_text(encoding="utf-8")
    table = text.split("| columns | meaning |")[1].split("```")[0]
    named = set(re.findall(r"`([a-z0-9_]+)`", table.split("\n\n")[0]))
    outcomes = {f"{prefix}{figure}" for prefix in named if prefix.endswith("_") for figure in ("risk", "low", "high")}
    assert set(COLUMNS) <= named | outcomes
    row_faults = set(TOLD) - {"schema", "damaged", "orphan_payload", "orphan_event"}
    assert row_faults <= set(re.findall(r"`([a-z_]+)`", text))
    example = re.search(r"```csv\n(.*?)```", text, re.DOTALL)
    assert example is not None
    assert next(csv.DictReader(io.StringIO(example[1])))["seq"] == str(SEQ)


def test_the_figures_are_those_that_are_kept() -> None:
    body = json.loads((RESULTS / "audit.json").read_text())
    text = (DOCS / "audit.md").read_text(encoding="utf-8")
    assert in_text(text, as_markdown(body)) == text
    assert all(each["peak_mb"] < BUDGET_MB for each in body["commands"].values())
    assert body["settings"]["events"] == 1_000_000
    with pytest.raises(ValueError, match="no marks"):
        in_text("nothing", "figures")
