"""Both files of a report, and what the terminal says of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from bot.cohort.report.page import report_page
from bot.cohort.report.words import OUTCOMES, rate
from bot.cohort.writing import record_text, see_targets, write_files
from bot.compose import code_version
from knowledge import evidence
from knowledge.assessment import Outcome
from knowledge.cohort.record import CohortRow
from knowledge.cohort.report.model_parts import Progress, model_parts
from knowledge.cohort.report.study import StudyReport, study_report
from knowledge.model import shipped_version

PAGE, DATA = "report.html", "report.json"


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
        CannotError: a file is there already (without ``force``), or cannot be written.
    """
    see_targets(folder, (PAGE, DATA), what="report", force=force)
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
    write_files(folder, {PAGE: report_page(found), DATA: record_text(found)}, what="report", force=force)
    return in_short(found)


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
