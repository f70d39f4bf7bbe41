"""``tarla audit stats``. Heavy imports stand inside the functions."""

from __future__ import annotations

import json
import sys

import click

from bot.audit.options import RIGHT, WRONG, days_or_fail, ledger_errors, progress, settings_or_fail, span_options


@click.command()
@span_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def stats(since: str | None, until: str | None, as_json: bool) -> None:
    """Count what the ledger holds: events, refusals, failed deliveries, delivery times, versions in use, gaps.

    People and channels are counted, not named. The whole ledger is checked meanwhile: exit status 0 when it is
    right, 1 when not (what is counted then ends at the fault), 2 when it cannot be read.
    """
    from bot.audit import stats_text
    from bot.audit.stats import statistics_of

    days, path = days_or_fail(since, until), settings_or_fail().tarla_ledger
    with ledger_errors(path), progress(path, "counted") as follow:
        found = statistics_of(path, days, follow)
    click.echo(json.dumps(stats_text.as_json(found), indent=2) if as_json else stats_text.as_text(found))
    sys.exit(RIGHT if found.check is not None and found.check.ok else WRONG)
