"""Both files of a report, and what the terminal says of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from bot.audit.files import OutputError, check_target, output_file, reason
from bot.cohort.report_page import report_page
from bot.cohort.report_words import OUTCOMES, rate
from bot.compose import code_version
from knowledge import evidence
from knowledge.assessment import Outcome
from knowledge.cohort.record import CohortRow
from knowledge.cohort.report.model_parts import Progress, model_parts
from knowledge.cohort.report.study import StudyReport, study_report
from knowledge.model import shipped_version

PAGE, DATA = "report.html", "report.json"


class ReportError(Exception):
    """The report could not be written; the message says why."""


class Patients(Protocol):
    """A cohort as it was read."""

    @property
    def rows(self) -> Sequence[CohortRow]: ...

    @property
    def sha256(self) -> str: ...


def make_report(
    cohort: Patients,
    folder: Path,
    *,
    force: bool,
    seed: int,
    day: str | None,
    with_models: bool = True,
    progress: Progress | None = None,
) -> str:
    """Write both files; what was found, for the terminal.

    ``progress`` is told what is being done and the share of the regressions that is done.

    Raises:
        ReportError: a file is there already (without ``force``), or cannot be written.
    """
    targets = (folder / PAGE, folder / DATA)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for target in targets:
            check_target(target, force=force)
        found = study_report(
            cohort.rows,
            cohort_sha256=cohort.sha256,
            program=code_version(),
            model=shipped_version(),
            evidence=evidence.load(),
            seed=seed,
            models=model_parts(cohort.rows, seed=seed, progress=progress) if with_models else None,
            made_on=day,
        )
        for target, content in zip(targets, (report_page(found), as_json(found)), strict=True):
            with output_file(target, force=force) as part:
                part.write_text(content, encoding="utf-8")
    except OutputError as error:
        hint = " (--force writes over it)" if "exists already" in str(error) else ""
        raise ReportError(f"the report cannot be written: {error}{hint}") from None
    except OSError as error:
        raise ReportError(f"the report cannot be written: {reason(error)}") from None
    return in_short(found)


def as_json(report: StudyReport) -> str:
    """The record as text: full digits, keys in the order of the schema."""
    return json.dumps(report.model_dump(mode="json"), ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def in_short(report: StudyReport) -> str:
    """A few lines for the terminal."""
    patients = report.flow.patients
    lines = [] if report.notice is None else [f"SIMULATED. {report.notice}"]
    lines.append(
        f"{patients.everyone:,} patients: {patients.without:,} without prophylactic tocilizumab, {patients.given:,} "
        f"with, {patients.not_known:,} not known"
    )
    for each in report.comparison:
        if each.outcome in (Outcome.CRS_ANY, Outcome.CRS_GRADE2PLUS, Outcome.ICANS_ANY):
            lines.append(
                f"{OUTCOMES[each.outcome]:<17} without {rate(each.groups.without)}; with {rate(each.groups.given)}"
            )
    lines.append("With against without is no trial: see the warning in the report.")
    lines.append(f"Written: {PAGE} and {DATA}")
    return "\n".join(lines)
