"""The commands under ``tarla audit``. Each module of commands adds its own; heavy imports stand inside them."""

from __future__ import annotations

import click

from bot.audit.cli_backup import backup
from bot.audit.cli_checkpoints import checkpoint, rotate, verifier, verify
from bot.audit.cli_export import export
from bot.audit.cli_keep import retain, whois
from bot.audit.cli_recall import recall
from bot.audit.cli_report import report
from bot.audit.cli_show import show
from bot.audit.cli_stats import stats


@click.group()
def audit() -> None:
    """The audit ledger: check, read, export, back up, keep, recall."""


audit.add_command(verify)
audit.add_command(checkpoint)
audit.add_command(rotate)
audit.add_command(verifier)
audit.add_command(retain)
audit.add_command(recall)
audit.add_command(whois)
audit.add_command(backup)
audit.add_command(export)
audit.add_command(report)
audit.add_command(show)
audit.add_command(stats)
