"""``tarla audit report``. Heavy imports stand inside the functions."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from bot.audit.options import (
    RIGHT,
    WRONG,
    CannotError,
    checkpoints_or_fail,
    days_or_fail,
    ledger_errors,
    progress,
    settings_or_fail,
    span_options,
    spare_what_is_kept,
)

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


@click.command("report")
@click.option(
    "--html", "out", type=click.Path(path_type=Path), metavar="FILE", required=True, help="The page to write."
)
@click.option("--force", is_flag=True, help="Write over an existing file.")
@span_options
@click.option("--now", metavar="TIME", help="Time of the check as the page tells it, such as 2026-11-24T12:00:00Z.")
def report(out: Path, force: bool, since: str | None, until: str | None, now: str | None) -> None:
    """Write a report on the ledger as one HTML page that needs nothing else.

    The whole ledger is checked meanwhile. Exit status 0 when it is right, 1 when not or when a checkpoint tells of
    more events (the page says so), 2 when it could not be read or the page not written. Whether the checkpoints were
    signed over this very ledger is shown by tarla audit verify.
    """
    from bot.audit.files import OutputError, check_target, output_file, reason
    from bot.audit.report import in_order
    from bot.audit.report import report as draw
    from bot.audit.stats import statistics_of
    from bot.clock import SystemClock

    days, settings = days_or_fail(since, until), settings_or_fail()
    if now is not None and not _MOMENT.fullmatch(now):
        raise CannotError("write the time as 2026-11-24T12:00:00Z")
    try:
        spare_what_is_kept(out, settings)
        check_target(out, force=force)
        notes = checkpoints_or_fail(settings)  # before the counting: a bot may sign more meanwhile
        with ledger_errors(settings.tarla_ledger), progress(settings.tarla_ledger, "counted") as follow:
            found = statistics_of(settings.tarla_ledger, days, follow)
        moment = now or SystemClock().now().strftime("%Y-%m-%dT%H:%M:%SZ")
        content = draw(found, notes, moment)
        with output_file(out, force=force) as part:
            part.write_text(content, encoding="utf-8")
    except OutputError as error:
        hint = " (--force writes over it)" if "exists already" in str(error) else ""
        raise CannotError(f"the report cannot be written: {error}{hint}") from None
    except OSError as error:
        raise CannotError(f"the report cannot be made: {reason(error)}") from None
    ok = in_order(found, notes)
    click.echo("Every row is right." if ok else "The ledger is WRONG: the page says where.", err=True)
    sys.exit(RIGHT if ok else WRONG)
