"""``tarla study from-ledger``. Heavy imports stand inside the functions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.audit.options import (
    RIGHT,
    WRONG,
    CannotError,
    bar,
    ledger_errors,
    progress,
    settings_or_fail,
    spare_what_is_kept,
)

if TYPE_CHECKING:
    from bot.cohort.from_ledger import FromLedger, Summary

NAMED = 20


@click.command("from-ledger")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    default=Path("cohort.csv"),
    show_default=True,
    help="The cohort file to write.",
)
@click.option("--force", is_flag=True, help="Write over an existing file.")
@click.option("--all-the-same", is_flag=True, help="Write without the answers that altered rows touch.")
def from_ledger(out: Path, force: bool, all_the_same: bool) -> None:
    """Make a cohort file of the outcomes recorded in Slack and the findings of their answers.

    The ledger is only read, and every row of it is checked. Exit status 0 when the file is written and all rows
    were right, 1 when a row was not, 2 when there is nothing to write or it could not be written.
    """
    from bot.audit.files import OutputError, check_target, reason
    from bot.cohort.from_ledger import FromLedger

    path = (settings := settings_or_fail()).tarla_ledger
    try:
        spare_what_is_kept(out, settings)
        check_target(out, force=force)
        reading = FromLedger(path)
        try:
            with ledger_errors(path):
                with progress(path, "read") as follow:
                    reading.gather(follow)
                if not reading.summary.altered or all_the_same:
                    _write(reading, out, force)
        finally:
            reading.close()
    except OutputError as error:
        hint = " (--force writes over it)" if "exists already" in str(error) else ""
        raise CannotError(f"the cohort file cannot be written: {error}{hint}") from None
    except OSError as error:
        raise CannotError(f"the cohort file cannot be written: {reason(error)}") from None
    summary = reading.summary
    _name(summary)
    if summary.altered and not all_the_same:
        click.echo(
            "No file was written. tarla audit verify tells more; --all-the-same writes one without the answers "
            "that these rows are or name.",
            err=True,
        )
        sys.exit(WRONG)
    click.echo("\n".join(told(summary)))
    sys.exit(WRONG if summary.named else RIGHT)


def _write(reading: FromLedger, out: Path, force: bool) -> None:
    from bot.audit.files import output_file
    from knowledge.cohort.file import csv_lines

    if not reading.patients:
        raise CannotError(
            f"no answer among {reading.summary.events:,} events has an outcome that can be used, so no file was "
            "written: outcomes are recorded in Slack with /tarla outcome and an answer's receipt"
        )
    with (
        output_file(out, force=force) as part,
        part.open("w", encoding="utf-8", newline="\n") as target,
        bar("written", "patients", reading.patients) as more,
    ):
        for line in csv_lines(reading.rows(more)):
            target.write(f"{line}\n")
        if not reading.summary.rows:
            raise CannotError(_none_left(reading.summary))


def _none_left(summary: Summary) -> str:
    tried = f"; {summary.tried_out:,} were by a model made from simulated patients" if summary.tried_out else ""
    return f"no answer with an outcome has findings that can be used{tried}, so no file was written"


def _name(summary: Summary) -> None:
    from bot.audit.problems import told as problem_told

    for seq, problem in summary.named[:NAMED]:
        why = "it cannot be read by this version" if problem == "unreadable" else problem_told(problem)
        click.echo(f"event {seq} ({problem}): {why}", err=True)
    more = summary.altered + summary.unreadable - len(summary.named[:NAMED])
    if more > 0:
        click.echo(f"and {more:,} more", err=True)


def told(summary: Summary) -> list[str]:
    """The summary in lines; what does not occur is left out, but for what must be known of any such file."""
    from handlers.outcome.view import second_dose_day

    due = second_dose_day()
    lines = [
        f"{summary.rows:,} patients written; CRS grade known in {summary.crs_known:,}, ICANS grade in "
        f"{summary.icans_known:,}; prophylactic tocilizumab in {summary.prophylaxis:,}.",
        f"{summary.outcomes:,} outcomes among {summary.events:,} events; of an answer the last one counts.",
        f"{summary.answers:,} answers for one patient are kept (edited and repeated ones included): those without an "
        "outcome are in no row.",
    ]
    counted = (
        (summary.replaced, "outcomes had a later one in their place"),
        (summary.taken_back, "answers left out: their outcome was taken back"),
        (summary.pruned, "answers left out: outcome or findings are no longer kept"),
        (summary.edited, "answers left out: an edited answer of the same patient has an outcome too"),
        (summary.altered_out, "answers left out: a row that was altered is theirs or names them"),
        (summary.tried_out, "answers left out: a model made from simulated patients gave them, for trying out only"),
        (summary.unreadable, "outcomes or answers left out: this version cannot read them"),
        (summary.early, f"patients were looked at for less than {due - 1} days after the first dose (follow_up_days)"),
        (
            summary.edited_later,
            "patients' findings were edited later, under a receipt without outcome: as first given",
        ),
    )
    lines += [f"{count:,} {words}." for count, words in counted if count]
    if summary.alike:
        lines.append(
            f"{summary.alike:,} patients have the same findings as another. Nobody can tell from the ledger whether "
            "they are one patient asked about twice: record an outcome once, under one receipt."
        )
    lines.append(
        "The file holds no Slack id, no receipt and no time. dose_day is blank: an answer's day is not the dose's."
    )
    return lines
