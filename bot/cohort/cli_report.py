"""``tarla study report``. Heavy imports stand inside the functions."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import click

from bot.audit.options import CannotError, bar

SEED = 20_250_301
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@click.command("report")
@click.argument("cohort", type=click.Path(path_type=Path), metavar="COHORT")
@click.option(
    "--out", "folder", type=click.Path(path_type=Path), metavar="DIR", required=True, help="Folder; made if need be."
)
@click.option("--force", is_flag=True, help="Write over an earlier report there.")
@click.option("--seed", type=click.IntRange(min=0), default=SEED, show_default=True, help="Seed of all that is random.")
@click.option("--tables-only", is_flag=True, help="Without the regressions, which take most of the time.")
@click.option("--now", "day", metavar="DAY", help="Day to print on the report, such as 2026-11-24 (default: none).")
def report(cohort: Path, folder: Path, force: bool, seed: int, tables_only: bool, day: str | None) -> None:
    """The founding study on your own patients: report.html and report.json.

    The page needs nothing else and prints; the JSON holds every figure of it. The same file and seed give the same
    report. Exit status 0 when both are written, 2 when the file cannot be used or the report not be written.
    """
    from bot.cohort.files import cohort_or_fail
    from bot.cohort.report.making import make_report

    if day is not None and not _is_day(day):
        raise CannotError("write the day as 2026-11-24")
    patients = cohort_or_fail(cohort)
    with bar("Regressions", "%", None if tables_only else 100) as more:
        told = make_report(
            patients, folder, force=force, seed=seed, day=day, with_models=not tables_only, progress=_steps(more)
        )
    click.echo(told)


def _is_day(text: str) -> bool:
    from datetime import date

    try:
        return _DAY.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _steps(more: Callable[[int], None]) -> Callable[[str, float], None]:
    """A bar is told how much more is done, the work tells how much is done by now."""
    done = 0

    def follow(_doing: str, share: float) -> None:
        nonlocal done
        now = round(100 * share)
        if now > done:
            more(now - done)
            done = now

    return follow
