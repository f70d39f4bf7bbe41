"""``tarla model list`` and ``tarla model use``. Heavy imports stand inside the functions."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.audit.options import CannotError, settings_or_fail, unusable, whole_or_fail

if TYPE_CHECKING:
    from bot.models.folder import ModelFolder
    from bot.models.switching import Listed
    from bot.settings import Settings
    from knowledge.model import Model

RESTART = "A bot that is running goes on with the model it started with: start it again (docs/site-model-use.md)."
OTHER_ACCOUNT = (
    "The ledger belongs to another account than the model's files: if that is the bot's, let it read them, or no risk "
    "is shown (tarla doctor, run as that account, says whether it can)."
)
HASH_SHOWN = 12


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_models(as_json: bool) -> None:
    """Show the shipped model and the site's own: which is in use, from how many patients, and whether it is usable.

    Exit status 0 when the model in use can answer, 1 when it cannot, 2 when which one that is cannot be told.
    """
    from bot.models.folder import ModelFolder
    from bot.models.switching import listed
    from knowledge import ModelError

    settings = settings_or_fail()
    folder = ModelFolder(settings.models, named=settings.tarla_models is not None)
    try:
        models = list(listed(folder))
    except ModelError as error:
        raise CannotError(str(error)) from None
    if as_json:
        click.echo(json.dumps({"models": [_record(each) for each in models]}, indent=2))
    else:
        click.echo("\n".join(line for each in models for line in _told(each)))
    sys.exit(0 if any(each.in_use and each.fault is None for each in models) else 1)


@click.command("use")
@click.argument("model", required=False)
@click.option("--shipped", is_flag=True, help="Go back to the model shipped with this release.")
@click.option("--simulated", is_flag=True, help="Allow a model made from simulated patients: never for care.")
@click.option("--yes", is_flag=True, help="Do not ask; needed where there is no terminal.")
def use_model(model: str | None, shipped: bool, simulated: bool, yes: bool) -> None:
    """Let MODEL answer from now on: a kept model's name, the first signs of its SHA-256, or an artefact's file.

    A file is checked and kept first. What changes is shown, and the ledger is told before anything is switched.
    Exit status 0 when MODEL is in use, 2 when nothing was changed.
    """
    from bot.models.folder import ModelFolder
    from bot.models.in_use import model_in_use
    from handlers.ports import model_or_none

    settings = settings_or_fail()
    folder = ModelFolder(settings.models, named=settings.tarla_models is not None)
    wanted, data = _wanted(folder, model, shipped=shipped)
    if wanted.site is not None and wanted.site.simulated and not simulated:
        raise CannotError("this model was made from simulated patients and describes nobody: try it with --simulated")
    before = model_or_none(model_in_use(folder))
    if before is not None and before.version == wanted.version:
        click.echo(f"{wanted.version.id} is in use already: nothing was changed.")
        return
    _show(before, wanted)
    _confirm(yes=yes)
    receipt = _activate(settings, folder, wanted, data)
    click.echo(f"{wanted.version.id} is in use, recorded as #{receipt}.\n{RESTART}")
    if not folder.belongs_to(settings.tarla_ledger.stat().st_uid):
        click.echo(OTHER_ACCOUNT, err=True)


def _wanted(folder: ModelFolder, name: str | None, *, shipped: bool) -> tuple[Model, bytes | None]:
    """The model meant, and its bytes where they come from a file."""
    from bot.models.folder import check_basis, read_artefact, site_model
    from bot.models.switching import UnknownModelError, kept_as
    from knowledge import ModelError
    from knowledge.model import load, shipped_version

    if shipped == (name is not None):
        raise CannotError("name one model, or --shipped (tarla model list shows them)")
    try:
        if name is None or name == shipped_version().id:
            return load(), None
        kept = kept_as(folder, name)
        if kept is not None:
            return kept, None
        data = read_artefact(Path(name))
        model = site_model(data)
        check_basis(model)
    except (ModelError, UnknownModelError) as error:
        raise CannotError(str(error)) from None
    except (OSError, ValueError):
        # What was typed is not repeated: a file may bear a name.
        told = "there is no kept model of this name and no such file that can be read (tarla model list shows them)"
        raise CannotError(told) from None
    return model, data


def _show(before: Model | None, after: Model) -> None:
    from bot.models.changes import before_and_after
    from bot.models.folder import updates_shipped
    from handlers.answer.own_patients import SIMULATED, fit, origin
    from handlers.answer.view import TITLE

    now = "a model that is not usable" if before is None else before.version.id
    click.echo(f"From {now} to {after.version.id}, SHA-256 {after.version.sha256[:HASH_SHOWN]}…")
    if after.site is not None:
        if after.site.simulated:
            click.echo(SIMULATED)
        click.echo(f"{origin(after.site)}. Patients' file: SHA-256 {after.site.data_sha256[:HASH_SHOWN]}…")
        if fit(after.site):
            click.echo(f"{fit(after.site)} (tarla study update refuses what is too large for its draws).")
        if not updates_shipped(after):
            click.echo(
                f"Its parent is not the shipped file but another build, {after.site.parent_sha256[:HASH_SHOWN]}…"
            )
    click.echo(f"\n{TITLE}. Risk with 95 % interval:\n" + "\n".join(before_and_after(before, after)) + "\n")


def _confirm(*, yes: bool) -> None:
    if yes:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise CannotError("nobody is asked where there is no terminal: add --yes. Nothing was changed")
    if not click.confirm("Let this model answer from now on?"):
        raise CannotError("nothing was changed")


def _activate(settings: Settings, folder: ModelFolder, model: Model, data: bytes | None) -> str:
    from bot.audit.cli_keep import account
    from bot.clock import SystemClock
    from bot.ledger import open_ledger
    from bot.models.switching import NotSwitchedError, activate
    from handlers.ports import LedgerUnavailableError

    whole_or_fail(settings)
    asker = {"via": "cli", "user": account(settings)}
    writer = open_ledger(settings.tarla_ledger, clock=SystemClock())
    try:
        return activate(folder, writer, model, asker, data=data).receipt
    except LedgerUnavailableError as error:
        raise CannotError(f"nothing was changed: {unusable(settings.tarla_ledger, error)}") from None
    except NotSwitchedError as error:
        raise CannotError(str(error)) from None
    except OSError as error:
        told = f"nothing was changed: the folder of models cannot be written ({error.strerror}): see TARLA_MODELS"
        raise CannotError(told) from None
    finally:
        writer.close()


def _told(each: Listed) -> list[str]:
    from handlers.answer.own_patients import SIMULATED, origin

    mark = "in use" if each.in_use else "      "
    lines = [f"{mark}  {each.version.id}, SHA-256 {each.version.sha256[:HASH_SHOWN]}…"]
    site = None if each.model is None else each.model.site
    if site is not None:
        lines += [f"        {SIMULATED}"] if site.simulated else []
        lines.append(f"        {origin(site)}")
    elif each.model is not None:
        lines.append("        shipped with this release")
    if each.fault is not None:
        lines.append(f"        NOT USABLE: {each.fault}")
    return lines


def _record(each: Listed) -> dict[str, Any]:
    site = None if each.model is None else each.model.site
    return {
        "id": each.version.id,
        "sha256": each.version.sha256,
        "in_use": each.in_use,
        "usable": each.fault is None,
        "fault": each.fault,
        "site": None if site is None else site.model_dump(mode="json"),
    }
