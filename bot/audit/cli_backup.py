"""``tarla audit backup``. Heavy imports stand inside the functions."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from bot.audit.options import (
    RIGHT,
    WRONG,
    CannotError,
    checkpoints_or_fail,
    ledger_errors,
    progress,
    settings_or_fail,
    spare_what_is_kept,
)


@click.command()
@click.argument("dest", type=click.Path(path_type=Path))
@click.option("--verify", is_flag=True, help="Also compare the copy with every checkpoint in TARLA_CHECKPOINTS.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def backup(dest: Path, verify: bool, as_json: bool) -> None:
    """Copy the ledger to the new file DEST while the bot runs, check the copy, and only then name it.

    An existing file is never written over. Exit status 0 with a copy found right, 1 when the ledger or a checkpoint
    does not bear it out (then there is none), 2 when it could not be made.
    """
    from bot.audit.backup import BackupError, back_up
    from bot.audit.files import OutputError, reason
    from bot.audit.problems import told
    from bot.checkpoints.newest import OwnNotes

    settings = settings_or_fail()
    notes = checkpoints_or_fail(settings) if verify else OwnNotes()
    try:
        spare_what_is_kept(dest, settings)
        with ledger_errors(settings.tarla_ledger), progress(settings.tarla_ledger, "checked") as follow:
            done = back_up(settings.tarla_ledger, dest, checkpoints=notes.checkpoints, follow=follow)
    except BackupError as error:
        where = "" if error.seq is None else f" at event {error.seq}"
        click.echo(f"No backup was kept: {told(str(error))}{where}.", err=True)
        sys.exit(WRONG)
    except OutputError as error:
        hint = ": name a new one" if "exists already" in str(error) else ""
        raise CannotError(f"the backup cannot be written: {error}{hint}") from None
    except OSError as error:
        raise CannotError(f"the backup cannot be made: {reason(error)}") from None
    if as_json:
        said = {name: getattr(done, name) for name in done.__slots__}
        click.echo(json.dumps({**said, "unusable_notes": list(notes.unusable)}, indent=2))
    else:
        lines = [
            f"{done.events:,} events, {done.size:,} bytes, copied {'row by row' if done.by_rows else 'page by page'}",
            f"last receipt {'none' if done.last_receipt is None else '#' + done.last_receipt}",
            f"root {done.root}",
        ]
        if verify:
            lines.append(f"compared with {done.compared} checkpoint{'s' * (done.compared != 1)}")
        click.echo("\n".join(lines))
    for name in notes.unusable:
        click.echo(f"not a checkpoint that a key beside it signed: {name}", err=True)
    sys.exit(WRONG if notes.unusable else RIGHT)
