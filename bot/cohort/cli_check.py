"""``tarla study check``, ``columns`` and ``example``: the cohort file before anything is made of it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.audit.options import CANNOT, RIGHT, WRONG, CannotError

if TYPE_CHECKING:
    from knowledge.cohort.file import Problem
    from knowledge.cohort.file.summary import Summary

# More are counted: nobody mends them one by one.
MOST_LISTED = 100_000
FILE = """\
One row a patient, under a row with these headings: CSV (decimal commas and semicolons are read too) or Parquet.
Columns in any order; whichever is not marked required may be absent. No names, numbers or dates of patients: a file
with such a column is refused. A blank cell is not known, never no: without CRS the grade is 0.
"""


@click.command()
@click.argument("cohort", type=click.Path(readable=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print problems and summary as one JSON object.")
def check(cohort: Path, as_json: bool) -> None:
    """List every problem of a cohort file (CSV or Parquet), then what was read.

    A problem names row and column and what is expected, never what the cell holds. Exit status 0 without problems,
    1 with some, 2 when the file cannot be read.
    """
    try:
        problems, more, summary = _read(cohort)
    except CannotError as error:
        if not as_json:
            raise
        click.echo(json.dumps({"cannot": error.message}, ensure_ascii=False, indent=2))
        sys.exit(CANNOT)
    if as_json:
        click.echo(json.dumps(_as_json(problems, more, summary), ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(_as_text(problems, more, summary)))
    sys.exit(WRONG if problems else RIGHT)


@click.command()
@click.option("--template", is_flag=True, help="Print a CSV file with the headings alone, to be filled in.")
def columns(template: bool) -> None:
    """What the columns of a cohort file are called, and what their cells may hold."""
    from knowledge.cohort.file import COLUMNS, write_csv

    if template:
        click.echo(write_csv([]).decode(), nl=False)
        return
    click.echo(FILE)
    for column in COLUMNS:
        click.echo(f"{column.name}{' (required)' if column.required else ''}")
        click.echo(f"    {column.meaning}{f' [{column.unit}]' if column.unit else ''}")
        click.echo(f"    {column.kind.accepted}; blank where not known")
        if column.aliases:
            click.echo(f"    also read as {', '.join(column.aliases)}")


@click.command()
def example() -> None:
    """Print the example cohort: 40 simulated patients in whom the founding study's published figures come out."""
    from knowledge.cohort.example import example_csv

    click.echo(example_csv().decode(), nl=False)


def _read(path: Path) -> tuple[list[Problem], int, Summary]:
    """Problems as far as MOST_LISTED, how many more, and what the other rows hold."""
    from bot.cohort.files import opened_or_fail
    from knowledge.cohort.file import iter_rows
    from knowledge.cohort.file.summary import Tally

    problems: list[Problem] = []
    tally, more = Tally(), 0

    def tell(problem: Problem) -> None:
        nonlocal more
        if len(problems) < MOST_LISTED:
            problems.append(problem)
        else:
            more += 1

    with opened_or_fail(path) as (stream, progress):
        for row in iter_rows(stream, progress, tell):
            tally.add(row)
    return problems, more, tally.summary


def _as_json(problems: list[Problem], more: int, summary: Summary) -> dict[str, Any]:
    read = asdict(summary)
    if problems:  # of some rows only: not what another file could be compared with
        del read["sha256"]
    return {"problems": [asdict(problem) for problem in problems], "more_problems": more, "read": read}


def _as_text(problems: list[Problem], more: int, summary: Summary) -> list[str]:
    from knowledge.cohort.repeated import written_twice

    lines = [str(problem) for problem in problems]
    if more:
        lines.append(f"and {more:,} more")
    if problems:
        count = len(problems) + more
        lines += ["", f"{count:,} problem{'s' if count > 1 else ''}. Of the rows without one:"]
    patients, given, not_given = summary.patients, summary.with_prophylaxis, summary.without_prophylaxis
    unknown = patients - given - not_given
    made_up = " (simulated: they do not exist)" if summary.simulated else ""
    lines.append(
        f"{patients:,} patient{'' if patients == 1 else 's'}{made_up}, {not_given:,} without and {given:,} with "
        f"prophylactic tocilizumab{f', {unknown:,} not known' if unknown else ''}"
    )
    lines += written_twice(summary.repeated)
    if patients:
        lines += ["", "Known, of the patients whom it concerns:"]
        lines += [f"  {name:<24}{each.known:>9,} of {each.of:,}" for name, each in summary.columns.items()]
    if not problems:
        lines += ["", f"No problems. SHA-256 of the patients: {summary.sha256}"]
    return lines
