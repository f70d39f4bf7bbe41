"""The commands under ``tarla study``. Each module of commands adds its own; heavy imports stand inside them."""

from __future__ import annotations

import click

from bot.cohort.cli_check import check, columns, example
from bot.cohort.cli_from_ledger import from_ledger
from bot.cohort.cli_report import report
from bot.cohort.cli_update import update
from bot.cohort.cli_validate import validate


@click.group()
def study() -> None:
    """The founding study on your own patients: check the file, report, validate, update."""


study.add_command(check)
study.add_command(columns)
study.add_command(example)
study.add_command(report)
study.add_command(update)
study.add_command(validate)
study.add_command(from_ledger)
