"""``tarla audit show``. Heavy imports stand inside the functions."""

from __future__ import annotations

import json
import sys

import click

from bot.audit.options import RIGHT, WRONG, CannotError, checkpoints_or_fail, ledger_errors, settings_or_fail


@click.command()
@click.argument("receipt")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(receipt: str, as_json: bool) -> None:
    """Show the event of RECEIPT, such as 1284-3f9a, in full.

    Exit status 0 when it is as it was recorded, 1 when the receipt does not fit (no such number, another event) or
    the event was altered, 2 when that is no receipt or the ledger cannot be read.
    """
    from bot.audit import shown, shown_text
    from bot.audit.again import worked_out_again
    from bot.audit.payload import parsed
    from bot.models.folder import ModelFolder
    from handlers.receipts import read_typed_receipt

    wanted = read_typed_receipt(receipt)
    if wanted is None or not wanted.start:
        raise CannotError("a receipt reads like 1284-3f9a: a number, a hyphen, the first digits of a hash")
    settings = settings_or_fail()
    notes = checkpoints_or_fail(settings)
    with ledger_errors(settings.tarla_ledger):
        found = shown.look_up(settings.tarla_ledger, wanted, notes)
    again = None
    if found.row is not None and found.row.kind == b"computed" and found.problem is None:
        again = worked_out_again(
            parsed(found.row.body), ModelFolder(settings.models, named=settings.tarla_models is not None)
        )
    if as_json:
        click.echo(json.dumps(shown.as_json(found, None if again is None else again.outcome.value), indent=2))
    else:
        click.echo(shown_text.as_text(found, again))
    sys.exit(RIGHT if found.fit is shown.Fit.RIGHT else WRONG)
