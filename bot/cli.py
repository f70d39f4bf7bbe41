"""The command line. Heavy imports stand inside the commands, so that ``tarla ask`` answers at once."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

import click

from bot.audit.cli import audit
from bot.cohort.cli import study as cohort_study
from bot.models.cli import list_models, use_model
from bot.settings import Settings, SettingsError, read_settings

# Exit statuses of ``tarla ask``.
OK, FAILED, REFUSED, NOT_RECORDED, NO_PICTURE = 0, 1, 2, 3, 4
# Exit status of ``tarla serve`` where a new start may help, unlike one with wrong settings (EX_TEMPFAIL).
TRY_AGAIN = 75


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tarla-bot", prog_name="tarla")
def main() -> None:
    """Risk of CRS and ICANS before the first tarlatamab infusion. A planning aid: it informs, you decide."""


# What begins with a dash may be a finding (`-dm`), and an unknown option would be echoed.
@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.option("--json", "as_json", is_flag=True, help="Print the assessment as one JSON object.")
@click.option(
    "--plot",
    # What is wrong with it is told after the answer, and without its name.
    type=click.Path(readable=False, path_type=Path),
    metavar="FILE",
    help="Also draw the answer, on one page: .png, .svg or .pdf. An existing file is overwritten.",
)
def ask(words: tuple[str, ...], as_json: bool, plot: Path | None) -> None:
    """Answer in the terminal, for example: tarla ask "ldh 480/250 liver yes dm no cvd yes".

    Exit status 0 with an answer, 2 for refused input, 3 when the ledger cannot be written, 4 with an answer but
    without the picture that was asked for, 1 for any other failure. Without an answer no picture is written.
    """
    from bot.terminal import ask_in_terminal

    try:
        sys.exit(ask_in_terminal(" ".join(words), as_json=as_json, plot=plot, settings=_settings()))
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


@main.command()
@click.option("--socket", "transport", flag_value="socket", default="socket", help="Socket Mode (the default).")
@click.option(
    "--http", "transport", flag_value="http", help="HTTP, path /slack/events, with /healthz, /readyz, /metrics."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on, with --http.")
@click.option("--port", default=3000, show_default=True, type=click.IntRange(0, 65535), help="Port, with --http.")
def serve(transport: str, host: str, port: int) -> None:
    """Run the Slack bot until SIGTERM or Ctrl-C."""
    from bot.logs import LogForm, set_up_logs
    from bot.serve import serve_over_http, serve_over_socket
    from bot.transports.watchdog import NoLinkInSightError

    settings = _settings()
    form = set_up_logs(settings.tarla_log)
    try:
        asyncio.run(serve_over_socket(settings) if transport == "socket" else serve_over_http(settings, host, port))
    except SettingsError as error:
        if form is LogForm.JSON:
            # Whoever reads JSON lines reads nothing else.
            logging.getLogger("tarla.serve").critical("cannot start: %s", error)
            sys.exit(FAILED)
        raise click.ClickException(str(error)) from None
    except NoLinkInSightError as error:
        logging.getLogger("tarla.serve").critical("%s: ending, so that the supervisor starts Tarla again", error)
        sys.exit(TRY_AGAIN)


@main.command()
def doctor() -> None:
    """Say in plain words what is missing, and what to do."""
    from bot.doctor import examine, report

    findings = asyncio.run(examine(_settings()))
    click.echo(report(findings))
    sys.exit(OK if all(finding.ok for finding in findings) else FAILED)


@main.command()
def demo() -> None:
    """Send one case through the real bot with a stand-in for Slack, and show answer, ledger row and check."""
    from bot.demo import run_demo

    sys.exit(OK if asyncio.run(run_demo()) else FAILED)


main.add_command(audit)
main.add_command(cohort_study)


@main.group()
def model() -> None:
    """The risk model."""


@model.command("build")
@click.option("--seed", type=int, default=None, help="Seed of all randomness (default: that of the shipped model).")
@click.option("--draws", type=click.IntRange(min=30), default=None, help="Least effective sample size of each pool.")
@click.option(
    "--keep",
    type=click.IntRange(min=30),
    default=None,
    help="Draws kept in the file (default: about 14,000); more are for tarla study update --parent, and need --out.",
)
@click.option("--workers", type=click.IntRange(min=1), default=None, help="Processes (default: one a core).")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=None, help="Folder (default: where it is used)."
)
def build(seed: int | None, draws: int | None, keep: int | None, workers: int | None, out: Path | None) -> None:
    """Build the model from the published facts. The same seed gives the same file."""
    from bot.model_build import DEFAULT_EFFECTIVE_DRAWS, DEFAULT_SEED, build_to, summary
    from knowledge.model import data_folder
    from knowledge.synthesis.build import MOST_DRAWS

    if keep is not None and out is None:
        raise click.UsageError(
            "--keep needs --out: with more draws answers are slow, so it cannot be the model in use."
        )
    result = build_to(
        out or Path(str(data_folder())),
        seed=DEFAULT_SEED if seed is None else seed,
        effective_draws=draws or DEFAULT_EFFECTIVE_DRAWS,
        most_draws=keep or MOST_DRAWS,
        workers=workers,
    )
    click.echo(summary(result))


@model.command("pictures")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("docs/pictures"),
    show_default=True,
    help="Folder.",
)
def pictures(out: Path) -> None:
    """Draw the documents' pictures from the shipped model, each beside a JSON of the numbers in it."""
    from bot.pictures.registry import write_all

    for path in write_all(out):
        click.echo(path)


@model.command("study")
@click.option("--seed", type=int, default=None, help="Seed of all randomness (default: that of the committed results).")
@click.option("--cohorts", type=click.IntRange(min=10), default=1_000, show_default=True, help="Effective, a truth.")
@click.option("--draws", type=click.IntRange(min=10), default=3_000, show_default=True, help="Effective, a variant.")
@click.option("--workers", type=click.IntRange(min=1), default=None, help="Processes (default: one a core).")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=None, help="Folder (default: where it is read)."
)
@click.option("--docs", type=click.Path(file_okay=False, exists=True, path_type=Path), help="Write the report here.")
def study(seed: int | None, cohorts: int, draws: int, workers: int | None, out: Path | None, docs: Path | None) -> None:
    """Compare the engine with the study's own regression on simulated cohorts that show the published facts."""
    from bot.evidence_study import DEFAULT_SEED, run_to
    from knowledge.simulation.results import study_folder

    written = run_to(
        out or Path(str(study_folder())),
        docs,
        seed=DEFAULT_SEED if seed is None else seed,
        cohorts=cohorts,
        draws=draws,
        workers=workers,
    )
    click.echo("\n".join(f"wrote {path}" for path in written))


@model.command("card")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of Markdown.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Write to this file instead."
)
def card(as_json: bool, out: Path | None) -> None:
    """What the model is, rests on, can and cannot do: the model card."""
    from bot.model_card import card_text
    from knowledge import ModelError
    from knowledge.card import CardError

    try:
        text = card_text(as_json=as_json)
        if out is None:
            click.echo(text, nl=False)
        else:
            out.write_text(text, encoding="utf-8")
    except (ModelError, CardError) as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        reason = (
            f"the card cannot be written there ({error.strerror}): name a file in a folder that exists, --out card.md"
        )
        raise click.ClickException(reason) from None


model.add_command(list_models)
model.add_command(use_model)


def _settings() -> Settings:
    try:
        return read_settings()
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
