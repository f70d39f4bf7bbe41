"""``tarla study update``. Heavy imports stand inside the function."""

from __future__ import annotations

from pathlib import Path

import click

from bot.audit.options import bar

SEED = 20261124  # knowledge.cohort.update.site.SEED, which is not imported for --help alone


@click.command("update")
@click.argument("cohort", type=click.Path(path_type=Path), metavar="COHORT")
@click.option(
    "--out", "folder", type=click.Path(path_type=Path), metavar="DIR", required=True, help="Folder; made if need be."
)
@click.option(
    "--parent",
    type=click.Path(path_type=Path),
    metavar="MODEL",
    help="Model to start from: folder or file of tarla model build (default: the shipped one).",
)
@click.option("--force", is_flag=True, help="Write over an earlier update there.")
@click.option("--seed", type=click.IntRange(min=0), default=SEED, show_default=True, help="Seed of all that is random.")
def update(cohort: Path, folder: Path, parent: Path | None, force: bool, seed: int) -> None:
    """A site model: Tarla's draws reweighted by your own patients without prophylactic tocilizumab.

    Writes the model, and update.html and update.json with risks before and after. It changes no answer: that is for
    tarla model use. The same patients, parent and seed give the same files. Exit status 0 when they are written, 2 when
    the update is refused, with the reason, or cannot be made.
    """
    from bot.cohort.files import cohort_or_fail
    from bot.cohort.update.making import make_update, parent_model

    start = parent_model(parent)
    patients = cohort_or_fail(cohort)
    with bar("Weighing", "patients", None) as more:
        told = make_update(patients, folder, start, seed=seed, force=force, more=more)
    click.echo(told)
