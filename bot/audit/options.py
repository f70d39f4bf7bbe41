"""What the auditor's commands share: settings, days, progress on a terminal, exit statuses."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bot.settings import Settings, SettingsError, read_settings

if TYPE_CHECKING:
    from bot.audit.days import Days
    from bot.checkpoints.newest import OwnNotes
    from handlers.ports import LedgerUnavailableError

# Exit statuses: what was asked is right; something is wrong with the ledger; it could not be asked or written.
RIGHT, WRONG, CANNOT = 0, 1, 2

Command = TypeVar("Command", bound=Callable[..., Any])


class CannotError(click.ClickException):
    """What was asked could not be done; nothing is said of the ledger by that."""

    exit_code = CANNOT


def settings_or_fail() -> Settings:
    """The settings, or the reason why not in the command line's form."""
    try:
        return read_settings()
    except SettingsError as error:
        raise CannotError(str(error)) from None


def checkpoints_or_fail(settings: Settings) -> OwnNotes:
    """The checkpoints of this installation's folder, as the keys beside them say."""
    from bot.checkpoints.folder import CheckpointFolder, FolderError
    from bot.checkpoints.newest import own_notes

    try:
        return own_notes(CheckpointFolder(settings.checkpoints))
    except FolderError as error:
        raise CannotError(f"the folder of checkpoints cannot be read ({error})") from None


def whole_or_fail(settings: Settings) -> None:
    """Nothing is added to a ledger that has lost its end: its receipts' numbers would be given out a second time."""
    from bot.lifecycle.cut_off import cut_off

    if (fault := cut_off(settings)) is not None:
        raise click.ClickException(f"nothing is recorded in {settings.tarla_ledger} ({fault}): see tarla audit verify")


def span_options(command: Command) -> Command:
    """``--since`` and ``--until``."""
    until = click.option("--until", metavar="DAY", help="Last day, UTC, such as 2026-11-24.")
    since = click.option("--since", metavar="DAY", help="First day, UTC, such as 2026-01-01.")
    return since(until(command))


def days_or_fail(since: str | None, until: str | None) -> Days:
    """The days, or what to write instead."""
    from bot.audit.days import DayError, Days

    try:
        return Days(since, until)
    except DayError as error:
        raise CannotError(str(error)) from None


def spare_what_is_kept(path: Path, settings: Settings, ledger: Path | None = None) -> None:
    """Refuse to write where the ledger, a checkpoint or a key lies, also with --force.

    Raises:
        OutputError: ``path`` is one of these.
    """
    from bot.audit.files import spare

    keys = [each for each in (settings.signing_key, settings.tarla_id_key) if each is not None]
    spare(path, [each for each in (settings.tarla_ledger, ledger) if each is not None], [settings.checkpoints], keys)


# What to do, by the code of the fault.
_ADVICE = {
    "cannot_open": "set TARLA_LEDGER to the ledger's file, and give the command as the account that owns it",
    "read_only": "give the command as the account that owns it; half a write is undone by tarla ask or the bot's start",
    "locked": "another program holds it: try again, or end that program",
    "damaged": "tarla audit verify says where; docs/runbook.md, The ledger is damaged, says what to do",
}


def unusable(path: Path, error: LedgerUnavailableError) -> str:
    """Which file cannot be used, why, and what to do."""
    if error.code == "cannot_open" and not path.exists():
        return (
            f"the ledger cannot be read: there is no file {path}, or its folder is closed to you: {_ADVICE[error.code]}"
        )
    advice = f": {_ADVICE[error.code]}" if error.code in _ADVICE else ""
    return f"the ledger {path} cannot be used ({error}){advice}"


@contextlib.contextmanager
def ledger_errors(path: Path) -> Iterator[None]:
    """A ledger that cannot be read, in the command line's form."""
    from handlers.ports import LedgerUnavailableError

    try:
        yield
    except LedgerUnavailableError as error:
        if error.code == "damaged":
            click.echo(f"The ledger {path} is not as it was recorded ({error}): {_ADVICE[error.code]}", err=True)
            sys.exit(WRONG)
        raise CannotError(unusable(path, error)) from None


@contextlib.contextmanager
def bar(what: str, unit: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on standard error, where that is a terminal; to be told how many more are done."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda _more: None
        return
    from tqdm import tqdm

    with tqdm(total=total, desc=what, unit=f" {unit}", unit_scale=True, mininterval=0.2, leave=False) as drawn:

        def follow(more: int) -> None:
            drawn.update(more)

        yield follow


@contextlib.contextmanager
def progress(path: Path, what: str) -> Iterator[Callable[[int], None]]:
    """A bar over all events of a ledger; to be told each event's number."""
    from bot.ledger.connection import AUDIT_WAIT_MS
    from bot.ledger.read import last_seq_of
    from handlers.ports import LedgerUnavailableError

    total = None
    with contextlib.suppress(LedgerUnavailableError):  # whoever reads it will say what is wrong with it
        total = last_seq_of(path, AUDIT_WAIT_MS)
    with bar(what, "events", total) as more:
        yield lambda _seq: more(1)
