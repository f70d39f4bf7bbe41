"""``tarla study validate``. Heavy imports stand inside the functions."""

from __future__ import annotations

from pathlib import Path

import click

from bot.audit.options import CannotError, settings_or_fail


@click.command("validate")
@click.argument("cohort", type=click.Path(path_type=Path), metavar="COHORT")
@click.option(
    "--out", "folder", type=click.Path(path_type=Path), metavar="DIR",
    help="Also write validation.html and validation.json there; the folder is made if need be.",
)  # fmt: skip
@click.option("--shipped", is_flag=True, help="The shipped model, also where a site model answers.")
@click.option("--force", is_flag=True, help="Write over an earlier validation there.")
@click.option("--seed", type=click.IntRange(min=0), default=None, help="Seed of the bootstrap (default: 20261124).")
@click.option("--workers", type=click.IntRange(min=1), default=None, help="Processes (default: one a core).")
@click.option("--json", "as_json", is_flag=True, help="Print every figure as one JSON object instead of the summary.")
def validate(
    cohort: Path, folder: Path | None, shipped: bool, force: bool, seed: int | None, workers: int | None, as_json: bool
) -> None:
    """Compare Tarla's estimates with what happened to your patients without prophylactic tocilizumab.

    The model is the one that answers here. For each outcome: observed over expected, calibration, c-statistic, Brier
    score, decision curve, and how many more patients a firm answer needs. The same file and seed give the same figures,
    whatever the number of processes. Exit status 0 when the figures could be worked out, whatever they say; 2 when the
    file cannot be used or nothing written.
    """
    from bot.cohort.validation import making
    from bot.cohort.validation.words import in_short
    from bot.compose import model_of
    from knowledge.cohort.validation import DEFAULT_SEED
    from knowledge.model import ModelError, load

    if folder is not None:
        making.targets_of(folder, force=force)
    try:
        model = load() if shipped else model_of(settings_or_fail())()
        chosen = DEFAULT_SEED if seed is None else seed
        found = making.validated(cohort, model, seed=chosen, workers=workers)
    except ModelError as error:
        raise CannotError(str(error)) from None
    if folder is not None:
        making.write(found, folder, force=force)
    click.echo(making.as_json(found) if as_json else in_short(found), nl=not as_json)
    if folder is not None:
        click.echo(f"Written: {making.PAGE} and {making.DATA}", err=True)
