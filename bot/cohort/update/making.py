"""The files of an update, and what the terminal says of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bot.audit.files import reason
from bot.audit.options import CannotError
from bot.cohort.report.making import Patients
from bot.cohort.report.words import OUTCOMES, percent
from bot.cohort.update.page import NOTHING_YET, file_name, update_page, use_command
from bot.cohort.writing import record_text, see_targets, write_files
from bot.compose import code_version
from handlers.answer import figures
from knowledge.cohort.update.report import UpdateReport, update_report
from knowledge.cohort.update.site import NAMES, UpdateError, update
from knowledge.model import POINTER, Model, ModelError, decode, load, load_from, pointer_text

PAGE, DATA = "update.html", "update.json"


def parent_model(path: Path | None) -> Model:
    """The shipped model, or that of a folder or file made by ``tarla model build``.

    Raises:
        CannotError: it cannot be read.
    """
    try:
        if path is None:
            return load()
        return load_from(path) if path.is_dir() else decode(path.read_bytes())
    except ModelError as error:
        raise CannotError(f"the model to start from cannot be used: {error}") from None
    except OSError as error:
        raise CannotError(f"the model to start from cannot be read: {reason(error)}") from None


def make_update(
    cohort: Patients, folder: Path, parent: Model, *, seed: int, force: bool, more: Callable[[int], None]
) -> str:
    """Write the artefact with its ``model.json``, the page and the record; what was found, for the terminal.

    Raises:
        CannotError: the update is refused, a file is there already (without ``force``), or cannot be written.
    """
    see_targets(folder, (POINTER, PAGE, DATA), what="update", force=force)
    try:
        made = update(parent, cohort.rows, cohort.sha256, seed=seed, progress=more)
    except UpdateError as error:
        raise CannotError(str(error)) from None
    found = update_report(made, code_version())
    name = file_name(found)
    contents: dict[str, str | bytes] = {
        name: made.data,
        POINTER: pointer_text(found.model.id, name, made.data),
        PAGE: update_page(found),
        DATA: record_text(found),
    }
    write_files(folder, contents, what="update", force=force)
    return in_short(found)


def in_short(report: UpdateReport) -> str:
    """A screenful for the terminal."""
    origin = report.origin
    lines = [] if report.notice is None else [f"SIMULATED. {report.notice}"]
    left_out = origin.with_prophylaxis + origin.prophylaxis_unknown
    lines.append(
        f"{report.model.id}: {report.parent.id} updated by {origin.crs_patients:,} of your patients for CRS and "
        f"{origin.icans_patients:,} for ICANS; {left_out:,} of {origin.patients:,} left out for prophylactic "
        "tocilizumab, given or not known"
    )
    for each in report.pools:
        if each.khat is not None:
            lines.append(
                f"{NAMES[each.pool]:<6} at average findings {percent(each.centre_before.median)} before, "
                f"{percent(each.centre_after.median)} after; Pareto k {each.khat:.2f}, effective sample size "
                f"{each.effective:,.0f}"
            )
    for change in report.changes:
        before, after = figures.risk_estimate(change.before), figures.risk_estimate(change.after)
        lines.append(f"  {OUTCOMES[change.outcome]:<17} {change.patient:<36} {before:<20} -> {after}")
    lines += report.remarks
    lines.append(f"Written: {file_name(report)}, {POINTER}, {PAGE} and {DATA}")
    lines.append(f"{NOTHING_YET} From that folder: {use_command(report)}")
    return "\n".join(lines)
